"""Sixteen programs with an unmodified sentry-sdk at once: how long each waits until its check-in is acknowledged.

Method: a real `tocsin serve`, and sixteen processes (`sentry_client.py`) that open and close runs of a monitor each,
one check-in on its way at a time, with whatever compression the SDK chooses. The latency is that of the HTTP request in
the client. Twice: at a paced rate, which leaves the machine room, and as fast as they are answered, which does not: the
SDK's own work for a check-in, in sixteen processes, then takes most of the machine.

In the same rounds, at the same concurrency and rate: the native ways in, which are gRPC unary and the HTTP ping, and
the very bytes of the SDK sent by `load.py`, which costs next to nothing and so shows the server. The rival of each is
an empty server (`rivals.py`) asked by the same clients: what the client, its framework and the machine cost alone.

Figures are medians of the rounds' p50 and p99, ratios the medians of the rounds' own. Durable each time, and counted
afterwards: the runs that the SDKs closed are in the database, closed, as many as were acknowledged.
"""

import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_ingest import SERVICE, SentryBytes, Way, check_in, create_monitors, ping, run, start_rival, stored
from common import HERE, Process, Report, Tocsin, median_ratio, percentile

CLIENTS = 16
MONITORS = 1_000
BAR_MS = 9.99  # "single-digit milliseconds at the median"


@dataclass
class Round:
    per_second: float
    p50: float
    p99: float
    cpu_us: float
    answered: int


@dataclass
class Measured:
    """One way in at one rate: what a round of it is, against us and against the empty server."""

    name: str
    rate: float
    rival: str
    ours: Callable[[], Round]
    theirs: Callable[[], Round]
    bar: float | None = None
    each: int = 1  # check-ins for a run


def main() -> None:
    report = Report(__doc__)
    report.parser.add_argument("--rate", type=float, default=160.0, help="check-ins a second of all clients together")
    report.parser.add_argument("--rounds", type=int, default=3)
    report.parser.add_argument("--seconds", type=float, default=3.0, help="of one round")
    options = report.parse()
    seconds, rounds = (1.0, 1) if options.quick else (options.seconds, options.rounds)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = Tocsin(folder)
        stack.callback(server.stop)
        create_monitors(server, MONITORS)
        rivals = {kind: start_rival(kind) for kind in ("grpc", "http")}
        for process, _ in rivals.values():
            stack.callback(process.stop)
        clients(
            server, dsn(server.keys, f"127.0.0.1:{server.http_port}"), 0.0, 1.0
        )  # warms the server, counts for nothing
        for measured in everything(server, rivals, options.rate, seconds):
            measure(report, server, measured, rounds)
    report.end()


def everything(
    server: Tocsin, rivals: dict[str, tuple[Process, str]], paced: float, seconds: float
) -> Iterator[Measured]:
    at = f"127.0.0.1:{server.http_port}"
    key, project = server.keys["ingest_key"], server.keys["project_id"]
    sdk = SentryBytes(server)
    metadata = (("authorization", f"Bearer {key}"),)
    names = [f"projects/{project}/monitors/bench-{number}" for number in range(MONITORS)]
    native = {
        "method": f"{SERVICE}CreateCheckIn",
        "metadata": metadata,
        "requests": [check_in(name).SerializeToString() for name in names],
    }
    pings = {"requests": [ping(server, number) for number in range(MONITORS)], "once": False}
    for rate in (paced, 0.0):
        pace = f"{rate:g}/s" if rate else "full speed"
        (grpc, grpc_at), (http, http_at) = rivals["grpc"], rivals["http"]

        def sdks(process: Process, where: str, rate: float = rate) -> Callable[[], Round]:
            return lambda: clients(process, dsn(server.keys, where), rate, seconds)

        def load(process: Process, where: str, way: Way) -> Callable[[], Round]:
            def one() -> Round:
                if way.fresh:
                    way.work["requests"] = way.fresh()
                told = run(process, where, way, seconds, 1)
                return Round(told.per_second, told.p50, told.p99, told.cpu_us, told.answered)

            return one

        yield Measured(
            f"{CLIENTS} Sentry SDKs, {pace}",
            rate,
            "empty uvicorn",
            sdks(server, at),
            sdks(http, http_at),
            bar=BAR_MS if rate else None,
            each=2,
        )
        envelopes = int(rate * seconds * 1.2) if rate else int(4_000 * seconds)
        once = {"requests": [], "once": True}
        same = Way("", "http", once, CLIENTS, fresh=lambda: sdk.requests(envelopes, CLIENTS), rate=rate)  # noqa: B023
        yield Measured(
            f"  the SDK's bytes, {pace}", rate, "empty uvicorn", load(server, at, same), load(http, http_at, same)
        )
        unary = Way("", "unary", native, CLIENTS, rate=rate)
        yield Measured(
            f"  native: gRPC unary, {pace}",
            rate,
            "empty grpc.aio",
            load(server, server.grpc_address, unary),
            load(grpc, grpc_at, unary),
        )
        gets = Way("", "http", pings, CLIENTS, rate=rate)
        yield Measured(
            f"  native: HTTP ping, {pace}", rate, "empty uvicorn", load(server, at, gets), load(http, http_at, gets)
        )


def dsn(keys: dict[str, Any], where: str) -> str:
    return f"http://{keys['ingest_key']}@{where}/{keys['project_id']}"


def clients(process: Process, dsn: str, rate: float, seconds: float) -> Round:
    """One round of all SDKs."""
    with ExitStack() as stack:
        started = []
        for number in range(CLIENTS):
            command = [sys.executable, str(HERE / "sentry_client.py"), dsn, "--number", str(number)]
            command += ["--of", str(CLIENTS), "--rate", str(rate), "--seconds", str(seconds)]
            one = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            started.append(stack.enter_context(one))
        for one in started:
            assert one.stdin and one.stdout
            if one.stdout.readline() != "ready\n":
                raise SystemExit("a client could not start")
        before = process.cpu()
        for one in started:
            one.stdin.write("go\n")
            one.stdin.close()
        told = [json.loads(one.stdout.readline()) for one in started]
        used = process.cpu() - before
    if any(one["refused"] for one in told):
        raise SystemExit("a check-in was refused")
    latencies = sorted(latency for one in told for latency in one["latencies"])
    per_second = sum(len(one["latencies"]) / one["seconds"] for one in told)
    done = len(latencies)
    return Round(per_second, percentile(latencies, 0.5), percentile(latencies, 0.99), used / done * 1e6, done)


def measure(report: Report, server: Tocsin, measured: Measured, rounds: int) -> None:
    pairs = [(counted(server, measured), measured.theirs()) for _ in range(rounds)]
    ours = [our for our, _ in pairs]

    def middle(of: Callable[[Round], float], which: int = 0) -> float:
        return statistics.median(of(pair[which]) for pair in pairs)

    more = {
        "rival": f"{measured.rival} p50",
        "rival_figure": middle(lambda one: one.p50, 1),
        "ratio": median_ratio((their.p50, our.p50) for our, their in pairs),
        "detail": f"p99 {middle(lambda one: one.p99):.2f} ms, {middle(lambda one: one.per_second):,.0f}/s, "
        f"server CPU {middle(lambda one: one.cpu_us):,.0f} us each, p50 of rounds "
        + " ".join(f"{one.p50:.2f}" for one in ours),
    }
    p50 = middle(lambda one: one.p50)
    if measured.bar is None:
        report.add(measured.name, p50, "ms", **more)
    else:
        report.add(measured.name, p50, "ms", bar="single-digit", reached=p50 <= measured.bar, **more)
    print(f"{measured.name}: p50 {p50:.2f} ms, {more['detail']}", flush=True)


def counted(server: Tocsin, measured: Measured) -> Round:
    """A round against our server; what it says was acknowledged must be in the database, and over."""
    before = stored(server)
    one = measured.ours()
    found = stored(server) - before
    wanted = one.answered if measured.each == 1 else one.answered // 2 + CLIENTS
    if found != wanted:
        raise SystemExit(f"{measured.name}: {wanted:,} runs were acknowledged and {found:,} are stored")
    with sqlite3.connect(f"file:{server.database}?mode=ro", uri=True) as connection:
        (left,) = connection.execute("SELECT count(*) FROM check_ins WHERE end_time IS NULL").fetchone()
    connection.close()
    if left:
        raise SystemExit(f"{measured.name}: {left:,} runs are open")
    return one


if __name__ == "__main__":
    main()
