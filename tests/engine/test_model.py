"""The engine against a small model made from the spec: one job, one environment, any order of events."""

from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from support.engines import T0, World
from tocsin.domain.check_in import ReportKind
from tocsin.domain.facts import IncidentOpened, IncidentResolved, Missed
from tocsin.domain.instant import MINUTE, NEVER, SECOND
from tocsin.domain.schedule import Cron, Interval, Unit

IDS = ["a" * 32, "b" * 32, "c" * 32, None]


def up(at: int, step: int = SECOND) -> int:
    return -(-at // step) * step


@dataclass
class Run:
    name: str | None
    began: int
    state: str = "in_progress"
    limit: int = NEVER
    deaf: bool = False


@dataclass
class Model:
    """Sections 4, 5, 6.3 and 7 of the spec, with the rulings on time; nothing else."""

    grid: bool
    period: int
    margin: int
    longest: int
    bad: int
    bad_misses: int
    good: int
    expected: int = NEVER
    deadline: int = NEVER
    deaf: bool = False
    last: int = -1  # newest report
    ended: int = -1  # newest start among ended runs
    runs: list[Run] = field(default_factory=list)  # oldest first; slots that nobody met are runs without a name
    verdicts: list[str] = field(default_factory=list)
    incident: bool = False
    opened: int = 0
    resolved: int = 0

    def next(self, at: int) -> int:
        return (at // self.period + 1) * self.period if self.grid else at + self.period

    def wait(self, slot: int) -> None:
        self.expected, self.deadline, self.deaf = slot, up(slot + self.margin), False

    def judge(self, verdict: str) -> None:
        """Thresholds over real verdicts: that many at the end of the line."""
        self.verdicts.append(verdict)
        line = "".join(self.verdicts)
        row = line[line.rfind("o") + 1 :]
        if verdict == "o":
            if self.incident and line.endswith("o" * self.good):
                self.incident, self.resolved = False, self.resolved + 1
            return
        if not self.bad_misses:
            enough = len(row) >= self.bad
        elif verdict == "m":
            enough = line.endswith("m" * self.bad_misses)
        else:
            enough = len(row.replace("m", "")) >= self.bad
        if enough and not self.incident:
            self.incident, self.opened = True, self.opened + 1

    def open_runs(self) -> list[Run]:
        return [run for run in self.runs if run.state == "in_progress"]

    def settle(self, at: int) -> None:
        while True:
            run = min(self.open_runs(), key=lambda one: one.limit, default=None)
            if min(self.deadline, run.limit if run else NEVER) >= at:
                return
            if run and run.limit <= self.deadline:
                self.run_out(run)
            else:
                self.miss()

    def run_out(self, run: Run, *, deaf: bool = False) -> None:
        run.state = "unknown" if deaf or run.deaf else "timeout"
        run.limit = NEVER
        if run.state == "timeout" and run.began >= self.ended:
            self.judge("t")

    def miss(self) -> None:
        slot, judged = self.expected, self.deadline
        self.runs.append(Run(None, slot, "unknown" if self.deaf else "missed"))
        if not self.deaf:
            self.judge("m")
        following = slot + self.period  # slots and steps both: the first at or after the judged deadline
        while following < judged:
            following += self.period
        self.wait(following)

    def report(self, at: int, kind: str, name: str | None) -> str:
        """The state of the run after it, or "refused"."""
        self.settle(at)
        run = self.find(at, kind, name)
        if run is None:
            run = Run(name or f"#{len(self.runs)}", at)
            self.runs.append(run)
            self.meet(at, begins=True)
        elif run.state in ("ok", "error"):
            return run.state if kind == "start" else "refused"
        elif run.state == "timeout":
            if kind == "start":
                return "refused"
            self.meet(at, begins=False)
            return "timeout"
        elif kind != "error" or run.began >= self.ended:
            self.meet(at, begins=False)
        if kind == "start":
            run.state, run.deaf = "in_progress", False
            run.limit = up(at + self.longest) if self.longest else NEVER
            return run.state
        run.state, run.limit = kind, NEVER
        if kind == "ok" or run.began >= self.ended:
            self.judge(kind[0])
        self.ended = max(self.ended, run.began)
        return kind

    def find(self, at: int, kind: str, name: str | None) -> Run | None:
        if name:
            return next((run for run in self.runs if run.name == name), None)
        newest = next(reversed(self.open_runs()), None)
        if newest and kind == "start" and self.next(newest.began) <= at:
            return None
        return newest

    def meet(self, at: int, *, begins: bool) -> None:
        self.last = at
        early = min(MINUTE, self.period // 10) if self.grid and begins else 0
        slot = self.next(self.expected if self.expected - early <= at < self.expected else at)
        if self.expected == NEVER or slot > self.expected:
            self.wait(slot)

    def outage(self, since: int, until: int) -> bool:
        """True: it waits for a slot that may be spread."""
        self.settle(since)
        spread = False
        if since <= self.deadline <= until:
            self.runs.append(Run(None, self.expected, "unknown"))
            self.wait(self.next(until))
            spread = not self.grid
        elif self.expected < until and self.deadline != NEVER:
            self.deadline = up(self.deadline + until - max(self.expected, since))
            self.deaf = True
        for run in self.open_runs():
            if run.limit <= until:
                self.run_out(run, deaf=True)
            else:
                run.limit = NEVER if run.limit == NEVER else up(run.limit + until - max(run.began, since))
                run.deaf = True
        return spread


class EngineAgainstModel(RuleBasedStateMachine):
    @initialize(
        grid=st.booleans(),
        minutes=st.sampled_from([1, 5, 20]),
        margin=st.sampled_from([SECOND, 30 * SECOND, 90 * SECOND + 1, 25 * MINUTE]),
        longest=st.sampled_from([0, 20 * SECOND, 4 * MINUTE]),
        bad=st.integers(1, 3),
        bad_misses=st.integers(0, 2),
        good=st.integers(1, 3),
    )
    def begin(self, grid: bool, minutes: int, margin: int, longest: int, bad: int, bad_misses: int, good: int) -> None:
        self.world = World()
        self.world.put(
            schedules=(Cron(f"*/{minutes} * * * *") if grid else Interval(minutes, Unit.MINUTE),),
            margin_ms=margin,
            max_runtime_ms=longest,
            failure_threshold=bad,
            miss_threshold=bad_misses,
            recovery_threshold=good,
        )
        self.model = Model(grid, minutes * MINUTE, margin, longest, bad, bad_misses, good)
        self.now = T0
        self.accepted: list[int] = []

    def later(self, gap: int) -> int:
        self.now += gap
        return self.now

    gaps = st.one_of(st.integers(1, 3000), st.integers(1, 90 * SECOND), st.integers(1, 12 * MINUTE))

    @rule(gap=gaps, kind=st.sampled_from(["start", "ok", "error"]), name=st.sampled_from(IDS))
    def report(self, gap: int, kind: str, name: str | None) -> None:
        at = self.later(gap)
        rows = len(self.world.kept.check_ins)
        expected = self.model.report(at, kind, name)
        receipt = self.world.report(at, ReportKind(kind), check_in_id=name)
        assert (receipt.check_in.state.value if receipt.check_in else "refused") == expected
        if receipt.check_in:
            if self.model.last == at:  # an error older than a newer end says nothing about the slot (spec 5.2)
                self.accepted.append(at)
            stored = self.world.kept.check_ins[receipt.check_in.number]
            assert stored == receipt.check_in  # acknowledged is stored, once
        assert len(self.world.kept.check_ins) >= rows

    @precondition(lambda self: self.model.expected != NEVER)
    @rule(before=st.integers(0, 5000), kind=st.sampled_from(["start", "ok"]))
    def report_near_the_slot(self, before: int, kind: str) -> None:
        gap = self.model.expected - before - self.now
        if gap > 0:
            self.report(gap, kind, None)

    @precondition(lambda self: self.model.deadline != NEVER)
    @rule(after=st.integers(0, 1))
    def tick_at_the_deadline(self, after: int) -> None:
        gap = self.model.deadline + after - self.now
        if gap > 0:
            self.tick(gap)

    @rule(gap=gaps)
    def tick(self, gap: int) -> None:
        at = self.later(gap)
        self.model.settle(at)
        self.world.tick(at)

    @rule(gap=gaps, length=gaps)
    def outage(self, gap: int, length: int) -> None:
        since = self.later(gap)
        until = self.later(length)
        spread = self.model.outage(since, until)
        incidents = len(self.world.of(IncidentOpened))
        self.world.tick(since)
        opened_before = len(self.world.of(IncidentOpened))
        self.world.deaf(since, until)
        assert len(self.world.of(IncidentOpened)) == opened_before >= incidents
        if spread:
            moved = self.world.track().expected - self.model.expected
            assert 0 <= moved <= min(MINUTE, self.model.period // 10)
            self.model.wait(self.model.expected + moved)

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @invariant()
    def the_same_rows(self) -> None:
        kept = self.world.kept.check_ins.values()
        assert sorted(run.state.value for run in kept) == sorted(run.state for run in self.model.runs)
        slots = [run.expected_time for run in kept if run.state.value == "missed"]
        assert sorted(slots) == sorted(run.began for run in self.model.runs if run.state == "missed")

    @invariant()
    def the_same_wait(self) -> None:
        track, model = self.world.track(), self.model
        limit = min((run.limit for run in model.open_runs()), default=NEVER)
        assert (track.expected, track.deadline, track.run_deadline) == (model.expected, model.deadline, limit)
        earliest = min(model.deadline, limit)
        assert self.world.engine.next_deadline() == (None if earliest == NEVER else earliest)

    @invariant()
    def the_same_incidents(self) -> None:
        world, model = self.world, self.model
        assert len(world.of(IncidentOpened)) == model.opened
        assert len(world.of(IncidentResolved)) == model.resolved
        assert bool(world.track().incident) == model.incident

    @invariant()
    def counters_equal_history(self) -> None:
        track, verdicts = self.world.track(), self.model.verdicts
        states = [run.state.value for run in self.world.kept.check_ins.values()]
        assert track.open_runs == states.count("in_progress")
        assert track.missed_count == states.count("missed") == verdicts.count("m")
        assert track.ok_count == states.count("ok")
        assert track.error_count == states.count("error")
        assert track.timed_out_count == states.count("timeout")

    @invariant()
    def missed_only_when_nothing_came(self) -> None:
        for fact in self.world.of(Missed):
            assert not any(fact.check_in.expected_time <= at <= fact.deadline for at in self.accepted)


EngineAgainstModel.TestCase.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
TestEngineAgainstModel = EngineAgainstModel.TestCase
