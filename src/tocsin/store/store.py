"""`SqlStore`: the port, answered by the modules beside this one. It holds the database, the fence and nothing else."""

from collections.abc import Collection, Sequence

from tocsin.domain.check_in import CheckIn
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.incident import Incident, Outage
from tocsin.domain.instant import Instant
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.project import Key, Project, Scope
from tocsin.domain.trace_error import TraceError
from tocsin.engine.delta import Delta
from tocsin.engine.memory import Needs, Recall, Snapshot
from tocsin.store import (
    changes,
    check_in_lists,
    check_ins,
    incidents,
    keys,
    layout,
    monitors,
    refusals,
    retention,
    trace_errors,
    week_tables,
    weeks,
    windows,
)
from tocsin.store.commit import Commit, only_adds
from tocsin.store.database import STATEMENT_TIMEOUT_MS, open_database
from tocsin.store.fence import Fence, acquire
from tocsin.store.loading import Loading
from tocsin.store.port import (
    EVERY_INCIDENT,
    Change,
    CheckInFilter,
    Fenced,
    IncidentFilter,
    MonitorWithHealth,
    Page,
    StoreTrouble,
)


class SqlStore:
    """A migrated database (`tocsin.store.migrations.upgrade(url)`); each method blocks and may be called by any thread.

    Writes queue for one connection; up to eight reads go on beside them. Methods of the partition's loop (`load`,
    `recall`, `commit`, `alive`, `expire`) belong to one thread at a time. Only `load` takes ownership: a process that
    merely reads or makes keys disturbs no other.
    """

    def __init__(
        self,
        url: str,
        *,
        busy_timeout_ms: int = 5_000,
        statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
        refusals_kept: int = refusals.KEPT,
    ) -> None:
        """`url` is "sqlite:///path" or "postgresql://…"; see `open_database`."""
        self.database = open_database(url, busy_timeout_ms=busy_timeout_ms, statement_timeout_ms=statement_timeout_ms)
        self._commit = Commit(self.database.writer.dialect, refusals_kept)
        self._fence: Fence | None = None
        self._loading: Loading | None = None
        self._in_doubt: Delta | None = None  # met trouble when it was committed: it may have been kept all the same

    def close(self) -> None:
        self._end_loading()
        self.database.close()

    # --- the partition's loop

    def load(self) -> Snapshot:
        self._end_loading()
        with self.database.write() as connection:
            self._fence = acquire(connection)
            layout.use(connection)
        self._commit.forget()
        self._in_doubt = None
        self._loading = Loading(self.database)
        return self._loading.snapshot()

    @property
    def loading(self) -> tuple[int, int] | None:
        """How many of the large rows were read, of about how many; None: nothing is loaded, or no more."""
        loading = self._loading
        return (loading.read, loading.known) if loading is not None else None

    def position(self) -> int:
        return self._owned().position

    def recall(self, needs: Needs) -> Recall:
        with self.database.look_up() as connection:
            weeks.hold(connection)
            return Recall(
                monitors.recall(connection, needs.monitors),
                check_ins.recall(connection, needs.check_ins),
                monitor_ids=monitors.ids_of(connection, needs.monitor_ids),
                named=monitors.named(connection, needs.named),
                filed=monitors.filed_of(connection, needs.filed),
                tokens=monitors.owners_of_tokens(connection, needs.tokens),
            )

    def commit(self, delta: Delta, position: int) -> None:
        fence = self._owned()
        try:
            changed = self._commit.changed(self.database.look_up, delta)
            done = False
            if only_adds(delta):
                with self.database.write_directly() as cursor:
                    done = self._commit.ordinary(cursor, fence, delta, position, changed)
            if not done:
                with self.database.write() as connection:
                    self._commit.whole(connection, fence, delta, position, changed)
        except StoreTrouble:
            self._in_doubt = delta
            self._commit.forget_weeks()
            raise
        except Fenced as fenced:
            # The connection broke over a commit that was kept, and is over: its lock was waited for.
            if self._in_doubt is not delta or fenced.found != (position, fence.epoch):
                raise
            with self.database.write() as connection:  # whoever must have it before we answer has then this one too
                self._commit.enter.stamp(connection, fence._replace(position=position), delta.clock)
        except Exception:
            self._commit.forget_weeks()  # tables that were made went with the transaction
            raise
        self._in_doubt = None
        self._fence = fence._replace(position=position)
        self._commit.remember(delta)

    def alive(self, clock: Instant) -> None:
        with self.database.write() as connection:
            self._commit.enter.stamp(connection, self._owned(), clock)

    def prepare(self, now: Instant) -> None:
        with self.database.write() as connection:
            week_tables.make_ahead(connection, [weeks.start_at(now + ahead) for ahead in week_tables.AHEAD])
            self._commit.forget_weeks()

    def expire(
        self, *, check_ins_before: Instant, refusals_before: Instant, trace_errors_before: Instant = 0, limit: int
    ) -> int:
        with self.database.write() as connection:
            self._commit.forget_weeks()
            return retention.expire(
                connection,
                check_ins_before=check_ins_before,
                refusals_before=refusals_before,
                trace_errors_before=trace_errors_before,
                limit=limit,
            )

    # --- reads

    def get_monitor(self, project: int, monitor_id: str) -> MonitorWithHealth | None:
        with self.database.read() as connection:
            return self._shown(monitors.get(connection, project, monitor_id))

    def get_monitor_by_number(self, project: int, number: int) -> MonitorWithHealth | None:
        with self.database.read() as connection:
            return self._shown(monitors.get_by_number(connection, project, number))

    def monitor_owner(self, number: int) -> tuple[int, str] | None:
        with self.database.read() as connection:
            return monitors.owner(connection, number)

    def owners_of_tokens(self, tokens: Collection[str]) -> dict[str, tuple[int, str]]:
        with self.database.look_up_at_the_door() as connection:
            return monitors.owners_of_tokens(connection, tokens)

    def get_monitors(self, project: int, numbers: Sequence[int]) -> list[MonitorWithHealth]:
        with self.database.read() as connection:
            rows = [row for row in monitors.get_many(connection, numbers) if row.monitor.project == project]
        self.database.overlay(rows)
        return rows

    def list_monitors(
        self, project: int, *, size: int, token: str = "", filter: str = "", order_by: str = ""
    ) -> Page[MonitorWithHealth]:
        with self.database.read() as connection:
            page = monitors.list_page(connection, project, size=size, token=token, filter=filter, order_by=order_by)
        self.database.overlay(page.rows)
        return page

    def get_check_in(self, project: int, monitor_id: str, check_in_id: str) -> CheckIn | None:
        with self.database.read() as connection:
            weeks.hold(connection)
            return check_ins.get(connection, project, monitor_id, check_in_id)

    def list_check_ins(self, project: int, only: CheckInFilter, *, size: int, token: str = "") -> Page[CheckIn]:
        with self.database.read() as connection:
            weeks.hold(connection)
            return check_in_lists.list_page(connection, project, only, size=size, token=token)

    def get_incident(self, project: int, number: int) -> Incident | None:
        with self.database.read() as connection:
            return incidents.get(connection, project, number)

    def list_incidents(
        self,
        project: int,
        *,
        monitor: int | None = None,
        open_only: bool = False,
        only: IncidentFilter = EVERY_INCIDENT,
        size: int,
        token: str = "",
    ) -> Page[Incident]:
        with self.database.read() as connection:
            return incidents.list_page(
                connection, project, monitor=monitor, open_only=open_only, only=only, size=size, token=token
            )

    def list_outages(self, *, shown_only: bool = True, size: int, token: str = "") -> Page[Outage]:
        with self.database.read() as connection:
            return incidents.list_outages(connection, shown_only=shown_only, size=size, token=token)

    def get_window(self, project: int, window_id: str) -> MaintenanceWindow | None:
        with self.database.read() as connection:
            return windows.get(connection, project, window_id)

    def list_windows(self, project: int, *, size: int, token: str = "") -> Page[MaintenanceWindow]:
        with self.database.read() as connection:
            return windows.list_page(connection, project, size=size, token=token)

    def list_refusals(
        self, project: int, monitor_id: str | None, *, size: int, token: str = ""
    ) -> Page[CheckInRefused]:
        with self.database.read() as connection:
            return refusals.list_page(connection, project, monitor_id, size=size, token=token)

    def refusal_numbers(
        self, project: int, reasons: Collection[str], *, before: int | None = None, limit: int
    ) -> list[int]:
        with self.database.read() as connection:
            return refusals.numbers(connection, project, reasons, before=before, limit=limit)

    def trace_errors(self, project: int, trace_ids: Collection[str]) -> dict[str, TraceError]:
        with self.database.read() as connection:
            return trace_errors.of_traces(connection, project, trace_ids)

    def last_revision(self) -> int:
        with self.database.read() as connection:
            return changes.last(connection)

    def changes_after(self, revision: int, project: int | None, *, limit: int) -> list[Change]:
        with self.database.read() as connection:
            return changes.after(connection, revision, project, limit)

    # --- tenants and credentials

    def create_project(self, name: str, at: Instant, slug: str = "") -> Project:
        with self.database.write() as connection:
            return keys.create_project(connection, name, at, slug)

    def list_projects(self) -> list[Project]:
        with self.database.read() as connection:
            return keys.list_projects(connection)

    def create_key(self, project: int, scope: Scope, digest: bytes, hint: str, at: Instant) -> Key:
        with self.database.write() as connection:
            return keys.create_key(connection, project, scope=scope, digest=digest, hint=hint, at=at)

    def revoke_key(self, number: int, at: Instant) -> bool:
        with self.database.write() as connection:
            return keys.revoke_key(connection, number, at)

    def list_keys(self, project: int | None = None) -> list[Key]:
        with self.database.read() as connection:
            return keys.list_keys(connection, project)

    def credentials_revision(self) -> int:
        with self.database.read() as connection:
            return keys.credentials_revision(connection)

    def get_setting(self, name: str) -> str | None:
        with self.database.read() as connection:
            return keys.get_setting(connection, name)

    def put_setting(self, name: str, value: str) -> None:
        with self.database.write() as connection:
            keys.put_setting(connection, name, value)

    def _shown(self, found: MonitorWithHealth | None) -> MonitorWithHealth | None:
        if found is not None:
            self.database.overlay((found,))
        return found

    def _owned(self) -> Fence:
        if self._fence is None:
            raise Fenced("load() first: who has not loaded the partition does not own it")
        return self._fence

    def _end_loading(self) -> None:
        if self._loading is not None:
            self._loading.close()
            self._loading = None
