"""Maintenance windows: rows in and out, one by name, a page of them."""

from collections.abc import Collection
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, select

from tocsin.domain.instant import Instant, Millis
from tocsin.domain.maintenance import FIELDS, MaintenanceWindow
from tocsin.domain.schedule import Schedule
from tocsin.store import pages
from tocsin.store.port import Page
from tocsin.store.schema import maintenance_windows as table


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """What no query looks at."""

    display_name: str = ""
    start_time: Instant | None = None
    end_time: Instant | None = None
    recurrence: Schedule | None = None
    duration_ms: Millis = 0
    monitors: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    pause: bool = True
    silence_all: bool = False
    silence_tags: tuple[str, ...] = ()
    extras: dict[str, msgspec.Raw] = {}


_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_decode: Final = msgspec.json.Decoder(Body).decode


def to_row(window: MaintenanceWindow) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    body = Body(**{name: getattr(window, name) for name in FIELDS})
    return (
        window.number,
        window.project,
        window.id,
        window.create_time,
        window.update_time,
        _encode(body).decode(),
    )


def remove(connection: Connection, numbers: Collection[int]) -> None:
    if numbers:
        connection.execute(delete(table).where(table.c.number.in_(numbers)))


def load(connection: Connection) -> list[MaintenanceWindow]:
    return [_from_row(row) for row in connection.execute(select(table).order_by(table.c.number))]


def get(connection: Connection, project: int, window_id: str) -> MaintenanceWindow | None:
    row = connection.execute(select(table).where(table.c.project == project, table.c.id == window_id)).one_or_none()
    return None if row is None else _from_row(row)


def list_page(connection: Connection, project: int, *, size: int, token: str) -> Page[MaintenanceWindow]:
    """By id."""
    query = ("maintenance windows", project)
    statement = select(table).where(table.c.project == project)
    if token:
        statement = statement.where(table.c.id > pages.decode(token, query, tuple[str])[0])
    found = [_from_row(row) for row in connection.execute(statement.order_by(table.c.id).limit(size + 1))]
    return pages.cut(found, size, query, lambda window: (window.id,))


def _from_row(row: Row[Any]) -> MaintenanceWindow:
    body = msgspec.structs.asdict(_decode(row.body))
    return MaintenanceWindow(
        row.number, row.project, row.id, create_time=row.create_time, update_time=row.update_time, **body
    )
