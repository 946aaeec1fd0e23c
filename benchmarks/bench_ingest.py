"""Check-ins per second, each durable before it is answered, end to end, on SQLite and on PostgreSQL.

Method: a real `tocsin serve` in one process, the load (`load.py`) in another, empty servers (`rivals.py`) in more;
SQLite with synchronous=FULL, PostgreSQL 18 from a wheel with fsync and synchronous_commit on, on the same machine.
Rounds of each way in alternate with rounds of its rival; figures are medians of rounds, the ratio is the median of the
rounds' own ratios. "server CPU" is what the server's process used, user and system, for each check-in; for the empty
server, for each request: the part of our cost that is the framework's. After each way in, the check-ins in the database
are counted: as many as were acknowledged, or the program fails.

Rivals: for batches the bare driver with the same rows into the same schema, 1,000 a transaction, in this process
(`sqlite3.executemany`, FULL; psycopg's binary COPY), and the same server with a host's name in each report, which no
column holds: each is then a protobuf object and goes through the rules alone. For unary calls an empty grpc.aio server,
for HTTP an empty ASGI application under uvicorn.
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
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import psycopg
import sentry_sdk
from common import HERE, Process, Report, Tocsin, free_port, median_ratio, postgresql
from sentry_sdk.crons import capture_checkin
from sentry_sdk.transport import HttpTransport

from tocsin.store import migrations
from tocsin.v1 import check_in_pb2, check_in_service_pb2, heartbeat_service_pb2, monitor_service_pb2, schedule_pb2

BATCH = 1_000
SERVICE = "/tocsin.v1.CheckInService/"
CONFIG = {"schedule": {"type": "crontab", "value": "*/10 * * * *"}, "checkin_margin": 5, "max_runtime": 30}


class Bar(NamedTuple):
    """What a way in has to reach: of `per_second` or `cpu_us` at least, of `p50` or `p99` (ms) at most."""

    what: str
    bar: float
    absolute: bool = True  # the figure; otherwise its ratio to the rival's


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
    bars: tuple[Bar, ...] = ()
    objects: dict[str, Any] | None = None  # the same work in a form that goes through the rules one by one


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
    report.parser.add_argument(
        "--stores", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"]
    )
    options = report.parse()
    with ExitStack() as stack:
        rivals = {kind: start_rival(kind) for kind in ("grpc", "http")}
        for process, _ in rivals.values():
            stack.callback(process.stop)
        for store in options.stores:
            ingest(report, store, rivals, options)
    report.end()


def ingest(report: Report, store: str, rivals: dict[str, tuple[Process, str]], options: Namespace) -> None:
    monitors, seconds, rounds = (1_000, 1.0, 1) if options.quick else (10_000, 3.0, 3)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(postgresql()).new_database(empty=True) if store == "postgresql" else ""
        server = Tocsin(folder, url)
        stack.callback(server.stop)
        create_monitors(server, monitors)
        for way in ways(server, monitors, 3_000 if options.quick else 15_000):
            if options.only in way.name:
                measure(report, store, server, way, rivals, folder, seconds, rounds)
        report.add(f"{store}: server memory after all", server.rss() / 2**20, "MiB", detail=f"{monitors:,} monitors")


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
    objects = [
        check_in_service_pb2.BatchCreateCheckInsRequest(
            parent=f"projects/{project}/monitors/-",
            requests=[check_in(names[(start + place) % monitors], host="web-1") for place in range(BATCH)],
        ).SerializeToString()
        for start in range(0, monitors, BATCH)
    ]
    unary = {"method": f"{SERVICE}CreateCheckIn", "metadata": metadata, "requests": lone}
    batch = {"method": f"{SERVICE}BatchCreateCheckIns", "metadata": metadata, "requests": batches}
    singly = {"method": f"{SERVICE}BatchCreateCheckIns", "metadata": metadata, "requests": objects}
    beats = {"method": "/tocsin.v1.HeartbeatService/BatchSendHeartbeats", "metadata": metadata, "requests": heartbeats}
    stream = {"method": f"{SERVICE}StreamCheckIns", "metadata": metadata, "requests": streamed}
    gets = {"requests": pings, "once": False}
    lite = not server.store
    bulk = (Bar("per_second", 0.8, absolute=False),) if lite else (Bar("per_second", 150_000),)
    yield Way(
        "gRPC batch of 1,000, 4 in flight", "unary", batch, 4, each=BATCH, rival="driver", bars=bulk, objects=singly
    )
    yield Way("gRPC stream of 1,000s, 4 in flight", "stream", stream, 4, each=BATCH, rival="driver")
    yield Way("gRPC heartbeats, 1,000s, 4 in flight", "unary", beats, 4, each=BATCH, rival="driver")
    yield Way("gRPC unary, 1 in flight", "unary", unary, 1, rival="grpc")
    yield Way(
        "gRPC unary, 32 in flight", "unary", unary, 32, rival="grpc", bars=(Bar("cpu_us", 1 / 1.3, absolute=False),)
    )
    yield Way("HTTP ping, 1 connection", "http", gets, 1, rival="http", bars=(Bar("p50", 2),))
    fast = (Bar("per_second", 6_000), Bar("p99", 25)) if lite else ()
    yield Way("HTTP ping, 64 connections", "http", gets, 64, rival="http", bars=fast)
    told = {"requests": [telemetry(server, number) for number in range(monitors)], "once": False}
    yield Way("Cronitor event, 1 connection", "http", told, 1, rival="http", bars=(Bar("p50", 2),))
    yield Way("Cronitor event, 64 connections", "http", told, 64, rival="http")
    sdk = SentryBytes(server)
    once = {"requests": [], "once": True}
    yield Way(
        "Sentry envelope, 64 connections",
        "http",
        once,
        64,
        rival="http",
        fresh=lambda: sdk.requests(envelopes),
        bars=(Bar("per_second", 4_000),) if lite else (),
    )


def check_in(parent: str, host: str = "") -> check_in_service_pb2.CreateCheckInRequest:
    """An id made by the server; stands alone, so that each is one stored check-in."""
    request = check_in_service_pb2.CreateCheckInRequest(parent=parent, stand_alone=True)
    request.check_in.state = check_in_pb2.CheckIn.STATE_OK
    request.check_in.duration.seconds = 12
    request.check_in.host = host
    return request


def ping(server: Tocsin, number: int) -> bytes:
    key = server.keys["ingest_key"]
    lines = (f"GET /report/bench-{number} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}")
    return "\r\n".join((*lines, "User-Agent: bench", "", "")).encode()


def telemetry(server: Tocsin, number: int) -> bytes:
    """An end without a start, as a crontab line with curl sends it."""
    place = f"/p/{server.keys['ingest_key']}/bench-{number}?state=complete&host=web-1&metric=count:3"
    lines = (f"GET {place} HTTP/1.1", "Host: localhost", "User-Agent: curl/8.5.0")
    return "\r\n".join((*lines, "", "")).encode()


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
    store: str,
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
    singly: list[Round] = []
    for _ in range(rounds):
        if way.fresh:
            way.work["requests"] = way.fresh()
        ours.append(run(server, address, way, seconds, way.each))
        acknowledged += ours[-1].answered * way.each
        if way.rival == "driver":
            theirs.append((copy if server.store else executemany)(server, folder, 20 if seconds < 2 else 60))
        elif way.rival:
            process, at = rivals[way.rival]
            theirs.append(run(process, at, way, seconds, 1))
        if way.objects:
            singly.append(run(server, address, replace(way, work=way.objects), seconds, way.each))
            acknowledged += singly[-1].answered * way.each
    found = stored(server) - before
    if found != acknowledged:
        raise SystemExit(f"{way.name}: {acknowledged:,} were acknowledged and {found:,} are stored")
    show(report, store, way, ours, theirs, acknowledged)
    if singly:
        show_objects(report, ours, singly)


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
    return server.count("SELECT count(*) FROM check_ins")


def executemany(server: Tocsin, folder: Path, transactions: int) -> Round:
    """The newest rows that the server wrote, written again by the bare driver behind all the older ones.

    An index grows with what it holds, and with it the pages that a transaction touches: both have to bear the same.
    """
    path = folder / "bare.db"
    for old in folder.glob("bare.db*"):
        old.unlink()
    migrations.upgrade(f"sqlite:///{path}")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL").close()
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    (table,) = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'check_ins*' ORDER BY name LIMIT 1"
    ).fetchone()
    with sqlite3.connect(f"file:{server.database}?mode=ro", uri=True) as source:
        rows = source.execute(
            "SELECT * FROM check_ins ORDER BY number DESC LIMIT ?", (transactions * BATCH,)
        ).fetchall()[::-1]
        text = f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})"
        connection.execute("BEGIN IMMEDIATE")
        older = source.execute("SELECT * FROM check_ins WHERE number < ? ORDER BY number", rows[0][:1])
        connection.executemany(text, older)
        connection.execute("COMMIT")
    source.close()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
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


def copy(server: Tocsin, _folder: Path, transactions: int) -> Round:
    """The newest rows that the server wrote, copied again by the bare driver behind all the older ones, beside."""
    with psycopg.connect(server.store, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bare (LIKE check_ins INCLUDING ALL)")
        connection.execute("TRUNCATE bare")
        rows = connection.execute(
            "SELECT * FROM check_ins ORDER BY number DESC LIMIT %s", (transactions * BATCH,), binary=True
        ).fetchall()[::-1]
        connection.execute("INSERT INTO bare SELECT * FROM check_ins WHERE number < %s", rows[0][:1])
        oids = connection.execute(
            "SELECT atttypid::int FROM pg_attribute WHERE attrelid = 'bare'::regclass AND attnum > 0 ORDER BY attnum"
        ).fetchall()
        latencies = []
        cpu, begin = time.process_time(), time.perf_counter()
        for start in range(0, len(rows), BATCH):
            before = time.perf_counter()
            with connection.cursor().copy("COPY bare FROM STDIN (FORMAT BINARY)") as sink:
                sink.set_types([oid for (oid,) in oids])
                for row in rows[start : start + BATCH]:
                    sink.write_row(row)
            latencies.append((time.perf_counter() - before) * 1000)
        spent, used = time.perf_counter() - begin, time.process_time() - cpu
    latencies.sort()
    p50, p99 = latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]
    return Round(len(rows) / spent, p50, p99, used / len(rows) * 1e6, len(rows))


def rival_of(store: str, way: Way) -> str:
    driver = "psycopg COPY" if store == "postgresql" else "sqlite3 executemany"
    return {"grpc": "empty grpc.aio", "http": "empty uvicorn", "driver": driver}[way.rival]


def middle(rounds: list[Round], what: str) -> float:
    return float(statistics.median(getattr(one, what) for one in rounds))


def show(report: Report, store: str, way: Way, ours: list[Round], theirs: list[Round], acknowledged: int) -> None:
    pairs = list(zip(ours, theirs, strict=True))
    rival = rival_of(store, way)
    told = {
        "per_second": (
            f"{store}: {way.name}",
            "/s",
            median_ratio((our.per_second, their.per_second) for our, their in pairs),
        ),
        "cpu_us": ("  server CPU", "us each", median_ratio((their.cpu_us, our.cpu_us) for our, their in pairs)),
        "p50": ("  p50", "ms", None),
        "p99": ("  p99", "ms", None),
    }
    for what, (name, unit, ratio) in told.items():
        more: dict[str, Any] = {"rival": rival, "rival_figure": middle(theirs, what), "ratio": ratio}
        if what == "per_second":
            more["detail"] = f"{acknowledged:,} read back"
        bar = next((bar for bar in way.bars if bar.what == what), None)
        if bar is None:
            report.add(name, middle(ours, what), unit, **more)
        elif what in ("p50", "p99"):
            report.at_most(name, middle(ours, what), unit, bar=bar.bar, **more)
        else:
            report.at_least(name, middle(ours, what), unit, bar=bar.bar, absolute=bar.absolute, **more)
    print(f"{store}: {way.name}: {middle(ours, 'per_second'):,.0f}/s", flush=True)


def show_objects(report: Report, ours: list[Round], singly: list[Round]) -> None:
    report.at_least(
        "  the same, to each report as an object",
        middle(ours, "per_second"),
        "/s",
        bar=5,
        rival="row by row",
        rival_figure=middle(singly, "per_second"),
        ratio=median_ratio((our.per_second, one.per_second) for our, one in zip(ours, singly, strict=True)),
    )


if __name__ == "__main__":
    main()
