"""Slow reads of others: they are told to come again; the partition's loop and pings do not wait for them."""

from contextlib import ExitStack

import pytest

from support.stores import open_sqlite
from tocsin.domain.errors import Unavailable
from tocsin.engine.memory import Needs
from tocsin.store.database import READERS


def test_the_loop_and_the_doors_do_not_wait_for_slow_reads(tmp_path):
    store = open_sqlite(tmp_path, busy_timeout_ms=50)
    try:
        with ExitStack() as slow:
            for _ in range(READERS):
                slow.enter_context(store.database.read())
            store.recall(Needs({(1, "a")}))
            assert store.owners_of_tokens({"a" * 32}) == {}
            with pytest.raises(Unavailable) as refused:
                store.get_monitor(1, "a")
            assert (refused.value.reason, refused.value.retry_after_ms) == ("STORE_UNAVAILABLE", 1000)
    finally:
        store.close()
