"""CheckInService: one, many and streams of check-ins; what was refused."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TypedDict

import msgspec
from google.rpc.status_pb2 import Status

from tocsin.api.monitors import page_size
from tocsin.domain import errors, names
from tocsin.domain.check_in import Report
from tocsin.domain.instant import Instant
from tocsin.domain.receipt import Receipt
from tocsin.service.call import Call
from tocsin.service.check_ins import CheckIns, refusal_error
from tocsin.service.monitors import Monitors
from tocsin.store.port import CheckInFilter
from tocsin.v1 import check_in_pb2
from tocsin.v1 import check_in_service_pb2 as pb
from tocsin.wire.check_in import from_check_in, to_report, to_state, to_update
from tocsin.wire.refusal import from_refusal, to_reason
from tocsin.wire.status import to_status
from tocsin.wire.time import to_instant

BATCH_MAX = 1_000


class CheckInHandlers:
    def __init__(
        self, check_ins: CheckIns, monitors: Monitors, arrival: Callable[[], AbstractContextManager[Instant]]
    ) -> None:
        """`arrival` stamps each message of a stream as it is read."""
        self._check_ins = check_ins
        self._monitors = monitors
        self._arrival = arrival

    async def CreateCheckIn(self, request: pb.CreateCheckInRequest, call: Call) -> check_in_pb2.CheckIn:
        report = to_report(
            request,
            **_where(call),
            dialect=call.dialect,
            retry_safe=True,  # native clients choose ids and may send the same request again
            own_project=call.principal.require_project,
        )
        return _answer(await self._check_ins.report(call.principal, report, strict=True))

    async def UpdateCheckIn(self, request: pb.UpdateCheckInRequest, call: Call) -> check_in_pb2.CheckIn:
        name = names.parse("check_in", request.check_in.name, "check_in.name")
        call.principal.require_project(name.project)
        report = to_update(request, **_where(call))
        if not request.allow_missing:
            await self._check_ins.exists(call.principal, name.monitor, name.child)
        return _answer(await self._report(report, call))

    async def GetCheckIn(self, request: pb.GetCheckInRequest, call: Call) -> check_in_pb2.CheckIn:
        name = names.parse("check_in", request.name)
        call.principal.require_project(name.project)
        found = await self._check_ins.get(call.principal, name.monitor, name.child)
        errors_behind = await self._check_ins.errors_behind(call.principal, [found])
        return from_check_in(found, errors_behind.get(found.trace_id))

    async def ListCheckIns(self, request: pb.ListCheckInsRequest, call: Call) -> pb.ListCheckInsResponse:
        parent = names.parse("monitor", request.parent, "parent")
        call.principal.require_project(parent.project)
        monitor = None
        if parent.monitor != "-":
            monitor = (await self._monitors.get(call.principal, parent.monitor)).monitor.number
        only = CheckInFilter(
            monitor=monitor,
            environment=request.environment or None,
            states=frozenset(to_state(number, "states") for number in request.states) or None,
            since=to_instant(request.start_time, "start_time") if request.HasField("start_time") else None,
            until=to_instant(request.end_time, "end_time") if request.HasField("end_time") else None,
        )
        page = await self._check_ins.page(
            call.principal, only, size=page_size(request.page_size), token=request.page_token
        )
        errors_behind = await self._check_ins.errors_behind(call.principal, page.rows)
        return pb.ListCheckInsResponse(
            check_ins=[from_check_in(row, errors_behind.get(row.trace_id)) for row in page.rows],
            next_page_token=page.next_token,
        )

    async def BatchCreateCheckIns(
        self, request: pb.BatchCreateCheckInsRequest, call: Call
    ) -> pb.BatchCreateCheckInsResponse:
        receipts, failed = await self._many(
            request.parent, request.requests, call, keep_going=request.return_partial_success
        )
        response = pb.BatchCreateCheckInsResponse(
            check_ins=[
                from_check_in(receipt.check_in) if receipt and receipt.check_in else check_in_pb2.CheckIn()
                for receipt in receipts
            ]
        )
        for index, status in failed.items():
            response.failed_requests[index].CopyFrom(status)
        return response

    async def StreamCheckIns(
        self, requests: AsyncIterator[pb.StreamCheckInsRequest], call: Call
    ) -> AsyncIterator[pb.StreamCheckInsResponse]:
        parent = ""
        async for request in requests:
            parent = request.parent or parent
            with self._arrival() as received:
                now = replace(call, received=received)
                receipts, failed = await self._many(parent, request.requests, now, keep_going=True)
            response = pb.StreamCheckInsResponse(sequence=request.sequence, accepted_count=len(receipts) - len(failed))
            for index, status in failed.items():
                response.failed_requests[index].CopyFrom(status)
            yield response

    async def ListRefusals(self, request: pb.ListRefusalsRequest, call: Call) -> pb.ListRefusalsResponse:
        parent = names.parse("monitor", request.parent, "parent")
        call.principal.require_project(parent.project)
        monitor = None if parent.monitor == "-" else parent.monitor
        page = await self._check_ins.refusals(
            call.principal, monitor, size=page_size(request.page_size), token=request.page_token
        )
        return pb.ListRefusalsResponse(
            refusals=[from_refusal(row) for row in page.rows], next_page_token=page.next_token
        )

    async def DismissRefusals(self, request: pb.DismissRefusalsRequest, call: Call) -> pb.DismissRefusalsResponse:
        parent = names.parse("monitor", request.parent, "parent")
        call.principal.require_project(parent.project)
        if len(request.numbers) > BATCH_MAX:
            raise errors.invalid("numbers", f"at most {BATCH_MAX}, not {len(request.numbers)}")
        await self._check_ins.delete_refusals(
            call.principal,
            call.received,
            monitor_id=None if parent.monitor == "-" else parent.monitor,
            numbers=tuple(request.numbers),
            reasons=tuple(to_reason(number, "reasons") for number in request.reasons),
        )
        return pb.DismissRefusalsResponse()

    async def _report(self, report: Report, call: Call) -> Receipt:
        return await self._check_ins.report(call.principal, _marked(report, call), strict=True)

    async def _many(
        self, parent: str, requests: Sequence[pb.CreateCheckInRequest], call: Call, *, keep_going: bool
    ) -> tuple[list[Receipt | None], dict[int, Status]]:
        """Receipts in order, and the status of those that failed. Without `keep_going` one bad request fails all."""
        if len(requests) > BATCH_MAX:
            raise errors.invalid("requests", f"at most {BATCH_MAX}, not {len(requests)}")
        monitor_id = ""
        if parent:
            name = names.parse("monitor", parent, "parent")
            call.principal.require_project(name.project)
            monitor_id = "" if name.monitor == "-" else name.monitor
        failed: dict[int, Status] = {}
        reports: dict[int, Report] = {}
        where = _where(call)
        for index, request in enumerate(requests):
            try:
                report = to_report(
                    request,
                    **where,
                    monitor_id=monitor_id,
                    field=f"requests[{index}]",
                    dialect=call.dialect,
                    retry_safe=True,
                    own_project=call.principal.require_project,
                )
                self._check_ins.check(report, f"requests[{index}].monitor")
                reports[index] = report
            except errors.TocsinError as error:
                if not keep_going:
                    raise
                failed[index] = to_status(error)
        answered = await self._check_ins.report_many(call.principal, list(reports.values()))
        receipts: list[Receipt | None] = [None] * len(requests)
        for index, receipt in zip(reports, answered, strict=True):
            receipts[index] = receipt
            problem = receipt.error or (refusal_error(receipt.refusal) if receipt.refusal else None)
            if problem is not None:
                failed[index] = to_status(problem)
        return receipts, failed


class _Where(TypedDict):
    project: int
    received: Instant
    client: str


def _where(call: Call) -> _Where:
    return {"project": call.principal.project.number, "received": call.received, "client": call.client}


def _marked(report: Report, call: Call) -> Report:
    """Native clients choose ids and may send the same request again."""
    return msgspec.structs.replace(report, dialect=call.dialect, retry_safe=True)


def _answer(receipt: Receipt) -> check_in_pb2.CheckIn:
    if receipt.refusal is not None:
        raise refusal_error(receipt.refusal)
    return from_check_in(receipt.check_in) if receipt.check_in else check_in_pb2.CheckIn()
