"""`SqlOutbox`: notices on their way, and how far the telling of each incident has come.

One dispatcher owns these rows, the one of the server that owns the partition; nobody claims any. What was begun when it
died is pending still, and told again under the same key. Incidents need no mark to be found: those that opened since
have greater numbers than the last one that was looked at. So a commit that opens incidents writes nothing for us, and
one that opens none has nothing to do with us at all.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, select, update
from sqlalchemy.dialects import sqlite

from tocsin.domain.instant import Instant
from tocsin.domain.notice import Content, Notice, NoticeKind, NoticeState, Told
from tocsin.store import keys, pages, ready_notices
from tocsin.store.database import Database
from tocsin.store.notification_tables import PENDING, PLANNED, waits_in
from tocsin.store.port import Page, chunks
from tocsin.store.schema import alerts, notices
from tocsin.store.texts import clean, clean_json

_MANY: Final = 500  # values in one IN
_CURSOR: Final = "planned_incident"  # the setting that says up to which incident has been looked at

_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_told: Final = msgspec.json.Decoder(Told).decode
_content: Final = msgspec.json.Decoder(Content).decode


_SETTLE: Final = (
    update(notices)
    .where(notices.c.number == bindparam("n"))
    .values(
        state=bindparam("s"),
        attempts=notices.c.attempts + 1,
        next_time=bindparam("t"),
        end_time=bindparam("e"),
        error=bindparam("x"),
    )
)


class Alert(NamedTuple):
    """How far the telling of an incident has come. `told` None: it is over, and the row goes."""

    incident: int
    project: int
    monitor: int
    told: Told | None
    look: Instant | None


class Queue(NamedTuple):
    """Notices that wait for one destination of one project."""

    project: int
    destination: str
    waiting: int
    next_time: Instant  # when there is one of them to be tried


class Settled(NamedTuple):
    """What came of a try."""

    number: int
    state: NoticeState
    next_time: Instant
    end_time: Instant | None
    error: str


class SqlOutbox:
    """Each method blocks and may be called by any thread; writes are one short transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- planning

    def cursor(self) -> int:
        """The last incident that was looked at."""
        with self._database.read() as connection:
            return int(keys.get_setting(connection, _CURSOR) or 0)

    def tracked(self, incidents: Collection[int]) -> dict[int, Alert]:
        """What is known of the telling of these incidents, as far as it is not over."""
        found: dict[int, Alert] = {}
        with self._database.read() as connection:
            for some in chunks(sorted(incidents), _MANY):
                for row in connection.execute(select(alerts).where(alerts.c.incident.in_(some))):
                    found[row.incident] = Alert(row.incident, row.project, row.monitor, _told(row.body), row.look_time)
        return found

    def tracked_of(self, monitors: Collection[int]) -> list[int]:
        """Incidents of these monitors whose telling is not over."""
        found: list[int] = []
        with self._database.read() as connection:
            for some in chunks(sorted(monitors), _MANY):
                found += connection.execute(select(alerts.c.incident).where(alerts.c.monitor.in_(some))).scalars()
        return found

    def tracked_after(self, incident: int, limit: int) -> list[int]:
        statement = select(alerts.c.incident).where(alerts.c.incident > incident).order_by(alerts.c.incident)
        with self._database.read() as connection:
            return list(connection.execute(statement.limit(limit)).scalars())

    def due(self, now: Instant, limit: int) -> list[int]:
        """Incidents that are to be looked at again by now, the longest waiting first."""
        statement = select(alerts.c.incident).where(alerts.c.look_time <= now).order_by(alerts.c.look_time)
        with self._database.read() as connection:
            return list(connection.execute(statement.limit(limit)).scalars())

    def next_look(self) -> Instant | None:
        with self._database.read() as connection:
            return connection.execute(select(func.min(alerts.c.look_time))).scalar()

    def planned_events(self, limit: int) -> list[Notice]:
        """Events of which nobody has looked up yet who is to be told."""
        with self._database.read() as connection:
            return _rows(connection, waits_in(notices, PLANNED), limit)

    def keep(
        self,
        alerts_now: Iterable[Alert],
        new: Iterable[Notice],
        *,
        cursor: int | None = None,
        events: Iterable[int] = (),
    ) -> None:
        """What a look came to, all or nothing. `events` were planned, and are replaced by what is `new`."""
        alerts_now = list(alerts_now)
        with self._database.write() as connection:
            over = [alert.incident for alert in alerts_now if alert.told is None]
            for some in chunks(over, _MANY):
                connection.execute(delete(alerts).where(alerts.c.incident.in_(some)))
            kept = [_alert_to_row(alert, alert.told) for alert in alerts_now if alert.told is not None]
            if kept:
                made = _insert(connection)(alerts)
                connection.execute(
                    made.on_conflict_do_update(
                        index_elements=[alerts.c.incident],
                        set_={"look_time": made.excluded.look_time, "body": made.excluded.body},
                    ),
                    kept,
                )
            add(connection, new)
            for some in chunks(sorted(events), _MANY):
                connection.execute(delete(notices).where(notices.c.number.in_(some), notices.c.state == PLANNED))
            if cursor is not None:
                keys.put_setting(connection, _CURSOR, str(cursor))

    # --- delivery

    def queues(self, now: Instant) -> list[Queue]:
        """Destinations that something waits for."""
        where = (notices.c.project, notices.c.destination)
        head = (
            select(*where, func.count(), func.min(notices.c.next_time), func.max(notices.c.next_time))
            .where(waits_in(notices, PENDING))
            .group_by(*where)
        )
        with self._database.read() as connection:
            return [
                Queue(
                    project,
                    destination,
                    count,
                    first if last <= now else ready_notices.next_time(connection, project, destination, now),
                )
                for project, destination, count, first, last in connection.execute(head).all()
            ]

    def waiting(self, project: int, destination: str, limit: int, now: Instant) -> list[Notice]:
        """What is to be sent to a destination now, the oldest first: nothing behind what is to be tried again later."""
        with self._database.read() as connection:
            return _rows(connection, ready_notices.ready(project, destination, now), limit)

    def settle(self, settled: Sequence[Settled]) -> None:
        """What came of tries."""
        rows = [
            {"n": one.number, "s": int(one.state), "t": one.next_time, "e": one.end_time, "x": clean(one.error)}
            for one in settled
        ]
        with self._database.write() as connection:
            connection.execute(_SETTLE, rows)

    # --- for people

    def get(self, project: int, number: int) -> Notice | None:
        with self._database.read() as connection:
            found = _rows(connection, (notices.c.project == project) & (notices.c.number == number), 1)
        return found[0] if found else None

    def page(
        self,
        project: int,
        *,
        monitor: int | None = None,
        incident: int | None = None,
        states: Collection[NoticeState] = (),
        size: int,
        token: str = "",
    ) -> Page[Notice]:
        """Newest first."""
        query = ("notices", project, monitor, incident, sorted(states))
        which = [notices.c.project == project, notices.c.state != PLANNED]
        if monitor is not None:
            which.append(notices.c.monitor == monitor)
        if incident is not None:
            which += [notices.c.subject == incident, notices.c.kind != int(NoticeKind.EVENT)]
        if states:
            which.append(notices.c.state.in_([int(state) for state in states]))
        if token:
            which.append(notices.c.number < pages.decode(token, query, tuple[int])[0])
        statement = select(notices).where(*which).order_by(notices.c.number.desc()).limit(size + 1)
        with self._database.read() as connection:
            found = [from_row(row) for row in connection.execute(statement)]
        return pages.cut(found, size, query, lambda notice: (notice.number,))

    def retry(self, project: int, numbers: Collection[int], now: Instant) -> list[Notice]:
        """Dead ones of these (none: all of the project) are pending again, with all their tries. Those that are."""
        dead = [notices.c.project == project, notices.c.state == int(NoticeState.DEAD)]
        if numbers:
            dead.append(notices.c.number.in_(sorted(numbers)[:_MANY]))
        again = update(notices).where(*dead).values(state=PENDING, attempts=0, next_time=now, end_time=None)
        with self._database.write() as connection:
            return [from_row(row) for row in connection.execute(again.returning(*notices.columns))]

    def expire(self, before: Instant, limit: int) -> int:
        """Drops notices that were over before; how many."""
        some = select(notices.c.number).where(notices.c.end_time < before).limit(limit)
        with self._database.write() as connection:
            return connection.execute(delete(notices).where(notices.c.number.in_(some))).rowcount


def add(connection: Connection, new: Iterable[Notice]) -> None:
    """New rows, whose numbers the store gives; those that are there already stay as they are."""
    rows = [to_row(notice) for notice in new]
    if rows:
        connection.execute(_insert(connection)(notices).on_conflict_do_nothing(), rows)


def to_row(notice: Notice) -> dict[str, Any]:
    """Without the number."""
    return {
        "project": notice.project,
        "monitor": notice.monitor,
        "subject": notice.subject,
        "kind": int(notice.kind),
        "sequence": notice.sequence,
        "destination": clean(notice.destination),
        "state": int(notice.state),
        "attempts": notice.attempts,
        "create_time": notice.create_time,
        "next_time": notice.next_time,
        "end_time": notice.end_time,
        "error": clean(notice.error),
        "body": clean_json(_encode(notice.content)).decode(),
    }


def _insert(connection: Connection) -> Any:
    if connection.dialect.name == "sqlite":
        return sqlite.insert
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - it takes a while to load

    return postgresql.insert


def _alert_to_row(alert: Alert, told: Told) -> dict[str, Any]:
    return {
        "incident": alert.incident,
        "project": alert.project,
        "monitor": alert.monitor,
        "look_time": alert.look,
        "body": clean_json(_encode(told)).decode(),
    }


def _rows(connection: Connection, which: ColumnElement[bool], limit: int) -> list[Notice]:
    statement = select(notices).where(which).order_by(notices.c.number).limit(limit)
    return [from_row(row) for row in connection.execute(statement)]


def from_row(row: Row[Any]) -> Notice:
    return Notice(
        number=row.number,
        project=row.project,
        monitor=row.monitor,
        subject=row.subject,
        kind=NoticeKind(row.kind),
        sequence=row.sequence,
        destination=row.destination,
        state=NoticeState(row.state),
        attempts=row.attempts,
        create_time=row.create_time,
        next_time=row.next_time,
        end_time=row.end_time,
        error=row.error,
        content=_content(row.body),
    )
