"""Expressions without a zone, over all the days from year 1 to 9999, by asking every date of 400 years."""

import datetime as dt
import random
from typing import NamedTuple

from oracle.judging import Tally, expression_of, zones
from tocsin.domain.schedule import Cron
from tocsin.schedule import Compiler
from tocsin.schedule.timetables import NEVER

EPOCH = dt.date(1970, 1, 1).toordinal()
DAY_MS = 86_400_000
LAST = dt.date.max.toordinal()
SAMPLE = 20_000
CYCLE = 146_097  # days of 400 years, after which the calendar repeats
DAYS = (
    *("* * *", "1 * *", "29 2 *", "31 * *", "30,31 2,4 *", "L * *", "L 2 *", "LW * *", "LW 2 *", "15W * *", "1W * *"),
    *("31W * *", "29W 2 *", "30W * *", "1W,LW 1,12 *", "L,15 * *", "*/2 * *", "*/9,L */3 *", "* 2 *", "1 1 *"),
    *("31 12 *", "* * MON#1", "* * 5#5", "* * SUN#5", "* 2 0#5", "* * 5L", "* 2 0L", "* * MON#2,FRIL", "* * 0"),
    *("* * 7", "* * 1-5", "13 * FRI", "1,15 * MON#2", "29 2 */7", "*/31 * 0", "29 2 1#5", "L * 5L", "LW * */3"),
    *("1-7 * */7", "31 * */2", "29-31 2-3 2L", "* 12 6#5"),
)


class CalendarDifference(NamedTuple):
    expression: str
    way: str
    start_ms: int
    expected_ms: int
    got_ms: int

    def __str__(self) -> str:
        return (
            f"{self.way} of {self.expression!r} from {self.start_ms}: expected {self.expected_ms}, got {self.got_ms}; "
            f"again:\n    PYTHONPATH=src:tests python -m oracle again UTC '{self.expression}' vixie {self.start_ms}"
        )


def judge(days: str, rng: random.Random, first: int = 1, last: int = LAST) -> Tally:
    """One kind of day at a random time of day: every fire time between two dates (as ordinals), both ways."""
    tally = Tally(windows=1, cases=1)
    hour, minute = rng.randrange(24), rng.randrange(60)
    text = f"{minute} {hour} {days}"
    matches = expression_of(text).dates
    time = (hour * 60 + minute) * 60_000
    compiler = Compiler(zones())
    number = compiler.compile((Cron(text, "UTC"),))
    if last - first < CYCLE:
        all_days = (day for day in range(first, last + 1) if matches(dt.date.fromordinal(day)))
    else:
        cycle = [day for day in range(1, CYCLE + 1) if matches(dt.date.fromordinal(day))]
        all_days = (day + shift for shift in range(0, LAST, CYCLE) for day in cycle if first <= day + shift <= last)
    found = [(day - EPOCH) * DAY_MS + time for day in all_days]
    begin, end = (first - EPOCH) * DAY_MS, (last + 1 - EPOCH) * DAY_MS - 1
    # Into each fire time from the one before and from between them, and back likewise; of many, a sample.
    fence = [begin, *found, end]
    chosen = range(1, len(fence) - 1)
    for i in chosen if len(chosen) <= SAMPLE else rng.sample(chosen, SAMPLE):
        at = fence[i]
        for start in (fence[i - 1], rng.randrange(fence[i - 1], at)):
            _same(tally, text, "next", start, at, compiler.next_after(number, start))
        for start in (fence[i + 1], rng.randrange(at, fence[i + 1]) + 1):
            _same(tally, text, "prev", start, at, compiler.prev_before(number, start))
    last_one, first_one = (fence[-2], fence[1]) if found else (begin, end)
    _same(tally, text, "next", last_one, NEVER, _within(compiler.next_after(number, last_one), begin, end))
    _same(tally, text, "prev", first_one, NEVER, _within(compiler.prev_before(number, first_one), begin, end))
    return tally


def _within(answer: int, begin: int, end: int) -> int:
    return answer if begin <= answer <= end else NEVER


def _same(tally: Tally, text: str, way: str, start: int, expected: int, got: int) -> None:
    tally.questions += 1
    if got != expected:
        tally.differ(CalendarDifference(text, way, start, expected, got))
