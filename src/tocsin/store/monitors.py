"""Monitors: rows in and out, one by name, a page of them with their tracks and open incidents."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, Text, asc, cast, desc, or_, select, tuple_

from tocsin._core.filling import packed_monitor
from tocsin._core.saved import packed
from tocsin.domain import errors
from tocsin.domain.group import Filed
from tocsin.domain.incident import Incident
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import AlertPolicy, FieldWriter, Monitor, Policy
from tocsin.domain.track import Track
from tocsin.engine.state import DISABLED, INACTIVE
from tocsin.store import filters, incidents, pages, tags
from tocsin.store.port import MonitorWithHealth, Page, chunks
from tocsin.store.schema import environments, is_grouped, monitors, policies, tracks
from tocsin.store.texts import clean, clean_json

_ORDERS: Final = ("id", "display_name", "create_time", "update_time")
_MANY: Final = 500  # values in one IN
TRACK_COLUMNS: Final = tracks.columns.keys().index("create_time")  # those before it are fields of `Track`


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of a monitor no query but a filter on labels looks at."""

    labels: dict[str, str] = {}
    alert_policy: AlertPolicy = AlertPolicy()
    written_by: str = "native"
    extras: dict[str, msgspec.Raw] = {}
    locks: tuple[str, ...] = ()
    writers: tuple[tuple[str, Instant, bool, tuple[str, ...]], ...] = ()  # by, at, upsert, paths: most share one writer


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode_body = msgspec.json.Decoder(Body).decode
_decode_policy = msgspec.json.Decoder(Policy).decode


def policy_to_row(number: int, policy: Policy) -> tuple[int, str]:
    """Canonical, so that equal policies are equal text."""
    return number, _encode(policy).decode()


def policy_of(body: str) -> Policy:
    return _decode_policy(body)


def to_row(monitor: Monitor, policy: int) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    body = Body(
        labels=monitor.labels,
        alert_policy=monitor.alert_policy,
        written_by=monitor.written_by,
        extras=monitor.extras,
        locks=monitor.locks,
        writers=_grouped(monitor.writers),
    )
    return (
        monitor.number,
        monitor.project,
        monitor.id,
        monitor.uid,
        policy,
        monitor.disabled,
        monitor.inactive,
        monitor.paused_until,
        monitor.muted_until,
        monitor.policy.kind.value,
        clean(monitor.origin),
        clean(monitor.owner),
        clean(monitor.display_name),
        monitor.revision,
        monitor.create_time,
        monitor.update_time,
        clean_json(_encode(body)).decode(),
        _packed(
            packed_monitor,
            monitor.number,
            monitor.project,
            policy,
            (DISABLED if monitor.disabled else 0) | (INACTIVE if monitor.inactive else 0),
            monitor.paused_until or 0,
            monitor.muted_until or 0,
            monitor.id,
        ),
        clean(monitor.group),
        tags.to_text(monitor.tags),
        monitor.ping_token or None,
    )


def ids_of(connection: Connection, projects: Iterable[int]) -> dict[int, dict[int, str]]:
    """The ids of all monitors of these projects, by project and number."""
    return {
        project: {
            row.number: row.id
            for row in connection.execute(select(monitors.c.number, monitors.c.id).where(monitors.c.project == project))
        }
        for project in projects
    }


def named(connection: Connection, numbers: Collection[int]) -> dict[int, tuple[int, str]]:
    """Project and id of the monitors of these numbers, as far as they exist."""
    found: dict[int, tuple[int, str]] = {}
    columns = select(monitors.c.number, monitors.c.project, monitors.c.id)
    for some in chunks(sorted(numbers), _MANY):
        for number, project, monitor_id in connection.execute(columns.where(monitors.c.number.in_(some))):
            found[number] = project, monitor_id
    return found


def filed_of(connection: Connection, projects: Iterable[int]) -> dict[int, dict[int, Filed]]:
    """Groups and tags of the monitors of these projects that have any, by project and number."""
    columns = select(monitors.c.number, monitors.c.group, monitors.c.tags)
    return {
        project: {
            row.number: Filed(row.group, tags.from_text(row.tags))
            for row in connection.execute(
                columns.where(monitors.c.project == project, or_(is_grouped, monitors.c.tags != ""))
            )
        }
        for project in projects
    }


def recall(connection: Connection, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Monitor]:
    """The monitors of these (project, id) pairs, as far as they exist."""
    by_project: dict[int, list[str]] = {}
    for project, monitor_id in wanted:
        by_project.setdefault(project, []).append(monitor_id)
    found: dict[tuple[int, str], Monitor] = {}
    for project, ids in by_project.items():
        for some in chunks(ids, _MANY):
            for row in connection.execute(_select().where(monitors.c.project == project, monitors.c.id.in_(some))):
                found[project, row.id] = _from_row(row)
    return found


def get(connection: Connection, project: int, monitor_id: str) -> MonitorWithHealth | None:
    row = connection.execute(_select().where(monitors.c.project == project, monitors.c.id == monitor_id)).one_or_none()
    return _with_health(connection, [_from_row(row)])[0] if row else None


def get_by_number(connection: Connection, project: int, number: int) -> MonitorWithHealth | None:
    row = connection.execute(_select().where(monitors.c.number == number, monitors.c.project == project)).one_or_none()
    return _with_health(connection, [_from_row(row)])[0] if row else None


def owner(connection: Connection, number: int) -> tuple[int, str] | None:
    """Project and id of the monitor of a number, whosever it is."""
    found = connection.execute(select(monitors.c.project, monitors.c.id).where(monitors.c.number == number))
    row = found.one_or_none()
    return None if row is None else (row.project, row.id)


def owners_of_tokens(connection: Connection, tokens: Collection[str]) -> dict[str, tuple[int, str]]:
    """Project and id of the monitors that have these ping tokens, as far as there are any."""
    found: dict[str, tuple[int, str]] = {}
    columns = select(monitors.c.ping_token, monitors.c.project, monitors.c.id)
    for some in chunks(sorted(tokens), _MANY):
        for token, project, monitor_id in connection.execute(columns.where(monitors.c.ping_token.in_(some))):
            found[token] = project, monitor_id
    return found


def get_many(connection: Connection, numbers: Sequence[int]) -> list[MonitorWithHealth]:
    """Those of these numbers that exist, in the order of the numbers."""
    found: dict[int, Monitor] = {}
    for some in chunks(numbers, _MANY):
        for row in connection.execute(_select().where(monitors.c.number.in_(some))):
            found[row.number] = _from_row(row)
    return _with_health(connection, [found[number] for number in numbers if number in found])


def in_groups(connection: Connection, project: int, groups: Sequence[str]) -> list[Monitor]:
    """The members of these groups, by id; sorted here, because a database would sort along another index."""
    statement = _select().where(monitors.c.project == project, monitors.c.group.in_(groups), is_grouped)
    return sorted((_from_row(row) for row in connection.execute(statement)), key=lambda monitor: monitor.id)


def known(connection: Connection, project: int, ids: Collection[str]) -> set[str]:
    """Those of these ids that exist."""
    found: set[str] = set()
    for some in chunks(sorted(ids), _MANY):
        found.update(
            connection.execute(
                select(monitors.c.id).where(monitors.c.project == project, monitors.c.id.in_(some))
            ).scalars()
        )
    return found


def list_page(
    connection: Connection, project: int, *, size: int, token: str, filter: str, order_by: str
) -> Page[MonitorWithHealth]:
    """Ordered by a field, then by number, so that a page begins after the last row before it, whatever came between."""
    column, descending = _order(order_by)
    query = ("monitors", project, filter, order_by)
    direction = desc if descending else asc
    statement = _select().where(monitors.c.project == project)
    if filter.strip():
        statement = statement.where(filters.where(filter))
    if token:
        last = tuple_(*pages.decode(token, query, tuple[str | int, int]))
        here = tuple_(column, monitors.c.number)
        statement = statement.where(here < last if descending else here > last)
    statement = statement.order_by(direction(column), direction(monitors.c.number)).limit(size + 1)
    found = [_from_row(row) for row in connection.execute(statement)]
    next_token = ""
    if len(found) > size:
        found.pop()
        next_token = pages.encode(query, (getattr(found[-1], column.name), found[-1].number))
    return Page(_with_health(connection, found), next_token)


def _select() -> Select[Any]:
    columns = [column for column in monitors.columns if column is not monitors.c.body]  # which would be decoded
    body = cast(monitors.c.body, Text).label("body_text")
    return select(*columns, body, policies.c.body.label("policy_text")).join_from(
        monitors, policies, monitors.c.policy == policies.c.number
    )


def _from_row(row: Row[Any]) -> Monitor:
    body = _decode_body(row.body_text)
    return Monitor(
        number=row.number,
        project=row.project,
        id=row.id,
        uid=row.uid,
        policy=_decode_policy(row.policy_text),
        display_name=row.display_name,
        alert_policy=body.alert_policy,
        labels=body.labels,
        group=row.group,
        tags=tags.from_text(row.tags),
        owner=row.owner,
        origin=row.origin,
        written_by=body.written_by,
        disabled=row.disabled,
        inactive=row.inactive,
        paused_until=row.paused_until,
        muted_until=row.muted_until,
        ping_token=row.ping_token or "",
        extras=body.extras,
        locks=body.locks,
        writers={path: FieldWriter(by, at, upsert) for by, at, upsert, paths in body.writers for path in paths},
        revision=row.revision,
        create_time=row.create_time,
        update_time=row.update_time,
    )


def _grouped(writers: dict[str, FieldWriter]) -> tuple[tuple[str, Instant, bool, tuple[str, ...]], ...]:
    paths: dict[FieldWriter, list[str]] = {}
    for path, writer in writers.items():
        paths.setdefault(writer, []).append(path)
    return tuple((writer.by, writer.at, writer.upsert, tuple(some)) for writer, some in paths.items())


def _order(order_by: str) -> tuple[ColumnElement[Any], bool]:
    """For "display_name desc" the column and True. One field; "" is by id."""
    words = order_by.split() or ["id"]
    if len(words) > 2 or words[0] not in _ORDERS or words[1:] not in ([], ["asc"], ["desc"]):
        raise errors.invalid(
            "order_by", f"must be one of {', '.join(_ORDERS)}, and may end in ' desc'", reason="ORDER_BY_INVALID"
        )
    return monitors.c[words[0]], words[1:] == ["desc"]


def _with_health(connection: Connection, found: Collection[Monitor]) -> list[MonitorWithHealth]:
    """Three queries for a page, however long it is."""
    answer = {monitor.number: MonitorWithHealth(monitor, [], {}) for monitor in found}
    for some in chunks(list(answer), _MANY):
        statement = select(tracks, environments.c.name).join_from(
            tracks, environments, tracks.c.environment == environments.c.number
        )
        for row in connection.execute(statement.where(tracks.c.monitor.in_(some)).order_by(environments.c.name)):
            answer[row.monitor].tracks.append((row.name, track_of(row)))
            answer[row.monitor].created[row.number] = row.create_time
        incident: Incident
        for incident in incidents.open_of(connection, some):
            answer[incident.monitor].incidents[incident.number] = incident
    return list(answer.values())


def track_of(row: Row[Any]) -> Track:
    number, monitor, environment, *rest = row[:TRACK_COLUMNS]
    return Track(number, monitor, environment, 0, *rest)


def track_to_row(track: Track, at: Instant, applied: int) -> tuple[Any, ...]:
    """Without `next_track`, which only the engine has. `at` is kept by a new row as the time of its creation.

    `applied`: the newest check-in that the row contains.
    """
    values = msgspec.structs.astuple(track)
    return *values[:3], *values[4:], at, applied, _packed(packed, values, applied)


def _packed(pack: Callable[..., bytearray], *values: Any) -> bytearray | None:
    """None, which is read in columns, for what no engine holds: its rosters have no room for it."""
    try:
        return pack(*values)
    except OverflowError:
        return None
