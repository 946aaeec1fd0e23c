"""Pages that turn both ways: a page begins after, or ends before, a row; never at a count of rows."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, asc, desc, tuple_

from tocsin.store import pages
from tocsin.store.browse_port import Leaf, Turn

T = TypeVar("T")


def leaf(
    connection: Connection,
    statement: Select[Any],
    keys: Sequence[ColumnElement[Any]],
    *,
    descending: bool,
    size: int,
    turn: Turn,
    query: tuple[object, ...],
    types: Any,
) -> Leaf[Row[Any]]:
    """The rows of `statement` on one page. Each row ends in its keys, which tell it from all others.

    `query` is what tokens are bound to, `types` the tuple type of the keys.
    """

    def read(there: tuple[Any, ...] | None, *, falling: bool, limit: int) -> list[Row[Any]]:
        keyed = statement.add_columns(*keys)
        if there is not None:
            here = tuple_(*keys)
            keyed = keyed.where(here < tuple_(*there) if falling else here > tuple_(*there))
        direction = desc if falling else asc
        return list(connection.execute(keyed.order_by(*map(direction, keys)).limit(limit)))

    return turned(
        read,
        lambda row: tuple(row)[-len(keys) :],
        descending=descending,
        size=size,
        turn=turn,
        query=query,
        types=types,
    )


class Read(Protocol):
    def __call__(self, there: tuple[Any, ...] | None, *, falling: bool, limit: int) -> list[Row[Any]]:
        """Up to `limit` rows beyond the keys `there`, or from the very first; falling: from the greatest keys on."""


def turned(
    read: Read,
    key: Callable[[Row[Any]], tuple[Any, ...]],
    *,
    descending: bool,
    size: int,
    turn: Turn,
    query: tuple[object, ...],
    types: Any,
) -> Leaf[Row[Any]]:
    """One page of what `read` reads; `query` and `types` as above."""
    back = turn.back and bool(turn.token)
    there: tuple[Any, ...] | None = pages.decode(turn.token, query, types) if turn.token else None
    found = read(there, falling=descending != back, limit=size + 1)
    more = len(found) > size
    found = found[:size]
    if back:
        found.reverse()
    return Leaf(
        rows=found,
        first=pages.encode(query, key(found[0])) if found else "",
        last=pages.encode(query, key(found[-1])) if found else "",
        more_before=more if back else bool(turn.token),
        more_after=bool(turn.token) if back else more,
    )


def mapped(found: Leaf[Row[Any]], make: Callable[[list[Row[Any]]], list[T]]) -> Leaf[T]:
    """The same page of what the rows stand for."""
    return Leaf(make(found.rows), found.first, found.last, found.more_before, found.more_after)
