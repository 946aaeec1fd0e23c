"""The secret of a server: made at its first start and kept in the store; short codes and badges are keyed with it."""

import secrets
from typing import Final

from tocsin.store.port import Store

NAME: Final = "secret"  # of the setting in the store
_BYTES: Final = 32


def secret_of(store: Store) -> bytes:
    """Blocking."""
    found = store.get_setting(NAME)
    if found is None:
        store.put_setting(NAME, secrets.token_hex(_BYTES))
        found = store.get_setting(NAME)
        assert found is not None
    return bytes.fromhex(found)
