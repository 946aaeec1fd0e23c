"""CheckIns: take reports in, hand check-ins out."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from tocsin._core.batch import Batch
from tocsin._core.recorded import Recorded
from tocsin.domain import errors, ids
from tocsin.domain.check_in import MAX_DURATION, MAX_MESSAGE, CheckIn, Report, ReportKind, State
from tocsin.domain.commands import DeleteRefusals, RecordRefusals, RecordTraceErrors, ReportBatch, ReportCheckIn
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.instant import DAY, MINUTE, Instant
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.project import Scope
from tocsin.domain.receipt import BatchReceipt, Receipt
from tocsin.domain.trace_error import TraceError
from tocsin.journal.port import Journal
from tocsin.service.call import Call
from tocsin.service.principal import Principal
from tocsin.store.port import CheckInFilter, Page, Store


def refusal_error(refusal: CheckInRefused) -> errors.TocsinError:
    """A refusal as the error that a client of the native API gets."""
    where = {"monitor": refusal.monitor_id, "check_in": refusal.check_in_id, "refusal": refusal.reason}
    match refusal.reason:
        case "MONITOR_NOT_FOUND":
            return errors.NotFound(refusal.detail, reason="MONITOR_NOT_FOUND", metadata=where)
        case "MONITOR_DISABLED":
            return errors.FailedPrecondition(refusal.detail, reason="MONITOR_DISABLED", metadata=where)
        case "CHECKIN_FINISHED":
            return errors.FailedPrecondition(refusal.detail, reason="CHECK_IN_CLOSED", metadata=where)
        case "CHECKIN_ENVIRONMENT_MISMATCH" | "CHECKIN_GUID_PROJECT_MISMATCH":
            return errors.FailedPrecondition(refusal.detail, reason="CHECK_IN_MISMATCH", metadata=where)
        case "MONITOR_LIMIT_EXCEEDED" | "MONITOR_ENVIRONMENT_LIMIT_EXCEEDED":
            return errors.ResourceExhausted(refusal.detail, reason="QUOTA_EXCEEDED", metadata=where | refusal.data)
        case "MONITOR_INVALID_ENVIRONMENT":
            return errors.InvalidArgument(refusal.detail, reason="ENVIRONMENT_INVALID", metadata=where)
        case "MONITOR_ENVIRONMENT_RATELIMITED":
            return errors.ResourceExhausted(
                refusal.detail,
                reason="RATE_LIMITED",
                metadata={**where, "limit": "check_ins_per_minute"},
                retry_after_ms=MINUTE - refusal.at % MINUTE,
            )
        case _:
            return errors.InvalidArgument(refusal.detail, reason="FIELD_INVALID", metadata=where)


AT_ONCE = 1_000  # reports that say more than columns hold, which the engine steps without giving others a turn
_FAIR_SHARE = 20  # configurations that are tried out before other requests get a turn
SLICE = 2_000  # refusals that one commit deletes
_BAD = (State.ERROR, State.TIMED_OUT)
_TRACE = re.compile(r"[0-9a-f]{32}")
Rejected = Callable[[str, str], None]  # (dialect, reason): a request that never became a report
Answered = Callable[[str, Instant], None]  # (dialect, arrival): a report is durable


class CheckIns:
    def __init__(
        self,
        journal: Journal,
        store: Store,
        check_change: Callable[[MonitorChange, str], None],
        answered: Answered,
        rejected: Rejected,
        clock_offset: Callable[[str, int], None],
    ) -> None:
        """`check_change(change, field)` raises InvalidArgument when a monitor's configuration cannot be used."""
        self._answered = answered
        self._clock_offset = clock_offset
        self._journal = journal
        self._store = store
        self._check_change = check_change
        self.rejected = rejected

    async def report(self, principal: Principal, report: Report, *, strict: bool = False) -> Receipt:
        """Answers when durable. A report that the rules do not honour is a receipt with a refusal, not an exception.

        `strict`: a configuration that cannot be used is InvalidArgument; otherwise the report counts without it.
        """
        principal.require(Scope.INGEST)
        receipt = await self._journal.append(report.received, ReportCheckIn(self._normal(report, strict=strict)))
        self._answered(report.dialect, report.received)
        if receipt.error is not None:
            raise receipt.error
        return receipt

    async def report_many(self, principal: Principal, reports: Sequence[Report]) -> list[Receipt]:
        """As many receipts, in order, of reports that arrived together. All are durable when this returns.

        Single refusals and errors are in the receipts.
        """
        principal.require(Scope.INGEST)
        if not reports:
            return []
        commands: list[ReportCheckIn] = []
        for report in reports:
            if report.upsert is not None and len(commands) % _FAIR_SHARE == _FAIR_SHARE - 1:
                await asyncio.sleep(0)
            commands.append(ReportCheckIn(self._normal(report, strict=False)))
        receipts = await self._journal.append_many(reports[0].received, commands)
        self._answered(reports[0].dialect, reports[0].received)
        return receipts

    async def report_batch(self, call: Call, batch: Batch, rest: Mapping[int, Report]) -> BatchReceipt:
        """What became of reports that arrived together, in columns. All are durable when this returns.

        `rest`: by row, the reports that say more than columns hold. Single refusals and errors are in the receipts.
        """
        call.principal.require(Scope.INGEST)
        if not len(batch):
            return BatchReceipt(Recorded(), {})
        normal: dict[int, Report] = {}
        for row, report in rest.items():
            if report.upsert is not None and len(normal) % _FAIR_SHARE == _FAIR_SHARE - 1:
                await asyncio.sleep(0)
            normal[row] = self._normal(report, strict=False)
        if len(normal) <= AT_ONCE:
            found = await self._append_batch(call, batch, normal)
        else:
            found = await self._append_parts(call, batch, normal)
        self._answered(call.dialect, call.received)
        return found

    async def _append_parts(self, call: Call, batch: Batch, rest: Mapping[int, Report]) -> BatchReceipt:
        """One part after the other: others get a turn between them."""
        recorded, receipts = Recorded(), dict[int, Receipt]()
        rows = list(rest)
        ends = [*rows[AT_ONCE::AT_ONCE], len(batch)]
        for begin, end in zip([0, *ends], ends, strict=False):
            own = {row - begin: rest[row] for row in rows if begin <= row < end}
            found = await self._append_batch(call, batch.part(begin, end), own)
            recorded.extend(found.recorded, begin)
            receipts.update({begin + row: receipt for row, receipt in found.receipts.items()})
        return BatchReceipt(recorded, receipts)

    async def _append_batch(self, call: Call, batch: Batch, rest: dict[int, Report]) -> BatchReceipt:
        project = call.principal.project.number
        command = ReportBatch(project, batch, call.received, rest, call.dialect, call.client)
        receipt = await self._journal.append(call.received, command)
        if receipt.error is not None:
            raise receipt.error
        assert receipt.batch is not None
        return receipt.batch

    def check(self, report: Report, field: str) -> None:
        """InvalidArgument, below `field`, when the configuration that a report brings cannot be used."""
        if report.upsert is not None:
            self._check_change(report.upsert, field)

    async def refuse(self, refusals: Sequence[CheckInRefused]) -> None:
        """Keeps what an edge could not turn into a report, so that its sender can find out why."""
        if refusals:
            await self._journal.append(refusals[0].at, RecordRefusals(tuple(refusals)))

    async def remember(self, found: Sequence[TraceError]) -> None:
        """Keeps what went wrong in some traces for a few days, to be shown with the runs that failed in them."""
        if found:
            await self._journal.append(found[0].at, RecordTraceErrors(tuple(found)))

    async def errors_behind(self, principal: Principal, runs: Sequence[CheckIn]) -> dict[str, TraceError]:
        """By trace id (`CheckIn.trace_id`), what is known to have gone wrong in those of the runs that ended badly."""
        principal.require(Scope.READ)
        traces = {run.trace_id for run in runs if run.state in _BAD and _TRACE.fullmatch(run.trace_id)}
        if not traces:
            return {}
        return await asyncio.to_thread(self._store.trace_errors, principal.project.number, traces)

    async def get(self, principal: Principal, monitor_id: str, check_in_id: str) -> CheckIn:
        """`check_in_id` is 32 hex, a dashed UUID, or "latest": the newest open run."""
        principal.require(Scope.READ)
        return await self._find(principal, monitor_id, check_in_id)

    async def _find(self, principal: Principal, monitor_id: str, check_in_id: str) -> CheckIn:
        wanted = check_in_id if check_in_id == "latest" else ids.normal_id(check_in_id, "name")
        found = await asyncio.to_thread(self._store.get_check_in, principal.project.number, monitor_id, wanted)
        if found is None:
            raise errors.NotFound(
                f"monitor {monitor_id!r} has no check-in {check_in_id!r}",
                reason="CHECK_IN_NOT_FOUND",
                metadata={"monitor": monitor_id, "check_in": check_in_id},
            )
        return found

    async def exists(self, principal: Principal, monitor_id: str, check_in_id: str) -> None:
        """NotFound unless the check-in is recorded. An ingest key may ask this much: it is about to write it."""
        principal.require(Scope.INGEST)
        await self._find(principal, monitor_id, check_in_id)

    async def page(self, principal: Principal, only: CheckInFilter, *, size: int, token: str) -> Page[CheckIn]:
        principal.require(Scope.READ)
        return await asyncio.to_thread(
            self._store.list_check_ins, principal.project.number, only, size=size, token=token
        )

    async def refusals(
        self, principal: Principal, monitor_id: str | None, *, size: int, token: str
    ) -> Page[CheckInRefused]:
        principal.require(Scope.READ)
        return await asyncio.to_thread(
            self._store.list_refusals, principal.project.number, monitor_id, size=size, token=token
        )

    async def delete_refusals(
        self,
        principal: Principal,
        received: Instant,
        *,
        monitor_id: str | None = None,
        numbers: Sequence[int] = (),
        reasons: Sequence[str] = (),
    ) -> None:
        """Forgets refusals of the project for which all of it holds; nothing given: all of them. Durable on return.

        `monitor_id`: "" is those that name no monitor. `numbers` and `reasons`: any of them. Without a monitor and
        without numbers they go newest first and in slices, so that no commit waits long for them.
        """
        principal.require(Scope.ADMIN)
        project = principal.project.number
        if monitor_id is not None or numbers:  # as few as are kept, or as were named
            await self._journal.append(received, DeleteRefusals(project, monitor_id, tuple(numbers), tuple(reasons)))
            return
        before: int | None = None
        while some := await asyncio.to_thread(
            self._store.refusal_numbers, project, reasons, before=before, limit=SLICE
        ):
            await self._journal.append(received, DeleteRefusals(project, None, tuple(some)))
            before = some[-1]

    def _normal(self, report: Report, *, strict: bool) -> Report:
        """Bounds that hold for every dialect; what cannot be used of an upsert is told in `upsert_error`."""
        changes: dict[str, object] = {}
        if report.duration_ms is not None and not 0 <= report.duration_ms <= MAX_DURATION:
            raise errors.invalid("duration", f"must be 0 to {MAX_DURATION / 1000} seconds")
        if len(report.message) > MAX_MESSAGE:
            changes["message"] = report.message[:MAX_MESSAGE]
        if report.check_in_id == ids.LATEST:
            changes["check_in_id"] = None
        if report.time is not None and abs(report.time - report.received) <= MINUTE:  # older: it waited somewhere
            self._clock_offset(report.dialect, report.time - report.received)
        if report.time is not None and not report.received - DAY <= report.time <= report.received + MINUTE:
            changes["time"] = None  # too old or too far ahead to be believed: the time of receipt counts
        if report.upsert is not None:
            try:
                self._check_change(report.upsert, "monitor" if strict else "monitor_config")
            except errors.TocsinError as problem:
                if strict:
                    raise
                changes |= {"upsert": None, "upsert_error": problem.message}
        if report.kind is ReportKind.BEAT and report.duration_ms is not None:
            changes["duration_ms"] = None
        if not changes:
            return report
        return msgspec.structs.replace(report, **changes)
