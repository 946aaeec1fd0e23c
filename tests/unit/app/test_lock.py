"""One server for each data folder."""

import os

import pytest

from tocsin.app.lock import DataLock, Locked


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
