"""Cron against the brute-force oracle: first where it hurts, beside transitions, then everywhere.

The directed generator starts near one transition and matches only beside the next, or the one after: the search must
cross zone segments with the right offset each time. A generator that stays near one transition missed that bug once.
"""

import datetime as dt

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from support.oracle import cron as oracle
from support.oracle import zone as zones
from tocsin._core.cron import Cron as Masks
from tocsin._core.cron_text import parse
from tocsin._core.timetable import NEVER
from tocsin.domain import errors
from tocsin.domain.schedule import Cron, DaylightPolicy

DAY = 86400
POLICIES = [policy.value for policy in DaylightPolicy]
# Years with interesting transitions: a fold at midnight, half an hour, a skipped day, summer time ending for Ramadan,
# negative summer time, none at all, two hours, and a change on a Friday.
ZONES = {
    "America/New_York": (2024, 2027),
    "Europe/Vienna": (2024, 2027),
    "Australia/Lord_Howe": (2024, 2027),
    "America/Sao_Paulo": (2016, 2019),
    "Pacific/Apia": (2010, 2013),
    "Africa/Casablanca": (2024, 2026),
    "Europe/Dublin": (2024, 2027),
    "Asia/Kathmandu": (1985, 1986),
    "Antarctica/Troll": (2024, 2026),
    "Africa/Cairo": (2024, 2026),
}


def local_date(name, second):
    return dt.datetime.fromtimestamp(second, zones.UTC).astimezone(zones.load(name))


@st.composite
def time_fields(draw, hour):
    """Minute and hour fields that match within a few hours of `hour`, wildcards of each kind among them."""
    minute = draw(
        st.sampled_from(["0", "30", "59", "*", "*/5", "*/30", "*/7", "1-59/2", "0,15,45", "10/20"])
        | st.integers(0, 59).map(str)
    )
    near = [(hour + i) % 24 for i in range(-3, 4)]
    hours = draw(
        st.sampled_from(["*", "*/2", "*/3", "1-3", "0", "2", "23", "0-23"])
        | st.lists(st.sampled_from(near), min_size=1, max_size=3).map(lambda values: ",".join(map(str, values)))
    )
    return minute, hours


@st.composite
def directed(draw):
    name = draw(st.sampled_from(sorted(ZONES)))
    found = zones.transitions(name, *ZONES[name])
    i = draw(st.integers(0, len(found) - 1))
    j = min(i + draw(st.integers(0, 3)), len(found) - 1)
    if draw(st.booleans()):
        i, j = j, i
    start = found[i] + draw(st.integers(-4 * 3600, 4 * 3600) | st.sampled_from([-1, 0, 1, -1800, 1800, -3600, 3600]))
    near = local_date(name, found[j])
    minute, hour = draw(time_fields(near.hour))
    dates = [near + dt.timedelta(days=shift) for shift in draw(st.sets(st.integers(-1, 1), min_size=1))]
    dom = ",".join(str(day) for day in sorted({date.day for date in dates}))
    month = ",".join(str(month) for month in sorted({date.month for date in dates}))
    policy = draw(st.sampled_from(POLICIES))
    return name, f"{minute} {hour} {dom} {month} *", policy, start, found[j]


@st.composite
def anywhere(draw):
    """All fields, special days and seconds among them, from any time of a few years."""
    name = draw(st.sampled_from(sorted(ZONES)))
    begin = int(dt.datetime(ZONES[name][0], 1, 1, tzinfo=zones.UTC).timestamp())
    start = begin + draw(st.integers(0, 700 * DAY))
    minute, hour = draw(time_fields(draw(st.integers(0, 23))))
    dom = draw(
        st.sampled_from(
            [
                *["*", "*", "*", "*/2", "L", "LW", "15W", "1W", "31W", "30W,L", "1,15", "31", "13", "5-9", "*/9,L"],
                *["?", "L-3", "L-30", "L-1,L-28,15", "L-2,LW"],
            ]
        )
    )
    month = draw(st.sampled_from(["*", "*", "*/2", "3", "10-11", "JAN,JUN", "feb"]))
    dow = draw(
        st.sampled_from(
            ["*", "*", "*", "*/2", "MON-FRI", "0", "7", "5-7", "5L", "SUNL", "MON#2", "1#5", "0#1,3L", "?", "FRI#L"]
        )
    )
    return name, f"{minute} {hour} {dom} {month} {dow}", draw(st.sampled_from(POLICIES)), start


def compiled(compiler, name, text, policy):
    return compiler.compile((Cron(text, name, DaylightPolicy(policy)),))


def check(compiler, name, text, policy, start, until, *, margin=3 * DAY):
    """Next and previous from `start`, as far as the oracle looked, and the way back."""
    number = compiled(compiler, name, text, policy)
    low, high = min(start, until) - margin, max(start, until) + margin
    times = oracle.fire_times(text, name, policy, low, high)
    after = next((time for time in times if time > start), None)
    before = next((time for time in reversed(times) if time < start), None)
    got = compiler.next_after(number, start * 1000)
    note(f"next {got / 1000} expected {after}")
    if after is None:
        assert got >= high * 1000
    else:
        assert got == after * 1000
        assert compiler.next_after(number, start * 1000 + 999) == got
    got = compiler.prev_before(number, start * 1000)
    note(f"prev {got / 1000} expected {before}")
    if before is None:
        assert got == NEVER or got < low * 1000
    else:
        assert got == before * 1000
        assert compiler.prev_before(number, start * 1000 - 999) == got or before == start - 1


def beside(name, transition):
    """Expressions that match on the day of a transition only: inside the gap or fold, and around it."""
    before, after = local_date(name, transition - 1), local_date(name, transition)
    days = ",".join(str(day) for day in sorted({before.day, after.day}))
    months = ",".join(str(month) for month in sorted({before.month, after.month}))
    first = (before + dt.timedelta(seconds=1)).hour  # the first hour that is missing, or the first after the fold
    around = ",".join(str(hour) for hour in sorted({(first + i) % 24 for i in range(-2, 3)}))
    for time in (f"30 {first}", f"45 {(first - 1) % 24}", f"0,30 {around}", f"*/15 {around}", "20 *"):
        yield f"{time} {days} {months} *"


@pytest.mark.parametrize("name", ZONES)
def test_every_way_from_one_transition_to_another(compiler, name):
    """All of it, not a sample: chance alone misses a wrong offset three segments further on."""
    found = zones.transitions(name, *ZONES[name])[:6]
    for j, transition in enumerate(found):
        for text in beside(name, transition):
            for policy in POLICIES:
                times = oracle.fire_times(text, name, policy, transition - DAY, transition + DAY)
                number = compiled(compiler, name, text, policy)
                for i, other in enumerate(found):
                    if abs(other - transition) > 330 * DAY:
                        continue  # the same date of another year would come first
                    for start in (other - 5400, other - 1, other, other + 1800, other + 5400):
                        if times and i < j:
                            assert compiler.next_after(number, start * 1000) == times[0] * 1000, (text, policy, start)
                        if times and i > j:
                            assert compiler.prev_before(number, start * 1000) == times[-1] * 1000, (text, policy, start)


@settings(max_examples=300, deadline=None)
@given(case=directed())
def test_from_one_transition_to_another(compiler, case):
    check(compiler, *case)


@settings(max_examples=250, deadline=None)
@given(case=anywhere(), span=st.integers(1, 40))
def test_all_fields(compiler, case, span):
    name, text, policy, start = case
    try:
        compiled(compiler, name, text, policy)
    except errors.InvalidArgument as error:
        assert error.reason == "SCHEDULE_NEVER_FIRES"
        assert not oracle.fire_times(text, name, policy, start, start + 366 * DAY)
    else:
        check(compiler, name, text, policy, start, start + span * DAY)


@settings(max_examples=4, deadline=None)
@given(case=directed(), second=st.sampled_from(["*", "0", "30", "*/20", "59", "5,10"]))
def test_seconds(compiler, case, second):
    name, text, policy, start, until = case
    fields = text.split()
    # A few hours only: the oracle looks at every second.
    text = " ".join([second, *fields])
    check(compiler, name, text, policy, until + (start - until) % 7200, until, margin=4 * 3600)


def test_the_whole_sequence_around_transitions(compiler):
    """Every fire time of a few expressions for days around four transitions of each zone, forwards and backwards."""
    for name, years in ZONES.items():
        for transition in zones.transitions(name, *years)[:4]:
            begin, end = transition - DAY, transition + 2 * DAY
            for text in (
                "*/20 * * * *",
                "17 * * * *",
                "*/30 0-3 * * *",
                "30 2 * * *",
                "0,45 0-3,23 * * *",
                "0 0 * * *",
            ):
                for policy in POLICIES:
                    number = compiled(compiler, name, text, policy)
                    expected = oracle.fire_times(text, name, policy, begin, end)
                    forwards = compiler.timetables.upcoming(number, (begin - 1) * 1000, len(expected))
                    assert forwards == [time * 1000 for time in expected], (name, text, policy)
                    at, backwards = end * 1000, []
                    for _ in expected:
                        at = compiler.prev_before(number, at)
                        backwards.append(at)
                    assert backwards[::-1] == forwards, (name, text, policy)


@pytest.mark.parametrize("policy", ["skip", "both"])
def test_a_job_that_lives_in_gaps_only_never_fires(compiler, policy):
    # The second Sunday in March, half past two: since 2007 it does not exist in New York.
    number = compiled(compiler, "America/New_York", "30 2 8-14 3 */7", "vixie")
    assert number
    zone = compiler.timetables.add_zone(compiler.zones.get("America/New_York"))
    lonely = compiler.timetables.add_cron(zone, parse("30 2 8-14 3 */7"), POLICIES.index(policy))
    assert compiler.next_after(lonely, 1_767_225_600_000) == NEVER


def in_utc(compiler, cron):
    return compiler.timetables.add_cron(compiler.timetables.add_zone(compiler.zones.get("UTC")), cron)


def years_of(found):
    return [dt.datetime.fromtimestamp(ms / 1000, zones.UTC).year for ms in found]


def test_masks_that_match_no_date_are_never_due(compiler):
    for text in ("0 0 31 4 *", "0 0 L-30 2,4 *"):
        number = in_utc(compiler, parse(text))
        assert compiler.next_after(number, 0) == NEVER
        assert compiler.prev_before(number, 0) == NEVER


def test_rare_dates_are_found(compiler):
    # 29 February on a Sunday: every 28 years, 40 over the missing leap day of 2100.
    found = compiler.timetables.upcoming(in_utc(compiler, parse("0 0 29 2 */7")), 1_767_225_600_000, 4)
    assert years_of(found) == [2032, 2060, 2088, 2128]
    # The 28th day before the last is the first of February, in leap years only.
    found = compiler.timetables.upcoming(in_utc(compiler, parse("0 0 L-28 2 *")), 1_767_225_600_000, 3)
    assert years_of(found) == [2028, 2032, 2036]


@pytest.mark.parametrize("years", [[2030], [1970, 2225], [2027, 2028, 2033, 2034, 2097, 2098], range(2033, 2226, 64)])
@pytest.mark.parametrize("text", ["0 0 1 1 *", "59 23 31 12 *", "0 12 29 2 *", "0 0 * * MON#1"])
def test_years(compiler, years, text):
    cron = Masks.of(**parse(text).masks() | {"years": years})
    number, every = in_utc(compiler, cron), in_utc(compiler, parse(text))
    every_time = compiler.timetables.upcoming(every, -1, 256 * 12)
    expected = [ms for ms in every_time if dt.datetime.fromtimestamp(ms / 1000, zones.UTC).year in set(years)]
    assert compiler.timetables.upcoming(number, -100_000_000_000, 4000) == expected
    at, found = 8_100_000_000_000, []
    while (at := compiler.prev_before(number, at)) != NEVER:
        found.append(at)
    assert found[::-1] == expected


def test_an_empty_set_of_years_is_never_due(compiler):
    number = in_utc(compiler, Masks.of(**parse("* * * * *").masks() | {"years": []}))
    assert compiler.next_after(number, 0) == compiler.prev_before(number, 0) == NEVER


@settings(max_examples=100, deadline=None)
@given(case=directed(), years=st.frozensets(st.integers(2009, 2028)))
def test_years_in_zones(compiler, case, years):
    name, text, policy, start, until = case
    zone = compiler.timetables.add_zone(compiler.zones.get(name))
    cron = Masks.of(**parse(text).masks() | {"years": years})
    number = compiler.timetables.add_cron(zone, cron, POLICIES.index(policy))
    low, high = min(start, until) - 3 * DAY, max(start, until) + 3 * DAY
    times = oracle.fire_times(text, name, policy, low, high, years)
    after = next((time for time in times if time > start), None)
    before = next((time for time in reversed(times) if time < start), None)
    got = compiler.next_after(number, start * 1000)
    assert got >= high * 1000 if after is None else got == after * 1000
    got = compiler.prev_before(number, start * 1000)
    assert got == NEVER or got < low * 1000 if before is None else got == before * 1000


def test_time_repeats_after_400_years(compiler):
    cycle = 146097 * DAY * 1000
    for name in ("America/New_York", "Australia/Lord_Howe", "UTC"):
        for text in ("30 2 * 3,11 *", "*/30 1-3 * * 0", "0 0 29 2 *"):
            number = compiled(compiler, name, text, "vixie")
            at = 2_300_000_000_000  # 2042, after every explicit transition
            for later in (compiler.timetables.upcoming(number, at + k * cycle, 40) for k in (1, 5, 18)):
                shift = later[0] - compiler.timetables.upcoming(number, at, 1)[0]
                assert shift % cycle == 0
                assert [time - shift for time in later] == compiler.timetables.upcoming(number, at, 40)
