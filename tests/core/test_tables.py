"""Timetables whose fire times a function says, window by window: as if all times were known at once."""

import bisect
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin._core.timetable import FIRST_MS, LAST_MS, NEVER, Timetables

BEGIN_S, END_S = FIRST_MS // 1000 - 1, LAST_MS // 1000


class Cover:
    """Answers with windows of a few times, or of none, and counts how often it was asked."""

    def __init__(self, times, window):
        self.times, self.window, self.asked = sorted(times), window, 0

    def __call__(self, utc_s):
        self.asked += 1
        low = utc_s // self.window * self.window
        high = low + self.window
        if low < self.times[0]:
            low, high = BEGIN_S, max(high, self.times[0])
        if high >= self.times[-1]:
            low, high = min(low, self.times[-1] - 1), END_S
        kept = self.times[bisect.bisect_right(self.times, low) : bisect.bisect_right(self.times, high)]
        return low, high, array("q", kept)


def registered(times, window):
    timetables, cover = Timetables(), Cover(times, window)
    return timetables, timetables.add_table(cover), cover


def later(times, at_ms):
    return next((t * 1000 for t in sorted(times) if t * 1000 > at_ms), NEVER)


def earlier(times, at_ms):
    return next((t * 1000 for t in sorted(times, reverse=True) if t * 1000 < at_ms), NEVER)


TIMES = st.sets(st.integers(-50_000, 50_000), min_size=1, max_size=30)
INSTANTS = st.lists(st.integers(-60_000_000, 60_000_000) | st.sampled_from([FIRST_MS, LAST_MS, NEVER]), min_size=1)


@settings(max_examples=200, deadline=None)
@given(times=TIMES, window=st.sampled_from([500, 7_000, 100_000]), instants=INSTANTS, period=st.integers(1, 10**8))
def test_a_table_answers_as_its_times_do(times, window, instants, period):
    timetables, number, _ = registered(times, window)
    union = timetables.add_union([timetables.add_rolling(period), number])
    assert timetables.is_grid(number)
    assert not timetables.is_grid(union)
    for at in instants:
        following = NEVER if at == NEVER else later(times, at)
        before = NEVER if at == NEVER else earlier(times, at)
        assert timetables.next_after(number, at) == following
        assert timetables.prev_before(number, at) == before
        if at != NEVER:
            step = at + period if at + period <= LAST_MS else NEVER
            assert timetables.next_after(union, at) == min(following, step)
            assert timetables.rearm(number, at, min(at + period, LAST_MS)) == later(
                times, min(at + period, LAST_MS) - 1
            )
    numbers, ones, out = array("I", [number] * len(instants)), array("q", instants), array("q", [0] * len(instants))
    timetables.next_many(numbers, ones, out)
    assert list(out) == [timetables.next_after(number, at) for at in instants]
    timetables.prev_many(numbers, ones, out)
    assert list(out) == [timetables.prev_before(number, at) for at in instants]


def test_upcoming_crosses_windows_and_stops_at_the_end():
    times = [*range(0, 10_000, 100), 900_000]
    timetables, number, cover = registered(times, 1000)
    assert timetables.upcoming(number, -1, 1000) == [t * 1000 for t in times]
    assert timetables.upcoming(number, 0, 3) == [100_000, 200_000, 300_000]
    assert timetables.upcoming(number, 0, 1000, 9_900_000) == [t * 1000 for t in times[1:-1]]
    assert timetables.upcoming(number, 9_900_000, 5, 899_999_999) == []
    cover.asked = 0
    timetables.upcoming(number, 0, 5)
    timetables.upcoming(number, 0, 5)
    assert cover.asked <= 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((0, 100, [7, 7]), "does not come after"),
        ((0, 100, [0]), "does not come after"),
        ((0, 100, [101]), "does not come after"),
        ((60, 100, []), "does not cover"),
        ((0, 50, []), "does not cover"),
        ((BEGIN_S - 1, 100, []), "does not cover"),
        ((0, END_S + 1, []), "does not cover"),
    ],
)
def test_a_table_that_breaks_the_rules_is_refused(answer, reason):
    timetables = Timetables()
    low, high, times = answer
    number = timetables.add_table(lambda _: (low, high, array("q", times)))
    with pytest.raises(ValueError, match=reason):
        timetables.next_after(number, 50_000)


def test_what_the_function_raises_is_passed_on_and_nothing_is_broken():
    timetables = Timetables()
    answers = [ZeroDivisionError("the rule"), (BEGIN_S, END_S, array("q", [7]))]

    def cover(_):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    number = timetables.add_table(cover)
    with pytest.raises(ZeroDivisionError):
        timetables.next_after(number, 0)
    assert timetables.next_after(number, 0) == 7000


@given(rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 10**12), st.integers(0, 10**10)), max_size=50))
def test_batches_are_the_same_as_one_by_one(rows):
    timetables = Timetables()
    numbers = [timetables.add_rolling(90_500), timetables.add_table(Cover(range(0, 10**9, 10**7), 10**8)), 0]
    numbers.append(timetables.add_union(numbers[:2]))
    which = array("I", [numbers[i] for i, _, _ in rows])
    expected, judged = array("q", [at for _, at, _ in rows]), array("q", [at + late for _, at, late in rows])
    out = array("q", bytes(8 * len(rows)))
    timetables.rearm_many(which, expected, judged, out)
    assert list(out) == [timetables.rearm(*row) for row in zip(which, expected, judged, strict=True)]
    timetables.prev_many(which, expected, out)
    assert list(out) == [timetables.prev_before(*row) for row in zip(which, expected, strict=True)]


def test_the_end_may_be_never():
    timetables, number, _ = registered([1, 2, 3], 2)
    assert timetables.upcoming(number, 0, 20, NEVER) == [1000, 2000, 3000]


@pytest.mark.parametrize("change", [(1, 0xF0000000), (1, 7)])
def test_a_function_that_changes_the_batch_it_serves(change):
    timetables = Timetables()
    which = array("I", [0, 0])

    def cover(at):
        which[change[0]] = change[1]
        return at, at + 100, array("q", [at + 100])

    which[0], which[1] = timetables.add_table(cover), timetables.add_table(cover)
    with pytest.raises(IndexError, match=f"no timetable {change[1]}"):
        timetables.next_many(which, array("q", [5000, 5000]), array("q", [0, 0]))


def test_results_need_an_array_of_their_own():
    timetables = Timetables()
    same = array("q", [5000])
    for call in (timetables.next_many, timetables.prev_many):
        with pytest.raises(ValueError, match="array of their own"):
            call(array("I", [0]), same, same)
    with pytest.raises(ValueError, match="array of their own"):
        timetables.rearm_many(array("I", [0]), array("q", [0]), same, same)


def test_a_batch_names_what_it_refuses():
    timetables = Timetables()
    numbers, good, out = array("I", [0, 9]), array("q", [0, 0]), array("q", [0, 0])
    with pytest.raises(IndexError, match="no timetable 9"):
        timetables.prev_many(numbers, good, out)
    with pytest.raises(ValueError, match="years 1 to 9999"):
        timetables.rearm_many(array("I", [0, 0]), good, array("q", [0, FIRST_MS - 1]), out)
    with pytest.raises(ValueError, match="2 numbers, 2 instants and 1 results"):
        timetables.next_many(numbers, good, array("q", [0]))
