"""A delta becomes one transaction, behind a fence: it counts only for the owner of the partition and only once.

Nearly all deltas are ordinary: rows to add or to replace, no more. Those go down as texts that SQLAlchemy compiled
once, on the driver's own cursor, because what SQLAlchemy does around each statement costs several times as much as a
small commit itself.
"""

from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Dialect, bindparam, case, delete, insert, select, update

from tocsin.domain.instant import Instant
from tocsin.engine.delta import Delta
from tocsin.store import changes, check_ins, incidents, keys, monitors, refusals, schema, trace_errors, windows
from tocsin.store.bulk import Bulk
from tocsin.store.port import Fenced
from tocsin.store.schema import PARTITION, partitions
from tocsin.store.upsert import Upsert, cursor_of

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
    )
)

_DELETE_TRACK: Final = delete(schema.tracks).where(schema.tracks.c.number == bindparam("gone"))


class Fence(NamedTuple):
    """What the owner of the partition knows and a former owner cannot."""

    position: int  # of the journal, committed with the rows
    epoch: int  # counts owners


def acquire(connection: Connection) -> Fence:
    """Become the owner: whoever was so before is fenced from now on."""
    taken = update(partitions).where(partitions.c.id == PARTITION).values(epoch=partitions.c.epoch + 1)
    if connection.execute(taken).rowcount == 0:
        connection.execute(insert(partitions).values(id=PARTITION, position=0, epoch=1, alive_at=None))
    row = connection.execute(
        select(partitions.c.position, partitions.c.epoch).where(partitions.c.id == PARTITION)
    ).one()
    return Fence(row.position, row.epoch)


def stamp(connection: Connection, fence: Fence, clock: Instant) -> None:
    """Move the durable clock, never backwards. Fenced: somebody else owns the partition."""
    values = _binds(fence, fence.position, clock)
    _passed(fence, connection.execute(_PASS, values).rowcount)


class Commit:
    """The statements of a commit, compiled once, and what the owner of the partition remembers between commits."""

    def __init__(self, dialect: Dialect, refusals_kept: int = refusals.KEPT) -> None:
        self._shown = changes.Shown()
        fence = _PASS.compile(dialect=dialect)
        self._pass_text, self._pass_order = str(fence), fence.positiontup or []
        self._policies = Upsert(schema.policies, dialect)
        self._environments = Upsert(schema.environments, dialect)
        self._monitors = Upsert(schema.monitors, dialect, fixed=("project", "create_time"))
        self._deleted_monitors = Upsert(schema.deleted_monitors, dialect)
        self._deleted_tracks = Upsert(schema.deleted_tracks, dialect)
        self._windows = Upsert(schema.maintenance_windows, dialect, fixed=("project", "id", "create_time"))
        self._tracks = Upsert(schema.tracks, dialect, fixed=("monitor", "environment", "create_time"))
        self._check_ins = Upsert(schema.check_ins, dialect, fixed=("project", "monitor", "track"))
        self._columns = Bulk(dialect)
        self._check_in_ids = Upsert(schema.check_in_ids, dialect)
        self._incidents = Upsert(schema.incidents, dialect, fixed=("project", "monitor", "track"))
        self._outages = Upsert(schema.outages, dialect)
        self._refusals = refusals.Refusals(dialect, refusals_kept)
        self._trace_errors = Upsert(schema.trace_errors, dialect)
        self._changes = Upsert(schema.changes, dialect, generated=("revision",))
        self._sequences = Upsert(schema.sequences, dialect)

    def changed(self, look_up: changes.Opened, delta: Delta) -> list[changes.Row]:
        """What to append to the revision log, asked before the transaction: only the owner writes what it reads."""
        return changes.of(look_up, delta, self._shown)

    def ordinary(self, cursor: Any, fence: Fence, delta: Delta, position: int, changed: list[changes.Row]) -> Fence:
        """Write all of a delta that `is_ordinary` and answer the fence for the next commit; `cursor` is the driver's.

        Fenced: this was committed, or is somebody else's.
        """
        self._enter(cursor, fence, delta, position, changed)
        self._rows(cursor, delta)
        return fence._replace(position=position)

    def whole(
        self, connection: Connection, fence: Fence, delta: Delta, position: int, changed: list[changes.Row]
    ) -> Fence:
        """As `ordinary`, of any delta."""
        cursor = cursor_of(connection)
        self._enter(cursor, fence, delta, position, changed)
        self._delete(connection, cursor, delta)
        windows.remove(connection, delta.deleted_windows)
        for project, settings in delta.project_settings.items():
            keys.put_project_settings(connection, project, settings)
        for command in delta.deleted_refusals:  # before new ones are written: those came later
            refusals.remove(connection, command)
        self._rows(cursor, delta)
        self._refusals(connection, delta.refusals)
        cursor.close()
        return fence._replace(position=position)

    def _enter(self, cursor: Any, fence: Fence, delta: Delta, position: int, changed: list[changes.Row]) -> None:
        """The one statement that decides comes first: it must hit exactly one row."""
        values = _binds(fence, position, delta.clock)
        cursor.execute(self._pass_text, [values[name] for name in self._pass_order])
        _passed(fence, cursor.rowcount)
        self._changes(cursor, changed)
        self._policies(cursor, [monitors.policy_to_row(*item) for item in delta.policies.items()])
        self._environments(cursor, list(delta.environments.items()))

    def _rows(self, cursor: Any, delta: Delta) -> None:
        living = (pair for number, pair in delta.monitors.items() if number not in delta.deleted_monitors)
        self._monitors(cursor, [monitors.to_row(*pair) for pair in living])
        self._windows(cursor, [windows.to_row(window) for window in delta.windows.values()])
        self._tracks(cursor, [monitors.track_to_row(track, delta.clock, 0) for track in delta.tracks.values()])
        self._check_ins(cursor, [check_ins.to_row(check_in) for check_in in delta.check_ins.values()])
        if delta.columns:
            self._columns(cursor, delta.columns)
        named = (delta.check_ins[number] for number in delta.new_check_ins | delta.renamed_check_ins)
        self._check_in_ids(cursor, [check_ins.id_to_row(check_in) for check_in in named if check_in.client_chosen])
        # Oldest first: one that was resolved makes room for the next one of the same track.
        self._incidents(cursor, [incidents.to_row(delta.incidents[number]) for number in sorted(delta.incidents)])
        self._outages(cursor, [incidents.outage_to_row(outage) for outage in delta.outages])
        self._trace_errors(cursor, [trace_errors.to_row(error) for error in delta.trace_errors.values()])
        self._sequences(cursor, list(delta.sequences.items()))

    def remember(self, delta: Delta) -> None:
        """To be called once the transaction of this delta is durable."""
        self._shown.remember(delta.tracks.values())

    def forget(self) -> None:
        """To be called by a new owner: others may have written since."""
        self._shown = changes.Shown()
        self._refusals.forget()

    def _delete(self, connection: Connection, cursor: Any, delta: Delta) -> None:
        """Before new monitors are written: the name is free at once. What hangs on it goes later, see `retention`."""
        for number in delta.deleted_monitors:
            connection.execute(delete(schema.monitors).where(schema.monitors.c.number == number))
        self._deleted_monitors(cursor, [(number, delta.clock) for number in delta.deleted_monitors])
        if delta.deleted_tracks:
            connection.execute(_DELETE_TRACK, [{"gone": number} for number in delta.deleted_tracks])
            marks = [(number, monitor, delta.clock, 0, 0) for number, monitor in delta.deleted_tracks.items()]
            self._deleted_tracks(cursor, marks)


def is_ordinary(delta: Delta) -> bool:
    """Whether it only adds and replaces rows: nothing is deleted or looked for first."""
    return not (
        delta.deleted_monitors
        or delta.deleted_tracks
        or delta.deleted_windows
        or delta.project_settings
        or delta.deleted_refusals
        or delta.refusals
    )


def _binds(fence: Fence, position: int, clock: Instant) -> dict[str, int]:
    """Of `_PASS`."""
    return {"here": PARTITION, "old": fence.position, "mine": fence.epoch, "new": position, "clock": clock}


def _passed(fence: Fence, rows: int) -> None:
    if rows != 1:
        raise Fenced(f"position {fence.position} of epoch {fence.epoch} is not the partition's any more")
