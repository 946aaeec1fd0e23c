"""The registry: unions, the window cache, batches, and a lid that checks."""

import threading
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin._core import cron as core_cron
from tocsin._core.cron_text import parse
from tocsin._core.timetable import FIRST_MS, LAST_MS, MEMBERS_MAX, NEVER, Timetables
from tocsin.domain.schedule import Cron, Daily, Interval, Rolling, Unit

SCHEDULES = (
    Cron("*/5 * * * *", "America/New_York"),
    Cron("30 2 * * *", "Europe/Vienna"),
    Cron("0 0 29 2 *"),
    Cron("*/10 * * * * *", "Asia/Kathmandu"),
    Daily(("02:30", "14:30:15"), "Europe/Vienna"),
    Interval(10, Unit.MINUTE),
    Interval(1, Unit.MONTH, "Europe/Vienna"),
    Rolling(90_500),
)
INSTANTS = st.integers(0, 4_000_000_000_000)


@pytest.fixture(scope="module")
def numbers(compiler):
    return [compiler.compile((schedule,)) for schedule in SCHEDULES]


def test_number_zero_is_never_due():
    timetables = Timetables()
    assert len(timetables) == 1
    assert timetables.is_grid(0)
    assert timetables.next_after(0, 0) == timetables.prev_before(0, 0) == timetables.rearm(0, 0, 1) == NEVER
    assert timetables.upcoming(0, 0, 3) == []


@settings(max_examples=200)
@given(chosen=st.sets(st.integers(0, len(SCHEDULES) - 1), min_size=1), at=INSTANTS)
def test_a_union_is_due_whenever_any_is(compiler, numbers, chosen, at):
    several = tuple(SCHEDULES[i] for i in sorted(chosen))
    union = compiler.compile(several)
    assert compiler.next_after(union, at) == min(compiler.next_after(numbers[i], at) for i in chosen)
    assert compiler.prev_before(union, at) == max(compiler.prev_before(numbers[i], at) for i in chosen)
    assert compiler.rearm(union, at, at + 7_000_000) == min(
        compiler.rearm(numbers[i], at, at + 7_000_000) for i in chosen
    )
    assert compiler.is_grid(union) == all(compiler.is_grid(numbers[i]) for i in chosen)


@settings(max_examples=200)
@given(order=st.lists(st.tuples(st.integers(0, 4), INSTANTS | st.integers(0, 4_000_000)), min_size=2, max_size=30))
def test_the_window_cache_never_changes_an_answer(compiler, numbers, order):
    for i, at in order:
        got = compiler.next_after(numbers[i], at)
        compiler.next_after(numbers[i], 5_000_000_000_000)  # moves the window far away
        assert compiler.next_after(numbers[i], at) == got


@given(number=st.integers(0, 4), at=INSTANTS)
def test_next_and_prev_meet(compiler, numbers, number, at):
    following = compiler.next_after(numbers[number], at)
    assert following > at
    assert compiler.prev_before(numbers[number], following) <= at
    assert compiler.next_after(numbers[number], following - 1) == following
    assert compiler.prev_before(numbers[number], following + 1) == following
    assert compiler.distance(numbers[number], following) == following - compiler.prev_before(numbers[number], following)


@given(number=st.integers(0, 4), at=INSTANTS, late=st.integers(0, 10**10))
def test_rearm_of_a_grid(compiler, numbers, number, at, late):
    expected = compiler.next_after(numbers[number], at)
    again = compiler.rearm(numbers[number], expected, expected + late)
    assert again > expected
    assert again >= expected + late
    assert compiler.prev_before(numbers[number], again) in range(expected, max(expected + late, expected + 1))


@given(rows=st.lists(st.tuples(st.integers(0, len(SCHEDULES) - 1), INSTANTS), max_size=50))
def test_batch_is_the_same_as_one_by_one(compiler, numbers, rows):
    which = array("I", [numbers[i] for i, _ in rows])
    instants = array("q", [at for _, at in rows])
    out = array("q", bytes(8 * len(rows)))
    compiler.timetables.next_many(which, instants, out)
    assert list(out) == [compiler.next_after(number, at) for number, at in zip(which, instants, strict=True)]


def test_batches_on_threads_while_rows_are_added(compiler, numbers):
    which = array("I", [numbers[0], numbers[1], numbers[3]] * 5000)
    instants = array("q", [1_700_000_000_000 + 61_000 * i for i in range(len(which))])
    expected = array("q", bytes(8 * len(which)))
    compiler.timetables.next_many(which, instants, expected)
    results = [array("q", bytes(8 * len(which))) for _ in range(4)]
    threads = [
        threading.Thread(target=compiler.timetables.next_many, args=(which, instants, result)) for result in results
    ]
    for thread in threads:
        thread.start()
    for period in range(2000, 4000):
        compiler.compile((Rolling(period),))
    for thread in threads:
        thread.join()
    assert all(result == expected for result in results)


def test_rolling(compiler, numbers):
    rolling = numbers[-1]
    assert compiler.next_after(rolling, 7) == 90_507
    assert compiler.prev_before(rolling, 90_507) == 7
    assert compiler.rearm(rolling, 0, 0) == 90_500
    assert compiler.rearm(rolling, 0, 90_500) == 90_500
    assert compiler.rearm(rolling, 0, 90_501) == 181_000
    assert compiler.distance(rolling, 10**12) == 90_500


def test_the_ends_of_time(compiler, numbers):
    for number in numbers:
        assert compiler.next_after(number, LAST_MS) == NEVER
        assert compiler.prev_before(number, FIRST_MS) == NEVER
        assert compiler.next_after(number, NEVER) == NEVER
        assert compiler.prev_before(number, NEVER) == NEVER
        assert compiler.next_after(number, FIRST_MS) > FIRST_MS
        assert compiler.prev_before(number, LAST_MS) < LAST_MS
        for outside in (FIRST_MS - 1, LAST_MS + 1):
            with pytest.raises(ValueError, match="years 1 to 9999"):
                compiler.next_after(number, outside)


def test_the_lid_checks(compiler):
    timetables, unknown = compiler.timetables, len(compiler.timetables)
    for call in (timetables.next_after, timetables.prev_before, timetables.distance):
        with pytest.raises(IndexError, match=f"no timetable {unknown}"):
            call(unknown, 0)
    with pytest.raises(IndexError):
        timetables.rearm(unknown, 0, 0)
    with pytest.raises(IndexError):
        timetables.is_grid(unknown)
    with pytest.raises(IndexError):
        timetables.add_union([unknown])
    with pytest.raises(ValueError, match="union"):
        timetables.add_union([])
    with pytest.raises(ValueError, match="union"):
        timetables.add_union([0] * (MEMBERS_MAX + 1))
    with pytest.raises(OverflowError):
        timetables.next_after(-1, 0)
    with pytest.raises(IndexError, match="no zone"):
        timetables.add_daily(10_000, [0])
    for seconds in ([], [-1], [86400]):
        with pytest.raises(ValueError, match="a day has"):
            timetables.add_daily(0, seconds)
    with pytest.raises(ValueError, match="unit"):
        timetables.add_interval(0, 1, 7)
    for period in (0, 10**15):
        with pytest.raises(ValueError, match="period"):
            timetables.add_rolling(period)
    for policy in (-1, 4):
        with pytest.raises(ValueError, match="policy"):
            timetables.add_cron(0, parse("* * * * *"), policy)
    with pytest.raises(ValueError, match="empty"):
        timetables.add_cron(0, core_cron.Cron())
    with pytest.raises(TypeError):
        timetables.add_cron(0, None)
    with pytest.raises(ValueError, match="2 numbers, 1 instants and 2 results"):
        timetables.next_many(array("I", [0, 0]), array("q", [0]), array("q", [0, 0]))
    with pytest.raises(IndexError):
        timetables.next_many(array("I", [unknown]), array("q", [0]), array("q", [0]))
    with pytest.raises(ValueError, match="negative"):
        timetables.upcoming(0, 0, -1)
