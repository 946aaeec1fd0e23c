"""A watch ends when the server goes or its key is revoked, and says so."""

import pytest

from support.stores import open_sqlite
from tocsin.domain.errors import Unauthenticated, Unavailable
from tocsin.domain.project import Scope
from tocsin.service.principal import Principal
from tocsin.service.watching import Watching


async def test_a_watch_ends_when_the_server_goes(tmp_path):
    store = open_sqlite(tmp_path)
    try:
        watching = Watching(store, lambda _: None)
        watch = watching.watch(Principal(store.create_project("p", 1), Scope.READ), "")
        assert (await anext(watch)).token == "0"  # nothing yet: the bookmark after the beginning
        waiting = anext(watch)
        watching.close()
        with pytest.raises(Unavailable) as ended:
            await waiting
        assert ended.value.reason == "SHUTTING_DOWN"
    finally:
        store.close()


async def test_a_watch_ends_once_its_key_is_revoked(tmp_path):
    revoked = False

    def require_active(_principal):
        if revoked:
            raise Unauthenticated("revoked", reason="KEY_INVALID")

    store = open_sqlite(tmp_path)
    try:
        watching = Watching(store, require_active)
        watch = watching.watch(Principal(store.create_project("p", 1), Scope.READ), "")
        await anext(watch)
        revoked = True
        watching.announce()
        with pytest.raises(Unauthenticated):
            await anext(watch)
    finally:
        store.close()
