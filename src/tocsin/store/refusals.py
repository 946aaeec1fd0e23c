"""Refusals: rows in and out, pages newest first, and no more of them than is of use.

The newest few of each monitor are kept, and as many of each project whose monitor does not exist: a client that makes
up names must not fill the disk. Losses and remarks are counted apart, so that what was only noted never pushes out what
was lost; a remark that comes again takes the place of the one before. A commit that writes refusals takes away those
they push out, so the table is as large between two runs of the janitor as after one.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Dialect, and_, bindparam, delete, select

from tocsin.domain.commands import DeleteRefusals
from tocsin.domain.facts import CheckInRefused
from tocsin.store import pages
from tocsin.store.port import Page, chunks
from tocsin.store.schema import monitors, refusals
from tocsin.store.texts import clean
from tocsin.store.upsert import Upsert, cursor_of

KEPT: Final = 10  # losses of a monitor, and remarks, unless settings say otherwise
_MOST_AT_ONCE: Final = 500  # values in one statement
_LOOK_BACK: Final = 1_000  # refusals of a project, looked through for strays of the owner before
_REMARK: Final = ("of_project", "of_monitor", "why", "told")
_TEXTS: Final = ("monitor_id", "reason", "detail", "dialect", "environment", "check_in_id", "payload")
_SAME_REMARK: Final = delete(refusals).where(
    refusals.c.dropped.is_(False),
    *(
        column == bindparam(name)
        for column, name in zip(
            (refusals.c.project, refusals.c.monitor_id, refusals.c.reason, refusals.c.detail), _REMARK, strict=True
        )
    ),
)


def to_row(refusal: CheckInRefused) -> tuple[Any, ...]:
    """Without the number, which the database gives."""
    return (
        refusal.project,
        refusal.monitor_id,
        refusal.reason,
        refusal.detail,
        refusal.at,
        refusal.dialect,
        refusal.environment,
        refusal.check_in_id,
        refusal.dropped,
        msgspec.json.encode(refusal.data).decode(),
        refusal.payload,
    )


def from_row(row: Sequence[Any]) -> CheckInRefused:
    number, *fields, data, payload = tuple(row)
    return CheckInRefused(*fields, data=msgspec.json.decode(data), payload=payload, number=number)  # type: ignore[misc] # the first fields


def list_page(
    connection: Connection, project: int, monitor_id: str | None, *, size: int, token: str
) -> Page[CheckInRefused]:
    """Newest first; of one monitor id, whether such a monitor exists or not, or of the whole project."""
    query = ("refusals", project, monitor_id)
    statement = select(refusals).where(refusals.c.project == project)
    if monitor_id is not None:
        statement = statement.where(refusals.c.monitor_id == monitor_id)
    if token:
        statement = statement.where(refusals.c.number < pages.decode(token, query, tuple[int])[0])
    statement = statement.order_by(refusals.c.number.desc()).limit(size + 1)
    page = pages.cut(list(connection.execute(statement)), size, query, lambda row: (row.number,))
    return Page([from_row(row) for row in page.rows], page.next_token)


def numbers(
    connection: Connection, project: int, reasons: Collection[str], *, before: int | None, limit: int
) -> list[int]:
    """Of a project's refusals, of all reasons when none is named: newest first, below `before`."""
    which = [refusals.c.project == project]
    if reasons:
        which.append(refusals.c.reason.in_(sorted(reasons)))
    if before is not None:
        which.append(refusals.c.number < before)
    newest = select(refusals.c.number).where(*which).order_by(refusals.c.number.desc())
    return list(connection.execute(newest.limit(limit)).scalars())


def remove(connection: Connection, wanted: DeleteRefusals) -> None:
    """Those that the command names: all of its conditions must hold, one that is empty holds for all."""
    which = [refusals.c.project == wanted.project]
    if wanted.monitor_id is not None:
        which.append(refusals.c.monitor_id == wanted.monitor_id)
    if wanted.reasons:
        which.append(refusals.c.reason.in_(wanted.reasons))
    if not wanted.numbers:
        connection.execute(delete(refusals).where(*which))
    for some in chunks(wanted.numbers, _MOST_AT_ONCE):
        connection.execute(delete(refusals).where(*which, refusals.c.number.in_(some)))


class Refusals:
    """Writes refusals and takes away what they push out. One for each writer: it remembers between commits."""

    def __init__(self, dialect: Dialect, kept: int) -> None:
        self._insert = Upsert(refusals, dialect, generated=("number",))
        self._kept = kept
        # Names of no monitor under which a project has refusals: as many as it may have refusals of that kind.
        self._strays: dict[int, set[str]] = {}

    def __call__(self, connection: Connection, made: Sequence[CheckInRefused]) -> None:
        if not made:
            return
        last = self._lasting([_cleaned(refusal) for refusal in made])
        again = {_remark(refusal): None for refusal in last if not refusal.dropped}
        if again:
            connection.execute(_SAME_REMARK, [dict(zip(_REMARK, key, strict=True)) for key in again])
        self._insert(cursor_of(connection), [to_row(refusal) for refusal in last])
        named: dict[int, dict[str, set[bool]]] = defaultdict(lambda: defaultdict(set))
        for refusal in last:
            named[refusal.project][refusal.monitor_id].add(refusal.dropped)
        for project, monitor_ids in named.items():
            existing = _existing(connection, project, monitor_ids)
            for monitor_id in existing:
                for dropped in monitor_ids[monitor_id]:
                    self._trim(connection, project, monitor_id, dropped)
            if strays := monitor_ids.keys() - existing:
                self._trim_strays(connection, project, strays)

    def forget(self) -> None:
        """To be called by a new owner: others may have written since."""
        self._strays.clear()

    def _lasting(self, made: Sequence[CheckInRefused]) -> list[CheckInRefused]:
        """Of a flood in one batch, only what will stay is written; of equal remarks the last."""
        counted: Counter[tuple[int, str, bool]] = Counter()
        noted: set[tuple[object, ...]] = set()
        last = []
        for refusal in reversed(made):
            if not refusal.dropped:
                if _remark(refusal) in noted:
                    continue
                noted.add(_remark(refusal))
            key = (refusal.project, refusal.monitor_id, refusal.dropped)
            counted[key] += 1
            if counted[key] <= self._kept:
                last.append(refusal)
        return last[::-1]

    def _trim(self, connection: Connection, project: int, monitor_id: str, dropped: bool) -> None:
        mine = and_(refusals.c.project == project, refusals.c.monitor_id == monitor_id, refusals.c.dropped.is_(dropped))
        newest = select(refusals.c.number).where(mine).order_by(refusals.c.number.desc())
        first_gone = newest.limit(1).offset(self._kept).scalar_subquery()
        connection.execute(delete(refusals).where(mine, refusals.c.number <= first_gone))

    def _trim_strays(self, connection: Connection, project: int, more: Iterable[str]) -> None:
        """A short look back after a start; then only names that are known to have some.

        What lies further back is left to retention: a look through all refusals of a project would hold up the commit.
        """
        known = self._strays.get(project)
        names = set(more) | (_recent(connection, project) if known is None else known)
        names -= _existing(connection, project, names)
        rows = [
            row
            for some in chunks(sorted(names), _MOST_AT_ONCE)
            for row in connection.execute(
                select(refusals.c.number, refusals.c.monitor_id, refusals.c.dropped).where(
                    refusals.c.project == project, refusals.c.monitor_id.in_(some)
                )
            )
        ]
        rows.sort(key=lambda row: -row.number)
        kept = [row for dropped in (True, False) for row in [r for r in rows if r.dropped is dropped][: self._kept]]
        stay = {row.number for row in kept}
        for gone in chunks([row.number for row in rows if row.number not in stay], _MOST_AT_ONCE):
            connection.execute(delete(refusals).where(refusals.c.number.in_(gone)))
        self._strays[project] = {row.monitor_id for row in kept}


def _cleaned(refusal: CheckInRefused) -> CheckInRefused:
    """With text that every database can hold: what could not be read as a report is kept just here."""
    found = {name: getattr(refusal, name) for name in _TEXTS}
    changed = {name: clean(text) for name, text in found.items() if "\0" in text}
    return msgspec.structs.replace(refusal, **changed) if changed else refusal


def _remark(refusal: CheckInRefused) -> tuple[object, ...]:
    """What makes two remarks the same."""
    return refusal.project, refusal.monitor_id, refusal.reason, refusal.detail


def _recent(connection: Connection, project: int) -> set[str]:
    """Names in the newest refusals of a project."""
    newest = select(refusals.c.monitor_id).where(refusals.c.project == project)
    return set(connection.execute(newest.order_by(refusals.c.number.desc()).limit(_LOOK_BACK)).scalars())


def _existing(connection: Connection, project: int, monitor_ids: Iterable[str]) -> set[str]:
    """Those that are a monitor's."""
    found: set[str] = set()
    for some in chunks(sorted(monitor_ids), _MOST_AT_ONCE):
        statement = select(monitors.c.id).where(monitors.c.project == project, monitors.c.id.in_(some))
        found.update(connection.execute(statement).scalars())
    return found
