"""Whatever happens to whom: with kernels and without them, an engine comes to the same state, rows, facts and answers."""

from collections import Counter
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import msgspec
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from support.engines import T0, World
from tocsin._core.batch import KINDS, Batch
from tocsin.app.tzdata import read_zone, zone_names
from tocsin.domain.check_in import CheckIn, Report, ReportKind
from tocsin.domain.commands import (
    Command,
    DeleteEnvironment,
    DeleteMonitor,
    PutMaintenanceWindow,
    PutMonitor,
    PutProjectSettings,
    ReportBatch,
    ReportCheckIn,
)
from tocsin.domain.instant import HOUR, MINUTE, NEVER, SECOND
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.monitor import AlertPolicy, Kind, MonitorChange
from tocsin.domain.project_settings import ProjectSettings
from tocsin.domain.receipt import Receipt
from tocsin.domain.schedule import Anchor, Cron, Daily, Interval, Rolling, RRule, Unit
from tocsin.domain.track import Track
from tocsin.engine.engine import Engine, EngineSettings
from tocsin.schedule import Compiler, Zones

ZONES = Zones(read_zone, zone_names)
NAMES = ["a", "b", "c", "d", "stranger"]
PLACES = ["", "production", "staging", "ünter den linden"]
IDS = ["a" * 32, "b" * 32, None]
GAPS = st.one_of(st.just(0), st.integers(1, 3_000), st.integers(1, 90 * SECOND), st.integers(1, 12 * MINUTE))
SCHEDULES = st.sampled_from(
    [
        (),
        (Cron("* * * * *"),),
        (Cron("*/5 * * * *", "Europe/Vienna"),),
        (Cron("0 * * * *"), Cron("*/7 * * * *")),
        (Interval(2, Unit.MINUTE),),
        (Interval(1, Unit.HOUR), Cron("*/10 * * * *")),
        (Interval(5, Unit.MINUTE, anchor=Anchor.RUN_START),),
        (Rolling(3 * MINUTE),),
        (RRule("FREQ=MINUTELY;INTERVAL=4"),),
        (Daily(("10:30", "11:00")),),
    ]
)

TOLD = AlertPolicy(events=("run", "complete", "fail"))


@st.composite
def changes(draw: st.DrawFn) -> MonitorChange:
    tolerance = {
        "margin_ms": draw(st.sampled_from([0, 1, 30 * SECOND, 90 * SECOND + 1, 25 * MINUTE])),
        "max_runtime_ms": draw(st.sampled_from([0, 20 * SECOND, 4 * MINUTE])),
        "failure_threshold": draw(st.integers(1, 3)),
        "miss_threshold": draw(st.integers(0, 2)),
        "recovery_threshold": draw(st.integers(1, 3)),
        "early_ms": draw(st.sampled_from([None, None, 0, 40 * SECOND])),
    }
    policy = {
        "schedules": draw(SCHEDULES),
        "kind": draw(st.sampled_from(Kind)),
        "miss_while_running": draw(st.booleans()),
        "check_ins_per_minute": draw(st.sampled_from([None, None, None, 0, 2])),
        "assertions": draw(st.sampled_from([()] * 4 + [("metric.duration < 90 s", "metric.count > 1")])),
        "separate_causes": draw(st.sampled_from([False, False, True])),
        "abandon_runs": draw(st.booleans()),
    }
    rare: dict[str, Any] = draw(
        st.sampled_from(
            [{}] * 6 + [{"alert_policy": TOLD}, {"disabled": True}, {"inactive": True}, {"muted_until": NEVER}]
        )
        | st.fixed_dictionaries({"paused_until": st.sampled_from([T0 + 5 * MINUTE, T0 + HOUR, NEVER])})
    )
    return MonitorChange(policy=policy, tolerance=tolerance, **rare)


ROWS = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from([2] * 8 + [0, 1, 3, 4, 5]),  # mostly OK
        st.sampled_from([""] * 6 + PLACES),
        st.sampled_from([-1, 0, 1500, 2**31 - 1]),
        st.booleans(),
        st.sampled_from([False] * 9 + [True]),
    ),
    min_size=1,
    max_size=70,
)


@st.composite
def commands(draw: st.DrawFn, at: int) -> Command:
    name = draw(st.sampled_from(NAMES))
    what = draw(st.sampled_from(["batch"] * 5 + ["report"] * 3 + ["put", "delete", "forget", "limit", "window"]))
    match what:
        case "batch":
            batch, rest = Batch(), {}
            for monitor, kind, place, duration, alone, others in draw(ROWS):
                row = batch.append(monitor, kind, place, duration, alone, others)
                if others:
                    rest[row] = draw(reports(at, monitor))
            return ReportBatch(1, batch, at, rest, client="curl/8", dialect=draw(st.sampled_from(["grpc", "native"])))
        case "report":
            return ReportCheckIn(draw(reports(at, name)))
        case "put":
            return PutMonitor(1, name, draw(changes()))
        case "delete":
            return DeleteMonitor(1, name)
        case "forget":
            return DeleteEnvironment(1, name, draw(st.sampled_from(PLACES[1:])))
        case "limit":
            limit = draw(st.sampled_from([None, 0, 3]))
            return PutProjectSettings(1, ProjectSettings(check_ins_per_minute=limit), ("check_ins_per_minute",))
        case _:
            pause = draw(st.booleans())
            window = MaintenanceWindow(0, 1, "w", start_time=at + MINUTE, end_time=at + 9 * MINUTE, pause=pause)
            return PutMaintenanceWindow(1, "w", window, ("start_time", "end_time", "pause"))


@st.composite
def reports(draw: st.DrawFn, at: int, name: str) -> Report:
    return Report(
        project=1,
        monitor_id=name,
        kind=draw(st.sampled_from([ReportKind.OK] * 4 + list(ReportKind))),
        received=at,
        environment=draw(st.sampled_from(["", *PLACES])),
        check_in_id=draw(st.sampled_from([None, None, *IDS])),
        time=draw(st.sampled_from([None, None, None, at - MINUTE])),
        duration_ms=draw(st.sampled_from([None, 7])),
        message=draw(st.sampled_from(["", "", "done"])),
        series=draw(st.sampled_from(["", "", "s"])),
        metrics=draw(st.sampled_from([{}, {}, {"count": 1.0}, {"count": 9.0}])),
        attempt=draw(st.sampled_from([1, 1, 2])),
        upsert=draw(st.none() | st.none() | changes()),
        pair=draw(st.booleans()),
        retry_safe=draw(st.booleans()),
    )


class Alone(World):
    """With a compiler of its own: what its tables reach is part of the history, and must not outlive it."""

    def __init__(self, settings: EngineSettings) -> None:
        super().__init__(settings)
        self.compiler = Compiler(ZONES)
        self.engine = Engine(self.compiler, settings)

    def restart(self) -> None:
        self.engine = Engine(self.compiler, self.settings)
        self.engine.load(self.kept.snapshot())


class Pair(RuleBasedStateMachine):
    """One engine with kernels, one without."""

    @initialize(puts=st.lists(st.tuples(st.sampled_from(NAMES[:4]), changes()), min_size=2, max_size=5))
    def begin(self, puts: list[tuple[str, MonitorChange]]) -> None:
        self.now = T0
        self.on, self.off = self.worlds()
        for name, change in puts:
            self.both([PutMonitor(1, name, change)])

    def worlds(self) -> tuple[World, World]:
        return Alone(EngineSettings(kernels=True)), Alone(EngineSettings(kernels=False))

    def both(self, entries: list[Command]) -> None:
        answers = []
        for world in (self.on, self.off):
            receipts = world.together(*((self.now, command) for command in entries))
            answers.append([told(world, command, one) for command, one in zip(entries, receipts, strict=True)])
        assert answers[0] == answers[1]

    @rule(gap=GAPS, data=st.data())
    def together(self, gap: int, data: st.DataObject) -> None:
        self.now += gap
        self.both(data.draw(st.lists(commands(self.now), min_size=1, max_size=4)))

    @rule(gap=GAPS, rows=st.lists(st.sampled_from(NAMES[:4]), min_size=1, max_size=40), times=st.integers(1, 9))
    def plainly(self, gap: int, rows: list[str], times: int) -> None:
        self.now += gap
        batch = Batch()
        for name in rows * times:
            batch.append(name, KINDS.index("OK"))
        self.both([ReportBatch(1, batch, self.now, {})])

    @rule(
        gaps=st.lists(st.integers(1, 3 * MINUTE), max_size=12), names=st.lists(st.sampled_from(NAMES[:4]), min_size=1)
    )
    def beat(self, gaps: list[int], names: list[str]) -> None:
        """What every day is like."""
        for gap in gaps:
            self.now += gap
            batch = Batch()
            for name in names:
                batch.append(name, KINDS.index("OK"), duration=gap)
            self.both([ReportBatch(1, batch, self.now, {})])

    @rule(gap=GAPS)
    def tick(self, gap: int) -> None:
        self.now += gap
        for world in (self.on, self.off):
            world.tick(self.now)

    @rule(gap=GAPS, length=GAPS)
    def outage(self, gap: int, length: int) -> None:
        since = self.now + gap
        self.now = since + length
        for world in (self.on, self.off):
            world.tick(since)
            world.deaf(since, self.now)

    @rule()
    def restart(self) -> None:
        for world in (self.on, self.off):
            world.restart()

    @invariant()
    def the_same(self) -> None:
        if not hasattr(self, "on"):
            return
        assert kept(self.on) == kept(self.off)
        assert hot(self.on) == hot(self.off)
        assert facts(self.on) == facts(self.off)
        assert self.on.notices == self.off.notices
        for world in (self.on, self.off):
            world.facts.clear()
            world.notices.clear()


def told(world: World, command: Command, receipt: Receipt) -> Any:
    """An answer, whichever way it was found: of a batch by row."""
    if receipt.batch is None:
        return known(receipt)
    assert isinstance(command, ReportBatch)
    found = {row: known(one) for row, one in receipt.batch.receipts.items()}
    recorded = receipt.batch.recorded
    for index in range(len(recorded)):
        number, row = recorded.row(index)[0], recorded.row(index)[-1]
        assert row not in found
        found[row] = ("made", number, command.batch.row(row)[0])
    assert sorted(found) == list(range(len(command.batch)))
    return found


def known(receipt: Receipt) -> Any:
    made = receipt.check_in
    if made is not None and receipt.created and plainly_ok(made):
        return "made", made.number, made.monitor_id
    return replace_uids(receipt)


def plainly_ok(made: CheckIn) -> bool:
    return made.state.value == "ok" and made.id.startswith("70c5")


def replace_uids(receipt: Receipt) -> tuple[Receipt, str]:
    monitors = tuple(msgspec.structs.replace(one, uid="") for one in receipt.monitors)
    return msgspec.structs.replace(receipt, monitors=monitors, error=None), str(receipt.error)


def kept(world: World) -> Any:
    names = {monitor.number: monitor.id for monitor, _ in world.kept.monitors.values()}
    return replace(
        world.kept,
        monitors={
            key: (msgspec.structs.replace(one, uid=""), policy) for key, (one, policy) in world.kept.monitors.items()
        },
        check_ins={
            key: msgspec.structs.replace(one, monitor_id=names[one.monitor])
            for key, one in world.kept.check_ins.items()
        },
    )


def hot(world: World) -> Any:
    """Rows of the rosters and of the heap, by slot."""
    state = world.engine.state
    open_slots = [slot for slot in range(state.tracks.capacity) if state.tracks.is_open(slot)]
    return (
        {slot: Track(*state.tracks.read(slot)) for slot in open_slots},
        {slot: (state.deadlines.heap.get(slot, 0), state.deadlines.heap.get(slot, 1)) for slot in open_slots},
        world.engine.next_deadline(),
        state.sequences,
        len(state.runs),
    )


def facts(world: World) -> Counter[str]:
    blank = {"monitor_id": ""}
    return Counter(
        str(msgspec.structs.replace(one, check_in=msgspec.structs.replace(one.check_in, **blank)))
        if hasattr(one, "check_in")
        else type(one).__name__ * hasattr(one, "monitor") or str(one)
        for one in world.facts
    )


Pair.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestPair = Pair.TestCase
