"""Whom the monitors of a project tell: read out of their bodies, without the rest of them."""

from typing import Final

import msgspec
from sqlalchemy import Connection, Text, cast, select

from tocsin.store.browse_port import Told
from tocsin.store.schema import monitors


class _Policy(msgspec.Struct):
    channels: tuple[str, ...] = ()


class _Body(msgspec.Struct):
    alert_policy: _Policy = msgspec.field(default_factory=_Policy)
    extras: dict[str, msgspec.Raw] = {}


_decode: Final = msgspec.json.Decoder(_Body).decode


def read(connection: Connection, project: int) -> list[Told]:
    """See `Browse.told`."""
    statement = select(monitors.c.id, cast(monitors.c.body, Text).label("body")).where(monitors.c.project == project)
    found = []
    for name, text in connection.execute(statement.order_by(monitors.c.id)):
        body = _decode(text)
        found.append(Told(name, body.alert_policy.channels, body.extras))
    return found
