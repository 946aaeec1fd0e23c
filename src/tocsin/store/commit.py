"""A delta becomes one transaction, behind a fence: it counts only for the owner of the partition and only once."""

from typing import Final, NamedTuple

from sqlalchemy import Connection, Dialect, bindparam, case, delete, insert, select, update

from tocsin.domain.instant import Instant
from tocsin.engine.delta import Delta
from tocsin.store import changes, check_ins, incidents, keys, monitors, refusals, schema, trace_errors, windows
from tocsin.store.check_in_writes import CheckInWrites
from tocsin.store.port import Fenced
from tocsin.store.schema import PARTITION, partitions
from tocsin.store.upsert import Upsert

_PASS: Final = (
    update(partitions)
    .where(
        partitions.c.id == PARTITION, partitions.c.position == bindparam("old"), partitions.c.epoch == bindparam("mine")
    )
    .values(
        position=bindparam("new"),
        alive_at=case((partitions.c.alive_at > bindparam("clock"), partitions.c.alive_at), else_=bindparam("clock")),
    )
)

_FENCE: Final = select(partitions.c.position, partitions.c.epoch).where(partitions.c.id == PARTITION)
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
    row = connection.execute(_FENCE).one()
    return Fence(row.position, row.epoch)


def stamp(connection: Connection, fence: Fence, clock: Instant) -> None:
    """Move the durable clock, never backwards. Fenced: somebody else owns the partition."""
    _pass(connection, fence, fence.position, clock)


class Commit:
    """The statements of a commit, compiled once, and what the owner of the partition remembers between commits."""

    def __init__(self, dialect: Dialect, refusals_kept: int = refusals.KEPT) -> None:
        self._shown = changes.Shown()
        self._policies = Upsert(schema.policies, dialect)
        self._environments = Upsert(schema.environments, dialect)
        self._monitors = Upsert(schema.monitors, dialect, fixed=("project", "create_time"))
        self._deleted_monitors = Upsert(schema.deleted_monitors, dialect)
        self._deleted_tracks = Upsert(schema.deleted_tracks, dialect)
        self._windows = Upsert(schema.maintenance_windows, dialect, fixed=("project", "id", "create_time"))
        self._tracks = Upsert(schema.tracks, dialect, fixed=("monitor", "environment", "create_time"))
        self._check_ins = CheckInWrites(dialect)
        self._incidents = Upsert(schema.incidents, dialect, fixed=("project", "monitor", "track"))
        self._outages = Upsert(schema.outages, dialect)
        self._refusals = refusals.Refusals(dialect, refusals_kept)
        self._trace_errors = Upsert(schema.trace_errors, dialect)
        self._changes = Upsert(schema.changes, dialect, generated=("revision",))
        self._sequences = Upsert(schema.sequences, dialect)

    def __call__(self, connection: Connection, fence: Fence, delta: Delta, position: int) -> Fence:
        """Write it all and answer the fence for the next commit. Fenced: this was committed, or is somebody else's."""
        _pass(connection, fence, position, delta.clock)
        self._changes(connection, changes.of(connection, delta, self._shown))
        self._policies(connection, [monitors.policy_to_row(*item) for item in delta.policies.items()])
        self._environments(connection, list(delta.environments.items()))
        self._delete(connection, delta)
        living = (pair for number, pair in delta.monitors.items() if number not in delta.deleted_monitors)
        self._monitors(connection, [monitors.to_row(*pair) for pair in living])
        windows.remove(connection, delta.deleted_windows)
        self._windows(connection, [windows.to_row(window) for window in delta.windows.values()])
        for project, settings in delta.project_settings.items():
            keys.put_project_settings(connection, project, settings)
        self._tracks(connection, [monitors.track_to_row(track, delta.clock, 0) for track in delta.tracks.values()])
        named = (delta.check_ins[number] for number in delta.new_check_ins | delta.renamed_check_ins)
        self._check_ins(
            connection,
            [check_ins.to_row(check_in) for check_in in delta.check_ins.values()],
            [check_ins.id_to_row(check_in) for check_in in named if check_in.client_chosen],
        )
        # Oldest first: one that was resolved makes room for the next one of the same track.
        self._incidents(connection, [incidents.to_row(delta.incidents[number]) for number in sorted(delta.incidents)])
        self._outages(connection, [incidents.outage_to_row(outage) for outage in delta.outages])
        for command in delta.deleted_refusals:  # before new ones are written: those came later
            refusals.remove(connection, command)
        self._refusals(connection, delta.refusals)
        self._trace_errors(connection, [trace_errors.to_row(error) for error in delta.trace_errors.values()])
        self._sequences(connection, list(delta.sequences.items()))
        return fence._replace(position=position)

    def remember(self, delta: Delta) -> None:
        """To be called once the transaction of this delta is durable."""
        self._shown.remember(delta.tracks.values())

    def forget(self) -> None:
        """To be called by a new owner: others may have written since."""
        self._shown = changes.Shown()
        self._refusals.forget()

    def _delete(self, connection: Connection, delta: Delta) -> None:
        """Before new monitors are written: the name is free at once. What hangs on it goes later, see `retention`."""
        for number in delta.deleted_monitors:
            connection.execute(delete(schema.monitors).where(schema.monitors.c.number == number))
        self._deleted_monitors(connection, [(number, delta.clock) for number in delta.deleted_monitors])
        if delta.deleted_tracks:
            connection.execute(_DELETE_TRACK, [{"gone": number} for number in delta.deleted_tracks])
            marks = [(number, monitor, delta.clock, 0, 0) for number, monitor in delta.deleted_tracks.items()]
            self._deleted_tracks(connection, marks)


def _pass(connection: Connection, fence: Fence, position: int, clock: Instant) -> None:
    """The one statement that decides: it must hit exactly one row."""
    values = {"old": fence.position, "mine": fence.epoch, "new": position, "clock": clock}
    if connection.execute(_PASS, values).rowcount == 1:
        return
    found = connection.execute(_FENCE).one_or_none()
    if found is None or found.position < fence.position:
        raise Fenced(
            "the database lacks what was committed: it was restored, or a standby took over that lagged behind"
        )
    if found.epoch != fence.epoch:
        raise Fenced("another tocsin server took over this database", (found.position, found.epoch))
    raise Fenced(f"position {fence.position} was left behind before", (found.position, found.epoch))
