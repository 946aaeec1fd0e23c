"""Which channels hear of monitors, and of what: destinations and flags, without what it takes to speak to them."""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, select, tuple_

from tocsin.domain.notification import ChannelKind
from tocsin.store.port import chunks
from tocsin.store.schema import channels, groups, monitors, subscriptions
from tocsin.store.subscriptions import Whose, active_of

_MANY: Final = 500  # values in one IN


class Flags(NamedTuple):
    """What a channel wants to hear."""

    failure: bool = True
    recovery: bool = True


class _Body(msgspec.Struct):
    kind: ChannelKind = ChannelKind.WEBHOOK
    send_failure: bool = True
    send_recovery: bool = True


_decode: Final = msgspec.json.Decoder(_Body).decode


def somewhere(connection: Connection) -> bool:
    """Whether there is any subscription at all: where there is none, nobody has to look for them."""
    return connection.execute(select(subscriptions.c.number).limit(1)).scalar() is not None


def is_heard() -> ColumnElement[bool]:
    """Of a row of monitors, joined with its group: whether a channel hears of it."""
    mine = (subscriptions.c.monitor == monitors.c.number) & (subscriptions.c.project == monitors.c.project)
    ours = (subscriptions.c.group == groups.c.number) & (subscriptions.c.project == monitors.c.project)
    return select(subscriptions.c.number).where(mine, subscriptions.c.active).correlate(monitors).exists() | (
        select(subscriptions.c.number).where(ours, subscriptions.c.active).correlate(monitors, groups).exists()
    )


def destinations(connection: Connection, wanted: Iterable[tuple[int, int]]) -> dict[int, tuple[str, ...]]:
    """By monitor, of (monitor, its group or 0): the channels that hear of it, its own first, each once."""
    pairs = list(wanted)
    if not pairs or not somewhere(connection):
        return {}
    own = active_of(connection, Whose.MONITOR, {monitor for monitor, _ in pairs})
    shared = active_of(connection, Whose.GROUP, {group for _, group in pairs if group})
    numbers = {channel for some in (*own.values(), *shared.values()) for channel in some}
    called: dict[int, str] = {}
    columns = select(channels.c.number, channels.c.key, channels.c.body)
    for few in chunks(sorted(numbers), _MANY):
        for number, key, body in connection.execute(columns.where(channels.c.number.in_(few))):
            called[number] = f"{_decode(body).kind.value}:{key}"
    return {
        monitor: tuple(
            dict.fromkeys(called[one] for one in (*own.get(monitor, ()), *shared.get(group, ())) if one in called)
        )
        for monitor, group in pairs
    }


def flags(connection: Connection, named: Collection[tuple[int, str]]) -> dict[tuple[int, str], Flags]:
    """By project and key; those that are there."""
    found: dict[tuple[int, str], Flags] = {}
    columns = select(channels.c.project, channels.c.key, channels.c.body)
    for few in chunks(sorted(named), _MANY):
        for project, key, body in connection.execute(
            columns.where(tuple_(channels.c.project, channels.c.key).in_(few))
        ):
            decoded = _decode(body)
            found[project, key] = Flags(decoded.send_failure, decoded.send_recovery)
    return found
