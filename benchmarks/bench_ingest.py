"""Check-ins per second, each durable before it is answered (SQLite, synchronous=FULL), end to end.

Method: a real `tocsin serve` in one process, the load (`load.py`) in another, empty servers (`rivals.py`) in more.
Rounds of each way in alternate with rounds of its rival; figures are medians of rounds, the ratio is the median of the
rounds' own ratios. "server CPU" is what the server's process used, user and system, for each check-in; for the empty
server, for each request: the part of our cost that is the framework's. After each way in, the check-ins in the database
are counted: as many as were acknowledged, or the program fails.

Rivals: for batches, `sqlite3.executemany` of the same rows into the same schema, 1,000 a transaction, FULL, in this
process; for unary calls an empty grpc.aio server; for HTTP an empty ASGI application under uvicorn.
"""

import gzip
import json
import pickle
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import sentry_sdk
from common import HERE, Process, Report, Tocsin, free_port, median_ratio
from sentry_sdk.crons import capture_checkin
from sentry_sdk.transport import HttpTransport

from tocsin.store import migrations
from tocsin.v1 import check_in_pb2, check_in_service_pb2, heartbeat_service_pb2, monitor_service_pb2, schedule_pb2

BATCH = 1_000
SERVICE = "/tocsin.v1.CheckInService/"
CONFIG = {"schedule": {"type": "crontab", "value": "*/10 * * * *"}, "checkin_margin": 5, "max_runtime": 30}


@dataclass
class Way:
    """One way in: what is sent, how, and how many check-ins an answer stands for."""

    name: str
    kind: str  # of load.py
    work: dict[str, Any]
    in_flight: int
    each: int = 1
    rival: str = ""  # "grpc", "http" or "sqlite"
    fresh: Callable[[], list[bytes]] | None = None  # requests that must not be sent twice
    rate: float = 0.0  # requests a second, all together; 0: as fast as they are answered


@dataclass
class Round:
    per_second: float
    p50: float
    p99: float
    cpu_us: float
    answered: int


def main() -> None:
    report = Report(__doc__)
    report.parser.add_argument("--only", metavar="TEXT", default="", help="only ways in whose name holds this")
    options = report.parse()
    monitors, seconds, rounds = (1_000, 1.0, 1) if options.quick else (10_000, 3.0, 3)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = Tocsin(folder)
        stack.callback(server.stop)
        create_monitors(server, monitors)
        rivals = {kind: start_rival(kind) for kind in ("grpc", "http")}
        for process, _ in rivals.values():
            stack.callback(process.stop)
        for way in ways(server, monitors, 3_000 if options.quick else 15_000):
            if options.only in way.name:
                measure(report, server, way, rivals, folder, seconds, rounds)
        report.add("ingest: server memory after all", server.rss() / 2**20, "MiB", detail=f"{monitors:,} monitors")
    report.end()


# --- what is sent


def ways(server: Tocsin, monitors: int, envelopes: int) -> Iterator[Way]:
    project = server.keys["project_id"]
    metadata = (("authorization", f"Bearer {server.keys['ingest_key']}"),)
    names = [f"projects/{project}/monitors/bench-{number}" for number in range(monitors)]
    lone = [check_in(name).SerializeToString() for name in names]
    batches = [
        check_in_service_pb2.BatchCreateCheckInsRequest(
            parent=f"projects/{project}/monitors/-",
            requests=[check_in(names[(start + place) % monitors]) for place in range(BATCH)],
        ).SerializeToString()
        for start in range(0, monitors, BATCH)
    ]
    streamed = [
        check_in_service_pb2.StreamCheckInsRequest(
            parent=f"projects/{project}/monitors/-",
            requests=[check_in(names[(start + place) % monitors]) for place in range(BATCH)],
        ).SerializeToString()
        for start in range(0, monitors, BATCH)
    ]
    heartbeats = [
        heartbeat_service_pb2.BatchSendHeartbeatsRequest(
            parent=f"projects/{project}",
            requests=[
                heartbeat_service_pb2.SendHeartbeatRequest(name=names[(start + place) % monitors])
                for place in range(BATCH)
            ],
        ).SerializeToString()
        for start in range(0, monitors, BATCH)
    ]
    pings = [ping(server, number) for number in range(monitors)]
    unary = {"method": f"{SERVICE}CreateCheckIn", "metadata": metadata, "requests": lone}
    batch = {"method": f"{SERVICE}BatchCreateCheckIns", "metadata": metadata, "requests": batches}
    beats = {"method": "/tocsin.v1.HeartbeatService/BatchSendHeartbeats", "metadata": metadata, "requests": heartbeats}
    stream = {"method": f"{SERVICE}StreamCheckIns", "metadata": metadata, "requests": streamed}
    gets = {"requests": pings, "once": False}
    yield Way("gRPC unary, 1 in flight", "unary", unary, 1, rival="grpc")
    yield Way("gRPC unary, 32 in flight", "unary", unary, 32, rival="grpc")
    yield Way("gRPC batch of 1,000, 4 in flight", "unary", batch, 4, each=BATCH, rival="sqlite")
    yield Way("gRPC stream of 1,000s, 4 in flight", "stream", stream, 4, each=BATCH, rival="sqlite")
    yield Way("gRPC heartbeats, 1,000s, 4 in flight", "unary", beats, 4, each=BATCH, rival="sqlite")
    yield Way("HTTP ping, 1 connection", "http", gets, 1, rival="http")
    yield Way("HTTP ping, 64 connections", "http", gets, 64, rival="http")
    sdk = SentryBytes(server)
    once = {"requests": [], "once": True}
    yield Way("Sentry envelope, 64 connections", "http", once, 64, rival="http", fresh=lambda: sdk.requests(envelopes))


def check_in(parent: str) -> check_in_service_pb2.CreateCheckInRequest:
    """An id made by the server; stands alone, so that each is one stored check-in."""
    request = check_in_service_pb2.CreateCheckInRequest(parent=parent, stand_alone=True)
    request.check_in.state = check_in_pb2.CheckIn.STATE_OK
    request.check_in.duration.seconds = 12
    return request


def ping(server: Tocsin, number: int) -> bytes:
    key = server.keys["ingest_key"]
    lines = (f"GET /report/bench-{number} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}")
    return "\r\n".join((*lines, "User-Agent: bench", "", "")).encode()


class SentryBytes:
    """Envelopes as the real SDK sends them: captured from it once, then given new ids and slugs of the same length."""

    def __init__(self, server: Tocsin) -> None:
        self.sent: list[tuple[bytes, dict[str, str]]] = []
        outer = self

        class Capture(HttpTransport):
            def _request(self, _method, _endpoint, body, headers):
                outer.sent.append((body, dict(headers)))
                raise InterruptedError

        dsn = f"http://{server.keys['ingest_key']}@127.0.0.1:{server.http_port}/{server.keys['project_id']}"
        sentry_sdk.init(
            dsn=dsn,
            transport=Capture,
            release="bench@1.0",
            _experiments={"transport_compression_algo": "gzip"},
        )
        self._slug, self._id = "bench-slug-00000", uuid.uuid4().hex
        capture_checkin(
            monitor_slug=self._slug, check_in_id=self._id, status="ok", duration=12.5, monitor_config=dict(CONFIG)
        )
        sentry_sdk.flush()
        (body, headers), *_ = self.sent
        self._plain = gzip.decompress(body)
        self._path = f"/api/{server.keys['project_id']}/envelope/"
        self._headers = {"Host": "localhost", **{name: str(value) for name, value in headers.items()}}
        assert self._headers["Content-Encoding"] == "gzip"

    def requests(self, count: int, slugs: int = 1_000) -> list[bytes]:
        return [self._request(number % slugs) for number in range(count)]

    def _request(self, number: int) -> bytes:
        slug = f"bench-slug-{number:05}"
        plain = self._plain.replace(self._slug.encode(), slug.encode())
        body = gzip.compress(plain.replace(self._id.encode(), uuid.uuid4().hex.encode()), 9)
        head = {**self._headers, "Content-Length": str(len(body))}
        lines = (f"POST {self._path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()))
        return "\r\n".join((*lines, "", "")).encode() + body


def create_monitors(server: Tocsin, monitors: int) -> None:
    """Half cron, half interval, through the API."""
    metadata = (("authorization", f"Bearer {server.keys['admin_key']}"),)
    project = server.keys["project_id"]
    with grpc.insecure_channel(server.grpc_address) as channel:
        call = channel.unary_unary(
            "/tocsin.v1.MonitorService/BatchUpdateMonitors",
            monitor_service_pb2.BatchUpdateMonitorsRequest.SerializeToString,
        )
        for first in range(0, monitors, 100):
            request = monitor_service_pb2.BatchUpdateMonitorsRequest(parent=f"projects/{project}")
            for number in range(first, min(first + 100, monitors)):
                update = request.requests.add(allow_missing=True)
                update.monitor.name = f"projects/{project}/monitors/bench-{number}"
                if number % 2:
                    update.monitor.schedules.add().cron.expression = "30 4 * * *"
                else:
                    interval = update.monitor.schedules.add().interval
                    interval.count, interval.unit = 1, schedule_pb2.IntervalSchedule.UNIT_DAY
            call(request, metadata=metadata)


# --- rounds


def start_rival(kind: str) -> tuple[Process, str]:
    port = free_port()
    process = Process((str(HERE / "rivals.py"), kind, str(port)))
    if kind == "http":
        process.wait_for(f"http://127.0.0.1:{port}/")
    return process, f"127.0.0.1:{port}"


def measure(
    report: Report,
    server: Tocsin,
    way: Way,
    rivals: dict[str, tuple[Process, str]],
    folder: Path,
    seconds: float,
    rounds: int,
) -> None:
    address = server.grpc_address if way.kind != "http" else f"127.0.0.1:{server.http_port}"
    before, acknowledged = stored(server), 0
    ours: list[Round] = []
    theirs: list[Round] = []
    for _ in range(rounds):
        if way.fresh:
            way.work["requests"] = way.fresh()
        ours.append(run(server, address, way, seconds, way.each))
        acknowledged += ours[-1].answered * way.each
        if way.rival == "sqlite":
            theirs.append(executemany(server, folder, 20 if seconds < 2 else 60))
        elif way.rival:
            process, at = rivals[way.rival]
            theirs.append(run(process, at, way, seconds, 1))
    found = stored(server) - before
    if found != acknowledged:
        raise SystemExit(f"{way.name}: {acknowledged:,} were acknowledged and {found:,} are stored")
    show(report, way, ours, theirs, acknowledged)


def run(process: Process, address: str, way: Way, seconds: float, each: int) -> Round:
    with tempfile.NamedTemporaryFile() as file:
        file.write(pickle.dumps(way.work))
        file.flush()
        command = [sys.executable, str(HERE / "load.py"), way.kind, file.name, "--address", address]
        command += ["--in-flight", str(way.in_flight), "--seconds", str(seconds), "--rate", str(way.rate)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:
            assert load.stdin and load.stdout
            if load.stdout.readline() != "ready\n":
                raise SystemExit(f"{way.name}: the load could not start")
            begin = process.cpu()
            load.stdin.write("go\n")
            load.stdin.close()
            line = load.stdout.readline()
            used = process.cpu() - begin
    if not line:
        raise SystemExit(f"{way.name}: a request was refused")
    told = json.loads(line)
    done = told["answered"] * each
    return Round(done / told["seconds"], told["p50"], told["p99"], used / done * 1e6, told["answered"])


def stored(server: Tocsin) -> int:
    """Check-ins in the database, as any other process sees them."""
    with sqlite3.connect(f"file:{server.database}?mode=ro", uri=True) as connection:
        (count,) = connection.execute("SELECT count(*) FROM check_ins").fetchone()
    connection.close()
    return int(count)


def executemany(server: Tocsin, folder: Path, transactions: int) -> Round:
    """The rows that the server wrote, written again by the bare driver."""
    path = folder / "bare.db"
    for old in folder.glob("bare.db*"):
        old.unlink()
    migrations.upgrade(f"sqlite:///{path}")
    with sqlite3.connect(f"file:{server.database}?mode=ro", uri=True) as source:
        rows = source.execute(
            "SELECT * FROM check_ins ORDER BY number DESC LIMIT ?", (transactions * BATCH,)
        ).fetchall()[::-1]
    source.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL").close()
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    text = f"INSERT INTO check_ins_kept VALUES ({', '.join('?' * len(rows[0]))})"
    latencies = []
    cpu, begin = time.process_time(), time.perf_counter()
    for start in range(0, len(rows), BATCH):
        before = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(text, rows[start : start + BATCH])
        connection.execute("COMMIT")
        latencies.append((time.perf_counter() - before) * 1000)
    spent, used = time.perf_counter() - begin, time.process_time() - cpu
    connection.close()
    latencies.sort()
    p50, p99 = latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]
    return Round(len(rows) / spent, p50, p99, used / len(rows) * 1e6, len(rows))


RIVALS = {"grpc": "empty grpc.aio", "http": "empty uvicorn", "sqlite": "sqlite3 executemany"}


def show(report: Report, way: Way, ours: list[Round], theirs: list[Round], acknowledged: int) -> None:
    def middle(rounds: list[Round], what: str) -> float:
        return statistics.median(getattr(one, what) for one in rounds)

    pairs = list(zip(ours, theirs, strict=True))
    report.add(
        way.name,
        middle(ours, "per_second"),
        "/s",
        rival=RIVALS[way.rival],
        rival_figure=middle(theirs, "per_second"),
        ratio=median_ratio((our.per_second, their.per_second) for our, their in pairs),
        detail=f"p50 {middle(ours, 'p50'):.2f} ms, p99 {middle(ours, 'p99'):.2f} ms, {acknowledged:,} read back",
    )
    report.add(
        "  server CPU",
        middle(ours, "cpu_us"),
        "us each",
        rival=RIVALS[way.rival],
        rival_figure=middle(theirs, "cpu_us"),
        ratio=median_ratio((their.cpu_us, our.cpu_us) for our, their in pairs),
    )
    print(f"{way.name}: {middle(ours, 'per_second'):,.0f}/s", flush=True)


if __name__ == "__main__":
    main()
