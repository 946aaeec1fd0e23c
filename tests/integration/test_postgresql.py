"""PostgreSQL goes away, comes back, changes sides: what was acknowledged is there, once, and the rest is trouble."""

import contextlib
import time

import psycopg
import pytest

from support.cut_wire import Wire
from support.stores import NOW, check_in, check_in_number, commit, delta, drain, incident, monitor, track, with_monitors
from tocsin.store import CheckInFilter, Fenced, SqlStore, StoreTrouble
from tocsin.store.database import shown
from tocsin.store.postgresql import connect, is_passing

ANY = CheckInFilter()


@pytest.fixture
def url(postgres):
    made = postgres.new_database()
    yield made
    postgres.drop(made)


@pytest.fixture
def wire(postgres):
    made = Wire(postgres.port)
    yield made
    made.close()


@pytest.fixture
def store(url, postgres, wire):
    """Through the wire."""
    opened = SqlStore(url.replace(f":{postgres.port}/", f":{wire.port}/"), busy_timeout_ms=5_000)
    yield opened
    opened.close()


def patiently(call):
    """As the partition's loop does it. How often there was trouble."""
    for troubles in range(200):
        try:
            call()
        except StoreTrouble:
            time.sleep(0.01)
        else:
            return troubles
    raise AssertionError("the trouble does not pass")


@pytest.mark.parametrize("moment", ["cut_before", "cut_after"])
def test_a_commit_that_nobody_heard_of_counts_once(store, wire, moment):
    with_monitors(store, monitor(1))
    here = track(1, 1)
    for index in range(3):
        before = store.position()
        made = delta(check_in(check_in_number(index), here), track(1, 1, ok_count=index))
        getattr(wire, moment)(b"COMMIT")
        troubles = patiently(lambda made=made, before=before: store.commit(made, before + 1))
        assert troubles >= 1
        assert wire.cuts == index + 1
        assert store.position() == before + 1
    found = [one.number for one in store.list_check_ins(1, ANY, size=9).rows]
    assert found == [check_in_number(index) for index in (2, 1, 0)]
    commit(store, delta(incident(1, here)))  # and it goes on


def test_what_was_kept_is_not_taken_for_another_delta(store, wire):
    with_monitors(store, monitor(1))
    wire.cut_after(b"COMMIT")
    with pytest.raises(StoreTrouble):
        commit(store, delta(check_in(check_in_number(1), track(1, 1))))
    with pytest.raises(Fenced):
        commit(store, delta(check_in(check_in_number(2), track(1, 1))))
    assert [one.number for one in store.list_check_ins(1, ANY, size=9).rows] == [check_in_number(1)]


def test_a_commit_in_doubt_does_not_win_over_a_new_owner(store, wire, url):
    with_monitors(store, monitor(1))
    made = delta(check_in(check_in_number(1), track(1, 1)))
    wire.cut_after(b"COMMIT")
    position = store.position() + 1
    with pytest.raises(StoreTrouble):
        store.commit(made, position)
    other = SqlStore(url)
    try:
        drain(other.load())
        with pytest.raises(Fenced, match="another tocsin server"):
            patiently(lambda: store.commit(made, position))
    finally:
        other.close()


def test_a_database_that_lost_commits_is_not_written_to(store, postgres, url):
    with_monitors(store, monitor(1))
    commit(store, delta(check_in(check_in_number(1), track(1, 1))))
    postgres.execute("UPDATE partitions SET position = position - 1", database=url.rpartition("/")[2])
    with pytest.raises(Fenced, match="lacks what was committed"):
        commit(store, delta(check_in(check_in_number(2), track(1, 1))))


def test_reads_and_writes_go_on_after_an_absence(store, wire):
    with_monitors(store, monitor(1))
    assert store.get_monitor(1, "m-1") is not None
    wire.down()
    for call in (
        lambda: store.get_monitor(1, "m-1"),
        lambda: store.alive(NOW),
        lambda: commit(store, delta(track(1, 1, ok_count=3))),
        store.load,
    ):
        with pytest.raises(StoreTrouble):
            call()
    wire.up()
    commit(store, delta(track(1, 1, ok_count=3)))
    assert store.get_monitor(1, "m-1").tracks[0][1].ok_count == 3


def test_sessions_that_an_administrator_ends_are_made_again(store, postgres, url):
    with_monitors(store, monitor(1))
    for index in range(3):
        name = url.rpartition("/")[2]
        postgres.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        )
        patiently(lambda index=index: commit(store, delta(check_in(check_in_number(index), track(1, 1)))))
        assert len(store.list_check_ins(1, ANY, size=9).rows) == index + 1


def test_a_reader_that_is_ended_leaves_the_writer_alone(store, postgres, url):
    ended = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tocsin reader'"
        f" AND datname = '{url.rpartition('/')[2]}'"
    )
    with store.database.write() as writing:
        writing.exec_driver_sql("INSERT INTO settings VALUES ('a', '1')")
        with pytest.raises(StoreTrouble), store.database.read() as reading:
            postgres.execute(ended)
            reading.exec_driver_sql("SELECT pg_sleep(1)")
        writing.exec_driver_sql("INSERT INTO settings VALUES ('b', '2')")
    assert (store.get_setting("a"), store.get_setting("b")) == ("1", "2")
    with pytest.raises(ZeroDivisionError), store.database.write() as writing:
        writing.exec_driver_sql("INSERT INTO settings VALUES ('c', '3')")
        with pytest.raises(StoreTrouble), store.database.read() as reading:
            postgres.execute(ended)
            reading.exec_driver_sql("SELECT pg_sleep(1)")
        writing.exec_driver_sql("INSERT INTO settings VALUES ('d', '4')")
        raise ZeroDivisionError
    assert (store.get_setting("c"), store.get_setting("d")) == (None, None)


def test_a_server_that_became_read_only_is_left(store, postgres, url):
    """As after a failover: sessions work as ever, but nothing can be written through them."""
    with_monitors(store, monitor(1))
    made = delta(check_in(check_in_number(1), track(1, 1)))
    name = url.rpartition("/")[2]
    postgres.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    postgres.execute("SELECT pg_reload_conf()")
    try:
        wait_until(lambda: postgres.execute("SHOW default_transaction_read_only") == [("on",)])
        for _ in range(3):
            with pytest.raises(StoreTrouble, match="read-only"):
                commit(store, made)
        assert sessions(postgres, name) == 0  # none is kept that leads to the wrong server
    finally:
        postgres.execute("ALTER SYSTEM RESET default_transaction_read_only")
        postgres.execute("SELECT pg_reload_conf()")
    wait_until(lambda: postgres.execute("SHOW default_transaction_read_only") == [("off",)])
    patiently(lambda: commit(store, made))
    assert len(store.list_check_ins(1, ANY, size=9).rows) == 1


def sessions(postgres, name: str) -> int:
    [(count,)] = postgres.execute(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'")
    return count


def wait_until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_slow_statements_end(postgres, url):
    store = SqlStore(url, statement_timeout_ms=20)
    try:
        with pytest.raises(StoreTrouble, match="timeout"), store.database.read() as connection:
            connection.exec_driver_sql("SELECT pg_sleep(60)")
        with store.database.read() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    finally:
        store.close()


def test_sessions_say_who_they_are_and_notice_a_dead_network(url):
    with contextlib.closing(connect(url, "writer", busy_timeout_ms=1234, statement_timeout_ms=5678)) as connection:
        wanted = {
            "application_name": "tocsin writer",
            "lock_timeout": "1234ms",
            "statement_timeout": "5678ms",
            "idle_in_transaction_session_timeout": "1min",
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_count": "3",
            "synchronous_commit": "on",
        }
        found = {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in wanted}
    assert found == wanted


@pytest.mark.parametrize(
    ("state", "passing"),
    [
        ("08006", True),
        ("25006", True),
        ("25P03", True),
        ("40001", True),
        ("40P01", True),
        ("53100", True),
        ("53300", True),
        ("55P03", True),
        ("57014", True),
        ("57P01", True),
        ("57P03", True),
        ("58030", True),
        ("22003", False),
        ("22021", False),
        ("23505", False),
        ("42P01", False),
        ("XX001", False),
    ],
)
def test_what_passes_on_postgresql(state, passing):
    assert is_passing(psycopg.errors.lookup(state)("as it may be")) is passing


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        (
            "postgresql://ann:secret@db.example.org:5433/tocsin?sslmode=require",
            "postgresql://ann@db.example.org:5433/tocsin",
        ),
        ("postgres://ann:secret@a,b:5433/tocsin", "postgresql://ann@a,b:5433/tocsin"),
        ("postgresql://a:1,b:2/tocsin?user=ann&password=secret", "postgresql://ann@a:1,b:2/tocsin"),
        ("postgresql+psycopg:///tocsin?host=/run/postgresql", "postgresql:///run/postgresql/tocsin"),
        ("postgresql://", "postgresql:///"),
        ("sqlite:///data/tocsin.db", "sqlite:///data/tocsin.db"),
    ],
)
def test_passwords_are_not_shown(url, seen):
    assert shown(url) == seen


@pytest.mark.parametrize("url", ["postgresql://ann:secret@[db/tocsin", "postgresql://ann:secret@db/tocsin?secret=1"])
def test_a_url_that_cannot_be_read_is_not_repeated(url):
    for call in (SqlStore, shown):
        with pytest.raises(ValueError, match="cannot be read") as refused:
            call(url)
        assert "secret" not in str(refused.value)
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__


def test_a_password_is_in_no_error(postgres, url):
    away = url.replace("postgres@", "ann:secret@").replace(f":{postgres.port}/", ":1/")
    store = SqlStore(away)
    try:
        with pytest.raises(StoreTrouble) as refused:
            store.list_projects()
        assert "secret" not in repr(refused.value) + repr(refused.value.__cause__) + repr(store.database.writer)
    finally:
        store.close()


def test_text_is_compared_by_code_points_in_every_column(postgres, url):
    """Whatever language a database is set to: a step that adds a column of text has to say so."""
    rows = postgres.execute(
        "SELECT attrelid::regclass::text, attname, collname FROM pg_attribute"
        " JOIN pg_class ON pg_class.oid = attrelid JOIN pg_collation ON pg_collation.oid = attcollation"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped",
        database=url.rpartition("/")[2],
    )
    assert len(rows) > 30
    assert [row for row in rows if row[2] != "C" and row[0] != "alembic_version"] == []
