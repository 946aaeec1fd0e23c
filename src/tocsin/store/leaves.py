"""Pages that turn both ways: a page begins after, or ends before, a row; never at a count of rows."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

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
    back = turn.back and bool(turn.token)
    falling = descending != back
    keyed = statement.add_columns(*keys)
    if turn.token:
        there: tuple[Any, ...] = pages.decode(turn.token, query, types)
        here = tuple_(*keys)
        keyed = keyed.where(here < tuple_(*there) if falling else here > tuple_(*there))
    direction = desc if falling else asc
    found = list(connection.execute(keyed.order_by(*map(direction, keys)).limit(size + 1)))
    more = len(found) > size
    found = found[:size]
    if back:
        found.reverse()

    def token(row: Row[Any]) -> str:
        return pages.encode(query, tuple(row)[-len(keys) :])

    return Leaf(
        rows=found,
        first=token(found[0]) if found else "",
        last=token(found[-1]) if found else "",
        more_before=more if back else bool(turn.token),
        more_after=bool(turn.token) if back else more,
    )


def mapped(found: Leaf[Row[Any]], make: Callable[[list[Row[Any]]], list[T]]) -> Leaf[T]:
    """The same page of what the rows stand for."""
    return Leaf(make(found.rows), found.first, found.last, found.more_before, found.more_after)
