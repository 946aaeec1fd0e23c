"""What the benchmark programs share: options, rows of results, a table, processes and their CPU time."""

import argparse
import json
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import psycopg

HERE = Path(__file__).parent
READY_S = 300.0


@dataclass(frozen=True)
class Row:
    """One figure. `ratio` is ours to the rival's, and above 1 always means that ours is the better one.

    `bar` is what the figure has to reach, in words, and `reached` whether it did.
    """

    what: str
    figure: float
    unit: str
    rival: str = ""
    rival_figure: float | None = None
    ratio: float | None = None
    detail: str = ""
    bar: str = ""
    reached: bool | None = None


class Report:
    """Rows of one program: printed at the end, and written where `run.py` finds them."""

    def __init__(self, document: str) -> None:
        parser = argparse.ArgumentParser(
            description=document, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
        )
        parser.add_argument("--quick", action="store_true", help="small sizes and few rounds: seconds, not minutes")
        parser.add_argument("--json", metavar="FILE", help="write the rows here too")
        self.parser = parser
        self.rows: list[Row] = []
        self.options = argparse.Namespace()

    def parse(self) -> argparse.Namespace:
        self.options = self.parser.parse_args()
        return self.options

    def add(self, what: str, figure: float, unit: str, **more: Any) -> None:
        self.rows.append(Row(what, figure, unit, **more))

    def at_least(self, what: str, figure: float, unit: str, *, bar: float, absolute: bool = False, **more: Any) -> None:
        """A row whose ratio, or whose figure where it has no rival or it is `absolute`, must not be below the bar."""
        self.add(what, figure, unit, **more)
        ratio = None if absolute else self.rows[-1].ratio
        self._judge("at least", bar, ratio=ratio, reached=lambda value: value >= bar)

    def at_most(self, what: str, figure: float, unit: str, *, bar: float, **more: Any) -> None:
        """A row whose figure must not be above the bar."""
        self.add(what, figure, unit, **more)
        self._judge("at most", bar, ratio=None, reached=lambda value: value <= bar)

    def _judge(self, words: str, bar: float, *, ratio: float | None, reached: Callable[[float], bool]) -> None:
        row = self.rows[-1]
        text = f"{words} {number(bar)}{'x' if ratio is not None else ' ' + row.unit}"
        self.rows[-1] = replace(row, bar=text, reached=reached(row.figure if ratio is None else ratio))

    def end(self, *, show: bool = True) -> None:
        if show:
            print(table(self.rows))
        if self.options.json:
            Path(self.options.json).write_text(json.dumps([asdict(row) for row in self.rows]))


def table(rows: Iterable[Row]) -> str:
    rows = list(rows)
    head = ("what", "figure", "rival", "ratio", "bar" if any(row.bar for row in rows) else "", "")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place in (1, 3) else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    rival = f"{row.rival} {number(row.rival_figure)}" if row.rival_figure is not None else row.rival
    ratio = f"{number(row.ratio)}x" if row.ratio is not None else ""
    bar = row.bar and f"{row.bar}: {'reached' if row.reached else 'MISSED'}"
    return row.what, f"{number(row.figure)} {row.unit}", rival, ratio, bar, row.detail


def number(value: float) -> str:
    """Three digits or so: 1,234,000; 12.3; 0.0123."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def median_ratio(pairs: Iterable[tuple[float, float]]) -> float:
    """The median of the rounds' own ratios: what the machine did to one round it did to both."""
    return statistics.median(above / below for above, below in pairs)


def percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


# --- processes


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Process:
    """A process in measurement: its CPU time and its memory."""

    def __init__(self, command: Sequence[str], log: Path | None = None, **environment: str) -> None:
        self._log = log.open("ab") if log else None
        self.child = subprocess.Popen(
            [sys.executable, *command],
            stdout=self._log or subprocess.DEVNULL,
            stderr=self._log or None,
            env={**os.environ, **environment},
        )
        self._seen = psutil.Process(self.child.pid)

    def cpu(self) -> float:
        """Seconds of user and system time so far, all threads."""
        times = self._seen.cpu_times()
        return times.user + times.system

    def rss(self) -> int:
        return self._seen.memory_info().rss

    def wait_for(self, url: str) -> None:
        """Until it answers 200."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                raise SystemExit(f"the process ended with {self.child.returncode}")
            try:
                with urllib.request.urlopen(url, timeout=READY_S) as answer:
                    if answer.status == 200:
                        return
            except (OSError, urllib.error.HTTPError):
                time.sleep(0.02)
        raise SystemExit(f"{url} did not answer")

    def stop(self) -> None:
        self.child.terminate()
        try:
            self.child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        if self._log:
            self._log.close()


class Tocsin(Process):
    """`tocsin serve` on a folder and free ports, ready."""

    def __init__(self, folder: Path, store: str = "", **environment: str) -> None:
        """`store`: the URL of a PostgreSQL database; else SQLite in the folder."""
        self.data = folder / "data"
        self.store = store
        self.http_port, self.grpc_port = free_port(), free_port()
        arguments = ("--data", str(self.data), "--http", f"127.0.0.1:{self.http_port}")
        if store:
            arguments = (*arguments, "--store", store)
        super().__init__(
            ("-m", "tocsin", "serve", *arguments, "--grpc", self.grpc_address),
            folder / "server.log",
            TOCSIN_CONFIG="",
            **environment,
        )
        self.wait_for(f"{self.http_url}/readyz")
        self.keys: dict[str, Any] = json.loads((self.data / "credentials.json").read_text())

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def grpc_address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def database(self) -> Path:
        return self.data / "tocsin.db"

    def count(self, query: str) -> int:
        """What a query answers that counts something, as any other process sees the database."""
        if self.store:
            with psycopg.connect(self.store) as connection:
                (found,) = connection.execute(query).fetchone() or (0,)
        else:
            with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
                (found,) = connection.execute(query).fetchone()
        return int(found)

    def get(self, path: str) -> bytes:
        request = urllib.request.Request(f"{self.http_url}{path}")
        request.add_header("Authorization", f"Bearer {self.keys['admin_key']}")
        with urllib.request.urlopen(request, timeout=READY_S) as answer:
            return bytes(answer.read())


@contextmanager
def postgresql() -> Iterator[Any]:
    """A real PostgreSQL with fsync and all else as it comes; see tests/support/postgresql.py."""
    sys.path.insert(0, str(HERE.parent / "tests"))
    from support.postgresql import Postgres

    server = Postgres(settings=("max_wal_size=4GB", "shared_buffers=512MB"))
    server.start()
    try:
        yield server
    finally:
        server.close()
