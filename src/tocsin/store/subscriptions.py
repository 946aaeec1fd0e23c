"""Subscriptions: which channels hear of a monitor, or of all members of a group. Rows in and out, many at once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, delete, insert, select, update

from tocsin.domain import errors
from tocsin.domain.notification import Subscription
from tocsin.store.database import Database
from tocsin.store.port import chunks
from tocsin.store.schema import channels, groups, monitors
from tocsin.store.schema import subscriptions as table

_MANY: Final = 500  # values in one IN


class Whose(Enum):
    """By what subscriptions are found: the column with its number."""

    CHANNEL = "channel"
    MONITOR = "monitor"
    GROUP = "group"

    @property
    def column(self) -> ColumnElement[Any]:
        return table.c[self.value]


Wanted = Iterable[tuple[int, bool]]  # (channel, active)
_THERE: Final[Mapping[Whose, Table]] = {Whose.CHANNEL: channels, Whose.MONITOR: monitors, Whose.GROUP: groups}


class SqlSubscriptions:
    """Beside the writer of the partition; each method blocks and may be called by any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, wanted: Subscription) -> Subscription:
        """Makes it, or changes whether the one of its channel and its monitor or group is active.

        NotFound: the channel, the monitor or the group is not there.
        """
        with self._database.write() as connection:
            _require(connection, wanted.project, Whose.CHANNEL, [wanted.channel])
            _require(connection, wanted.project, Whose.MONITOR, [wanted.monitor] if wanted.monitor else ())
            _require(connection, wanted.project, Whose.GROUP, [wanted.group] if wanted.group else ())
            return _put(connection, wanted)

    def put_many(self, project: int, wanted: Sequence[Subscription]) -> list[Subscription]:
        """As `put`, all or none."""
        with self._database.write() as connection:
            for whose in Whose:
                named = {getattr(one, whose.value) for one in wanted}
                _require(connection, project, whose, named if whose is Whose.CHANNEL else named - {0})
            return _put_many(connection, project, wanted)

    def numbered(self, project: int, numbers: Collection[int]) -> dict[int, Subscription]:
        """Those of these that there are."""
        found: dict[int, Subscription] = {}
        with self._database.read() as connection:
            for some in chunks(sorted(numbers), _MANY):
                mine = select(table).where(table.c.project == project, table.c.number.in_(some))
                found |= {row.number: _from_row(row) for row in connection.execute(mine)}
        return found

    def delete_many(self, project: int, numbers: Collection[int]) -> None:
        """What is gone already does not matter."""
        with self._database.write() as connection:
            for some in chunks(sorted(numbers), _MANY):
                connection.execute(delete(table).where(table.c.project == project, table.c.number.in_(some)))

    def replace(self, project: int, whose: Whose, wanted: Mapping[int, Wanted]) -> dict[int, list[Subscription]]:
        """Makes these all there are of each of these monitors or groups, in this order: all of it, or nothing.

        NotFound: a channel, a monitor or a group is not there.
        """
        named = {number: dict(some) for number, some in wanted.items()}
        with self._database.write() as connection:
            _require(connection, project, whose, named)
            _require(connection, project, Whose.CHANNEL, {channel for some in named.values() for channel in some})
            known = _of(connection, project, whose, named)
            gone = [one.number for number, some in known.items() for one in some if one.channel not in named[number]]
            for some in chunks(gone, _MANY):
                connection.execute(delete(table).where(table.c.number.in_(some)))
            return {
                number: [
                    _put(connection, Subscription(0, project, channel, active=active, **{whose.value: number}))
                    for channel, active in some.items()
                ]
                for number, some in named.items()
            }

    def of(self, project: int, whose: Whose, numbers: Collection[int]) -> dict[int, list[Subscription]]:
        """Of each of these, oldest first; one without any has an empty list."""
        with self._database.read() as connection:
            return _of(connection, project, whose, numbers)


def active_of(connection: Connection, whose: Whose, numbers: Collection[int]) -> dict[int, list[int]]:
    """The channels that hear of each of these monitors or groups, the longest subscribed first; those with any."""
    found: dict[int, list[int]] = {}
    for some in chunks(sorted(numbers), _MANY):
        mine = select(whose.column, table.c.channel).where(whose.column.in_(some), table.c.active)
        for number, channel in connection.execute(mine.order_by(table.c.number)):
            found.setdefault(number, []).append(channel)
    return found


def end(connection: Connection, whose: Whose, numbers: Collection[int]) -> None:
    """With what they are of."""
    for some in chunks(sorted(numbers), _MANY):
        connection.execute(delete(table).where(whose.column.in_(some)))


def _put(connection: Connection, wanted: Subscription) -> Subscription:
    mine = (
        *(table.c.channel == wanted.channel, table.c.monitor == wanted.monitor, table.c.group == wanted.group),
        table.c.project == wanted.project,
    )
    known = connection.execute(select(table).where(*mine)).one_or_none()
    if known is None:
        values = {name: getattr(wanted, name) for name in Subscription.__struct_fields__ if name != "number"}
        return _from_row(connection.execute(insert(table).values(values).returning(*table.columns)).one())
    if known.active != wanted.active:
        connection.execute(update(table).where(table.c.number == known.number).values(active=wanted.active))
    return Subscription(known.number, known.project, known.channel, known.monitor, known.group, wanted.active)


def _put_many(connection: Connection, project: int, wanted: Sequence[Subscription]) -> list[Subscription]:
    """Few statements, however many they are: each is a way to the database and back."""
    every = _of(connection, project, Whose.CHANNEL, {one.channel for one in wanted})
    known = {_what(one): one for some in every.values() for one in some}
    new = {_what(one): one for one in wanted if _what(one) not in known}
    if new:
        names = [name for name in Subscription.__struct_fields__ if name != "number"]
        rows = [{name: getattr(one, name) for name in names} for one in new.values()]
        made = connection.execute(insert(table).returning(*table.columns, sort_by_parameter_order=True), rows)
        known |= {_what(one): one for one in map(_from_row, made)}
    for active in (True, False):
        numbers = {known[_what(one)].number for one in wanted if one.active is active != known[_what(one)].active}
        for some in chunks(sorted(numbers), _MANY):
            connection.execute(update(table).where(table.c.number.in_(some)).values(active=active))
    return [msgspec.structs.replace(known[_what(one)], active=one.active) for one in wanted]


def _what(one: Subscription) -> tuple[int, int, int]:
    return one.channel, one.monitor, one.group


def _of(connection: Connection, project: int, whose: Whose, numbers: Collection[int]) -> dict[int, list[Subscription]]:
    found: dict[int, list[Subscription]] = {number: [] for number in sorted(numbers)}
    for some in chunks([number for number in found if number], _MANY):
        mine = select(table).where(table.c.project == project, whose.column.in_(some)).order_by(table.c.number)
        for row in connection.execute(mine):
            found[getattr(row, whose.value)].append(_from_row(row))
    return found


def _require(connection: Connection, project: int, what: Whose, numbers: Collection[int]) -> None:
    there = _THERE[what].c
    known: set[int] = set()
    for some in chunks(sorted(numbers), _MANY):
        mine = select(there.number).where(there.number.in_(some), there.project == project)
        known.update(connection.execute(mine).scalars())
    missing = sorted(set(numbers) - known)
    if missing:
        raise errors.NotFound(
            f"no {what.value} with the number {missing[0]} in this project",
            reason=f"{what.name}_NOT_FOUND",
            metadata={what.value: str(missing[0])},
        )


def _from_row(row: Row[Any]) -> Subscription:
    return Subscription(row.number, row.project, row.channel, row.monitor, row.group, row.active)
