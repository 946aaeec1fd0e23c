"""Far more than the server can take: it says so at once, keeps what it took, stays small, and is well right after.

The queue is made short, so that a laptop's load overflows it as a fleet's would overflow the real one.
"""

import asyncio
import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress

import grpc
import httpx
import psutil
import pytest

from support.server import Server
from tocsin.v1 import check_in_pb2, check_in_service_pb2

MIB = 1024 * 1024
LOAD_S = 8.0
ROOM = 160 * MIB  # by which the server may grow: its bounds below come to less
CONNECTIONS = 400  # of HTTP
CALLS = 300  # of gRPC at once, each of many reports
MONITORS = 50
LONE = 10
SETTINGS = {
    "TOCSIN_ENGINE__QUEUE_LIMIT": "500",
    "TOCSIN_ENGINE__QUEUE_BYTES": str(4 * MIB),
    "TOCSIN_LISTEN__REQUESTS_LIMIT": "200",
    "TOCSIN_LISTEN__REQUESTS_BYTES": str(16 * MIB),
}


class Told:
    """Ids that the server said are recorded; how many it said are not, and what it did not say when to come back."""

    def __init__(self) -> None:
        self.recorded: list[str] = []
        self.refused = 0
        self.without_hint: list[str] = []
        self.lost = 0  # connections that broke before an answer: nobody was told anything


def pinged(server: Server, told: Told) -> Callable[[], object]:
    """Keep-alive connections, each asking as fast as it is answered; half of them with long messages."""

    async def ask(number: int, until: float) -> None:
        reader = writer = None
        key, message = server.ingest_key, b"m" * (16_000 if number % 2 else 10)
        while time.monotonic() < until:
            run = uuid.uuid4().hex
            head = (
                f"POST /report/job-{number % MONITORS}?run={run} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
                f"Content-Length: {len(message)}\r\n\r\n"
            )
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
                assert reader is not None
                writer.write(head.encode() + message)
                status = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(status.lower().partition("content-length: ")[2].partition("\r\n")[0])
                await reader.readexactly(length)
            except (OSError, asyncio.IncompleteReadError):
                told.lost += 1
                if writer is not None:
                    writer.close()
                reader = writer = None
                continue
            note(told, run, int(status.split()[1]), "retry-after:" in status.lower())
        if writer is not None:
            writer.close()

    async def all_of_them() -> None:
        until = time.monotonic() + LOAD_S
        await asyncio.gather(*(ask(number, until) for number in range(CONNECTIONS)))

    return lambda: asyncio.run(all_of_them())


def note(told: Told, run: str, status: int, hint: bool) -> None:
    if status == 200:
        told.recorded.append(run)
    else:
        assert status == 503, status
        told.refused += 1
        if not hint:
            told.without_hint.append(run)


def called(server: Server, told: Told) -> Callable[[], object]:
    """Batches of reports with ids of their own."""
    project, metadata = server.project_id, (("authorization", f"Bearer {server.ingest_key}"),)

    async def ask(stub: check_in_service_pb2, until: float) -> None:  # type: ignore[valid-type] # a callable of grpc
        while time.monotonic() < until:
            runs = [uuid.uuid4().hex for _ in range(20)]
            request = check_in_service_pb2.BatchCreateCheckInsRequest(
                parent=f"projects/{project}/monitors/-",
                return_partial_success=True,
                requests=[
                    check_in_service_pb2.CreateCheckInRequest(
                        parent=f"projects/{project}/monitors/job-{place}",
                        check_in_id=run,
                        check_in=check_in_pb2.CheckIn(state=check_in_pb2.CheckIn.STATE_OK),
                    )
                    for place, run in enumerate(runs)
                ],
            )
            try:
                answer = await stub(request, metadata=metadata)  # type: ignore[operator]
            except grpc.aio.AioRpcError as error:
                assert error.code() is grpc.StatusCode.UNAVAILABLE, error
                details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
                told.refused += 1
                if b"RetryInfo" not in details:
                    told.without_hint.append(error.details() or "")
                continue
            told.recorded += [run for place, run in enumerate(runs) if place not in answer.failed_requests]

    async def all_of_them() -> None:
        until = time.monotonic() + LOAD_S
        async with grpc.aio.insecure_channel(server.grpc_address) as channel:
            stub = channel.unary_unary(
                "/tocsin.v1.CheckInService/BatchCreateCheckIns",
                request_serializer=check_in_service_pb2.BatchCreateCheckInsRequest.SerializeToString,
                response_deserializer=check_in_service_pb2.BatchCreateCheckInsResponse.FromString,
            )
            await asyncio.gather(*(ask(stub, until) for _ in range(CALLS)))  # type: ignore[arg-type]

    return lambda: asyncio.run(all_of_them())


def careful(server: Server, told: Told) -> Callable[[], object]:
    """Jobs that report once a second, whatever they are told: what of theirs is refused must not be missed."""

    async def ask(client: httpx.AsyncClient, number: int) -> None:
        run = uuid.uuid4().hex
        url = f"{server.http_url}/report/lone-{number}?run={run}&key={server.ingest_key}"
        with suppress(httpx.TransportError):
            answer = await client.get(url)
            note(told, run, answer.status_code, "retry-after" in answer.headers)

    async def all_of_them() -> None:
        until = time.monotonic() + LOAD_S
        async with httpx.AsyncClient(timeout=LOAD_S) as client, asyncio.TaskGroup() as group:
            while time.monotonic() < until:
                for number in range(LONE):
                    group.create_task(ask(client, number))
                await asyncio.sleep(1)

    return lambda: asyncio.run(all_of_them())


@pytest.mark.slow
def test_ten_times_too_much(new_server: Callable[..., Server]) -> None:
    server = new_server(environment=SETTINGS)
    server.start()
    often = [{"interval": {"count": 2, "unit": "UNIT_SECOND"}}]
    names = [*(f"job-{number}" for number in range(MONITORS)), *(f"lone-{number}" for number in range(LONE))]
    for name in names:
        server.create_monitor(name, schedules=often, tolerance={"margin": "1s"})
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    before = peak = process.memory_info().rss
    by_http, by_grpc, by_lone = Told(), Told(), Told()
    loads = pinged(server, by_http), called(server, by_grpc), careful(server, by_lone)
    threads = [threading.Thread(target=load) for load in loads]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, process.memory_info().rss)
        time.sleep(0.02)
    ended = time.time()

    # right after it, one ping is answered as ever
    status, _, content = server.request("GET", f"/report/job-0?run={uuid.uuid4().hex}", key=server.ingest_key)
    assert status == 200, content
    assert time.time() - ended < 5

    assert peak - before < ROOM, f"grew by {(peak - before) / MIB:.0f} MiB"
    assert by_http.refused, "it was not too much"
    for told in (by_http, by_grpc, by_lone):
        assert told.recorded
        assert not told.without_hint
    for dialect, refused in (("native", by_http.refused + by_lone.refused), ("grpc", by_grpc.refused)):
        if refused:
            series = f'tocsin_checkins_rejected_total{{dialect="{dialect}",reason="overload"}}'
            assert server.metric(series) >= refused

    found = [one for name in names for one in server.check_ins(name)]
    stored = [one["name"].rpartition("/")[2] for one in found]
    assert len(set(stored)) == len(stored)
    assert {*by_http.recorded, *by_grpc.recorded, *by_lone.recorded} <= set(stored), "acknowledged, and lost"
    missed = [one for one in found if one["state"] == "STATE_MISSED" and at(one["expectedTime"]) < ended - 3]
    assert not missed
    assert server.stop() == 0


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()
