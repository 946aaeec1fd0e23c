"""A policy compiled: its timetable, and the arithmetic of slots, deadlines and time-outs that follows from it.

Worked example: "*/10 * * * *", margin 5 min. Waiting for 12:10, the deadline is 12:15. A report at 12:09:30 is early
enough (a tenth of ten minutes) to satisfy 12:10, so 12:20 is waited for next. Nothing by 12:15: 12:10 is missed, and
the first slot at or after the deadline, 12:20, is waited for.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from tocsin._core.plans import Plans
from tocsin.domain import assertion, errors
from tocsin.domain.assertion import Assertion
from tocsin.domain.instant import MINUTE, NEVER, SECOND, Instant, Millis, ceil_second
from tocsin.domain.monitor import Policy
from tocsin.domain.schedule import Anchor, Interval, Rolling
from tocsin.engine.thresholds import misses_apart
from tocsin.schedule import Compiler

_GOLDEN = 0x9E3779B97F4A7C15  # spreads consecutive numbers evenly over 64 bits


@dataclass(frozen=True, slots=True)
class Timing:
    number: int
    policy: Policy
    timetable: int
    grid: bool  # slots lie on the clock, whatever the reports do
    rolling: bool
    start_anchored: bool  # intervals count from the run's start
    compiler: Compiler
    readable: bool = True  # False: its zone cannot be read, and nothing is waited for
    assertions: tuple[Assertion, ...] = ()  # on metrics, as far as they can be read
    bounds: tuple[Assertion, ...] = ()  # those of them that limit how long a run may go on

    @classmethod
    def compile(cls, number: int, policy: Policy, compiler: Compiler) -> "Timing":
        timetable = compiler.compile(policy.schedules)
        assertions = tuple(_readable(dict.fromkeys(policy.assertions)))
        return cls(
            number=number,
            policy=policy,
            timetable=timetable,
            grid=bool(policy.schedules) and compiler.is_grid(timetable),
            rolling=any(isinstance(schedule, Rolling) for schedule in policy.schedules),
            start_anchored=any(
                isinstance(schedule, Interval) and schedule.anchor is Anchor.RUN_START for schedule in policy.schedules
            ),
            compiler=compiler,
            assertions=assertions,
            bounds=tuple(one for one in assertions if one.longest is not None),
        )

    @classmethod
    def read(cls, number: int, policy: Policy, compiler: Compiler) -> "Timing":
        """Of a policy that was taken once: when its zone has gone since, a timing that waits for nothing."""
        try:
            return cls.compile(number, policy, compiler)
        except errors.InvalidArgument as error:
            if error.reason != "TIME_ZONE_UNKNOWN":
                raise
            blank = cls.compile(number, msgspec.structs.replace(policy, schedules=()), compiler)
            return dataclasses.replace(blank, policy=policy, readable=False)

    def plan(self, plans: Plans) -> None:
        """Puts it where kernels find it."""
        tolerance, limit = self.policy.tolerance, self.policy.check_ins_per_minute
        plans.put(
            self.number,
            self.timetable,
            tolerance.margin_ms,
            early=-1 if tolerance.early_ms is None else tolerance.early_ms,
            max_runtime=tolerance.max_runtime_ms,
            # Reports of whoever has a limit are left to the rules, and so are those that kernels cannot judge.
            limit=1
            if self.assertions or self.policy.separate_causes or self.policy.events
            else -1
            if limit is None
            else limit,
            failures=tolerance.failure_threshold,
            misses=misses_apart(self.policy),
            recoveries=tolerance.recovery_threshold,
            grid=self.grid,
            rolling=self.rolling,
            start_anchored=self.start_anchored,
            readable=self.readable,
            while_running=self.policy.miss_while_running,
        )

    def next_after(self, instant: Instant) -> Instant:
        return self.compiler.next_after(self.timetable, instant)

    def deadline(self, expected: Instant) -> Instant:
        return NEVER if expected == NEVER else ceil_second(expected + self.policy.tolerance.margin_ms)

    def after_miss(self, expected: Instant, judged: Instant) -> Instant:
        """The slot to wait for once `expected` has been called missed at its deadline `judged`."""
        if self.rolling:
            return self.next_after(judged)
        following = self.compiler.rearm(self.timetable, expected, judged)
        return following if following > expected else self.next_after(expected)

    def after_excused(self, expected: Instant, judged: Instant) -> Instant:
        """The slot after one that was not due; `judged` is its deadline. Other than after a miss none is swallowed."""
        return self.after_miss(expected, judged if self.rolling else expected)

    def after_outage(self, until: Instant, spread_by: int) -> Instant:
        """The slot to wait for when nobody could listen up to `until`: a full fresh chance.

        Slots on a grid stay where they are. Others are spread over at most a tenth of their period or a minute, so that
        a million timers do not come due in the same second.
        """
        expected = self.next_after(until)
        if self.grid or expected == NEVER:
            return expected
        room = min(MINUTE, (expected - until) // 10)
        return expected + (((spread_by * _GOLDEN) & 0xFFFFFFFFFFFFFFFF) * room >> 64)

    def early(self, expected: Instant) -> Millis:
        """How long before a slot a report may come and still satisfy it."""
        if not self.grid or expected == NEVER:
            return 0
        set_by_hand = self.policy.tolerance.early_ms
        if set_by_hand is not None:
            return set_by_hand
        return min(MINUTE, self.compiler.distance(self.timetable, expected) // 10)

    def distance(self, instant: Instant) -> Millis:
        """From the first slot after an instant to the one after that; 0 when there are none."""
        first = self.next_after(instant)
        second = NEVER if first == NEVER else self.next_after(first)
        return 0 if second == NEVER else second - first

    def timeout(self, since: Instant) -> Instant | None:
        """When a run that showed life at `since` is called timed out; None: never."""
        limit = self.policy.tolerance.max_runtime_ms
        if not limit:
            return None
        step = MINUTE if self.policy.round_to_minute else SECOND
        return -(-(since + limit) // step) * step


def _readable(texts: Iterable[str]) -> Iterator[Assertion]:
    """Those on metrics. What was stored before anybody looked at it may be anything."""
    for text in texts:
        try:
            found = assertion.parse(text)
        except errors.InvalidArgument:
            continue
        if found.family == "metric":
            yield found
