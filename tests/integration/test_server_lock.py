"""One server for a database on PostgreSQL; and what is said of a server's settings."""

import subprocess
import sys

import pytest

from support.cut_wire import Wire
from support.stores import environment
from tocsin.store import server_check
from tocsin.store.database import open_database
from tocsin.store.port import Locked, StoreTrouble
from tocsin.store.server_lock import ServerLock


@pytest.fixture
def url(postgres):
    made = postgres.new_database()
    yield made
    postgres.drop(made)


def test_a_second_holder_is_refused_and_told_who_holds_it(url, postgres):
    with ServerLock(url), pytest.raises(Locked) as refused, ServerLock(url.replace("@", ":secret@"), patience_s=0):
        pass
    assert str(refused.value).startswith(f"{url} is in use by another tocsin, connected from 127.0.0.1 since 20")
    with ServerLock(url) as lock:
        assert not lock.keep()


def test_another_database_of_the_server_has_a_lock_of_its_own(url, postgres):
    other = postgres.new_database(empty=True)
    with ServerLock(url), ServerLock(other):
        pass
    postgres.drop(other)


def test_a_holder_that_ends_meanwhile_is_waited_for(url):
    script = "import sys; from tocsin.store.server_lock import ServerLock; ServerLock(sys.argv[1]).__enter__(); print(1, flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", script, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    with holder:
        assert holder.stdout.readline() == "1\n"
        holder.kill()
        with ServerLock(url):
            pass


def test_a_lock_that_was_lost_is_taken_again_unless_another_has_it(url, postgres):
    wire = Wire(postgres.port)
    try:
        with ServerLock(url.replace(f":{postgres.port}/", f":{wire.port}/")) as lock:
            wire.down()
            with pytest.raises(StoreTrouble):
                lock.keep()
            wire.up()
            with ServerLock(url), pytest.raises(Locked):
                lock.keep()
            assert lock.keep()
            assert not lock.keep()
    finally:
        wire.close()


def test_a_server_that_does_not_answer_is_trouble():
    with pytest.raises(StoreTrouble, match="cannot be reached"), ServerLock("postgresql://127.0.0.1:1/x"):
        pass


def test_the_stakes_of_settings_that_are_off_are_told(url, postgres):
    assert server_check.remarks("sqlite:///x.db") == {}
    assert set(server_check.remarks(url)) == {"fsync", "full_page_writes"}  # as tests have it
    name = url.rpartition("/")[2]
    postgres.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    assert "switches it on" in server_check.remarks(url)["synchronous_commit"]


def test_a_database_that_cannot_hold_all_text_is_refused(postgres):
    postgres.execute("CREATE DATABASE latin ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc TEMPLATE template0")
    with pytest.raises(ValueError, match="encoding UTF8, not SQL_ASCII"):
        server_check.remarks(postgres.url("latin"))
    postgres.drop(postgres.url("latin"))


def test_what_is_written_is_durable_whatever_the_database_says(url, postgres):
    name = url.rpartition("/")[2]
    for given, used in (("off", "on"), ("remote_apply", "remote_apply"), ("local", "local")):
        postgres.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = {given}')
        database = open_database(url)
        with database.write() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == used
        database.close()
