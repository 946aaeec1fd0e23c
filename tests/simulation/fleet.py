"""A node and its senders on virtual time, with trouble by a seed: the real loop, journal, engine and store.

What is not real: time, and two wrappers. `FaultyStore` hands every call to the real store and now and then refuses it,
kills the process around it, or cannot write one poisoned row. `WatchedEngine` is the real engine that breaks on a marked
report, and checks that judging never passes a request that has arrived.
"""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.engines import T0, compiler
from support.stores import sqlite_url
from support.virtual import VirtualClock, VirtualLoop
from tocsin.domain.check_in import STATE_NUMBERS, Report, ReportKind, State
from tocsin.domain.commands import Entry, PutMonitors, ReportCheckIn
from tocsin.domain.commands import PutMonitor as Put
from tocsin.domain.errors import TocsinError, Unavailable
from tocsin.domain.instant import NEVER
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.receipt import Receipt
from tocsin.domain.schedule import Cron, Interval, Schedule, Unit
from tocsin.engine.delta import Delta
from tocsin.engine.engine import Engine
from tocsin.journal.local import LocalJournal
from tocsin.node.partition import Partition
from tocsin.node.pulse import Pulse
from tocsin.store import SqlStore, StoreTrouble

HOLD_MS = 500
LIMIT = 40  # entries that may wait: small, so that a store in trouble soon overflows it
POISON, HICCUP, UNSTORABLE = "poison", "hiccup", "unstorable"


class Crash(BaseException):
    """The process is no more."""


@dataclass
class Trouble:
    """How often what goes wrong; chances are for each call."""

    refuse: float = 0.0  # a spell of StoreTrouble begins
    crash: float = 0.0  # the process dies around a commit
    spell: tuple[float, float] = (0.1, 3.0)  # seconds


class FaultyStore:
    """The real store, behind calls that may fail."""

    def __init__(self, store: SqlStore, loop: VirtualLoop, chance: random.Random, trouble: Trouble) -> None:
        self._store, self._loop, self._chance, self._trouble = store, loop, chance, trouble
        self._until = 0.0
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def load(self) -> Any:
        self._maybe()
        snapshot = self._store.load()
        snapshot.tracks = self._interrupted(snapshot.tracks)
        return snapshot

    def recall(self, needs: Any) -> Any:
        self._maybe()
        return self._store.recall(needs)

    def alive(self, clock: int) -> None:
        self._maybe()
        self._store.alive(clock)

    def commit(self, delta: Delta, position: int) -> None:
        self._maybe()
        if any(run.message == UNSTORABLE for run in delta.check_ins.values()):
            raise sqlite3.DataError("a row that no database takes")
        self._crash()
        self._store.commit(delta, position)
        self._crash()

    def _interrupted(self, chunks: Iterable[Any]) -> Iterable[Any]:
        """Trouble may come in the middle of reading."""
        for chunk in chunks:
            yield chunk
            self._maybe()

    def _maybe(self) -> None:
        self.calls += 1
        if self._chance.random() < self._trouble.refuse:
            self._until = self._loop.time() + self._chance.uniform(*self._trouble.spell)
        if self._loop.time() < self._until:
            raise StoreTrouble("database is locked")

    def _crash(self) -> None:
        if self._chance.random() < self._trouble.crash:
            raise Crash


class WatchedEngine(Engine):
    """The real engine. Breaks on marked reports; asserts that a tick passes nothing that has arrived."""

    def __init__(self, fleet: "Fleet") -> None:
        super().__init__(compiler())
        self._fleet = fleet

    def step_many(self, entries: Sequence[Entry]) -> list[Receipt]:
        sent = [entry.command.report for entry in entries if isinstance(entry.command, ReportCheckIn)]
        if any(report.message in (POISON, HICCUP) for report in sent):
            return [self.step(entry) for entry in entries]
        self._fleet.stepped.update(report.check_in_id for report in sent)
        return super().step_many(entries)

    def step(self, entry: Entry) -> Receipt:
        command = entry.command
        if isinstance(command, ReportCheckIn):
            identifier, mark = command.report.check_in_id, command.report.message
            if mark == POISON or (mark == HICCUP and identifier not in self._fleet.hiccups):
                self._fleet.hiccups.add(identifier)
                super().step(entry)  # half of the batch is applied when it breaks
                raise RuntimeError("the engine broke")
            self._fleet.stepped.add(identifier)
        return super().step(entry)

    def tick(self, horizon: int, *, limit: int) -> bool:
        now = self._fleet.clock.now()
        for identifier, at in self._fleet.arrived.items():
            held = at > now - HOLD_MS or (identifier in self._fleet.queued and self._fleet.sent[identifier].held)
            if held and identifier not in self._fleet.stepped:
                self._fleet.note(horizon <= max(at, self.clock), f"judged to {horizon}, past one that came at {at}")
        return super().tick(horizon, limit=limit)


@dataclass
class Sent:
    """What a sender knows of one report."""

    monitor: str
    at: int
    held: bool  # queued while the arrival still held the clock
    mark: str = ""
    acknowledged: bool = False
    refused: str = ""


@dataclass
class Job:
    name: str
    schedule: Schedule
    every_s: float
    margin_ms: int
    reliable: float = 1.0  # share of runs that report


JOBS = [
    Job("ten-seconds", Interval(10, Unit.SECOND), 8.0, 3_000),
    Job("half-minute", Interval(30, Unit.SECOND), 25.0, 8_000),
    Job("each-minute", Cron("* * * * *"), 60.0, 20_000),
    Job("five-minutes", Cron("*/5 * * * *"), 300.0, 60_000),
    Job("flaky", Interval(20, Unit.SECOND), 17.0, 2_000, 0.6),
    Job("forgotten", Cron("*/2 * * * *"), 120.0, 5_000, 0.3),
]


class Fleet:
    """One database, one node at a time, and senders that live on while nodes come and go."""

    def __init__(self, loop: VirtualLoop, folder: Path, seed: int, trouble: Trouble) -> None:
        self.loop, self.chance, self.trouble = loop, random.Random(seed), trouble
        self.clock = VirtualClock(loop, T0)
        self.url = sqlite_url(folder)
        self.sent: dict[str, Sent] = {}
        self.arrived: dict[str | None, int] = {}  # open arrivals
        self.queued: set[str | None] = set()  # of these, those that have been appended
        self.stepped: set[str | None] = set()  # since their node began
        self.hiccups: set[str | None] = set()
        self.deaf: list[tuple[int, int]] = []  # what we know of times at which nobody could be heard
        self.crashes = 0
        self.violations: list[str] = []
        self.marks: dict[str, float] = {}  # how often a report carries a mark
        self.node: Node | None = None

    # -- the node's life

    async def boot(self) -> None:
        """Starts a node, and again when it dies on the way."""
        while self.node is None:
            node = Node(self)
            before = node.tracks()
            alive_at = node.alive_at()
            try:
                listening = await node.start()
            except Crash:
                self.crashes += 1
                node.bury()
                continue
            self.node = node
            self._compare(before, node.tracks(), listening if alive_at else NEVER)

    def _compare(self, before: dict[int, Any], after: dict[int, Any], listening: int) -> None:
        """A restart moves no deadline that lies beyond the outage and no slot that had not come yet."""
        for number, (expected, deadline) in before.items():
            if deadline is None or (expected is not None and expected >= listening):
                assert after[number] == (expected, deadline)

    async def die(self, down_s: float) -> None:
        """kill -9, and back after a while."""
        since = self.judged()
        node, self.node = self.node, None
        assert node is not None
        await node.kill()
        self.crashes += 1
        self.arrived.clear(), self.queued.clear(), self.stepped.clear()
        await asyncio.sleep(down_s)
        self.clock.restarted()
        await self.boot()
        assert self.node is not None
        self.deaf.append((since, self.node.listening))

    async def nurse(self) -> None:
        """Brings the node back whenever it has died of itself."""
        while True:
            node = self.node
            if node is not None and node.work.done() and self.node is node:
                error = node.work.exception()
                assert isinstance(error, Crash), error
                await self.die(self.chance.uniform(0.0, 4.0))
            await asyncio.sleep(0.05)

    def note(self, held: bool, said: str) -> None:
        """An invariant inside the loop, which survives exceptions: told at the end."""
        if not held:
            self.violations.append(said)

    def judged(self) -> int:
        """Up to here everything is judged, or may be: a clock that was set back lives through a time twice."""
        clock = self.node.partition.engine.clock if self.node is not None else 0
        return max(self.clock.now(), clock)

    # -- senders

    async def _report(self, monitor: str, mark: str, wait_s: float) -> None:
        node = self.node
        if node is None:
            return  # connection refused
        identifier = f"{len(self.sent):032x}"
        with node.journal.arrival() as at:
            sent = self.sent[identifier] = Sent(monitor, at, wait_s * 1000 < HOLD_MS, mark)
            self.arrived[identifier] = at
            try:
                await asyncio.sleep(wait_s)  # the body is on its way
                if self.node is not node:
                    return
                self.queued.add(identifier)
                receipt = await node.journal.append(at, ReportCheckIn(self._of(monitor, identifier, at, mark)))
                sent.acknowledged = receipt.error is None and receipt.check_in is not None
                sent.refused = receipt.error.reason if receipt.error else ""
            except Unavailable as error:
                sent.refused = error.reason
            finally:
                if self.node is node:
                    self.arrived.pop(identifier, None)
                    self.queued.discard(identifier)

    def _of(self, monitor: str, identifier: str, at: int, mark: str) -> Report:
        return Report(
            project=1,
            monitor_id=monitor,
            kind=ReportKind.OK,
            received=at,
            check_in_id=identifier,
            message=mark,
            retry_safe=True,
        )

    async def sender(self, job: Job) -> None:
        slow = 0.0
        while True:
            await asyncio.sleep(job.every_s * self.chance.uniform(0.8, 1.2) - slow)
            if self.chance.random() > job.reliable:
                continue
            mark = next((mark for mark, share in self.marks.items() if self.chance.random() < share), "")
            slow = self.chance.choice((0.0, 0.0, 0.0, 0.01, 0.3, 2.0))
            await self._report(job.name, mark, slow)

    async def burst(self, count: int) -> None:
        await asyncio.gather(*(self._report("burst", "", 0.0) for _ in range(count)))

    # -- what is true in the end

    def verify(self) -> dict[str, int]:
        assert not self.violations, self.violations[:3]
        store = sqlite3.connect(self.url.removeprefix("sqlite:///"))
        names = dict(store.execute("SELECT number, id FROM monitors"))
        rows = store.execute(
            "SELECT track, state, expected_time, update_time, monitor, client_id FROM check_ins"
        ).fetchall()
        outages = store.execute("SELECT start_time, end_time FROM outages").fetchall()
        aside = store.execute("SELECT count(*) FROM refusals WHERE reason = 'INTERNAL'").fetchone()[0]
        store.close()
        self._nothing_lost_or_doubled([row[5] for row in rows if row[5]])
        missed = [row for row in rows if row[1] == STATE_NUMBERS[State.MISSED]]
        unknown = [row for row in rows if row[1] == STATE_NUMBERS[State.UNKNOWN]]
        slots = [(row[0], row[2]) for row in missed + unknown]
        assert len(slots) == len(set(slots)), "a slot was judged twice"
        for row in missed:
            self._no_invention(names[row[4]], row[2], row[3], outages)
        return {
            "acknowledged": sum(sent.acknowledged for sent in self.sent.values()),
            "refused": sum(bool(sent.refused) for sent in self.sent.values()),
            "missed": len(missed),
            "unknown": len(unknown),
            "crashes": self.crashes,
            "outages": len(outages),
            "set aside": aside,
        }

    def _nothing_lost_or_doubled(self, stored: list[bytes | str]) -> None:
        found = [text.hex() if isinstance(text, bytes) else text for text in stored]
        assert len(found) == len(set(found)), "a check-in is stored twice"
        lost = {identifier for identifier, sent in self.sent.items() if sent.acknowledged} - set(found)
        assert not lost, f"{len(lost)} acknowledged check-ins are lost"

    def _no_invention(self, monitor: str, slot: int, deadline: int, outages: list[tuple[int, int]]) -> None:
        for since, until in [*outages, *self.deaf]:
            assert not (since < until and since < deadline and slot < until), (
                f"{monitor}: the slot {slot} was called missed at {deadline} although nobody listened from {since} to {until}"
            )
        for sent in self.sent.values():
            heard = sent.acknowledged and sent.held and slot <= sent.at < deadline
            turned_away = sent.refused == "QUEUE_FULL" and slot <= sent.at < deadline
            assert not (sent.monitor == monitor and (heard or turned_away)), (
                f"{monitor}: the slot {slot} was called missed at {deadline} although a report came at {sent.at}: {sent}"
            )


class Node:
    """What one process is made of; nothing of it outlives the process."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.store = SqlStore(fleet.url)
        raw = self.store.database.writer.raw_connection()
        raw.driver_connection.execute("PRAGMA synchronous = OFF")  # processes die here, not machines
        raw.close()
        faulty = FaultyStore(self.store, fleet.loop, fleet.chance, fleet.trouble)
        self.journal = LocalJournal(fleet.clock, limit=LIMIT, hold_ms=HOLD_MS, answer_within_ms=5_000)
        self.partition = Partition(
            lambda: WatchedEngine(fleet),
            self.journal,
            faulty,  # type: ignore[arg-type] # it passes on what it does not wrap
            fleet.clock,
            lambda _delta: None,
            lambda _seconds, _well: None,
            fleet.loop.time,
            lambda: self.pulse.beat(),
        )
        self.pulse = Pulse(fleet.clock, self.partition.deaf, fleet.loop.time)
        self.listening = 0
        self.tasks: list[asyncio.Task[None]] = []

    @property
    def work(self) -> "asyncio.Task[None]":
        return self.tasks[1]

    async def start(self) -> int:
        self.listening = self.fleet.clock.now()
        self.tasks.append(asyncio.ensure_future(self.pulse.run()))
        await self.partition.start(self.listening)
        self.tasks.append(asyncio.ensure_future(self.partition.run()))
        return self.listening

    def bury(self) -> None:
        for task in self.tasks:
            task.cancel()
        self.partition.close()
        self.store.close()

    async def kill(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.bury()

    async def stop(self) -> None:
        """SIGTERM: what is queued is committed."""
        self.journal.stop_listening()
        self.partition.stop()
        await self.work
        self.tasks[0].cancel()
        self.bury()

    def tracks(self) -> dict[int, tuple[int | None, int | None]]:
        return {row[0]: (row[1], row[2]) for row in self._rows("SELECT number, expected, deadline FROM tracks")}

    def alive_at(self) -> int:
        rows = self._rows("SELECT alive_at FROM partitions")
        return int(rows[0][0] or 0) if rows else 0

    def _rows(self, statement: str) -> list[Any]:
        with self.store.database.read() as connection:
            return list(connection.exec_driver_sql(statement))


async def put_monitors(fleet: Fleet) -> None:
    puts = tuple(
        Put(
            1,
            job.name,
            MonitorChange(
                policy={"schedules": (job.schedule,)}, tolerance={"margin_ms": job.margin_ms, "max_runtime_ms": 0}
            ),
        )
        for job in JOBS
    )
    burst = Put(1, "burst", MonitorChange(tolerance={"max_runtime_ms": 0}))
    while True:
        node = fleet.node
        if node is not None:
            try:
                receipt = await node.journal.append(fleet.clock.now(), PutMonitors((*puts, burst)))
            except TocsinError:
                pass
            else:
                assert receipt.error is None, receipt.error
                return
        await asyncio.sleep(0.1)


Action = Callable[[Fleet], Coroutine[Any, Any, None]]


async def live(fleet: Fleet, seconds: float, actions: Sequence[tuple[float, Action]] = ()) -> dict[str, int]:
    """Runs the fleet for so many seconds, each action at random about so often; then stops in good order and verifies."""
    quiet, fleet.trouble = fleet.trouble, Trouble()
    await fleet.boot()
    await put_monitors(fleet)
    fleet.trouble.__dict__.update(quiet.__dict__)

    async def now_and_then(every_s: float, action: Action) -> None:
        while True:
            await asyncio.sleep(fleet.chance.expovariate(1 / every_s))
            await action(fleet)

    tasks = [asyncio.ensure_future(fleet.sender(job)) for job in JOBS]
    tasks += [asyncio.ensure_future(now_and_then(*action)) for action in actions]
    nurse = asyncio.ensure_future(fleet.nurse())
    await asyncio.sleep(seconds)
    for task in tasks:
        if task.done():
            task.result()
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    fleet.trouble.refuse = fleet.trouble.crash = 0.0
    await asyncio.sleep(10)
    if nurse.done():
        nurse.result()
    nurse.cancel()
    await asyncio.gather(nurse, return_exceptions=True)
    while fleet.node is None:
        await fleet.boot()
    await fleet.node.stop()
    return fleet.verify()
