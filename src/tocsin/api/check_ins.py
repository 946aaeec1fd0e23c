"""CheckInService: one, many and streams of check-ins; what was refused."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TypedDict

import msgspec

from tocsin._core import answers
from tocsin.api.batches import Outcome, deliver, within
from tocsin.api.monitors import page_size
from tocsin.domain import errors, names
from tocsin.domain.check_in import Report
from tocsin.domain.instant import Instant
from tocsin.domain.receipt import Receipt
from tocsin.service.call import Call, in_bytes
from tocsin.service.check_ins import CheckIns, refusal_error
from tocsin.service.monitors import Monitors
from tocsin.store.port import CheckInFilter
from tocsin.v1 import check_in_pb2
from tocsin.v1 import check_in_service_pb2 as pb
from tocsin.wire.batches import Requests, read_check_ins
from tocsin.wire.check_in import from_check_in, to_report, to_state, to_update
from tocsin.wire.refusal import from_refusal, to_reason
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

    @in_bytes
    async def BatchCreateCheckIns(self, request: bytes, call: Call) -> bytes:
        requests = read_check_ins(request, call.principal.references, BATCH_MAX)
        outcome = await self._many(requests, requests.parent, call, keep_going=requests.partial)
        rows = outcome.receipt.receipts
        own = {row: from_check_in(one.check_in).SerializeToString() for row, one in rows.items() if one.check_in}
        project = call.principal.project.number
        made = answers.check_ins(
            requests.batch, outcome.receipt.recorded, own, outcome.gone, project, call.dialect, call.client
        )
        if not outcome.failed:
            return made
        failed = pb.BatchCreateCheckInsResponse()
        outcome.fill(failed.failed_requests)
        return made + failed.SerializeToString()  # messages that follow each other are one message

    @in_bytes
    async def StreamCheckIns(self, requests: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
        parent = ""
        async for request in requests:
            with self._arrival() as received:
                now = replace(call, received=received)
                read = read_check_ins(request, call.principal.references, BATCH_MAX, stream=True, before=parent)
                parent = read.parent or parent
                outcome = await self._many(read, parent, now, keep_going=True)
            response = pb.StreamCheckInsResponse(sequence=read.sequence, accepted_count=outcome.accepted)
            outcome.fill(response.failed_requests)
            yield response.SerializeToString()

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
        self, requests: Requests[pb.CreateCheckInRequest], parent: str, call: Call, *, keep_going: bool
    ) -> Outcome:
        within(requests.count, BATCH_MAX)
        monitor_id = ""
        if parent:
            name = names.parse("monitor", parent, "parent")
            call.principal.require_project(name.project)
            monitor_id = "" if name.monitor == "-" else name.monitor
        where = _where(call)

        def convert(request: pb.CreateCheckInRequest, place: int) -> Report:
            report = to_report(
                request,
                **where,
                monitor_id=monitor_id,
                field=f"requests[{place}]",
                dialect=call.dialect,
                retry_safe=True,
                own_project=call.principal.require_project,
            )
            self._check_ins.check(report, f"requests[{place}].monitor")
            return report

        return await deliver(self._check_ins, requests, convert, call, keep_going=keep_going)


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
