"""Ten thousand monitors by one bulk PUT, then a thousand telemetry events a second for thirty seconds.

Method: a real `tocsin serve` on SQLite with synchronous=FULL; one request of Cronitor's Monitor API with all monitors,
half jobs and half heartbeats; then `load.py` at an even rate on 64 connections. Events are the starts and ends of
runs: each end follows its start, by its series, two seconds later, so that some two thousand runs are open all the
time. Each answer means that the event is stored; afterwards every run is in the database once, ended and with its
start, or the program fails. Beside it, for as long and at the same rate, the native ping: what an event costs more.
"""

import json
import sqlite3
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from bench_ingest import Round, Way, ping, run
from common import Report, Tocsin

CONNECTIONS = 64
OPEN_S = 2  # between the start of a run and its end
SLACK_S = 5  # for the last events, when the load is late
PUT_S = 10.0  # how long the client waits for its bulk PUT by itself


def main() -> None:
    report = Report(__doc__)
    report.parser.add_argument("--monitors", type=int, default=10_000)
    report.parser.add_argument("--rate", type=int, default=1_000, help="events a second")
    report.parser.add_argument("--seconds", type=int, default=30)
    options = report.parse()
    monitors, seconds = (1_000, 5) if options.quick else (options.monitors, options.seconds)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = Tocsin(folder)
        stack.callback(server.stop)
        took = put(server, monitors)
        report.at_most(f"bulk PUT of {monitors:,} monitors", took, "s", bar=PUT_S)
        measure(report, server, monitors, options.rate, seconds)
    report.end()


def put(server: Tocsin, monitors: int) -> float:
    """Seconds until all of them are stored and shown."""
    attributes = [
        {"key": f"bench-{number}", "type": "heartbeat" if number % 2 else "job", "schedule": "every 12 hours"}
        for number in range(monitors)
    ]
    request = urllib.request.Request(f"{server.http_url}/api/monitors", json.dumps(attributes).encode(), method="PUT")
    request.add_header("Authorization", f"Bearer {server.keys['admin_key']}")
    request.add_header("Content-Type", "application/json")
    begin = time.perf_counter()
    with urllib.request.urlopen(request, timeout=600) as answer:
        shown = json.loads(answer.read())
    took = time.perf_counter() - begin
    if len(shown) != monitors:
        raise SystemExit(f"{monitors:,} monitors were put and {len(shown):,} are shown")
    return took


def measure(report: Report, server: Tocsin, monitors: int, rate: int, seconds: int) -> None:
    count = rate * seconds
    events = list(telemetry(server, monitors, count, OPEN_S * rate))
    ours = paced(server, "telemetry", events, rate, seconds)
    if ours.answered != count:
        raise SystemExit(f"{count:,} events were to be sent and {ours.answered:,} were answered")
    check(server, count // 2)
    pings = [ping(server, number % monitors) for number in range(count)]
    theirs = paced(server, "native", pings, rate, seconds)
    told = (("p50", "ms"), ("p99", "ms"), ("cpu_us", "us each"))
    report.add(f"telemetry, {rate:,}/s for {seconds} s", ours.per_second, "/s", detail=f"{count:,} events, none lost")
    for what, unit in told:
        name = "server CPU" if what == "cpu_us" else what
        mine, native = getattr(ours, what), getattr(theirs, what)
        report.add(f"  {name}", mine, unit, rival="native ping", rival_figure=native, ratio=native / mine)


def paced(server: Tocsin, name: str, requests: list[bytes], rate: int, seconds: int) -> Round:
    work = {"requests": requests, "once": True}
    way = Way(name, "http", work, CONNECTIONS, rate=float(rate))
    return run(server, f"127.0.0.1:{server.http_port}", way, seconds + SLACK_S, 1)


def telemetry(server: Tocsin, monitors: int, count: int, apart: int) -> Iterator[bytes]:
    """Starts and their ends in turn, an end so many events behind its start. Heartbeats have no runs: jobs alone."""
    jobs = [number for number in range(monitors) if not number % 2]
    lag, runs = apart // 2, count // 2
    order = [(number, "run") for number in range(lag)]
    for number in range(lag, runs):
        order += [(number, "run"), (number - lag, "complete&metric=count:3")]
    order += [(number, "complete&metric=count:3") for number in range(runs - lag, runs)]
    for number, state in order:
        place = f"/p/{server.keys['ingest_key']}/bench-{jobs[number % len(jobs)]}"
        query = f"state={state}&series=s-{number}&host=web-1"
        yield f"GET {place}?{query} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: cronitor-python\r\n\r\n".encode()


def check(server: Tocsin, runs: int) -> None:
    """Every run is stored once, ended well, and knows when it began."""
    query = (
        "SELECT count(*), count(DISTINCT json_extract(detail, '$.series')), sum(state = 1 AND start_time < end_time)"
    )
    with closing(sqlite3.connect(f"file:{server.database}?mode=ro", uri=True)) as connection:
        found = connection.execute(f"{query} FROM check_ins").fetchone()
    if found != (runs, runs, runs):
        raise SystemExit(f"{runs:,} runs were acknowledged; stored, different, whole: {found}")


if __name__ == "__main__":
    main()
