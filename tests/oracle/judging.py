"""Asks the core and the wall clock the same questions about one zone, and keeps the differences."""

import functools
import random
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple

from oracle import cases
from support.oracle import corpus
from support.oracle.cron import Expression
from support.oracle.windows import LEAD_S, POLICIES, Window
from tocsin.domain import errors
from tocsin.domain.schedule import Cron, DaylightPolicy
from tocsin.schedule import Compiler, Zones
from tocsin.schedule.timetables import NEVER

HALF_S = 26 * 3600  # from a transition to either end of its window: the whole local days beside it
KEPT = 20  # differences that are kept to be shown
COMPILERS = 40  # windows for which one compiler is used: timetables are never forgotten
expression_of = functools.lru_cache(maxsize=4096)(Expression)


class Difference(NamedTuple):
    zone: str
    expression: str
    policy: str
    way: str  # next or prev
    start_ms: int
    expected_ms: int | None  # None: nothing within the window
    got_ms: int

    def __str__(self) -> str:
        return (
            f"{self.way} of {self.expression!r} in {self.zone} under {self.policy}, from {self.start_ms}: "
            f"expected {self.expected_ms}, got {self.got_ms}; again:\n"
            f"    PYTHONPATH=src:tests python -m oracle again {self.zone} '{self.expression}' {self.policy} {self.start_ms}"
        )


@dataclass
class Tally:
    windows: int = 0
    cases: int = 0  # expressions under a policy, in a window
    questions: int = 0
    skipped: int = 0  # directed pairs between which the date comes round once more
    differences: int = 0
    shown: list = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        for name in ("windows", "cases", "questions", "skipped", "differences"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.shown = (self.shown + other.shown)[:KEPT]

    def differ(self, difference: object) -> None:
        self.differences += 1
        if len(self.shown) < KEPT:
            self.shown.append(difference)


def zones() -> Zones:
    return Zones(corpus.read, corpus.names)


class Judge:
    """Of one zone and its transitions."""

    def __init__(self, name: str, seed: int, first_year: int = 1970, years: tuple[int, int] = (1850, 2101)):
        self.name = name
        self.zone = corpus.load(name)
        self.rng = random.Random(f"{seed} {name}")
        begin = corpus.second_of(first_year)
        self.transitions = [one for one in corpus.transitions(name, *years) if one[0] >= begin]
        self.tally = Tally()
        self._zones = zones()
        self._uses = 0
        self.compiler = Compiler(self._zones)

    def window(self, index: int, half_s: int = HALF_S, *, step: int = 60) -> Window:
        """Around a transition; read every second if a minute of the wall clock does not begin with one of UTC."""
        second = self.transitions[index][0]
        begin = second - half_s
        # Where no transition is near, every wall time is new, and there is nothing to remember.
        calm = not any(begin - 2 * LEAD_S <= other <= begin for other, _, _ in self.transitions)
        lead = 3600 if calm else LEAD_S
        self.fresh()
        window = Window(self.zone, begin, second + half_s, step, lead)
        if not window.minute_aligned and step == 60:
            window = Window(self.zone, begin, second + half_s, 1, lead)
        return window

    def number(self, text: str, policy: str) -> int | None:
        try:
            return self.compiler.compile((Cron(text, self.name, DaylightPolicy(policy)),))
        except errors.InvalidArgument as error:
            if error.reason != "SCHEDULE_NEVER_FIRES":
                raise
            return None

    def fresh(self) -> None:
        """Between windows, so that the compiler does not grow without end."""
        self._uses += 1
        if self._uses % COMPILERS == 0:
            self.compiler = Compiler(self._zones)

    def around(self, index: int, texts, window: Window) -> None:
        """Every expression under every policy: the fire times beside a transition, and from many starts."""
        second = self.transitions[index][0]
        low, high = window.begin * 1000, window.end * 1000
        fixed = [low, high - 1, *(second * 1000 + ms for ms in (-1000, -1, 0, 1, 1000, 59_999))]
        for minutes in range(-240, 241, 20):
            start = (second + minutes * 60) * 1000
            fixed += [one for one in (start, start + self.rng.randrange(-60_000, 60_000)) if low <= one < high]
        self.rng.shuffle(fixed)
        self.tally.windows += 1
        for text in texts:
            known: dict[int, tuple] = {}
            expression = expression_of(text)
            for policy in POLICIES:
                fires = window.fires(expression, policy)
                expected = known.get(fires)
                if expected is None:
                    expected = known[fires] = self._expected(window.times(fires), fixed, second, low, high)
                self._compare(text, policy, expected, low, high)

    def _expected(self, times, fixed, second, low, high):
        times = [time * 1000 for time in times]
        near = times if len(times) <= 60 else [time for time in times if abs(time - second * 1000) <= 5_400_000]
        starts = fixed + near
        after = [bisect_right(times, start) for start in starts]
        before = [bisect_left(times, start) - 1 for start in starts]
        return (
            array("q", starts),
            [times[i] if i < len(times) else high for i in after],
            [times[i] if i >= 0 else low - 1 for i in before],
            bool(times),
        )

    def _compare(self, text, policy, expected, low, high) -> None:
        starts, after, before, any_at_all = expected
        self.tally.cases += 1
        self.tally.questions += 2 * len(starts)
        number = self.number(text, policy)
        if number is None:
            if any_at_all:
                self.tally.differ(Difference(self.name, text, policy, "next", starts[0], after[0], NEVER))
            return
        got = array("q", bytes(8 * len(starts)))
        self.compiler.timetables.next_many(array("I", repeat(number, len(starts))), starts, got)
        answers = [min(answer, high) for answer in got]
        if answers != after:
            self._differ(text, policy, "next", starts, after, answers, high)
        prev = self.compiler.timetables.prev_before
        answers = [prev(number, start) for start in starts]
        answers = [low - 1 if answer == NEVER else max(answer, low - 1) for answer in answers]
        if answers != before:
            self._differ(text, policy, "prev", starts, before, answers, low - 1)

    def _differ(self, text, policy, way, starts, expected, answers, outside) -> None:
        for start, right, answer in zip(starts, expected, answers, strict=True):
            if right != answer:
                shown = None if right == outside else right
                self.tally.differ(Difference(self.name, text, policy, way, start, shown, answer))

    def from_others(self, index: int, window: Window, reach: int = 3) -> None:
        """From beside other transitions to this one: the search must cross the segments in between.

        The expressions match on the days of this transition only. A pair is skipped if one of those dates comes round
        between the two, as it does when they are a year apart.
        """
        place = cases.Place(self.zone, self.transitions[index][0])
        dates = expression_of(f"* * {place.days} {place.months} *")
        low, high = window.begin, window.end
        starts = []
        for other in range(max(0, index - reach), min(len(self.transitions), index + reach + 1)):
            second = self.transitions[other][0]
            if low <= second < high:
                continue  # `around` has judged these
            if self._comes_round(dates, place, second):
                self.tally.skipped += 1
                continue
            starts += [second + shift for shift in (-5400, -1, 0, 1, 1800, 3600, 5400)]
        starts = [start for start in starts if not low <= start < high]
        for text in cases.beside(place) if starts else ():
            expression = expression_of(text)
            for policy in POLICIES:
                self._cross(text, policy, starts, window, window.times(window.fires(expression, policy)))

    def _cross(self, text, policy, starts, window, times) -> None:
        number = self.number(text, policy)
        self.tally.cases += 1
        if not times:
            return  # lives in the gap only
        for start in starts:
            self.tally.questions += 1
            forwards = start < window.begin
            expected = times[0 if forwards else -1] * 1000
            got = NEVER
            if number is not None:
                got = (self.compiler.next_after if forwards else self.compiler.prev_before)(number, start * 1000)
            if got != expected:
                way = "next" if forwards else "prev"
                self.tally.differ(Difference(self.name, text, policy, way, start * 1000, expected, got))

    @staticmethod
    def _comes_round(dates: Expression, place: cases.Place, second: int) -> bool:
        """Whether another date that matches may lie between an instant and the place."""
        first, last = sorted((corpus.date_of(second), corpus.date_of(place.second)))
        walked = (first + i * corpus.DAY for i in range(-2, (last - first).days + 3))
        return any(dates.dates(date) and date not in place.dates for date in walked)
