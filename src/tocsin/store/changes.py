"""The revision log behind Watch: which monitors a commit changed in a way that people can see."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from tocsin.domain import facts
from tocsin.engine.delta import Delta
from tocsin.store.port import Change, chunks
from tocsin.store.schema import changes, monitors, tracks

_MANY: Final = 500  # values in one IN
_INCIDENT_FACTS: Final = (
    facts.IncidentOpened,
    facts.IncidentContinued,
    facts.IncidentResolved,
    facts.IncidentAcknowledged,
)
_HEALTH: Final = (
    select(tracks.c.number, tracks.c.health, tracks.c.verdict, tracks.c.monitor, monitors.c.project)
    .join_from(tracks, monitors, tracks.c.monitor == monitors.c.number)
    .where(tracks.c.number.in_(bindparam("numbers", expanding=True)))
)

Row = tuple[int, int, int, str]  # at, project, monitor, kind


def of(connection: Connection, delta: Delta) -> list[Row]:
    """What to append for a delta, asked before its rows are written: one row for each monitor and kind, in order."""
    found: dict[tuple[int, int, str], None] = {}
    for fact in delta.facts:
        if isinstance(fact, facts.MonitorCreated | facts.MonitorChanged):
            found[fact.monitor.project, fact.monitor.number, "monitor"] = None
        elif isinstance(fact, facts.MonitorDeleted):
            found[fact.project, fact.number, "deleted"] = None
        elif isinstance(fact, facts.EnvironmentCreated):
            found[fact.project, fact.monitor, "health"] = None
        elif isinstance(fact, _INCIDENT_FACTS):
            found[fact.incident.project, fact.incident.monitor, "incident"] = None
    for project, monitor in _changed_health(connection, delta):
        found[project, monitor, "health"] = None
    return [(delta.clock, *change) for change in found]


def _changed_health(connection: Connection, delta: Delta) -> Iterable[tuple[int, int]]:
    """(project, monitor) of the tracks whose health or verdict differs from the row that is about to be overwritten."""
    for some in chunks(list(delta.tracks), _MANY):
        for number, health, verdict, monitor, project in connection.execute(_HEALTH, {"numbers": some}):
            track = delta.tracks[number]
            if track.health != health or track.verdict != verdict:
                yield project, monitor


def after(connection: Connection, revision: int, project: int | None, limit: int) -> list[Change]:
    """Oldest first; of one project, or of all."""
    statement = select(changes).where(changes.c.revision > revision)
    if project is not None:
        statement = statement.where(changes.c.project == project)
    return [Change(*row) for row in connection.execute(statement.order_by(changes.c.revision).limit(limit))]


def last(connection: Connection) -> int:
    return connection.execute(select(func.max(changes.c.revision))).scalar() or 0
