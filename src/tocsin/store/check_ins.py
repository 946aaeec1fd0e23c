"""Check-ins: rows in and out, one by either kind of id, a page of them newest first."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, Select, select

from tocsin.domain import ids
from tocsin.domain.check_in import STATE_NUMBERS, STATES_BY_NUMBER, CheckIn
from tocsin.domain.instant import DAY
from tocsin.store import pages
from tocsin.store.port import CheckInFilter, Page, chunks
from tocsin.store.schema import check_in_ids, check_ins, environments, is_open, monitors, tracks

_MANY: Final = 500  # values in one IN


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """What few check-ins have and no query looks at."""

    exit_code: int | None = None
    message: str = ""
    release: str = ""
    host: str = ""
    trace_id: str = ""
    metrics: dict[str, float] = {}
    series: str = ""
    dialect: str = "native"
    client: str = ""


_NO_DETAIL = Detail()
_encode_detail = msgspec.json.Encoder().encode
_decode_detail = msgspec.json.Decoder(Detail).decode


def detail_of(dialect: str, client: str) -> str:
    """The text of a check-in that has nothing else of a detail; "" for NULL."""
    text = _encode_detail(Detail(dialect=dialect, client=client)).decode()
    return text if text != "{}" else ""


def to_row(check_in: CheckIn) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    detail = _encode_detail(
        Detail(
            check_in.exit_code,
            check_in.message,
            check_in.release,
            check_in.host,
            check_in.trace_id,
            check_in.metrics,
            check_in.series,
            check_in.dialect,
            check_in.client,
        )
    )
    return (
        check_in.number,
        check_in.project,
        check_in.monitor,
        check_in.track,
        STATE_NUMBERS[check_in.state],
        check_in.receive_time,
        check_in.update_time,
        check_in.start_time,
        check_in.end_time,
        check_in.duration_ms,
        check_in.expected_time,
        check_in.timeout_time,
        check_in.late,
        check_in.satisfies,
        check_in.deafened,
        bytes.fromhex(check_in.id) if check_in.client_chosen else None,
        detail.decode() if detail != b"{}" else None,
        check_in.policy,
    )


def id_to_row(check_in: CheckIn) -> tuple[int, bytes, int]:
    """A row of `check_in_ids`."""
    return check_in.project, bytes.fromhex(check_in.id), check_in.number


def select_check_ins() -> Select[Any]:
    """Those of living monitors: the join is what hides the rest."""
    return (
        select(check_ins, monitors.c.id.label("monitor_id"), environments.c.name.label("environment"))
        .join_from(check_ins, monitors, check_ins.c.monitor == monitors.c.number)
        .join(tracks, check_ins.c.track == tracks.c.number)
        .join(environments, tracks.c.environment == environments.c.number)
    )


def from_row(row: Row[Any]) -> CheckIn:
    detail = _decode_detail(row.detail) if row.detail else _NO_DETAIL
    return CheckIn(
        number=row.number,
        id=ids.public_id(row.number) if row.client_id is None else row.client_id.hex(),
        project=row.project,
        monitor=row.monitor,
        monitor_id=row.monitor_id,
        track=row.track,
        environment=row.environment,
        state=STATES_BY_NUMBER[row.state],
        receive_time=row.receive_time,
        update_time=row.update_time,
        start_time=row.start_time,
        end_time=row.end_time,
        duration_ms=row.duration_ms,
        expected_time=row.expected_time,
        timeout_time=row.timeout_time,
        late=row.late,
        satisfies=row.satisfies,
        deafened=row.deafened,
        policy=row.policy,
        client_chosen=row.client_id is not None,
        exit_code=detail.exit_code,
        message=detail.message,
        release=detail.release,
        host=detail.host,
        trace_id=detail.trace_id,
        metrics=detail.metrics,
        series=detail.series,
        dialect=detail.dialect,
        client=detail.client,
    )


def recall(connection: Connection, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], CheckIn]:
    """The check-ins of these (project, id) pairs, as far as they exist; a client chose the id, or we made it."""
    pairs = set(wanted)
    found: dict[tuple[int, str], CheckIn] = {}
    # A client may choose an id that looks like ours, so its form does not say where it is; what was chosen wins.
    ours = [number for _, public in pairs if (number := ids.number_of(public)) is not None]
    for some in chunks(ours, _MANY):
        for check_in in _each(connection, check_ins.c.number.in_(some), check_ins.c.client_id.is_(None)):
            if (check_in.project, check_in.id) in pairs:
                found[check_in.project, check_in.id] = check_in
    by_project: dict[int, list[bytes]] = {}
    for project, public in pairs:
        by_project.setdefault(project, []).append(bytes.fromhex(public))
    for project, chosen in by_project.items():
        for some_ids in chunks(chosen, _MANY):
            numbers = select(check_in_ids.c.number).where(
                check_in_ids.c.project == project, check_in_ids.c.id.in_(some_ids)
            )
            for check_in in _each(connection, check_ins.c.number.in_(numbers)):
                found[check_in.project, check_in.id] = check_in
    return found


def get(connection: Connection, project: int, monitor_id: str, check_in_id: str) -> CheckIn | None:
    """By id, or "latest": the newest run of the monitor that is still open."""
    if check_in_id in ("latest", ids.LATEST):
        here = (monitors.c.project == project, monitors.c.id == monitor_id, is_open)
        newest = select_check_ins().where(*here).order_by(check_ins.c.number.desc()).limit(1)
        row = connection.execute(newest).one_or_none()
        return from_row(row) if row else None
    found = recall(connection, [(project, ids.normal_id(check_in_id))])
    return next((check_in for check_in in found.values() if check_in.monitor_id == monitor_id), None)


def list_page(connection: Connection, project: int, only: CheckInFilter, *, size: int, token: str) -> Page[CheckIn]:
    """Newest first."""
    states = _numbers_of(only)
    query = ("check_ins", project, only.monitor, only.environment, states, only.since, only.until)
    statement = narrowed(project, only)
    if token:
        statement = statement.where(check_ins.c.number < pages.decode(token, query, tuple[int])[0])
    statement = statement.order_by(check_ins.c.number.desc()).limit(size + 1)
    found = [from_row(row) for row in connection.execute(statement)]
    return pages.cut(found, size, query, lambda check_in: (check_in.number,))


def narrowed(project: int, only: CheckInFilter) -> Select[Any]:
    """Check-ins of a project, in no order."""
    states = _numbers_of(only)
    statement = select_check_ins().where(check_ins.c.project == project)
    if only.monitor is not None:
        statement = statement.where(check_ins.c.monitor == only.monitor)
    if only.environment is not None:
        statement = statement.where(environments.c.name == only.environment)
    if states is not None:
        statement = statement.where(check_ins.c.state.in_(states))
    if only.since is not None:
        # A number is made when its row is, never much before it was received: the first bound lets the index stop.
        statement = statement.where(
            check_ins.c.number >= ids.first_number_from(only.since - DAY), check_ins.c.receive_time >= only.since
        )
    if only.until is not None:
        statement = statement.where(check_ins.c.receive_time < only.until)
    return statement


def _numbers_of(only: CheckInFilter) -> list[int] | None:
    return sorted(STATE_NUMBERS[state] for state in only.states) if only.states is not None else None


def _each(connection: Connection, *conditions: Any) -> Iterator[CheckIn]:
    for row in connection.execute(select_check_ins().where(*conditions)):
        yield from_row(row)
