"""HeartbeatService: lone signals of life, one, many and in streams."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import msgspec

from tocsin.api.batches import Outcome, deliver, within
from tocsin.domain import names
from tocsin.domain.check_in import Report
from tocsin.domain.instant import Instant
from tocsin.service.call import Call, in_bytes
from tocsin.service.check_ins import CheckIns, refusal_error
from tocsin.v1 import heartbeat_service_pb2 as pb
from tocsin.wire.batches import Requests, read_heartbeats
from tocsin.wire.check_in import to_heartbeat
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

    @in_bytes
    async def BatchSendHeartbeats(self, request: bytes, call: Call) -> bytes:
        requests = read_heartbeats(request, call.principal.references, BATCH_MAX)
        call.principal.require_project(names.parse("project", requests.parent, "parent").project)
        outcome = await self._many(requests, call)
        response = pb.BatchSendHeartbeatsResponse(accepted_count=outcome.accepted)
        outcome.fill(response.failed_requests)
        return response.SerializeToString()

    @in_bytes
    async def StreamHeartbeats(self, requests: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
        async for request in requests:
            with self._arrival() as received:
                read = read_heartbeats(request, call.principal.references, BATCH_MAX, stream=True)
                if read.parent:
                    call.principal.require_project(names.parse("project", read.parent, "parent").project)
                outcome = await self._many(read, replace(call, received=received))
            response = pb.StreamHeartbeatsResponse(sequence=read.sequence, accepted_count=outcome.accepted)
            outcome.fill(response.failed_requests)
            yield response.SerializeToString()

    async def _many(self, requests: Requests[pb.SendHeartbeatRequest], call: Call) -> Outcome:
        within(requests.count, BATCH_MAX)
        return await deliver(
            self._check_ins,
            requests,
            lambda request, place: _report(request, call, f"requests[{place}]"),
            call,
            keep_going=True,
        )


def _report(request: pb.SendHeartbeatRequest, call: Call, field: str) -> Report:
    name = names.parse("monitor", request.name, f"{field}.name" if field else "name")
    call.principal.require_project(name.project)
    report = to_heartbeat(
        request, project=call.principal.project.number, received=call.received, client=call.client, field=field
    )
    return msgspec.structs.replace(report, dialect=call.dialect, retry_safe=True)
