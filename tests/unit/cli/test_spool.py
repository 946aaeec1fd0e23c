"""Check-ins that wait: in order, bounded in number and age, never half of one."""

import json
import time
import uuid

import pytest

from tocsin.cli import spool as spool_module
from tocsin.cli.spool import KEPT_S, Spool


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def said():
    return []


@pytest.fixture
def spool(folder, said):
    return Spool("http://here", "key", folder, said.append)


def name(nanoseconds=None):
    return f"{nanoseconds or time.time_ns():020d}-{uuid.uuid4().hex}.json"


def collect(sent, until=10**9):
    def send(path, body):
        if len(sent) >= until:
            return False
        sent.append((path, body))
        return True

    return send


def put(spool, count):
    for number in range(count):
        spool.put(f"/{number}", {"n": number})


def test_letters_go_out_in_the_order_they_came(spool, folder):
    put(spool, 20)
    sent = []
    assert spool.flush(collect(sent)) == 20
    assert sent == [(f"/{number}", {"n": number}) for number in range(20)]
    assert list(folder.iterdir()) == []


def test_the_first_that_cannot_be_sent_stops_the_others(spool):
    put(spool, 5)
    sent = []
    assert spool.flush(collect(sent, until=2)) == 2
    assert spool.flush(collect(sent)) == 3
    assert [path for path, _ in sent] == ["/0", "/1", "/2", "/3", "/4"]


def test_an_empty_spool_sends_nothing(spool):
    assert spool.flush(collect([])) == 0


def test_what_is_older_than_a_day_is_dropped_and_said(spool, folder, said):
    folder.mkdir()
    old = time.time_ns() - (KEPT_S + 60) * 10**9
    (folder / name(old)).write_text('{"path": "/old", "body": {}}')
    put(spool, 1)
    sent = []
    spool.flush(collect(sent))
    assert [path for path, _ in sent] == ["/0"]
    assert list(folder.iterdir()) == []
    assert said == ["1 kept check-in(s) dropped that are older than 24 h"]


def test_beyond_the_limit_the_oldest_go_and_it_is_said(spool, said, monkeypatch):
    monkeypatch.setattr(spool_module, "LIMIT", 3)
    put(spool, 5)
    sent = []
    spool.flush(collect(sent))
    assert [path for path, _ in sent] == ["/2", "/3", "/4"]
    assert said == ["2 kept check-in(s) dropped that are beyond the limit of 3"]


def test_half_a_letter_is_never_sent(spool, folder, said):
    folder.mkdir()
    now = time.time_ns()
    (folder / f".{name(now)}").write_text('{"path": "/draft", "bo')  # a crash while writing
    torn = folder / name(now)
    torn.write_text('{"path": "/torn", "bo')  # a disk that lost its end
    (folder / "README").write_text("somebody's note")
    put(spool, 1)
    sent = []
    assert spool.flush(collect(sent)) == 1
    assert [path for path, _ in sent] == ["/0"]
    assert not torn.exists()
    assert said == ["1 kept check-in(s) dropped that cannot be read"]
    assert (folder / "README").exists()


def test_only_its_owner_can_read_it(spool, folder):
    put(spool, 1)
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("variable", "expected"), [("TOCSIN_SPOOL", "here"), ("XDG_STATE_HOME", "here/tocsin/spool")])
def test_the_environment_says_where(tmp_path, monkeypatch, variable, expected):
    monkeypatch.delenv("TOCSIN_SPOOL", raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "here"))
    put(Spool("http://here", "key"), 1)
    assert len(list((tmp_path / expected).glob("*.json"))) == 1


@pytest.mark.parametrize("other", ["1x.json", f"{1:020d}-x.json", f"{1:021d}-{'0' * 32}.json", "1.json"])
def test_files_of_another_shape_are_let_alone(spool, folder, other):
    folder.mkdir()
    (folder / other).write_text("not ours")
    put(spool, 1)
    assert spool.flush(collect([])) == 1
    assert [file.name for file in folder.iterdir()] == [other]


@pytest.mark.parametrize(("server", "key"), [("http://there", "key"), ("http://here", "another")])
def test_letters_go_only_where_they_were_meant_to_go(spool, folder, server, key):
    put(spool, 2)
    assert Spool(server, key, folder).flush(collect([])) == 0
    assert spool.flush(collect([])) == 2


def test_the_key_is_never_written_down(folder):
    put(Spool("http://here", "a-secret-key", folder), 1)
    (file,) = folder.iterdir()
    letter = json.loads(file.read_text())
    assert letter["server"] == "http://here"
    assert len(letter["key"]) == 16
    assert "secret" not in file.read_text()


def test_a_letter_that_may_not_be_read_now_is_not_lost(spool, folder):
    folder.mkdir()
    (folder / name()).mkdir()  # reading it is an OSError, also for root
    put(spool, 1)
    assert spool.flush(collect([])) == 1
    assert len(list(folder.iterdir())) == 1


def test_without_a_home_there_is_none(monkeypatch):
    monkeypatch.delenv("TOCSIN_SPOOL", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", "~")  # what an unknown uid without HOME comes to
    with pytest.raises(RuntimeError):
        Spool("http://here", "key")


def test_a_chosen_folder_needs_no_home(tmp_path, monkeypatch):
    monkeypatch.setenv("TOCSIN_SPOOL", str(tmp_path))
    monkeypatch.setenv("HOME", "~")
    put(Spool("http://here", "key"), 1)
    assert len(list(tmp_path.iterdir())) == 1
