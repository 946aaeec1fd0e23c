"""What a question to many windows costs, and that the short ways answer as the plain one does."""

from fnmatch import fnmatchcase

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from support.engines import T0, compiler
from tocsin.domain.group import Filed
from tocsin.domain.instant import DAY, HOUR, MINUTE, Instant
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.schedule import Cron, RRule
from tocsin.engine.windows import Windows
from tocsin.schedule import Compiler

NAMES = {1: "nightly-a", 2: "web", 3: "db[1]"}
PATTERNS = st.lists(st.sampled_from(["*", "nightly-*", "w?b", "db[[]1]", "[!n]*", "x"]), max_size=2).map(tuple)
FILED = {1: Filed("night", ("db",)), 2: Filed("", ("web", "db"))}
FILING = {
    "groups": st.lists(st.sampled_from(["night", "day"]), max_size=1).map(tuple),
    "tags": st.lists(st.sampled_from(["web", "x"]), max_size=2).map(tuple),
}
ENVIRONMENTS = st.lists(st.sampled_from(["prod*", "staging", "*ing"]), max_size=2).map(tuple)


def once(number: int, start: int, length: int, **fields: object) -> MaintenanceWindow:
    return MaintenanceWindow(number, 1, f"w{number}", start_time=start, end_time=start + length, **fields)


SINGLE = st.builds(
    lambda start, length, monitors, environments, filing: {
        "start_time": T0 + start * MINUTE,
        "end_time": T0 + (start + length) * MINUTE,
        "monitors": monitors,
        "environments": environments,
        **filing,
    },
    st.integers(-20, 20),
    st.integers(1, 10),
    PATTERNS,
    ENVIRONMENTS,
    st.fixed_dictionaries({}, optional=FILING),
)
RECURRING = st.builds(
    lambda recurrence, minutes, monitors, environments, filing: {
        "recurrence": recurrence,
        "duration_ms": minutes * MINUTE,
        "monitors": monitors,
        "environments": environments,
        **filing,
    },
    st.sampled_from(
        [Cron("*/7 * * * *"), Cron("0 2 29 2 *"), RRule("DTSTART:20260320T100500\nRRULE:FREQ=MINUTELY;COUNT=3")]
    ),
    st.integers(1, 9),
    PATTERNS,
    ENVIRONMENTS,
    st.fixed_dictionaries({}, optional=FILING),
)


def plain(window: MaintenanceWindow, monitor: str, filed: Filed, environment: str, at: Instant) -> bool:
    named = any(fnmatchcase(monitor, pattern) for pattern in window.monitors)
    of_it = named or filed.group in window.groups or bool({*filed.tags} & {*window.tags})
    fits = [
        of_it or not (window.monitors or window.groups or window.tags),
        not window.environments or any(fnmatchcase(environment, pattern) for pattern in window.environments),
    ]
    if window.recurrence is None:
        return all(fits) and window.start_time <= at < window.end_time
    number = compiler().compile((window.recurrence,))
    began = compiler().prev_before(number, at + 1)
    return all(fits) and began <= at < began + window.duration_ms


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.one_of(SINGLE, RECURRING, st.none())), max_size=12),
    st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from(["production", "staging"]), st.integers(-40, 40))),
)
def test_it_answers_as_asking_each_in_turn(changes: list, asked: list) -> None:
    windows, known = Windows(), {}
    for place, fields in changes:
        if fields is None:
            gone = known.pop(place, None)
            if gone is not None:
                windows.remove(gone)
        else:
            known[place] = MaintenanceWindow(place + 1, 1, f"w{place}", **fields)
            windows.put(known[place], dict(NAMES), dict(FILED))
        for monitor, environment, half_minute in asked:
            at = T0 + half_minute * MINUTE // 2
            found = windows.cover(compiler(), 1, monitor, environment, at)
            named = NAMES[monitor] if windows.follows(1) else ""
            filed = FILED.get(monitor, Filed())
            assert found == any(plain(one, named, filed, environment, at) for one in known.values())


class Counting(Compiler):
    asked = 0

    def prev_before(self, number: int, instant_ms: int) -> int:
        Counting.asked += 1
        return super().prev_before(number, instant_ms)


def test_a_recurrence_is_asked_once_an_occurrence_and_again_under_new_rules() -> None:
    windows, Counting.asked = Windows(), 0
    windows.put(MaintenanceWindow(1, 1, "w", recurrence=Cron("0 * * * *"), duration_ms=10 * MINUTE))
    old, new = (Counting(compiler().zones) for _ in range(2))
    found = [windows.cover(old, 1, 7, "production", T0 + minute * MINUTE) for minute in range(60)]
    assert found == [True] * 10 + [False] * 50
    assert Counting.asked == 1
    windows.cover(new, 1, 7, "production", T0)
    assert Counting.asked == 2


@pytest.mark.parametrize("past", [True, False])
def test_patterns_of_windows_that_do_not_hold_are_not_looked_at(past: bool) -> None:
    windows = Windows()
    begins = T0 - DAY if past else T0 + DAY
    for number in range(1000):
        windows.put(once(number + 1, begins + number, HOUR, monitors=("[",), environments=("a*",)), {7: "web-1"})
    assert not windows.cover(compiler(), 1, 7, "production", T0)
    assert windows.patterns_read() == 0
    windows.put(once(2000, T0, 1, environments=("prod*",)))
    assert windows.cover(compiler(), 1, 7, "production", T0)
    assert windows.patterns_read() == 1
