"""`SqlBrowse`: lists for people, answered by the database; see `browse_port`."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, select

from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.incident import Incident
from tocsin.domain.instant import Instant, Millis
from tocsin.domain.monitor import Policy
from tocsin.store import (
    briefs,
    check_in_lists,
    check_ins,
    counts,
    incident_counts,
    incident_searches,
    leaves,
    monitors,
    newest,
    numbered,
    recorded,
    refusals,
    searches,
    statistics,
    told,
    weeks,
)
from tocsin.store.browse_port import (
    Count,
    Downtime,
    IncidentCount,
    IncidentSearch,
    Leaf,
    MonitorSearch,
    Numbered,
    Passage,
    Selection,
    Statistic,
    Stretch,
    Told,
    Turn,
    Window,
)
from tocsin.store.database import Database
from tocsin.store.port import Brief, CheckInFilter, MonitorWithHealth, chunks
from tocsin.store.schema import monitors as monitors_table
from tocsin.store.schema import policies as policies_table
from tocsin.store.schema import refusals as refusals_table

_MANY = 500  # values in one IN


class SqlBrowse:
    """Reads beside the writer; each method blocks and may be called by any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def monitors(
        self, project: int, search: MonitorSearch, *, now: Instant, size: int, turn: Turn
    ) -> Leaf[MonitorWithHealth]:
        with self._database.read() as connection:
            found = searches.page(connection, project, search, now=now, size=size, turn=turn)
            page = leaves.mapped(found, lambda rows: monitors.get_many(connection, [row.number for row in rows]))
        self._database.overlay(page.rows)
        return page

    def monitors_of(self, project: int, *, uids: Sequence[str], ids: Sequence[str] = ()) -> list[MonitorWithHealth]:
        table = monitors_table
        with self._database.read() as connection:
            numbers: set[int] = set()
            for column, wanted in ((table.c.uid, uids), (table.c.id, ids)):
                for some in chunks(list(wanted), _MANY):
                    statement = select(table.c.number).where(table.c.project == project, column.in_(some))
                    numbers.update(connection.execute(statement).scalars())
            rows = monitors.get_many(connection, sorted(numbers))
        self._database.overlay(rows)
        return rows

    def monitors_numbered(self, project: int, numbers: Collection[int]) -> list[MonitorWithHealth]:
        with self._database.read() as connection:
            found = monitors.get_many(connection, sorted(numbers))
        rows = [row for row in found if row.monitor.project == project]
        self._database.overlay(rows)
        return rows

    def monitor_of_any_project(self, number: int) -> MonitorWithHealth | None:
        with self._database.read() as connection:
            found = monitors.get_many(connection, [number])
        self._database.overlay(found)
        return found[0] if found else None

    def monitor_of_uid(self, uid: str) -> MonitorWithHealth | None:
        with self._database.read() as connection:
            numbers = connection.execute(select(monitors_table.c.number).where(monitors_table.c.uid == uid)).scalars()
            found = monitors.get_many(connection, list(numbers))
        self._database.overlay(found)
        return found[0] if found else None

    def numbered(
        self, project: int, only: Selection, *, now: Instant, size: int, offset: int
    ) -> Numbered[MonitorWithHealth]:
        with self._database.read() as connection:
            found, total = numbered.page(connection, project, only, now=now, size=size, offset=offset)
            rows = monitors.get_many(connection, found)
        self._database.overlay(rows)
        return Numbered(rows, total)

    def rolling(self, project: int) -> list[int]:
        with self._database.read() as connection:
            return briefs.numbers(connection, project)

    def briefs(self, project: int, numbers: Sequence[int]) -> list[Brief]:
        with self._database.read() as connection:
            rows = briefs.read(connection, project, numbers)
        self._database.overlay_briefs(rows)
        return rows

    def newest(self, tracks: Sequence[tuple[int, int, Instant]], states: Collection[State]) -> dict[int, CheckIn]:
        with self._database.read() as connection:
            weeks.hold(connection)
            return newest.check_ins_of(connection, tracks, states)

    def newest_incidents(self, tracks: Sequence[tuple[int, int]]) -> dict[int, Incident]:
        with self._database.read() as connection:
            return newest.incidents_of(connection, tracks)

    def check_ins(
        self, project: int, only: CheckInFilter, environments: Sequence[str], *, size: int, turn: Turn
    ) -> Leaf[CheckIn]:
        # Not the times: "the last day" is another one on the next page.
        states = sorted(state.value for state in only.states or ())
        query = ("browse check-ins", project, only.monitor, sorted(environments), states)
        with self._database.read() as connection:
            weeks.hold(connection)

            def read(there: tuple[Any, ...] | None, *, falling: bool, limit: int) -> list[Row[Any]]:
                return check_in_lists.read(
                    connection,
                    project,
                    only,
                    tuple(environments),
                    above=-1 if there is None or falling else there[0],
                    below=weeks.END if there is None or not falling else there[0],
                    limit=limit,
                    newest_first=falling,
                )

            found = leaves.turned(
                read, lambda row: (row.number,), descending=True, size=size, turn=turn, query=query, types=tuple[int]
            )
            return leaves.mapped(found, lambda rows: [check_ins.from_row(row) for row in rows])

    def refusals(self, project: int, monitor_id: str | None, *, size: int, turn: Turn) -> Leaf[CheckInRefused]:
        table = refusals_table
        statement = select(table).where(table.c.project == project)
        if monitor_id is not None:
            statement = statement.where(table.c.monitor_id == monitor_id)
        query: tuple[Any, ...] = ("browse refusals", project, monitor_id)
        with self._database.read() as connection:
            found = leaves.leaf(
                connection,
                statement,
                [table.c.number.label("key")],
                descending=True,
                size=size,
                turn=turn,
                query=query,
                types=tuple[int],
            )
            return leaves.mapped(found, lambda rows: [refusals.from_row(row[:-1]) for row in rows])

    def policies(self, numbers: Collection[int]) -> dict[int, Policy]:
        found: dict[int, Policy] = {}
        with self._database.read() as connection:
            for some in chunks(sorted(numbers), _MANY):
                statement = select(policies_table).where(policies_table.c.number.in_(some))
                found |= {row.number: monitors.policy_of(row.body) for row in connection.execute(statement)}
        return found

    def counts(
        self, monitors: Sequence[int], *, since: Instant, until: Instant, width: Millis, environments: Sequence[str]
    ) -> list[Count]:
        with self._database.read() as connection:
            weeks.hold(connection)
            return counts.read(connection, monitors, since=since, until=until, width=width, environments=environments)

    def statistics(
        self, monitors: Sequence[int], window: Window, *, measures: Sequence[str], quantiles: tuple[float, ...]
    ) -> list[Statistic]:
        with self._database.read() as connection:
            weeks.hold(connection)
            return list(statistics.read(connection, monitors, window, measures, quantiles))

    def tallies(
        self, monitors: Sequence[int], environment: str, cuts: Sequence[Instant]
    ) -> dict[int, list[dict[State, int]]]:
        with self._database.read() as connection:
            weeks.hold(connection)
            return recorded.tallies(connection, monitors, environment, cuts)

    def recorded(
        self, monitor: int, environment: str, states: Collection[State], stretch: Stretch, limit: int
    ) -> Passage:
        with self._database.read() as connection:
            weeks.hold(connection)
            return recorded.page(connection, monitor, environment, states, stretch, limit)

    def told(self, project: int) -> list[Told]:
        with self._database.read() as connection:
            return told.read(connection, project)

    def incidents(self, project: int, only: IncidentSearch, *, size: int, offset: int) -> Numbered[Incident]:
        with self._database.read() as connection:
            return incident_searches.page(connection, project, only, size=size, offset=offset)

    def incident_counts(self, monitors: Sequence[int], window: Window) -> list[IncidentCount]:
        with self._database.read() as connection:
            return incident_counts.opened(connection, monitors, window)

    def downtimes(self, monitors: Sequence[int], window: Window) -> list[Downtime]:
        with self._database.read() as connection:
            return incident_counts.downtimes(connection, monitors, window)
