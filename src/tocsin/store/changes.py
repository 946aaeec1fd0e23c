"""The revision log behind Watch: which monitors a commit changed in a way that people can see."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from tocsin.domain import facts
from tocsin.domain.track import Track
from tocsin.engine.delta import Delta
from tocsin.store.port import Change, chunks
from tocsin.store.schema import changes, monitors, tracks

_MANY: Final = 500  # values in one IN
_INCIDENT_FACTS: Final = (
    facts.IncidentOpened,
    facts.IncidentContinued,
    facts.IncidentResolved,
    facts.IncidentAcknowledged,
    facts.IncidentBroken,
    facts.IncidentMuted,
)
_BEFORE: Final = select(tracks.c.number, tracks.c.health, tracks.c.verdict).where(
    tracks.c.number.in_(bindparam("numbers", expanding=True))
)
_PROJECTS: Final = select(monitors.c.project, monitors.c.number).where(
    monitors.c.number.in_(bindparam("numbers", expanding=True))
)

Opened = Callable[[], AbstractContextManager[Connection]]  # a transaction to read in
Row = tuple[int, int, int, str, str]  # at, project, monitor, kind, id of a monitor that is gone


class Shown:
    """The health and verdict of each track as last committed, one byte each: most commits need not ask the database."""

    _UNKNOWN: Final = 0xFF
    _MOST: Final = 1 << 24  # numbers beyond are not remembered, so that a wild one cannot take the memory

    def __init__(self) -> None:
        self._bytes = bytearray()

    def remember(self, moved: Iterable[Track]) -> None:
        """Only what has been committed."""
        for track in moved:
            number = track.number
            if number >= len(self._bytes):
                if number >= self._MOST:
                    continue
                self._bytes.extend(bytes([self._UNKNOWN]) * (number + 1 - len(self._bytes) + 4096))
            self._bytes[number] = track.health << 3 | track.verdict

    def differing(self, opened: Opened, moved: dict[int, Track]) -> list[Track]:
        """Those whose health or verdict is not the committed one; a track that is not in the store has none."""
        known = self._bytes
        size = len(known)
        found: list[Track] = []
        unknown: list[int] = []
        for number, track in moved.items():
            before = known[number] if number < size else self._UNKNOWN
            if before == self._UNKNOWN:
                unknown.append(number)
            elif before != track.health << 3 | track.verdict:
                found.append(track)
        if not unknown:
            return found
        with opened() as connection:
            for some in chunks(unknown, _MANY):
                for number, health, verdict in connection.execute(_BEFORE, {"numbers": some}):
                    if moved[number].health != health or moved[number].verdict != verdict:
                        found.append(moved[number])
        return found


def of(opened: Opened, delta: Delta, shown: Shown) -> list[Row]:
    """What to append for a delta, asked before its rows are written: one row for each monitor and kind, in order.

    Most commits ask nothing of the database, so a connection is opened only when it is needed.
    """
    found: dict[tuple[int, int, str], str] = {}
    for fact in delta.facts:
        match fact:
            case facts.CheckInRecorded():
                pass  # by far the most; what it changes is seen in the track
            case facts.MonitorCreated() | facts.MonitorChanged():
                found[fact.monitor.project, fact.monitor.number, "monitor"] = ""
            case facts.MonitorDeleted():
                found[fact.project, fact.number, "deleted"] = fact.monitor_id
            case facts.EnvironmentMuted() | facts.EnvironmentDeleted():
                found[fact.project, fact.monitor, "monitor"] = ""
            case facts.EnvironmentCreated():
                found[fact.project, fact.monitor, "health"] = ""
            case _ if isinstance(fact, _INCIDENT_FACTS):
                found[fact.incident.project, fact.incident.monitor, "incident"] = ""
    changed = {track.monitor for track in shown.differing(opened, delta.tracks)}
    if changed:
        with opened() as connection:
            for project, monitor_number in _with_projects(connection, changed):
                found[project, monitor_number, "health"] = ""
    return [(delta.clock, *change, gone) for change, gone in found.items()]


def _with_projects(connection: Connection, numbers: Collection[int]) -> Iterator[tuple[int, int]]:
    for some in chunks(sorted(numbers), _MANY):
        yield from ((row.project, row.number) for row in connection.execute(_PROJECTS, {"numbers": some}))


def after(connection: Connection, revision: int, project: int | None, limit: int) -> list[Change]:
    """Oldest first; of one project, or of all."""
    statement = select(changes).where(changes.c.revision > revision)
    if project is not None:
        statement = statement.where(changes.c.project == project)
    return [Change(*row) for row in connection.execute(statement.order_by(changes.c.revision).limit(limit))]


def last(connection: Connection) -> int:
    return connection.execute(select(func.max(changes.c.revision))).scalar() or 0
