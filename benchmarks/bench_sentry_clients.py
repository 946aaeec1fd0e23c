"""Sixteen programs with an unmodified sentry-sdk at once: how long each waits until its check-in is acknowledged.

Method: a real `tocsin serve`, and sixteen processes (`sentry_client.py`) that open and close runs of a monitor each,
one check-in on its way at a time, with whatever compression the SDK chooses. The latency is that of the HTTP request in
the client. Twice: at a paced rate, which leaves the machine room, and as fast as they are answered, which does not: the
SDK's own work for a check-in, in sixteen processes, then takes most of the machine.

In the same run, at the same concurrency and rate: the native ways in, which are gRPC unary and the HTTP ping, and the
very bytes of the SDK sent by `load.py`, which costs next to nothing and so shows the server. The rival of each is an
empty server (`rivals.py`) asked by the same clients: what the client, its framework and the machine cost alone.

Figures are medians of the rounds' p50 and p99, ratios the medians of the rounds' own. Durable each time, and counted:
after each round the runs are in the database, closed, as many as were acknowledged.
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
from functools import partial
from pathlib import Path

from bench_ingest import SERVICE, Round, SentryBytes, Way, check_in, create_monitors, ping, run, start_rival, stored
from common import HERE, Process, Report, Tocsin, median_ratio, percentile

CLIENTS = 16
MONITORS = 1_000
BAR_MS = 9.99  # single-digit milliseconds at the median


@dataclass
class Measured:
    """One way in at one rate: what a round of it is, against us and against the empty server."""

    name: str
    rival: str
    ours: Callable[[], Round]
    theirs: Callable[[], Round]
    each: int = 1  # check-ins for a run
    barred: bool = False


def main() -> None:
    report = Report(__doc__)
    report.parser.add_argument("--rate", type=float, default=160.0, help="check-ins a second of all clients together")
    report.parser.add_argument("--rounds", type=int, default=3)
    report.parser.add_argument("--seconds", type=float, default=4.0, help="of one round")
    report.parser.add_argument("--only", metavar="TEXT", default="", help="only what has this in its name")
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
        for measured in everything(server, rivals, stack, options.rate, seconds):
            if options.only in measured.name:
                measure(report, server, measured, rounds)
    report.end()


def everything(
    server: Tocsin, rivals: dict[str, tuple[Process, str]], stack: ExitStack, paced: float, seconds: float
) -> Iterator[Measured]:
    at = f"127.0.0.1:{server.http_port}"
    key, project = server.keys["ingest_key"], server.keys["project_id"]
    (grpc, grpc_at), (http, http_at) = rivals["grpc"], rivals["http"]
    ours = Clients(server, f"http://{key}@{at}/{project}", stack)
    theirs = Clients(http, f"http://{key}@{http_at}/{project}", stack)
    for one in (ours, theirs):
        one.round(0.0, 1.0)  # warms the servers, counts for nothing
    sdk = SentryBytes(server)
    pings = [ping(server, number) for number in range(MONITORS)]
    unary = {
        "method": f"{SERVICE}CreateCheckIn",
        "metadata": (("authorization", f"Bearer {key}"),),
        "requests": [
            check_in(f"projects/{project}/monitors/bench-{number}").SerializeToString() for number in range(MONITORS)
        ],
    }
    for rate in (paced, 0.0):
        pace = f"{rate:g}/s" if rate else "full speed"
        yield Measured(
            f"{CLIENTS} Sentry SDKs, {pace}",
            "empty uvicorn",
            partial(ours.round, rate, seconds),
            partial(theirs.round, rate, seconds),
            each=2,
            barred=bool(rate),
        )
        envelopes = int((rate or 3_000) * seconds * 1.2)
        same = Way(
            "the SDK's bytes",
            "http",
            {"requests": [], "once": True},
            CLIENTS,
            fresh=partial(sdk.requests, envelopes, CLIENTS),
            rate=rate,
        )
        native = Way("native: gRPC unary", "unary", unary, CLIENTS, rate=rate)
        gets = Way("native: HTTP ping", "http", {"requests": pings, "once": False}, CLIENTS, rate=rate)
        for way, our_address, rival, process, address in (
            (same, at, "empty uvicorn", http, http_at),
            (native, server.grpc_address, "empty grpc.aio", grpc, grpc_at),
            (gets, at, "empty uvicorn", http, http_at),
        ):
            yield Measured(
                f"  {way.name}, {pace}",
                rival,
                partial(load, server, our_address, way, seconds),
                partial(load, process, address, way, seconds),
            )


def load(process: Process, address: str, way: Way, seconds: float) -> Round:
    if way.fresh:
        way.work["requests"] = way.fresh()
    return run(process, address, way, seconds, 1)


class Clients:
    """Sixteen programs that report to one server."""

    def __init__(self, process: Process, dsn: str, stack: ExitStack) -> None:
        self._process = process
        self._started = []
        for number in range(CLIENTS):
            command = [sys.executable, str(HERE / "sentry_client.py"), dsn, "--number", str(number)]
            one = subprocess.Popen(
                [*command, "--of", str(CLIENTS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            stack.callback(one.wait)
            stack.callback(one.kill)
            self._started.append(one)
        if any(self._line(one) != "ready\n" for one in self._started):
            raise SystemExit("a client could not start")

    def round(self, rate: float, seconds: float) -> Round:
        before = self._process.cpu()
        for one in self._started:
            assert one.stdin
            one.stdin.write(f"{rate} {seconds}\n")
            one.stdin.flush()
        told = [json.loads(self._line(one)) for one in self._started]
        used = self._process.cpu() - before
        if any(one["refused"] for one in told):
            raise SystemExit("a check-in was refused")
        latencies = sorted(latency for one in told for latency in one["latencies"])
        per_second = sum(len(one["latencies"]) / one["seconds"] for one in told)
        count = len(latencies)
        p50, p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
        return Round(per_second, p50, p99, used / count * 1e6, count)

    def _line(self, one: "subprocess.Popen[str]") -> str:
        assert one.stdout
        return one.stdout.readline()


def measure(report: Report, server: Tocsin, measured: Measured, rounds: int) -> None:
    pairs = [(counted(server, measured), measured.theirs()) for _ in range(rounds)]
    ours = [our for our, _ in pairs]

    def middle(what: str, which: int = 0) -> float:
        return statistics.median(getattr(pair[which], what) for pair in pairs)

    p50 = middle("p50")
    detail = f"p99 {middle('p99'):.1f} ms, {middle('per_second'):,.0f}/s, server CPU {middle('cpu_us'):,.0f} us each"
    report.add(
        measured.name,
        p50,
        "ms p50",
        rival=f"{measured.rival} p50",
        rival_figure=middle("p50", 1),
        ratio=median_ratio((their.p50, our.p50) for our, their in pairs),
        detail=f"{detail}; rounds {', '.join(f'{one.p50:.1f}' for one in ours)}",
        bar="single-digit" if measured.barred else "",
        reached=p50 <= BAR_MS if measured.barred else None,
    )
    print(f"{measured.name}: p50 {p50:.2f} ms, {detail}", flush=True)


def counted(server: Tocsin, measured: Measured) -> Round:
    """A round against our server; what it says was acknowledged must be in the database, and over."""
    before = stored(server)
    one = measured.ours()
    found, wanted = stored(server) - before, one.answered // measured.each
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
