"""The fence: what the owner of the partition knows and a former owner cannot, and the statement that asks for it."""

from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Dialect, bindparam, case, insert, select, update

from tocsin.domain.instant import Instant
from tocsin.store.port import Fenced
from tocsin.store.schema import PARTITION, partitions
from tocsin.store.upsert import cursor_of

_PASS: Final = (
    update(partitions)
    .where(
        partitions.c.id == bindparam("here"),
        partitions.c.position == bindparam("old"),
        partitions.c.epoch == bindparam("mine"),
    )
    .values(
        position=bindparam("new"),
        alive_at=case((partitions.c.alive_at > bindparam("clock"), partitions.c.alive_at), else_=bindparam("clock")),
        watermark=case(
            (partitions.c.watermark > bindparam("applied"), partitions.c.watermark), else_=bindparam("applied")
        ),
    )
)
_FOUND: Final = select(partitions.c.position, partitions.c.epoch).where(partitions.c.id == bindparam("here"))


class Fence(NamedTuple):
    position: int  # of the journal, committed with the rows
    epoch: int  # counts owners


def acquire(connection: Connection) -> Fence:
    """Become the owner: whoever was so before is fenced from now on."""
    taken = update(partitions).where(partitions.c.id == PARTITION).values(epoch=partitions.c.epoch + 1)
    if connection.execute(taken).rowcount == 0:
        connection.execute(insert(partitions).values(id=PARTITION, position=0, epoch=1, alive_at=None))
    row = connection.execute(_FOUND, {"here": PARTITION}).one()
    return Fence(row.position, row.epoch)


class Passing:
    """Passes the fence in a transaction of the owner's, or raises `Fenced`. Two texts, compiled once."""

    def __init__(self, dialect: Dialect) -> None:
        self._pass, self._found = _PASS.compile(dialect=dialect), _FOUND.compile(dialect=dialect)
        self._text, self._order = str(self._pass), self._pass.positiontup or []

    def __call__(self, cursor: Any, fence: Fence, position: int, clock: Instant, watermark: int = 0) -> None:
        """Moves to `position`; the durable clock and the watermark move too, never backwards."""
        values = {
            "here": PARTITION,
            "old": fence.position,
            "mine": fence.epoch,
            "new": position,
            "clock": clock,
            "applied": watermark,
        }
        cursor.execute(self._text, [values[name] for name in self._order])
        if cursor.rowcount == 1:
            return
        cursor.execute(str(self._found), [PARTITION])
        found = cursor.fetchone()
        if found is None or found[0] < fence.position:
            raise Fenced(
                "the database lacks what was committed: it was restored, or a standby took over that lagged behind"
            )
        if found[1] != fence.epoch:
            raise Fenced("another tocsin server took over this database", (found[0], found[1]))
        raise Fenced(f"position {fence.position} was left behind before", (found[0], found[1]))

    def stamp(self, connection: Connection, fence: Fence, clock: Instant) -> None:
        """Moves the durable clock alone."""
        self(cursor_of(connection), fence, fence.position, clock)
