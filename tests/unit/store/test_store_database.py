"""What is a passing error and what is a bug; how connections are set up."""

import sqlite3

import pytest
from sqlalchemy import exc

from tocsin.store.database import is_passing, open_database, trouble
from tocsin.store.port import StoreTrouble


def error(code: int) -> sqlite3.Error:
    made = sqlite3.OperationalError("as it may be")
    made.sqlite_errorcode = code
    return made


@pytest.mark.parametrize(
    ("code", "passing"),
    [
        (sqlite3.SQLITE_BUSY, True),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, True),
        (sqlite3.SQLITE_FULL, True),
        (sqlite3.SQLITE_IOERR_FSYNC, True),
        (sqlite3.SQLITE_READONLY, True),
        (sqlite3.SQLITE_CANTOPEN, True),
        (sqlite3.SQLITE_ERROR, False),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, False),
        (sqlite3.SQLITE_CORRUPT, False),
    ],
)
def test_what_passes(code, passing):
    assert is_passing(error(code)) is passing
    wrapped = exc.OperationalError("SELECT 1", {}, error(code))
    assert is_passing(wrapped) is passing
    with pytest.raises(StoreTrouble if passing else exc.OperationalError), trouble():
        raise wrapped


def test_an_error_without_a_code_is_a_bug():
    assert not is_passing(ValueError("x"))
    with pytest.raises(ZeroDivisionError), trouble():
        raise ZeroDivisionError


def test_commits_wait_for_the_disk(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}", busy_timeout_ms=1234)
    try:
        with database.write() as connection:
            pragmas = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 1234}
        with database.read() as connection:
            assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1
    finally:
        database.close()


def test_too_many_readers_are_trouble(tmp_path):
    from contextlib import ExitStack

    database = open_database(f"sqlite:///{tmp_path / 'x.db'}", busy_timeout_ms=1)
    try:
        with ExitStack() as stack, pytest.raises(StoreTrouble, match="busy"):
            for _ in range(20):
                stack.enter_context(database.read())
    finally:
        database.close()
