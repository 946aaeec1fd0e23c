"""Incidents that people write down: rows in and out, one by key, a page of them, newest first."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.domain.manual_incident import ManualIncident, Progress, Severity, changed, check
from tocsin.store import pages
from tocsin.store.port import Page
from tocsin.store.schema import manual_incidents as table
from tocsin.store.texts import clean_json


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """What no query looks at."""

    title: str = ""
    state: Progress = Progress.UNRESOLVED
    severity: Severity = Severity.OUTAGE
    environment: str = ""
    monitors: tuple[str, ...] = ()
    assigned_to: str = ""
    note: str = ""
    open_time: Instant = 0


_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_decode: Final = msgspec.json.Decoder(Body).decode


def put(
    connection: Connection,
    project: int,
    key: str,
    *,
    values: Mapping[str, Any],
    at: Instant,
    create: bool,
    update_known: bool,
) -> ManualIncident:
    known = get(connection, project, key)
    if known is None and not create:
        raise not_found(key)
    if known is not None and not update_known:
        raise errors.AlreadyExists(
            f"there is a manual incident {key[:64]!r} already; update it instead",
            reason="MANUAL_INCIDENT_ALREADY_EXISTS",
            metadata={"manual_incident": key[:64]},
        )
    after = changed(known or ManualIncident(0, project, key, open_time=at, create_time=at), values, at)
    check(after)
    return after if after == known else _write(connection, after)


def not_found(key: str) -> errors.NotFound:
    return errors.NotFound(
        f"no manual incident {key[:64]!r} in this project",
        reason="MANUAL_INCIDENT_NOT_FOUND",
        metadata={"manual_incident": key[:64]},
    )


def _write(connection: Connection, incident: ManualIncident) -> ManualIncident:
    """A new one (number 0) or a changed one; as stored."""
    body = Body(**{name: getattr(incident, name) for name in Body.__struct_fields__})
    values = {
        "resolve_time": incident.resolve_time,
        "update_time": incident.update_time,
        "body": clean_json(_encode(body)).decode(),
    }
    if incident.number:
        connection.execute(update(table).where(table.c.number == incident.number).values(values))
    else:
        made = {"project": incident.project, "key": incident.key, "create_time": incident.create_time}
        connection.execute(insert(table).values(made | values))
    found = get(connection, incident.project, incident.key)
    assert found is not None
    return found


def get(connection: Connection, project: int, key: str) -> ManualIncident | None:
    row = connection.execute(select(table).where(table.c.project == project, table.c.key == key)).one_or_none()
    return None if row is None else _from_row(row)


def remove(connection: Connection, project: int, key: str) -> bool:
    return connection.execute(delete(table).where(table.c.project == project, table.c.key == key)).rowcount > 0


def list_page(connection: Connection, project: int, *, open_only: bool, size: int, token: str) -> Page[ManualIncident]:
    query = ("manual incidents", project, open_only)
    statement = select(table).where(table.c.project == project)
    if open_only:
        statement = statement.where(table.c.resolve_time.is_(None))
    if token:
        statement = statement.where(table.c.number < pages.decode(token, query, tuple[int])[0])
    rows = connection.execute(statement.order_by(table.c.number.desc()).limit(size + 1))
    return pages.cut([_from_row(row) for row in rows], size, query, lambda one: (one.number,))


def _from_row(row: Row[Any]) -> ManualIncident:
    body = msgspec.structs.asdict(_decode(row.body))
    return ManualIncident(
        row.number,
        row.project,
        row.key,
        resolve_time=row.resolve_time,
        create_time=row.create_time,
        update_time=row.update_time,
        **body,
    )
