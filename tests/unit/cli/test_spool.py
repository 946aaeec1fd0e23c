"""Check-ins that wait: in order, bounded in number and age, never half of one."""

import time

import pytest

from tocsin.cli import spool as spool_module
from tocsin.cli.spool import KEPT_S, Spool


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def spool(folder):
    return Spool(folder)


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


def test_what_is_older_than_a_day_is_dropped(spool, folder):
    folder.mkdir()
    old = time.time_ns() - (KEPT_S + 60) * 10**9
    (folder / f"{old:020d}-x.json").write_text('{"path": "/old", "body": {}}')
    put(spool, 1)
    sent = []
    spool.flush(collect(sent))
    assert [path for path, _ in sent] == ["/0"]
    assert list(folder.iterdir()) == []


def test_beyond_the_limit_the_oldest_go(spool, monkeypatch):
    monkeypatch.setattr(spool_module, "LIMIT", 3)
    put(spool, 5)
    sent = []
    spool.flush(collect(sent))
    assert [path for path, _ in sent] == ["/2", "/3", "/4"]


def test_half_a_letter_is_never_sent(spool, folder):
    folder.mkdir()
    now = time.time_ns()
    (folder / f".{now:020d}-draft.json").write_text('{"path": "/draft", "bo')  # a crash while writing
    (folder / f"{now:020d}-torn.json").write_text('{"path": "/torn", "bo')  # a disk that lost its end
    (folder / "README").write_text("somebody's note")
    put(spool, 1)
    sent = []
    assert spool.flush(collect(sent)) == 1
    assert [path for path, _ in sent] == ["/0"]
    assert not list(folder.glob("*torn*"))
    assert (folder / "README").exists()


def test_only_its_owner_can_read_it(spool, folder):
    put(spool, 1)
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("variable", "expected"), [("TOCSIN_SPOOL", "here"), ("XDG_STATE_HOME", "here/tocsin/spool")])
def test_the_environment_says_where(tmp_path, monkeypatch, variable, expected):
    monkeypatch.delenv("TOCSIN_SPOOL", raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "here"))
    put(Spool(), 1)
    assert len(list((tmp_path / expected).glob("*.json"))) == 1
