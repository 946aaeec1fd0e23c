"""Pings of Checkly's ping URL beside native ones, and scrapes of its Prometheus endpoint at the size of a fleet.

Method: a real `tocsin serve` on SQLite with synchronous=FULL; checks made through Checkly's API, whose ids the native
pings name and whose tokens the others do. Rounds of both in turn, by `load.py`: as fast as they are answered on 64
connections, and at an even rate. Each answer means that the ping is stored; afterwards all are in the database, or the
program fails. Then a fleet of native heartbeats beside them, scraped whole while pings go on at that rate: how long it
takes, how large it is, and what it costs the pings.
"""

import itertools
import json
import statistics
import tempfile
import threading
import time
import urllib.request
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench_ingest import Round, Way, run, stored
from common import Report, Tocsin, median_ratio

CONNECTIONS = 64
BATCH = 1_000
AGENT = "User-Agent: curl/8.5.0"


def main() -> None:
    report = Report(__doc__)
    report.parser.add_argument("--checks", type=int, default=2_000, help="that are pinged")
    report.parser.add_argument("--fleet", type=int, default=100_000, help="that are scraped")
    report.parser.add_argument("--rate", type=int, default=500, help="pings a second of the rounds at an even rate")
    report.parser.add_argument("--seconds", type=float, default=5.0, help="of a round")
    report.parser.add_argument("--rounds", type=int, default=3)
    options = report.parse()
    checks, fleet, seconds = options.checks, options.fleet, options.seconds
    if options.quick:
        checks, fleet, seconds = 200, 1_000, 1.0
    with ExitStack() as stack:
        server = Tocsin(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.callback(server.stop)
        tokens = make_checks(server, checks)
        ours = [f"GET /ping/{token} HTTP/1.1\r\nHost: localhost\r\n{AGENT}\r\n\r\n".encode() for token in tokens]
        key = server.keys["ingest_key"]
        native = [
            f"GET /report/bench-{number} HTTP/1.1\r\nHost: localhost\r\n{AGENT}\r\nAuthorization: Bearer {key}\r\n\r\n"
            for number in range(checks)
        ]
        theirs = [request.encode() for request in native]
        sent = compare(report, server, ours, theirs, 0.0, seconds, options.rounds)
        sent += compare(report, server, ours, theirs, float(options.rate), seconds, options.rounds)
        if (found := stored(server)) != sent:
            raise SystemExit(f"{sent:,} pings were answered and {found:,} are stored")
        scrape(report, server, ours, fleet, float(options.rate))
    report.end()


def make_checks(server: Tocsin, count: int) -> list[str]:
    """Their tokens."""
    tokens = []
    for number in range(count):
        body = {
            "name": f"bench-{number}",
            "tags": ["team:bench", "nightly"],
            "heartbeat": {"period": 12, "periodUnit": "hours", "grace": 1, "graceUnit": "hours"},
        }
        made = call(server, "POST", "/v1/checks/heartbeat?autoAssignAlerts=false", body)
        tokens.append(made["heartbeat"]["pingToken"])
    return tokens


def call(server: Tocsin, method: str, path: str, body: Any) -> Any:
    request = urllib.request.Request(f"{server.http_url}{path}", json.dumps(body).encode(), method=method)
    request.add_header("Authorization", f"Bearer {server.keys['admin_key']}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.loads(answer.read())


def compare(
    report: Report, server: Tocsin, ours: list[bytes], theirs: list[bytes], rate: float, seconds: float, rounds: int
) -> int:
    """How many were answered."""
    found: dict[str, list[Round]] = {"checkly": [], "native": []}
    for turn in range(rounds):
        order = (("checkly", ours), ("native", theirs))
        for name, requests in order if turn % 2 else reversed(order):
            way = Way(name, "http", {"requests": requests, "once": False}, CONNECTIONS, rate=rate)
            found[name].append(run(server, f"127.0.0.1:{server.http_port}", way, seconds, 1))
    title = f"ping at {rate:,.0f}/s" if rate else f"ping, {CONNECTIONS} connections"
    for what, unit in (("per_second", "/s"), ("p50", "ms"), ("p99", "ms"), ("cpu_us", "us CPU each")):
        mine, native = ([getattr(one, what) for one in found[name]] for name in ("checkly", "native"))
        pairs = zip(mine, native, strict=True) if what == "per_second" else zip(native, mine, strict=True)
        report.add(
            f"{title}: {what}", statistics.median(mine), unit,
            rival="native", rival_figure=statistics.median(native), ratio=median_ratio(pairs),
        )  # fmt: skip
    return sum(one.answered for one in itertools.chain(*found.values()))


def scrape(report: Report, server: Tocsin, pings: list[bytes], fleet: int, rate: float) -> None:
    monitor = {"schedules": [{"rolling": {"period": "43200s"}}], "tags": ["team:fleet"], "kind": "KIND_HEARTBEAT"}
    for start in range(0, fleet, BATCH):
        parts = [
            {"monitor": {**monitor, "name": f"projects/-/monitors/fleet-{number}"}, "allowMissing": True}
            for number in range(start, min(start + BATCH, fleet))
        ]
        call(server, "POST", "/v1/projects/-/monitors:batchUpdate", {"requests": parts})
    one_scrape(server)  # the caches of the database are warm from here on
    before, begin = server.cpu(), time.perf_counter()
    packed, plain = one_scrape(server)
    took, used = time.perf_counter() - begin, server.cpu() - before
    report.add(f"scrape of {fleet:,} checks", took, "s", detail=f"{plain / 1e6:.0f} MB, {packed / 1e6:.1f} packed")
    report.add("  server CPU", used, "s")
    report.add("  memory of the server then", server.rss() / 2**20, "MiB")
    way = Way("checkly", "http", {"requests": pings, "once": False}, CONNECTIONS, rate=rate)
    length = max(took * 2, 1.0)
    alone = run(server, f"127.0.0.1:{server.http_port}", way, length, 1)
    over = threading.Event()

    def keep_scraping() -> None:
        while not over.is_set():
            one_scrape(server)

    scraper = threading.Thread(target=keep_scraping)
    scraper.start()
    beside = run(server, f"127.0.0.1:{server.http_port}", way, length, 1)
    over.set()
    scraper.join()
    for what in ("p50", "p99"):
        report.add(
            f"ping at {rate:,.0f}/s while scraped: {what}", getattr(beside, what), "ms",
            rival="not scraped", rival_figure=getattr(alone, what), ratio=getattr(alone, what) / getattr(beside, what),
        )  # fmt: skip


def one_scrape(server: Tocsin) -> tuple[int, int]:
    """Bytes on the wire, and unpacked."""
    path = f"/accounts/{server.keys['account_id']}/v2/prometheus/metrics"
    request = urllib.request.Request(f"{server.http_url}{path}")
    request.add_header("Authorization", f"Bearer {server.keys['admin_key']}")
    request.add_header("Accept-Encoding", "gzip")
    packed = plain = 0
    unpacker = zlib.decompressobj(wbits=31)
    with urllib.request.urlopen(request, timeout=600) as answer:
        while piece := answer.read(2**20):
            packed += len(piece)
            plain += len(unpacker.decompress(piece))
    return packed, plain


if __name__ == "__main__":
    main()
