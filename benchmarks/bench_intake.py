"""What a check-in of a batch costs at the edge: from wire bytes to a row, and from what was recorded to wire bytes.

Method: batches of 1,000, read and written by the compiled core and by protobuf's generated classes in interleaved
rounds; the figure is the median over rounds of nanoseconds of CPU time of the thread for one check-in, the ratio the
median of the rounds' own. "Objects" is what a handler without columns does: `FromString`, a `Report` for each request,
a message for each check-in, `SerializeToString`. Before, both must have read and written the same.

Over gRPC: two grpc.aio servers, processes of their own under uvloop, get the same batches from `load.py`, four in
flight. One answers from columns, one from objects; where the engine would be, both are handed what it would give,
made before. CPU time of the server's process for each check-in, gRPC itself included.
"""

import asyncio
import json
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from common import HERE, Process, Report, free_port, median_ratio

from tocsin._core import answers, intake
from tocsin._core.recorded import Recorded
from tocsin.domain import ids
from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.commands import ReportBatch
from tocsin.engine.plain import report_of
from tocsin.v1 import check_in_pb2
from tocsin.v1.check_in_service_pb2 import (
    BatchCreateCheckInsRequest,
    BatchCreateCheckInsResponse,
    CreateCheckInRequest,
)
from tocsin.v1.heartbeat_service_pb2 import BatchSendHeartbeatsRequest, SendHeartbeatRequest
from tocsin.wire.batches import read_check_ins
from tocsin.wire.check_in import from_check_in, to_heartbeat, to_report

BATCH = 1_000
PROJECTS = ("1", "default", "-")
NOW = 1_795_289_021_123
WHERE = {"project": 1, "received": NOW, "client": "bench/1"}
NAMES = [f"projects/1/monitors/bench-{number:05}" for number in range(BATCH)]
METHOD = "/tocsin.v1.CheckInService/BatchCreateCheckIns"


def batch(**fields) -> bytes:
    rows = [CreateCheckInRequest(parent=name, stand_alone=True, **fields) for name in NAMES]
    return BatchCreateCheckInsRequest(parent="projects/1/monitors/-", requests=rows).SerializeToString()


def check_in() -> check_in_pb2.CheckIn:
    run = check_in_pb2.CheckIn(state=check_in_pb2.CheckIn.STATE_OK, environment="production")
    run.duration.seconds, run.duration.nanos = 12, 345_000_000
    return run


BARE = batch(kind=CreateCheckInRequest.KIND_OK)
USUAL = batch(check_in=check_in())
WITH_IDS = batch(kind=CreateCheckInRequest.KIND_OK, check_in_id="ab" * 16)
HEARTBEATS = BatchSendHeartbeatsRequest(
    parent="projects/1", requests=[SendHeartbeatRequest(name=name) for name in NAMES]
).SerializeToString()


# --- both ways


def read_objects(data: bytes) -> list:
    return [
        to_report(request, **WHERE, field=f"requests[{place}]", dialect="grpc", retry_safe=True)
        for place, request in enumerate(BatchCreateCheckInsRequest.FromString(data).requests)
    ]


def read_heartbeat_objects(data: bytes) -> list:
    requests = BatchSendHeartbeatsRequest.FromString(data).requests
    return [to_heartbeat(request, **WHERE) for request in requests]


def read_columns(data: bytes) -> intake.Intake:
    return intake.check_ins(data, PROJECTS, BATCH)


RUNS = [
    CheckIn(
        number=ids.check_in_number(NOW, place),
        id=ids.public_id(ids.check_in_number(NOW, place)),
        project=1,
        monitor=place + 1,
        monitor_id=name.rpartition("/")[2],
        track=place + 1,
        environment="production",
        state=State.OK,
        receive_time=NOW,
        update_time=NOW,
        end_time=NOW,
        duration_ms=12_345,
        expected_time=NOW - 123,
        dialect="grpc",
        client="bench/1",
    )
    for place, name in enumerate(NAMES)
]
RECORDED = Recorded()
for place, run in enumerate(RUNS):
    RECORDED.append(run.number, run.monitor, run.track, 1, NOW, NOW, NOW, 12_345, NOW - 123, row=place)


def answer_objects() -> bytes:
    return BatchCreateCheckInsResponse(check_ins=[from_check_in(run) for run in RUNS]).SerializeToString()


def answer_columns(batch_: object) -> bytes:
    return answers.check_ins(batch_, RECORDED, {}, (), 1, "grpc", "bench/1")


def agree() -> None:
    for data in (BARE, USUAL):
        found = read_columns(data)
        assert not found.batch.rest()
        command = ReportBatch(1, found.batch, NOW, {}, "grpc", "bench/1")
        assert [report_of(command, row) for row in range(BATCH)] == read_objects(data)
        assert answer_columns(found.batch) == answer_objects()
    assert len(read_columns(WITH_IDS).batch.rest()) == BATCH


# --- in this process


def compare(report: Report, what: str, ours: Callable, theirs: dict[str, Callable], rounds: int, **bars: float) -> None:
    """`theirs`: the rival of the ratio first."""
    contenders = {"ours": ours, **theirs}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            calls = 20 if name == "ours" else 2
            begin = time.thread_time_ns()
            for _ in range(calls):
                work()
            times[name].append((time.thread_time_ns() - begin) / calls / BATCH)
    rival, *others = theirs
    middle = {name: statistics.median(values) for name, values in times.items()}
    ratios = {name: median_ratio(zip(times[name], times["ours"], strict=True)) for name in theirs}
    detail = "; ".join(f"{name} {middle[name]:,.0f} ns, {ratios[name]:.0f}x" for name in others)
    figures = {"rival": rival, "rival_figure": middle[rival], "ratio": ratios[rival], "detail": detail}
    if "at_least" in bars:
        report.at_least(what, middle["ours"], "ns", bar=bars["at_least"], **figures)
    elif "at_most" in bars:
        report.at_most(what, middle["ours"], "ns", bar=bars["at_most"], **figures)
    else:
        report.add(what, middle["ours"], "ns", **figures)


# --- over gRPC


async def serve(kind: str, port: int) -> None:
    import grpc

    class Edge(grpc.GenericRpcHandler):
        def service(self, _details):
            return grpc.unary_unary_rpc_method_handler(self.columns if kind == "columns" else self.objects)

        async def columns(self, request, _context):
            return answer_columns(read_check_ins(request, PROJECTS, BATCH).batch)

        async def objects(self, request, _context):
            read_objects(request)
            return answer_objects()

    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Edge(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


def over_grpc(report: Report, seconds: float, rounds: int) -> None:
    ports = {kind: free_port() for kind in ("columns", "objects")}
    servers = {kind: Process((__file__, "--serve", kind, str(port))) for kind, port in ports.items()}
    try:
        used: dict[str, list[float]] = {kind: [] for kind in servers}
        for _ in range(rounds):
            for kind, process in servers.items():
                used[kind].append(load(process, f"127.0.0.1:{ports[kind]}", seconds))
    finally:
        for process in servers.values():
            process.stop()
    report.at_least(
        "edge over gRPC, batch of 1,000, 4 in flight: server CPU",
        statistics.median(used["columns"]),
        "ns",
        bar=5.0,
        rival="objects",
        rival_figure=statistics.median(used["objects"]),
        ratio=median_ratio(zip(used["objects"], used["columns"], strict=True)),
    )


def load(process: Process, address: str, seconds: float) -> float:
    """Nanoseconds of the server's CPU time for each check-in."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(pickle.dumps({"method": METHOD, "metadata": (), "requests": [USUAL]}))
        file.flush()
        command = [sys.executable, str(HERE / "load.py"), "unary", file.name, "--address", address]
        command += ["--in-flight", "4", "--seconds", str(seconds)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdin
            assert child.stdout
            assert child.stdout.readline() == "ready\n"
            begin = process.cpu()
            child.stdin.write("go\n")
            child.stdin.close()
            told = json.loads(child.stdout.readline())
            return (process.cpu() - begin) / told["answered"] / BATCH * 1e9


def main() -> None:
    report = Report(__doc__)
    quick = report.parse().quick
    agree()
    rounds = 3 if quick else 21
    for name, data in (("name and kind", BARE), ("name, state, environment, duration", USUAL)):
        compare(
            report,
            f"intake of a check-in: {name}",
            lambda data=data: read_columns(data),
            {
                "upb and a Report": lambda data=data: read_objects(data),
                "upb alone": lambda data=data: BatchCreateCheckInsRequest.FromString(data),
            },
            rounds,
            at_most=100.0,
        )
    compare(
        report,
        "intake of a heartbeat",
        lambda: intake.heartbeats(HEARTBEATS, PROJECTS, BATCH),
        {
            "upb and a Report": lambda: read_heartbeat_objects(HEARTBEATS),
            "upb alone": lambda: BatchSendHeartbeatsRequest.FromString(HEARTBEATS),
        },
        rounds,
        at_most=100.0,
    )
    compare(
        report,
        "intake of a check-in with an id, up to its message",
        lambda: read_check_ins(WITH_IDS, PROJECTS, BATCH),
        {"upb alone": lambda: BatchCreateCheckInsRequest.FromString(WITH_IDS)},
        rounds,
    )
    read = read_columns(USUAL).batch
    compare(report, "answer to a check-in", lambda: answer_columns(read), {"objects": answer_objects}, rounds)
    compare(
        report,
        "intake and answer of a check-in",
        lambda: answer_columns(read_columns(USUAL).batch),
        {"objects": lambda: (read_objects(USUAL), answer_objects())},
        rounds,
        at_least=5.0,
    )
    over_grpc(report, 0.5 if quick else 2.0, 1 if quick else 5)
    report.end()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(sys.argv[2], int(sys.argv[3])))
    else:
        main()
