"""A long run at half of what the server can: does memory stay flat, and does latency?

    python benchmarks/soak.py [--minutes 20] [--monitors 100000] [--store URL]

Method: a real `tocsin serve`, and three loads at once (`load.py`): gRPC batches of 1,000, unary gRPC calls and HTTP
pings. First each goes as fast as it is answered for ten seconds; then all go at once, each at its share of half of what
it reached alone, for the given time. Each minute a line: p50 and p99 of each way in, resident memory, size of the
database. The end compares the second and the last quarter: medians of p99, and memory. Nothing is refused, or the
program fails. All acknowledged check-ins are counted in the database at the end.
"""

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench_ingest import BATCH, Round, Way, create_monitors, run, ways
from common import Tocsin, number

SHARES = {
    "gRPC batch": 0.5,
    "gRPC unary": 0.2,
    "HTTP ping": 0.2,
}  # of what each reaches alone, kept in all below a half
FLAT = 1.25  # the last quarter may be so much above the second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--monitors", type=int, default=100_000)
    parser.add_argument("--step", type=float, default=60.0, help="seconds between two lines")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        server = Tocsin(Path(name))
        try:
            create_monitors(server, options.monitors)
            acknowledged = soak(server, options)
        finally:
            server.stop()
        with sqlite3.connect(f"file:{server.database}?mode=ro", uri=True) as connection:
            (stored,) = connection.execute("SELECT count(*) FROM check_ins").fetchone()
        connection.close()
    print(f"{acknowledged:,} acknowledged, {stored:,} stored")
    if stored != acknowledged:
        raise SystemExit("what was acknowledged is not what is stored")


def soak(server: Tocsin, options: argparse.Namespace) -> int:
    chosen = {
        "gRPC batch": "gRPC batch of 1,000, 4 in flight",
        "gRPC unary": "gRPC unary, 32 in flight",
        "HTTP ping": "HTTP ping, 64 connections",
    }
    by_name = {way.name: way for way in ways(server, options.monitors, 1)}
    loads = {short: by_name[long] for short, long in chosen.items()}
    acknowledged = 0
    for short, way in loads.items():
        found = go(server, way, 10.0)
        acknowledged += found.answered * way.each
        way.rate = found.per_second / way.each * SHARES[short] / 2
        print(f"{short}: {number(found.per_second)} check-ins/s alone; now {number(way.rate * way.each)}/s", flush=True)
    lines = []
    end = time.monotonic() + options.minutes * 60
    while time.monotonic() < end:
        with ThreadPoolExecutor(len(loads)) as pool:
            told = dict(zip(loads, pool.map(lambda way: go(server, way, options.step), loads.values()), strict=True))
        acknowledged += sum(found.answered * loads[short].each for short, found in told.items())
        line = {
            "rss": server.rss() / 2**20,
            "disk": sum(part.stat().st_size for part in server.data.glob("tocsin.db*")) / 2**20,
            **{short: (found.p50, found.p99) for short, found in told.items()},
            "per_second": sum(found.per_second for found in told.values()),
        }
        lines.append(line)
        print(json.dumps(line), flush=True)
    judge(lines, loads)
    return acknowledged


def go(server: Tocsin, way: Way, seconds: float) -> Round:
    address = server.grpc_address if way.kind != "http" else f"127.0.0.1:{server.http_port}"
    assert way.each in (1, BATCH)
    return run(server, address, way, seconds, way.each)


def judge(lines: list[dict], loads: dict[str, Way]) -> None:
    quarter = max(len(lines) // 4, 1)
    early, late = lines[quarter : 2 * quarter] or lines[:quarter], lines[-quarter:]

    def middle(some: list[dict], of) -> float:
        return statistics.median(of(line) for line in some)

    told = [("memory MiB", lambda line: line["rss"])]
    told += [(f"{short} p99 ms", lambda line, short=short: line[short][1]) for short in loads]
    for what, of in told:
        before, after = middle(early, of), middle(late, of)
        flat = "flat" if after <= before * FLAT else "NOT FLAT"
        print(f"{what}: second quarter {number(before)}, last quarter {number(after)}: {flat}")


if __name__ == "__main__":
    main()
