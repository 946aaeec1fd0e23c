"""Intervals against the oracle, one unit at a time."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.oracle import interval as oracle
from support.oracle import zone as zones
from tocsin._core.timetable import LAST_MS, NEVER
from tocsin.domain.schedule import Interval, Unit

NAMES = ["UTC", "Europe/Vienna", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "Antarctica/Troll"]
UNITS = [unit.value for unit in Unit]


@st.composite
def references(draw):
    name = draw(st.sampled_from(NAMES))
    second = draw(st.integers(1_200_000_000, 1_900_000_000))
    if name != "UTC" and draw(st.booleans()):
        # A whole number of days from a transition, so that the step lands beside it.
        transition = draw(st.sampled_from(zones.transitions(name, 2010, 2018)))
        second = transition - draw(st.integers(0, 60)) * 86400 + draw(st.integers(-7200, 7200))
    return name, second * 1000 + draw(st.integers(0, 999))


def compiled(compiler, name, count, unit, truncate=False):
    return compiler.compile((Interval(count, Unit(unit), name, truncate_to_minute=truncate),))


@settings(max_examples=400, deadline=None)
@given(reference=references(), count=st.integers(1, 40), unit=st.sampled_from(UNITS), truncate=st.booleans())
def test_next(compiler, reference, count, unit, truncate):
    name, at = reference
    expected = oracle.step(name, count, unit, at)
    if truncate:
        expected = oracle.truncated(name, expected, at)
    got = compiler.next_after(compiled(compiler, name, count, unit, truncate), at)
    assert got == expected
    assert got > at


@settings(max_examples=200, deadline=None)
@given(reference=references(), count=st.integers(1, 40), unit=st.sampled_from(UNITS))
def test_prev(compiler, reference, count, unit):
    name, at = reference
    assert compiler.prev_before(compiled(compiler, name, count, unit), at) == oracle.step(name, count, unit, at, -1)


@settings(max_examples=300, deadline=None)
@given(
    reference=references(),
    count=st.integers(1, 40),
    unit=st.sampled_from(UNITS),
    late=st.integers(0, 400 * 86_400_000),
)
@example(reference=("UTC", 1_769_817_600_000), count=1, unit="month", late=86_400_000 * 40)
def test_rearm_is_the_first_step_not_before_the_judgement(compiler, reference, count, unit, late):
    name, anchor = reference
    length = {"second": 1000, "minute": 60_000, "hour": 3_600_000}.get(unit, 86_400_000)
    late = min(late, 300 * length * count)  # the oracle tries every step
    steps = 1
    while oracle.step(name, count, unit, anchor, steps) < anchor + late:
        steps += 1
    expected = oracle.step(name, count, unit, anchor, steps)
    assert compiler.rearm(compiled(compiler, name, count, unit), anchor, anchor + late) == expected


@settings(max_examples=200, deadline=None)
@given(reference=references(), count=st.integers(1, 90), unit=st.sampled_from(UNITS), late=st.integers(0, 10**10))
def test_rearm_truncated(compiler, reference, count, unit, late):
    name, anchor = reference
    got = compiler.rearm(compiled(compiler, name, count, unit, truncate=True), anchor, anchor + late)
    assert got >= anchor + late
    assert got > anchor
    assert zones.offset_at(name, got // 1000) % 60 or got % 60_000 == 0


def test_clamping_does_not_drift(compiler):
    """31 January, monthly: judged late in March, the next is 31 March and not the 28th."""
    monthly = compiled(compiler, "UTC", 1, "month")
    assert compiler.rearm(monthly, 1_769_853_600_000, 1_774_000_000_000) == 1_774_951_200_000


@given(unit=st.sampled_from(UNITS), at=st.integers(LAST_MS - 10_000, LAST_MS))
def test_the_end_of_the_year_9999(compiler, unit, at):
    number = compiled(compiler, "Europe/Vienna", 60, unit)
    assert compiler.next_after(number, at) == NEVER
    assert compiler.rearm(number, at, LAST_MS) == NEVER


def test_a_step_is_never_empty(compiler):
    for unit in range(7):
        with pytest.raises(ValueError, match="100 years"):
            compiler.timetables.add_interval(0, 0, unit)
        with pytest.raises(ValueError, match="100 years"):
            compiler.timetables.add_interval(0, 10**18, unit)
