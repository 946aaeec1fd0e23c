"""`SqlNoticeSearches`: what was told in a time, for logs of alerts and of deliveries: counted pages, newest first."""

from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, select

from tocsin.domain.instant import Instant
from tocsin.domain.notice import Notice, NoticeKind, NoticeState
from tocsin.store.database import Database
from tocsin.store.outbox import from_row
from tocsin.store.schema import notices

_FAILED: Final = (int(NoticeState.DEAD), int(NoticeState.UNSUPPORTED))
_KINDS: Final = (int(NoticeKind.ALERT), int(NoticeKind.RECOVERY))


class Search(NamedTuple):
    """Of the alerts and recoveries of a project, those decided in [since, until]."""

    project: int
    since: Instant
    until: Instant
    monitor: int = 0  # number; 0: of all
    destination: str = ""  # "": to all
    failed: bool | None = None  # given up or never to be delivered; False: the others; None: all


class SqlNoticeSearches:
    """Each method blocks and may be called by any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def deliveries(self, search: Search, *, size: int, offset: int = 0) -> tuple[list[Notice], int]:
        """One for each destination, and how many there are in all."""
        with self._database.read() as connection:
            total = connection.execute(select(func.count()).select_from(notices).where(*_where(search))).scalar_one()
            return _page(connection, select(notices.c.number).where(*_where(search)), size, offset), total

    def told(self, search: Search, *, size: int, offset: int = 0) -> tuple[list[Notice], int]:
        """One for each thing that was told, to however many: the first of its notices."""
        one = select(func.min(notices.c.number).label("number")).where(*_where(search))
        one = one.group_by(notices.c.subject, notices.c.kind, notices.c.sequence)
        with self._database.read() as connection:
            total = connection.execute(select(func.count()).select_from(one.subquery())).scalar_one()
            return _page(connection, one, size, offset), total


def _page(connection: Connection, numbers: Select[tuple[int]], size: int, offset: int) -> list[Notice]:
    some = numbers.order_by(numbers.selected_columns[0].desc()).limit(size).offset(offset).subquery()
    statement = select(notices).where(notices.c.number.in_(select(some.c[0]))).order_by(notices.c.number.desc())
    return [from_row(row) for row in connection.execute(statement)]


def _where(search: Search) -> list[ColumnElement[bool]]:
    found = [
        notices.c.project == search.project,
        notices.c.create_time.between(search.since, search.until),
        notices.c.kind.in_(_KINDS),
    ]
    if search.monitor:
        found.append(notices.c.monitor == search.monitor)
    if search.destination:
        found.append(notices.c.destination == search.destination)
    if search.failed is not None:
        bad = notices.c.state.in_(_FAILED)
        found.append(bad if search.failed else ~bad)
    return found
