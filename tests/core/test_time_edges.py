"""Zones and timetables where numbers end: year 1 and 9999, the epoch, NEVER, empty tables and tables of a million."""

import datetime as dt
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin._core.cron_text import parse
from tocsin._core.timetable import FIRST_MS, LAST_MS, NEVER, Timetables
from tocsin._core.zone import NORMAL, Zone
from tocsin.domain.schedule import Cron, DaylightPolicy

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
FAR = 1 << 59  # seconds that a zone still answers for
CRON = parse("0 0 * * *")
DAY_MS = 86_400_000


def ms(text):
    return (dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) - EPOCH) // dt.timedelta(milliseconds=1)


@pytest.mark.parametrize("policy", list(DaylightPolicy))
@pytest.mark.parametrize(
    ("text", "start", "after", "before"),
    [
        ("* * * * *", "0001-01-01T00:00", "0001-01-01T00:01", None),
        ("* * * * *", "0001-01-01T00:01", "0001-01-01T00:02", "0001-01-01T00:00"),
        ("* * * * * *", "9999-12-31T23:59:59", None, "9999-12-31T23:59:58"),
        ("* * * * *", "9999-12-31T23:59", None, "9999-12-31T23:58"),
        ("0 0 1 1 *", "9998-06-01T00:00", "9999-01-01T00:00", "9998-01-01T00:00"),
        ("0 0 1 1 *", "9999-06-01T00:00", None, "9999-01-01T00:00"),
        ("0 0 29 2 *", "0001-01-01T00:00", "0004-02-29T00:00", None),
        ("0 0 29 2 *", "9996-03-01T00:00", None, "9996-02-29T00:00"),
        ("0 0 29 2 *", "1896-02-29T00:00", "1904-02-29T00:00", "1892-02-29T00:00"),
        ("0 0 * * *", "1970-01-01T00:00", "1970-01-02T00:00", "1969-12-31T00:00"),
        ("* * * * * *", "1969-12-31T23:59:59", "1970-01-01T00:00:00", "1969-12-31T23:59:58"),
        ("0 0 L 2 *", "1900-02-01T00:00", "1900-02-28T00:00", "1899-02-28T00:00"),
        ("0 0 31W * *", "2026-01-01T00:00", "2026-01-30T00:00", "2025-12-31T00:00"),
        ("0 0 * * 6#5", "2026-02-01T00:00", "2026-05-30T00:00", "2026-01-31T00:00"),
    ],
)
def test_ends_of_the_calendar(compiler, text, start, after, before, policy):
    number = compiler.compile((Cron(text, "UTC", policy),))
    assert compiler.next_after(number, ms(start)) == (ms(after) if after else NEVER)
    assert compiler.prev_before(number, ms(start)) == (ms(before) if before else NEVER)


@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "Etc/GMT+12", "America/New_York", "Europe/Vienna"])
def test_local_years_beyond_the_ends(compiler, name):
    """At the ends of UTC the wall clock may show year 0 or 10000: still no answer outside, and none is lost inside."""
    number = compiler.compile((Cron("* * * * *", name),))
    assert compiler.next_after(number, FIRST_MS) in range(FIRST_MS + 1, FIRST_MS + 60_001)
    assert compiler.prev_before(number, LAST_MS) in range(LAST_MS - 60_000, LAST_MS)
    assert compiler.next_after(number, LAST_MS) == NEVER
    assert compiler.prev_before(number, FIRST_MS) == NEVER


@settings(max_examples=200, deadline=None)
@given(second=st.integers(-62_135_596_800, -1), ms_after=st.integers(0, 999))
def test_before_the_epoch_milliseconds_round_down(compiler, second, ms_after):
    number = compiler.compile((Cron("* * * * * *"),))
    instant = second * 1000 + ms_after
    assert compiler.next_after(number, instant) == (second + 1) * 1000
    expected = second * 1000 if ms_after else (second - 1) * 1000
    assert compiler.prev_before(number, instant) == (expected if expected >= FIRST_MS else NEVER)


def test_never_in_is_never_out(compiler):
    number = compiler.compile((Cron("* * * * *", "Europe/Vienna"),))
    assert compiler.next_after(number, NEVER) == compiler.prev_before(number, NEVER) == NEVER
    assert compiler.rearm(number, NEVER, 0) == compiler.rearm(number, 0, NEVER) == NEVER
    out = array("q", [7, 7])
    compiler.timetables.next_many(array("I", [number, 0]), array("q", [NEVER, 0]), out)
    assert list(out) == [NEVER, NEVER]
    for outside in (FIRST_MS - 1, LAST_MS + 1, NEVER - 1, -NEVER - 1):
        with pytest.raises(ValueError, match="years 1 to 9999"):
            compiler.next_after(number, outside)
        with pytest.raises(ValueError, match="years 1 to 9999"):
            compiler.prev_before(number, outside)
        with pytest.raises(ValueError, match="years 1 to 9999"):
            compiler.timetables.next_many(array("I", [number]), array("q", [outside]), array("q", [0]))
    for beyond in (NEVER + 1, -NEVER - 2):
        with pytest.raises(OverflowError):
            compiler.next_after(number, beyond)


def cron_in(zone):
    timetables = Timetables()
    return timetables, timetables.add_cron(timetables.add_zone(zone), CRON)


@pytest.mark.parametrize("offset", [0, -93_599, 93_599, 1, -2670])
def test_a_zone_without_transitions(offset):
    zone = Zone(array("q"), array("i", [offset]))
    assert len(zone) == 0
    assert not zone.repeats
    assert zone.segment(0) == (None, None, offset)
    for second in (-FAR + 1, -1, 0, 1, FAR - 1):
        assert zone.offset_at(second) == offset
    assert zone.utc(100) == (100 - offset, 100 - offset, NORMAL)
    timetables, number = cron_in(zone)
    assert timetables.next_after(number, -offset * 1000) == DAY_MS - offset * 1000
    assert timetables.prev_before(number, -offset * 1000) == -DAY_MS - offset * 1000


def test_a_zone_of_a_million_transitions():
    count = 1_000_000
    every = 3 * 3600
    begin = -count // 2 * every
    transitions = array("q", range(begin, begin + count * every, every))
    offsets = array("i", [0, 3600]) * (count // 2) + array("i", [0])
    zone = Zone(transitions, offsets)
    assert len(zone) == count
    for i in (0, 1, count // 2, count - 2, count - 1):
        at = transitions[i]
        assert zone.offset_at(at) == offsets[i + 1]
        assert zone.offset_at(at - 1) == offsets[i]
        assert zone.segment(at)[0] == at
    timetables, number = cron_in(zone)
    for start in (0, begin * 1000, (begin + count * every) * 1000):
        after = timetables.next_after(number, start)
        assert start < after <= start + 2 * DAY_MS
        assert timetables.prev_before(number, after) < after
    with pytest.raises(ValueError, match="1000000"):
        Zone(array("q", range(count + 1)), array("i", [0, 1]) * (count // 2) + array("i", [0, 1]))


@pytest.mark.parametrize(
    ("transitions", "offsets"),
    [
        ([2, 1], [0, 1, 0]),
        ([1, 1], [0, 1, 0]),
        ([1], [0]),
        ([1], [0, 1, 2]),
        ([], []),
        ([FAR], [0, 1]),
        ([-FAR], [0, 1]),
    ],
)
def test_unsorted_and_misshapen_tables_are_refused(transitions, offsets):
    with pytest.raises(ValueError, match=r"."):
        Zone(array("q", transitions), array("i", offsets))


@pytest.mark.parametrize(
    "buffers", [(array("i", [1]), array("i", [0, 1])), (b"12345678", array("i", [0, 1])), (None, 1)]
)
def test_other_buffers_are_refused(buffers):
    with pytest.raises((ValueError, TypeError)):
        Zone(*buffers)


def test_transitions_beyond_the_years_are_harmless():
    last = (LAST_MS // 1000) + 10**9
    zone = Zone(array("q", [-(10**12), 0, last]), array("i", [0, 3600, 7200, 0]))
    timetables, number = cron_in(zone)
    assert timetables.prev_before(number, LAST_MS) < LAST_MS
    assert timetables.next_after(number, LAST_MS - 1) == NEVER
    assert timetables.next_after(number, FIRST_MS) > FIRST_MS


def test_a_registry_of_many_rows():
    timetables, number = cron_in(Zone(array("q"), array("i", [0])))
    count = 70_000
    for i in range(count):
        timetables.add_rolling(i + 1)
    assert len(timetables) == count + 2
    assert timetables.next_after(number, 0) == DAY_MS
    for i in (1, 2, 65_535, 65_536, count):
        assert timetables.next_after(number + i, 0) == i
    with pytest.raises(IndexError):
        timetables.next_after(count + 2, 0)
    for huge in (0xFFFFFFFF, 0xFFFFFFFE):
        with pytest.raises(IndexError):
            timetables.next_after(huge, 0)
    with pytest.raises(OverflowError):
        timetables.next_after(1 << 32, 0)
