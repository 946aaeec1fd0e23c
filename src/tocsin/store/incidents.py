"""Incidents and outages: rows in and out, pages newest first."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, select

from tocsin._core.opened import Opened
from tocsin.domain import ids
from tocsin.domain.incident import Cause, Incident, Outage
from tocsin.store import incident_filters, pages
from tocsin.store.port import IncidentFilter, Page
from tocsin.store.schema import environments, incidents, monitors, outages, tracks
from tocsin.store.texts import clean

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[str, ...]).decode


def to_row(incident: Incident) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    return (
        incident.number,
        incident.project,
        incident.monitor,
        incident.track,
        incident.cause.value,
        incident.open_time,
        incident.first_check_in,
        incident.last_check_in,
        incident.failure_count,
        incident.resolve_time,
        incident.resolving_check_in,
        incident.acknowledge_time,
        clean(incident.acknowledged_by),
        clean(incident.note),
        incident.muted,
        incident.broken_time,
        incident.broken_mute_time,
        incident.attended_time,
        _causes(incident),
        clean(incident.assertion),
        clean(incident.resolved_by),
    )


def opened_to_rows(opened: Opened) -> Iterator[tuple[Any, ...]]:
    """The incidents of a burst, as `to_row`."""
    nothing = (None, "", None, "", "")
    for index in opened.incidents():
        track, monitor, number, check_in, deadline, project, _, _, failures, muted = opened.row(index)
        missed = ids.public_id(check_in)
        begun = (number, project, monitor, track, Cause.MISSED.value, deadline, missed, missed, failures)
        yield (*begun, *nothing, muted, None, None, None, "", "", "")


def _causes(incident: Incident) -> str:
    """JSON; "" for what mostly is: the cause that opened it."""
    return (
        ""
        if incident.causes == (incident.cause.value,)
        else _encode(tuple(clean(name) for name in incident.causes)).decode()
    )


def outage_to_row(outage: Outage) -> tuple[Any, ...]:
    return outage.number, outage.start_time, outage.end_time, outage.reason, outage.unknown_count, outage.shown


def select_incidents() -> Select[Any]:
    """Those of living monitors: the join is what hides the rest."""
    return (
        select(incidents, monitors.c.id.label("monitor_id"), environments.c.name.label("environment"))
        .join_from(incidents, monitors, incidents.c.monitor == monitors.c.number)
        .join(tracks, incidents.c.track == tracks.c.number)
        .join(environments, tracks.c.environment == environments.c.number)
    )


def from_row(row: Row[Any]) -> Incident:
    return Incident(
        number=row.number,
        project=row.project,
        monitor=row.monitor,
        monitor_id=row.monitor_id,
        track=row.track,
        environment=row.environment,
        cause=Cause(row.cause),
        open_time=row.open_time,
        first_check_in=row.first_check_in,
        last_check_in=row.last_check_in,
        failure_count=row.failure_count,
        resolve_time=row.resolve_time,
        resolving_check_in=row.resolving_check_in,
        acknowledge_time=row.acknowledge_time,
        acknowledged_by=row.acknowledged_by,
        note=row.note,
        muted=row.muted,
        broken_time=row.broken_time,
        broken_mute_time=row.broken_mute_time,
        attended_time=row.attended_time,
        causes=causes_of(row),
        assertion=row.assertion,
        resolved_by=row.resolved_by,
    )


def causes_of(row: Row[Any]) -> tuple[str, ...]:
    """What is wrong now, or was last: values of `Cause`, or texts of assertions."""
    return _decode(row.causes) if row.causes else (row.cause,)


def open_of(connection: Connection, monitor_numbers: Sequence[int]) -> Iterator[Incident]:
    statement = select_incidents().where(incidents.c.monitor.in_(monitor_numbers), incidents.c.resolve_time.is_(None))
    for row in connection.execute(statement.order_by(incidents.c.number)):
        yield from_row(row)


def get(connection: Connection, project: int, number: int) -> Incident | None:
    row = connection.execute(
        select_incidents().where(incidents.c.project == project, incidents.c.number == number)
    ).one_or_none()
    return from_row(row) if row else None


def list_page(
    connection: Connection,
    project: int,
    *,
    monitor: int | None,
    open_only: bool,
    only: IncidentFilter,
    size: int,
    token: str,
) -> Page[Incident]:
    query = ("incidents", project, monitor, open_only, only.text, only.since, only.until)
    statement = select_incidents().where(incidents.c.project == project)
    if monitor is not None:
        statement = statement.where(incidents.c.monitor == monitor)
    if open_only:
        statement = statement.where(incidents.c.resolve_time.is_(None))
    if only.text.strip():
        statement = statement.where(incident_filters.where(only.text))
    if only.since is not None:
        statement = statement.where(incidents.c.open_time >= only.since)
    if only.until is not None:
        statement = statement.where(incidents.c.open_time < only.until)
    if token:
        statement = statement.where(incidents.c.number < pages.decode(token, query, tuple[int])[0])
    statement = statement.order_by(incidents.c.number.desc()).limit(size + 1)
    found = [from_row(row) for row in connection.execute(statement)]
    return pages.cut(found, size, query, lambda incident: (incident.number,))


def list_outages(connection: Connection, *, shown_only: bool, size: int, token: str) -> Page[Outage]:
    query = ("outages", shown_only)
    statement = select(outages)
    if shown_only:
        statement = statement.where(outages.c.shown)
    if token:
        statement = statement.where(outages.c.number < pages.decode(token, query, tuple[int])[0])
    statement = statement.order_by(outages.c.number.desc()).limit(size + 1)
    found = [Outage(*row) for row in connection.execute(statement)]
    return pages.cut(found, size, query, lambda outage: (outage.number,))
