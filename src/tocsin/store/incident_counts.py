"""How many incidents opened in each stretch of time, and for how long any was open: added up by the database."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Select, case, cast, func, literal, literal_column, select

from tocsin.store.browse_port import Downtime, IncidentCount, Window
from tocsin.store.port import chunks
from tocsin.store.schema import environments, incidents, tracks

_MANY: Final = 500  # values in one IN


def opened(connection: Connection, monitors: Sequence[int], window: Window) -> list[IncidentCount]:
    """See `Browse.incident_counts`."""
    bucket = ((incidents.c.open_time - literal(window.since)) // literal(window.width)).label("bucket")
    name = environments.c.name
    found: list[IncidentCount] = []
    for some in chunks(monitors, _MANY):
        statement = (
            _of(select(incidents.c.monitor, name, bucket, func.count()), some, window)
            .where(incidents.c.open_time >= window.since, incidents.c.open_time < window.until)
            .group_by(incidents.c.monitor, name, literal_column("bucket"))
        )
        found += [
            IncidentCount(monitor, environment, window.since + place * window.width, number)
            for monitor, environment, place, number in connection.execute(statement)
        ]
    return found


def downtimes(connection: Connection, monitors: Sequence[int], window: Window) -> list[Downtime]:
    """See `Browse.downtimes`. At most one incident is open in an environment, so lengths add up."""
    since, until = literal(window.since), literal(window.until)
    began, ended = incidents.c.open_time, func.coalesce(incidents.c.resolve_time, until)
    within = case((ended < until, ended), else_=until) - case((began > since, began), else_=since)
    length = cast(func.sum(within), BigInteger)  # a sum is wider in PostgreSQL
    name = environments.c.name
    found: list[Downtime] = []
    for some in chunks(monitors, _MANY):
        statement = (
            _of(select(incidents.c.monitor, name, length), some, window)
            .where(began < until, ended > since)
            .group_by(incidents.c.monitor, name)
        )
        found += [Downtime(*row) for row in connection.execute(statement)]
    return found


def _of(statement: Select[Any], monitors: Sequence[int], window: Window) -> Select[Any]:
    """Of the environments that are there."""
    statement = (
        statement.select_from(incidents)
        .join(tracks, incidents.c.track == tracks.c.number)
        .join(environments, tracks.c.environment == environments.c.number)
        .where(incidents.c.monitor.in_(monitors))
    )
    return statement.where(environments.c.name.in_(window.environments)) if window.environments else statement
