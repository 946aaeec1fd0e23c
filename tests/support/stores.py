"""Stores for tests: migrated and empty, copied from a file that was migrated once."""

import functools
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import psycopg
from sqlalchemy import exc

from tocsin._core.filling import unpacked_monitor
from tocsin._core.saved import unpacked
from tocsin.domain import ids
from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.incident import Cause, Incident
from tocsin.domain.monitor import Monitor, Policy
from tocsin.domain.track import Track
from tocsin.engine.delta import Delta
from tocsin.engine.memory import Snapshot
from tocsin.store import SqlStore, migrations


@functools.cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/template.db"
        migrations.upgrade(url)
        return Path(folder, "template.db").read_bytes()


def sqlite_url(folder: Path, name: str = "tocsin.db") -> str:
    """The URL of a new, migrated, empty database inside `folder`."""
    path = folder / name
    path.write_bytes(_template())
    return f"sqlite:///{path}"


def open_sqlite(folder: Path, *, busy_timeout_ms: int = 5_000) -> SqlStore:
    """A store on a new database inside `folder`; the caller closes it."""
    return SqlStore(sqlite_url(folder), busy_timeout_ms=busy_timeout_ms)


def unnumbered(refusals: list[CheckInRefused]) -> list[CheckInRefused]:
    """Without the numbers that the store gave."""
    return [msgspec.structs.replace(refusal, number=0) for refusal in refusals]


# Each database that must pass the conformance suite.
BACKENDS = ("sqlite", "postgresql")
# What breaks a constraint raises the driver's own error, or SQLAlchemy's around it.
INTEGRITY_ERRORS = (sqlite3.IntegrityError, psycopg.IntegrityError, exc.IntegrityError)


# --- rows

NOW = 1_800_000_000_000


def monitor(number: int, **fields) -> Monitor:
    """Monitor m-<number> of project 1, unless told otherwise."""
    defaults = {"project": 1, "id": f"m-{number}", "uid": f"{number:032x}", "create_time": NOW, "update_time": NOW}
    return Monitor(number=number, **{**defaults, **fields})


def track(number: int, monitor: int, environment: int = 1, **fields) -> Track:
    return Track(number, monitor, environment, 0, **fields)


def check_in(number: int, of: Track, state: State = State.OK, **fields) -> CheckIn:
    """A check-in of `of` in environment "production", received when its number says; give `id` for one that a client chose."""
    at = ids.instant_of(number)
    chosen = {"client_chosen": True} if "id" in fields else {"id": ids.public_id(number)}
    defaults = {
        "project": 1,
        "monitor_id": f"m-{of.monitor}",
        "environment": "production",
        "receive_time": at,
        "update_time": at,
    }
    return CheckIn(number=number, monitor=of.monitor, track=of.number, state=state, **{**defaults, **chosen, **fields})


def incident(number: int, of: Track, **fields) -> Incident:
    defaults = {
        "project": 1,
        "monitor_id": f"m-{of.monitor}",
        "environment": "production",
        "cause": Cause.ERROR,
        "open_time": NOW,
    }
    made = {**defaults, **fields}
    if made.get("resolve_time") is None:
        made.setdefault("causes", (made["cause"].value,))
    return Incident(number=number, monitor=of.monitor, track=of.number, **made)


def delta(*rows: object, clock: int = NOW, **fields) -> Delta:
    """A delta of these rows; each check-in counts as new. Monitors have policy 1."""
    made = Delta(clock=clock, **fields)
    for row in rows:
        match row:
            case Monitor():
                made.monitors[row.number] = (row, 1)
            case Track():
                made.tracks[row.number] = row
            case CheckIn():
                made.check_ins[row.number] = row
                made.new_check_ins.add(row.number)
            case Incident():
                made.incidents[row.number] = row
    return made


def with_monitors(store: SqlStore, *monitors: Monitor) -> None:
    """Own the partition and commit these monitors, each with a track of its own number in "production"."""
    drain(store.load())
    tracks = [track(monitor.number, monitor.number) for monitor in monitors]
    first = delta(*monitors, *tracks, policies={1: Policy()}, environments={1: "production", 2: "staging"})
    commit(store, first)


def commit(store: SqlStore, made: Delta) -> None:
    """At the next position."""
    store.commit(made, store.position() + 1)


def drain(snapshot: Snapshot) -> dict[str, list]:
    """All rows of the streams; those of tracks without the newest check-in that they contain."""
    streams = ("monitors", "tracks", "open_runs", "open_incidents")
    rows = {name: [row for chunk in getattr(snapshot, name) for row in chunk] for name in streams}
    list(snapshot.after)
    tracks = [unpacked(row[0])[0] if len(row) == 1 else row[:-1] for row in rows["tracks"] if row != (None,)]
    monitors = [_monitor_row(row[0]) if len(row) == 1 else row for row in rows["monitors"] if row != (None,)]
    return {**rows, "monitors": sorted(monitors), "tracks": sorted(tracks)}


def _monitor_row(data: bytes) -> tuple:
    number, project, policy, flags, paused, muted, name = unpacked_monitor(data)
    return number, project, name, policy, flags & 1, flags >> 1, paused or None, muted or None


def check_in_number(index: int, at: int = NOW) -> int:
    return ids.check_in_number(at, index)


def count(store, table: str) -> int:
    with store.database.read() as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()


def read_pages(read) -> list:
    """All rows of all pages; `read` takes a token."""
    rows, token = [], ""
    while True:
        page = read(token)
        rows += page.rows
        token = page.next_token
        if not token:
            return rows


# --- other processes


def environment() -> dict[str, str]:
    """For a child that imports what this process can."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def run(script: str, *arguments: str) -> str:
    """The output of a script in another process."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
