"""A delta becomes one transaction, behind a fence: it counts only for the owner of the partition and only once.

Nearly all deltas are ordinary: rows to add or to replace, no more. Those go down as texts that SQLAlchemy compiled
once, on the driver's own cursor, because what SQLAlchemy does around each statement costs several times as much as a
small commit itself.
"""

from typing import Any, Final

from sqlalchemy import Connection, Dialect, bindparam, delete, update

from tocsin.engine.delta import Delta
from tocsin.store import (
    changes,
    incidents,
    keys,
    monitors,
    outbox,
    refusals,
    schema,
    subscriptions,
    trace_errors,
    windows,
)
from tocsin.store.check_in_writes import CheckInWrites
from tocsin.store.fence import Fence, Passing
from tocsin.store.saved import Saved
from tocsin.store.upsert import Upsert, cursor_of

_RELEASE: Final = (
    update(schema.monitors).where(schema.monitors.c.ping_token == bindparam("token")).values(ping_token=None)
)
_DELETE_TRACK: Final = delete(schema.tracks).where(schema.tracks.c.number == bindparam("gone"))


class Commit:
    """The statements of a commit, compiled once, and what the owner of the partition remembers between commits."""

    def __init__(self, dialect: Dialect, refusals_kept: int = refusals.KEPT) -> None:
        self._shown = changes.Shown()
        self.enter = Passing(dialect)
        self._policies = Upsert(schema.policies, dialect)
        self._environments = Upsert(schema.environments, dialect)
        self._monitors = Upsert(schema.monitors, dialect, fixed=("project", "create_time"))
        self._deleted_monitors = Upsert(schema.deleted_monitors, dialect)
        self._deleted_tracks = Upsert(schema.deleted_tracks, dialect)
        self._windows = Upsert(schema.maintenance_windows, dialect, fixed=("project", "id", "create_time"))
        self._tracks = Upsert(schema.tracks, dialect, fixed=("monitor", "environment", "create_time"))
        self._saved = Saved(dialect)
        self._check_ins = CheckInWrites(dialect)
        self._incidents = Upsert(schema.incidents, dialect, fixed=("project", "monitor", "track"))
        self._outages = Upsert(schema.outages, dialect)
        self._refusals = refusals.Refusals(dialect, refusals_kept)
        self._trace_errors = Upsert(schema.trace_errors, dialect)
        self._changes = Upsert(schema.changes, dialect, generated=("revision",))
        self._notices = Upsert(schema.notices, dialect, generated=("number",), once=True)
        self._sequences = Upsert(schema.sequences, dialect)

    def changed(self, look_up: changes.Opened, delta: Delta) -> list[changes.Row]:
        """What to append to the revision log, asked before the transaction: only the owner writes what it reads."""
        return changes.of(look_up, delta, self._shown)

    def ordinary(self, cursor: Any, fence: Fence, delta: Delta, position: int, changed: list[changes.Row]) -> bool:
        """Write all of a delta that `only_adds`; `cursor` is the driver's. Fenced: see there.

        False, and nothing written, when a table must be made first.
        """
        if not self._check_ins.are_ready(delta):
            return False
        self._begin(cursor, fence, delta, position, changed)
        self._rows(cursor, delta)
        return True

    def whole(
        self, connection: Connection, fence: Fence, delta: Delta, position: int, changed: list[changes.Row]
    ) -> None:
        """As `ordinary`, of any delta."""
        self._check_ins.prepare(connection, delta)
        cursor = cursor_of(connection)
        self._begin(cursor, fence, delta, position, changed)
        self._delete(connection, cursor, delta)
        windows.remove(connection, delta.deleted_windows)
        for project, settings in delta.project_settings.items():
            keys.put_project_settings(connection, project, settings)
        for command in delta.deleted_refusals:  # before new ones are written: those came later
            refusals.remove(connection, command)
        if delta.released_tokens:  # before new rows are written: another may have one of them now
            connection.execute(_RELEASE, [{"token": token} for token in sorted(delta.released_tokens)])
        self._rows(cursor, delta)
        self._refusals(connection, delta.refusals)
        cursor.close()

    def _begin(self, cursor: Any, fence: Fence, delta: Delta, position: int, changed: list[changes.Row]) -> None:
        """What others refer to comes first."""
        self.enter(cursor, fence, position, delta.clock, delta.watermark)
        self._changes(cursor, changed)
        self._policies(cursor, [monitors.policy_to_row(*item) for item in delta.policies.items()])
        self._environments(cursor, list(delta.environments.items()))

    def _rows(self, cursor: Any, delta: Delta) -> None:
        living = (pair for number, pair in delta.monitors.items() if number not in delta.deleted_monitors)
        self._monitors(cursor, [monitors.to_row(*pair) for pair in living])
        self._windows(cursor, [windows.to_row(window) for window in delta.windows.values()])
        self._tracks(
            cursor, [monitors.track_to_row(track, delta.clock, delta.applied) for track in delta.tracks.values()]
        )
        if delta.saved:
            self._saved(cursor, delta.saved)
        if delta.judged:
            self._saved(cursor, delta.judged)
        self._check_ins(cursor, delta)
        # Oldest first: one that was resolved makes room for the next one of the same track.
        found = {row[0]: row for opened in delta.opened for row in incidents.opened_to_rows(opened)}
        found.update((number, incidents.to_row(incident)) for number, incident in delta.incidents.items())
        self._incidents(cursor, [found[number] for number in sorted(found)])
        self._outages(cursor, [incidents.outage_to_row(outage) for outage in delta.outages])
        self._trace_errors(cursor, [trace_errors.to_row(error) for error in delta.trace_errors.values()])
        self._notices(cursor, [tuple(outbox.to_row(notice).values()) for notice in delta.notices])
        self._sequences(cursor, list(delta.sequences.items()))

    def remember(self, delta: Delta) -> None:
        """To be called once the transaction of this delta is durable."""
        for opened in delta.opened:
            self._shown.remember(opened.shown())
        self._shown.remember((track.number, track.health << 3 | track.verdict) for track in delta.tracks.values())

    def forget(self) -> None:
        """To be called by a new owner: others may have written since."""
        self._shown = changes.Shown()
        self._refusals.forget()
        self.forget_weeks()

    def forget_weeks(self) -> None:
        """To be called while nobody else writes, when tables of check-ins may have been made or dropped."""
        self._check_ins.forget()

    def _delete(self, connection: Connection, cursor: Any, delta: Delta) -> None:
        """Before new monitors are written: the name is free at once. What hangs on it goes later, see `retention`."""
        for number in delta.deleted_monitors:
            connection.execute(delete(schema.monitors).where(schema.monitors.c.number == number))
        subscriptions.end(connection, subscriptions.Whose.MONITOR, delta.deleted_monitors)
        self._deleted_monitors(cursor, [(number, delta.clock) for number in delta.deleted_monitors])
        if delta.deleted_tracks:
            connection.execute(_DELETE_TRACK, [{"gone": number} for number in delta.deleted_tracks])
            marks = [(number, monitor, delta.clock, 0, 0) for number, monitor in delta.deleted_tracks.items()]
            self._deleted_tracks(cursor, marks)


def only_adds(delta: Delta) -> bool:
    """Whether it only adds and replaces rows: nothing is deleted or looked for first."""
    return not (
        delta.deleted_monitors
        or delta.deleted_tracks
        or delta.deleted_windows
        or delta.project_settings
        or delta.deleted_refusals
        or delta.released_tokens
        or delta.refusals
    )
