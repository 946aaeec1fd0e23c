"""A watch ends when the server goes, and says so."""

import pytest

from support.stores import open_sqlite
from tocsin.domain.errors import Unavailable
from tocsin.domain.project import Scope
from tocsin.service.principal import Principal
from tocsin.service.watching import Watching


async def test_a_watch_ends_when_the_server_goes(tmp_path):
    store = open_sqlite(tmp_path)
    try:
        watching = Watching(store)
        watch = watching.watch(Principal(store.create_project("p", 1), Scope.READ), "")
        assert (await anext(watch)).token == "0"  # nothing yet: the bookmark after the beginning
        waiting = anext(watch)
        watching.close()
        with pytest.raises(Unavailable) as ended:
            await waiting
        assert ended.value.reason == "SHUTTING_DOWN"
    finally:
        store.close()
