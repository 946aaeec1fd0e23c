"""One server for each data folder, and for each database."""

import os
from pathlib import Path

import pytest

from tocsin.app.lock import DataLock, Locked, database_lock
from tocsin.app.settings import Settings, Store


def test_a_second_holder_is_refused_and_told_who_holds_it(tmp_path):
    with DataLock(tmp_path / "data"), pytest.raises(Locked, match=str(os.getpid())), DataLock(tmp_path / "data"):
        pass


def test_it_is_free_again_afterwards(tmp_path):
    for _ in range(2):
        with DataLock(tmp_path):
            pass


def test_folders_do_not_disturb_each_other(tmp_path):
    with DataLock(tmp_path / "a"), DataLock(tmp_path / "b"):
        pass


def test_a_lock_file_left_behind_is_no_lock(tmp_path):
    (tmp_path / "tocsin.lock").write_text("12345\nand more than fits")
    with DataLock(tmp_path):
        assert (tmp_path / "tocsin.lock").read_text() == f"{os.getpid()}\n"


def test_a_database_in_a_file_is_locked_whatever_the_data_folder(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'data' / 'tocsin.db'}"
    elsewhere = Settings(store=Store(data=str(tmp_path / "other"), url=url))
    with DataLock(tmp_path / "data"), pytest.raises(Locked), database_lock(elsewhere):
        pass
    with database_lock(elsewhere), pytest.raises(Locked), DataLock(tmp_path / "data"):
        pass


def test_databases_of_one_folder_are_locked_apart(tmp_path: Path) -> None:
    first, second = (Settings(store=Store(url=f"sqlite:///{tmp_path / name}")) for name in ("a.db", "b.db"))
    with database_lock(first):
        with database_lock(second):
            pass
        with pytest.raises(Locked, match=r"a\.db"), database_lock(first):
            pass
