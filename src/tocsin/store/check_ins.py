"""Check-ins: rows in and out, and one by either kind of id."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, Select, Table, and_, or_, select

from tocsin.domain import ids
from tocsin.domain.check_in import STATE_NUMBERS, STATES_BY_NUMBER, CheckIn, State
from tocsin.engine.delta import Columns
from tocsin.store import weeks
from tocsin.store.check_in_tables import is_open_in
from tocsin.store.port import chunks
from tocsin.store.schema import environments, monitors, tracks
from tocsin.store.weeks import Piece

_MANY: Final = 500  # values in one IN
RECENT_MAX: Final = 50_000
_ARMS: Final = 100  # of one SELECT
_NUMBERS: Final = "SELECT number FROM check_in_ids WHERE project = %s AND id = ANY(%s::bytea[])"


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
    event: str = ""
    address: str = ""


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
            check_in.event,
            check_in.address,
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


def rows_of(columns: Columns) -> list[tuple[Any, ...]]:
    """As `to_row`, of check-ins in columns: where there are few of them, or a week ends among them."""
    detail = detail_of(columns.dialect, columns.client) or None
    found = []
    for index in range(len(columns.recorded)):
        number, monitor, track, state, received, updated, ended, duration, expected, policy, *_ = columns.recorded.row(
            index
        )
        head = (number, columns.project, monitor, track, state, received, updated, None, ended, duration, expected)
        found.append((*head, None, False, None, False, None, detail, policy))
    return found


def id_to_row(check_in: CheckIn) -> tuple[int, bytes, int]:
    """A row of `check_in_ids`."""
    return check_in.project, bytes.fromhex(check_in.id), check_in.number


def select_check_ins(table: Table) -> Select[Any]:
    """Those of a piece (see `weeks`) whose monitors live: the join is what hides the rest."""
    return (
        select(table, monitors.c.id.label("monitor_id"), environments.c.name.label("environment"))
        .join_from(table, monitors, table.c.monitor == monitors.c.number)
        .join(tracks, table.c.track == tracks.c.number)
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
        event=detail.event,
        address=detail.address,
    )


def recall(connection: Connection, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], CheckIn]:
    """The check-ins of these (project, id) pairs, as far as they exist; a client chose the id, or we made it.

    A client may choose an id that looks like ours, so its form does not say where it is; what was chosen wins, and
    of check-ins with the same chosen id the newest that is there.
    """
    pairs = set(wanted)
    pieces = weeks.pieces(connection)
    named = _numbers_of(connection, pieces, pairs)
    numbers = [number for _, public in pairs if (number := ids.number_of(public)) is not None]
    made: dict[tuple[int, str], CheckIn] = {}
    chosen: dict[tuple[int, str], CheckIn] = {}
    for piece in pieces:
        table = piece.check_ins
        for some in chunks(weeks.within(piece, named), _MANY):
            for check_in in _each(connection, table, table.c.number.in_(some)):
                key = check_in.project, check_in.id
                if key not in chosen or chosen[key].number < check_in.number:
                    chosen[key] = check_in
        for some in chunks(weeks.within(piece, numbers), _MANY):
            for check_in in _each(connection, table, table.c.number.in_(some), table.c.client_id.is_(None)):
                if (check_in.project, check_in.id) in pairs:
                    made[check_in.project, check_in.id] = check_in
    return made | chosen


def _numbers_of(connection: Connection, pieces: Sequence[Piece], pairs: Iterable[tuple[int, str]]) -> list[int]:
    """The numbers behind ids that clients chose: of each, one for each check-in that had it."""
    if connection.dialect.name == "sqlite":
        return list(_looked_up(connection, pieces, pairs))
    by_project: dict[int, list[bytes]] = {}
    for project, public in pairs:
        by_project.setdefault(project, []).append(bytes.fromhex(public))
    found: list[int] = []
    for project, wanted in by_project.items():  # an array is one value, however long: nothing to plan for each id
        found += connection.exec_driver_sql(_NUMBERS, (project, wanted)).scalars()
    return found


def _looked_up(connection: Connection, pieces: Sequence[Piece], pairs: Iterable[tuple[int, str]]) -> Iterator[int]:
    """Without a server between, one short statement for each id over all weeks costs a tenth of long ones by week."""
    cursor = connection.connection.cursor()
    try:
        for some in chunks(pieces, _ARMS):
            arms = (f"SELECT number FROM {piece.ids.name} WHERE project = ?1 AND id = ?2" for piece in some)  # noqa: S608
            text = " UNION ALL ".join(arms)
            for project, public in pairs:
                for (number,) in cursor.execute(text, (project, bytes.fromhex(public))):
                    yield number
    finally:
        cursor.close()


def get(connection: Connection, project: int, monitor_id: str, check_in_id: str) -> CheckIn | None:
    """By id, or "latest": the newest run of the monitor that is still open."""
    if check_in_id in ("latest", ids.LATEST):
        return _newest_open(connection, project, monitor_id)
    found = recall(connection, [(project, ids.normal_id(check_in_id))])
    return next((check_in for check_in in found.values() if check_in.monitor_id == monitor_id), None)


def _newest_open(connection: Connection, project: int, monitor_id: str) -> CheckIn | None:
    here = (monitors.c.project == project, monitors.c.id == monitor_id)
    for piece in weeks.pieces(connection):
        table = piece.check_ins
        newest = select_check_ins(table).where(*here, is_open_in(table)).order_by(table.c.number.desc()).limit(1)
        row = connection.execute(newest).one_or_none()
        if row is not None:
            return from_row(row)
    return None


def open_runs(connection: Connection) -> Iterator[Select[Any]]:
    """Statements to be asked one after the other: open runs, oldest first.

    The inner query is there to be answered from the index of open runs, never from all check-ins.
    """
    for piece in reversed(weeks.pieces(connection)):
        table = piece.check_ins
        numbers = select(table.c.number).where(is_open_in(table))
        yield select_check_ins(table).where(table.c.number.in_(numbers)).order_by(table.c.number)


def recent(connection: Connection, since: int) -> list[CheckIn]:
    """What `engine.recents` wants after a start: with numbers from `since` on, oldest first, the newest at most.

    Check-ins whose reports had times of their own, and ends of a series that came before their starts.
    """
    found: list[CheckIn] = []
    for piece in weeks.pieces(connection, above=since - 1):  # newest first
        columns = piece.check_ins.c
        own = or_(columns.start_time != columns.receive_time, columns.end_time != columns.update_time)
        early = and_(columns.start_time.is_(None), columns.detail.like('%"series":%'))
        wanted = (columns.number >= since, columns.client_id.is_(None), or_(own, early))
        newest = select_check_ins(piece.check_ins).where(*wanted)
        rows = connection.execute(newest.order_by(columns.number.desc()).limit(RECENT_MAX - len(found)))
        found += [from_row(row) for row in rows]
    found.reverse()
    return found


def after(connection: Connection, watermark: int) -> list[Select[Any]]:
    """Statements to be asked one after the other: `AfterRow`s, oldest first. Only an OK may have come in columns."""
    found = []
    for piece in reversed(weeks.pieces(connection, above=watermark)):
        table = piece.check_ins
        columns = (table.c.number, table.c.track, table.c.receive_time, table.c.duration_ms)
        here = (table.c.number > watermark, table.c.state == STATE_NUMBERS[State.OK])
        found.append(select(*columns).where(*here).order_by(table.c.number))
    return found


def _each(connection: Connection, table: Table, *conditions: Any) -> Iterator[CheckIn]:
    for row in connection.execute(select_check_ins(table).where(*conditions)):
        yield from_row(row)
