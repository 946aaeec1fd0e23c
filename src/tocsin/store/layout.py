"""The layout of packed rows: one for all rows of a database, that of the program which owns it."""

from typing import Final

from sqlalchemy import Connection, update

from tocsin._core.roster import LAYOUT_VERSION
from tocsin.store import keys
from tocsin.store.schema import monitors, tracks

_SETTING: Final = "packed_layout"


def use(connection: Connection) -> None:
    """Forgets rows of another layout: they are loaded in columns once more, and packed again by whoever writes them."""
    if keys.get_setting(connection, _SETTING) == str(LAYOUT_VERSION):
        return
    for table in (monitors, tracks):
        connection.execute(update(table).where(table.c.packed.is_not(None)).values(packed=None))
    keys.put_setting(connection, _SETTING, str(LAYOUT_VERSION))
