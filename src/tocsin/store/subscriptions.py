"""Subscriptions: which channels hear of a monitor, or of all members of a group. Rows in and out, many at once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, insert, select, tuple_, update

from tocsin.domain import errors
from tocsin.domain.notification import Subscription
from tocsin.store.database import Database
from tocsin.store.port import chunks
from tocsin.store.schema import channels, groups, monitors
from tocsin.store.schema import subscriptions as table
from tocsin.store.turns import turns

_MANY: Final = 500  # values in one IN
_TURN: Final = 200  # rows of one transaction: a few milliseconds


class Whose(Enum):
    """By what subscriptions are found: the column with its number."""

    CHANNEL = "channel"
    MONITOR = "monitor"
    GROUP = "group"

    @property
    def column(self) -> ColumnElement[Any]:
        return table.c[self.value]


Wanted = Iterable[tuple[int, bool]]  # (channel, active)
Place = tuple[int, int, int]  # channel, monitor and group: there is one of each
_THERE: Final[Mapping[Whose, Table]] = {Whose.CHANNEL: channels, Whose.MONITOR: monitors, Whose.GROUP: groups}


class SqlSubscriptions:
    """Beside the writer of the partition; each method blocks and may be called by any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, wanted: Subscription) -> Subscription:
        """Makes it, or changes whether the one of its channel and its monitor or group is active.

        NotFound: the channel, the monitor or the group is not there.
        """
        return self.put_many(wanted.project, [wanted])[0]

    def put_many(self, project: int, wanted: Sequence[Subscription]) -> list[Subscription]:
        """As `put`; of one that is named twice, the last word holds. NotFound: nothing has changed.

        Written in turns: should the database fail in the middle, some are there.
        """
        last = {_place(one): one for one in wanted}
        with self._database.read() as connection:
            _require_all(connection, project, last)
            known = _known(connection, last)
        different = [one for place, one in last.items() if place not in known or known[place].active != one.active]
        for some in turns(different, _TURN):
            with self._database.write() as connection:
                known |= _write(connection, project, some)
        return [known[_place(one)] for one in wanted]

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
        for some in turns(sorted(numbers), _MANY):
            with self._database.write() as connection:
                connection.execute(delete(table).where(table.c.project == project, table.c.number.in_(some)))

    def replace(self, project: int, whose: Whose, wanted: Mapping[int, Wanted]) -> dict[int, list[Subscription]]:
        """Makes these all there are of each of these monitors or groups, in this order. NotFound: nothing has changed.

        Written in turns: should the database fail in the middle, each of them has all of its own or what it had.
        """
        named = {number: dict(some) for number, some in wanted.items()}
        with self._database.read() as connection:
            _require(connection, project, whose, named)
            _require(connection, project, Whose.CHANNEL, {channel for some in named.values() for channel in some})
            known = _of(connection, project, whose, named)
        written: dict[Place, Subscription] = {_place(one): one for some in known.values() for one in some}
        different = [
            number for number, some in named.items() if {one.channel: one.active for one in known[number]} != some
        ]
        rows = [len(named[number]) + len(known[number]) for number in different]
        for some in turns(different, max(1, _TURN // max(rows, default=1))):
            with self._database.write() as connection:
                written |= _replace(connection, project, whose, {number: named[number] for number in some})
        kept: dict[int, dict[int, Subscription]] = {number: {} for number in named}
        for one in written.values():
            kept[getattr(one, whose.value)][one.channel] = one
        return {number: [kept[number][channel] for channel in some] for number, some in named.items()}

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


def _place(one: Subscription) -> Place:
    return one.channel, one.monitor, one.group


def _replace(
    connection: Connection, project: int, whose: Whose, named: Mapping[int, Mapping[int, bool]]
) -> dict[Place, Subscription]:
    """All that there are now."""
    _require(connection, project, whose, named)
    known = _of(connection, project, whose, named)
    gone = [one.number for number, some in known.items() for one in some if one.channel not in named[number]]
    for few in chunks(gone, _MANY):
        connection.execute(delete(table).where(table.c.number.in_(few)))
    wanted = [
        Subscription(0, project, channel, active=active, **{whose.value: number})
        for number, some in named.items()
        for channel, active in some.items()
    ]
    return _write(connection, project, wanted)


def _write(connection: Connection, project: int, wanted: Sequence[Subscription]) -> dict[Place, Subscription]:
    """No two of one place. What they are of may have gone since somebody looked: NotFound."""
    places = {_place(one): one for one in wanted}
    _require_all(connection, project, places)
    known = _known(connection, places)
    new = [one for place, one in places.items() if place not in known]
    if new:
        values = [
            {name: getattr(one, name) for name in Subscription.__struct_fields__ if name != "number"} for one in new
        ]
        connection.execute(insert(table), values)
    different = [one for place, one in places.items() if place in known and known[place].active != one.active]
    for active in (True, False):
        numbers = [known[_place(one)].number for one in different if one.active is active]
        for few in chunks(numbers, _MANY):
            connection.execute(update(table).where(table.c.number.in_(few)).values(active=active))
    return _known(connection, places)


def _known(connection: Connection, places: Collection[Place]) -> dict[Place, Subscription]:
    """Those of these that there are."""
    found: dict[Place, Subscription] = {}
    key = tuple_(table.c.channel, table.c.monitor, table.c.group)
    for some in chunks(sorted(places), _MANY):
        rows = (_from_row(row) for row in connection.execute(select(table).where(key.in_(some))))
        found |= {_place(one): one for one in rows}
    return found


def _require_all(connection: Connection, project: int, places: Collection[Place]) -> None:
    """What these are of."""
    _require(connection, project, Whose.CHANNEL, {channel for channel, _, _ in places})
    _require(connection, project, Whose.MONITOR, {monitor for _, monitor, _ in places if monitor})
    _require(connection, project, Whose.GROUP, {group for _, _, group in places if group})


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
