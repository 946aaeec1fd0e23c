"""HeartbeatService: lone signals of life, one, many and in streams."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import msgspec
from google.rpc.status_pb2 import Status

from tocsin.domain import errors, names
from tocsin.domain.check_in import Report
from tocsin.domain.instant import Instant
from tocsin.service.call import Call
from tocsin.service.check_ins import CheckIns, refusal_error
from tocsin.v1 import heartbeat_service_pb2 as pb
from tocsin.wire.check_in import to_heartbeat
from tocsin.wire.status import to_status
from tocsin.wire.time import from_instant

BATCH_MAX = 10_000


class HeartbeatHandlers:
    def __init__(self, check_ins: CheckIns, arrival: Callable[[], AbstractContextManager[Instant]]) -> None:
        """`arrival` stamps each message of a stream as it is read."""
        self._check_ins = check_ins
        self._arrival = arrival

    async def SendHeartbeat(self, request: pb.SendHeartbeatRequest, call: Call) -> pb.SendHeartbeatResponse:
        receipt = await self._check_ins.report(call.principal, _report(request, call, ""))
        if receipt.refusal is not None:
            raise refusal_error(receipt.refusal)
        run = receipt.check_in
        if run is None:  # an inactive monitor answers and records nothing
            return pb.SendHeartbeatResponse(receive_time=from_instant(call.received))
        return pb.SendHeartbeatResponse(
            receive_time=from_instant(run.receive_time),
            check_in=names.check_in_name(run.project, run.monitor_id, run.id),
        )

    async def BatchSendHeartbeats(
        self, request: pb.BatchSendHeartbeatsRequest, call: Call
    ) -> pb.BatchSendHeartbeatsResponse:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        failed = await self._many(request.requests, call)
        response = pb.BatchSendHeartbeatsResponse(accepted_count=len(request.requests) - len(failed))
        for index, status in failed.items():
            response.failed_requests[index].CopyFrom(status)
        return response

    async def StreamHeartbeats(
        self, requests: AsyncIterator[pb.StreamHeartbeatsRequest], call: Call
    ) -> AsyncIterator[pb.StreamHeartbeatsResponse]:
        async for request in requests:
            if request.parent:
                call.principal.require_project(names.parse("project", request.parent, "parent").project)
            with self._arrival() as received:
                failed = await self._many(request.requests, replace(call, received=received))
            response = pb.StreamHeartbeatsResponse(
                sequence=request.sequence, accepted_count=len(request.requests) - len(failed)
            )
            for index, status in failed.items():
                response.failed_requests[index].CopyFrom(status)
            yield response

    async def _many(self, requests: Sequence[pb.SendHeartbeatRequest], call: Call) -> dict[int, Status]:
        """Statuses of those that failed, by index."""
        if len(requests) > BATCH_MAX:
            raise errors.invalid("requests", f"at most {BATCH_MAX}, not {len(requests)}")
        failed: dict[int, Status] = {}
        reports: dict[int, Report] = {}
        for index, request in enumerate(requests):
            try:
                reports[index] = _report(request, call, f"requests[{index}]")
            except errors.TocsinError as error:
                failed[index] = to_status(error)
        receipts = await self._check_ins.report_many(call.principal, list(reports.values()))
        for index, receipt in zip(reports, receipts, strict=True):
            problem = receipt.error or (refusal_error(receipt.refusal) if receipt.refusal else None)
            if problem is not None:
                failed[index] = to_status(problem)
        return failed


def _report(request: pb.SendHeartbeatRequest, call: Call, field: str) -> Report:
    name = names.parse("monitor", request.name, f"{field}.name" if field else "name")
    call.principal.require_project(name.project)
    report = to_heartbeat(
        request, project=call.principal.project.number, received=call.received, client=call.client, field=field
    )
    return msgspec.structs.replace(report, dialect=call.dialect, retry_safe=True)
