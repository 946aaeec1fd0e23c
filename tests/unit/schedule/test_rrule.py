"""Recurrence rules against dateutil walking from the true start, in zones with every kind of transition."""

import datetime
import itertools
import time

import pytest
from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st

from support.oracle import rrule as oracle
from tocsin._core.timetable import FIRST_MS, LAST_MS, NEVER, Timetables
from tocsin.app.tzdata import read_zone
from tocsin.domain.errors import InvalidArgument
from tocsin.schedule import Zones
from tocsin.schedule.rrule import FIRST_S, LAST_S, Occurrences
from tocsin.schedule.rrule_text import parse

ZONES = Zones(read_zone)
NAMES = ("UTC", "Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia")
DAY = 86_400


def occurrences(text: str, zone: str = "UTC") -> Occurrences:
    return Occurrences(parse(text, zone), ZONES.get(zone))


def at(text: str) -> int:
    return round(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp())


def shown(times: "list[int]") -> list[str]:
    return [datetime.datetime.fromtimestamp(time, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S") for time in times]


def numbers(low: int, high: int, most: int = 4) -> st.SearchStrategy[str]:
    return st.lists(st.integers(low, high), min_size=1, max_size=most).map(lambda found: ",".join(map(str, found)))


def signed(high: int) -> st.SearchStrategy[str]:
    number = st.integers(-high, high).filter(bool)
    return st.lists(number, min_size=1, max_size=4).map(lambda found: ",".join(map(str, found)))


@st.composite
def rules(draw: st.DrawFn) -> str:
    freq = draw(st.sampled_from(("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")))
    day = st.sampled_from(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))
    if freq in ("YEARLY", "MONTHLY") and draw(st.booleans()):  # all or none: dateutil cannot unite them
        day = st.builds(lambda nth, name: f"{nth}{name}", st.sampled_from(("1", "2", "5", "-1")), day)
    parts = {
        "BYMONTH": numbers(1, 12),
        "BYDAY": st.lists(day, min_size=1, max_size=3).map(",".join),
        "BYHOUR": numbers(0, 23),
        "BYMINUTE": numbers(0, 59),
        "BYSECOND": numbers(0, 59),
        "WKST": st.sampled_from(("MO", "SU", "TH")),
    }
    if freq != "WEEKLY":
        parts["BYMONTHDAY"] = signed(31)
    if freq in ("YEARLY", "HOURLY", "MINUTELY", "SECONDLY"):
        parts["BYYEARDAY"] = signed(366)
    if freq == "YEARLY":
        parts["BYWEEKNO"] = signed(53)
    chosen = draw(st.lists(st.sampled_from(sorted(parts)), max_size=4, unique=True))
    found = {"FREQ": freq} | {name: draw(parts[name]) for name in chosen}
    if "BYWEEKNO" in found and "BYDAY" in found:
        found["BYDAY"] = ",".join(item[-2:] for item in found["BYDAY"].split(","))
    interval = draw(st.sampled_from((1, 1, 1, 2, 3, 5, 7)))
    if interval > 1:
        found["INTERVAL"] = str(interval)
    if draw(st.integers(0, 4)) == 0 and set(found) - {"FREQ", "INTERVAL", "WKST"}:
        found["BYSETPOS"] = draw(signed(3))
    rule = ";".join(f"{name}={value}" for name, value in found.items())
    try:
        parse(rule, "UTC")
    except InvalidArgument as error:
        assume(not any(part in str(error) for part in ("BYSECOND: cannot", "INTERVAL: steps")))
        raise
    return rule


STARTS = st.datetimes(datetime.datetime(1999, 1, 1), datetime.datetime(2030, 1, 1)).map(
    lambda t: t.replace(microsecond=0)
)
REACH = {"YEARLY": 40 * 365, "MONTHLY": 3000, "WEEKLY": 2000, "DAILY": 800, "HOURLY": 60, "MINUTELY": 6, "SECONDLY": 1}


@settings(deadline=None, max_examples=25)
@given(
    rules(),
    STARTS,
    st.sampled_from(NAMES),
    st.floats(0, 1),
    st.floats(0, 0.2),
    st.sampled_from(("", "UNTIL", "COUNT")),
    st.integers(1, 30),
)
def test_a_window_holds_what_dateutil_finds(
    rule: str, start: datetime.datetime, zone: str, where: float, length: float, end: str, count: int
) -> None:
    freq = rule.partition(";")[0].removeprefix("FREQ=")
    reach = REACH[freq] * DAY
    begin = round(start.replace(tzinfo=datetime.UTC).timestamp())
    if end == "UNTIL":
        rule += f";UNTIL={start + datetime.timedelta(seconds=reach // 2):%Y%m%dT%H%M%S}"
    elif end == "COUNT":
        rule += f";COUNT={count}"
    text = f"DTSTART:{start:%Y%m%dT%H%M%S}\nRRULE:{rule}"
    try:
        found = occurrences(text, zone)
    except ValueError as error:
        assume("COUNT" not in str(error))
        raise
    low = begin + round(reach * where) - DAY
    high = low + round(reach * length) + 60
    try:
        expected = oracle.fire_times(text, zone, low, high)
    except ValueError:  # dateutil: the interval never meets the times of day
        expected = []
    event(f"{freq}, {'some' if expected else 'none'}")
    assert list(found.window(low, high)) == expected
    below, above, times = found.cover(low)
    assert below <= low < above
    assert list(times) == list(found.window(below, above)) if len(times) < 2000 else True
    if expected:
        assert found.next_after(low) == expected[0]
        if above < high:
            assert [time for time in times if time > low] == [time for time in expected if time <= above]


@pytest.mark.parametrize("zone", NAMES)
@pytest.mark.parametrize("rule", ["FREQ=HOURLY", "FREQ=MINUTELY;INTERVAL=7", "FREQ=DAILY;BYHOUR=0,1,2,3;BYMINUTE=0,30"])
def test_every_gap_and_fold_of_some_years(rule: str, zone: str) -> None:
    found = occurrences(f"DTSTART:20090101T000000\nRRULE:{rule}", zone)
    low = at("2009-01-01")
    high = at("2012-01-01") if "DAILY" in rule else at("2010-01-01") if "HOURLY" in rule else at("2009-05-01")
    assert list(found.window(low, high)) == oracle.fire_times(f"DTSTART:20090101T000000\nRRULE:{rule}", zone, low, high)


@settings(deadline=None, max_examples=40)
@given(rules(), st.integers(-3, 17), st.integers(0, 400 * 365))
@example("FREQ=WEEKLY;BYDAY=FR,SA", 19, 146_096)
def test_the_calendar_repeats_every_400_years(rule: str, eras: int, day: int) -> None:
    """What dateutil cannot reach in time: the same rule, started and asked a multiple of 400 years later."""
    assume("INTERVAL" not in rule)
    low = at("2001-01-01") + day * DAY
    span = 3600 if "SECONDLY" in rule or "MINUTELY" in rule else 30 * DAY
    far = eras * 146_097 * DAY
    assume(low + far > at("2001-01-02") and low + far < at("9999-10-01"))
    here = [time + far for time in occurrences(rule).window(low, low + span)]
    assert list(occurrences(rule).window(low + far, low + far + span)) == here


@settings(deadline=None, max_examples=40)
@given(rules(), st.integers(at("2002-01-01"), at("2060-01-01")), st.sampled_from(NAMES))
def test_windows_join_without_a_gap(rule: str, around: int, zone: str) -> None:
    found = occurrences(rule, zone)
    low, high, times = found.cover(around)
    assert low <= around < high
    assert all(low < time <= high for time in times)
    assert all(a < b for a, b in itertools.pairwise(times))
    if high < LAST_S:
        assert any(time > around for time in times)
        low2, high2, times2 = found.cover(high)
        assert low2 <= high < high2
        both = max(low, low2)  # a window may begin before the one that it joins
        assert [time for time in times if time > both] == [time for time in times2 if both < time <= high]


@settings(deadline=None, max_examples=15)
@given(rules(), st.sampled_from(NAMES))
def test_the_ends_of_time_are_no_surprise(rule: str, zone: str) -> None:
    """As the core asks: what it does not get as it expects is a ValueError there."""
    timetables = Timetables()
    number = timetables.add_table(occurrences(rule, zone).cover)
    for instant in (FIRST_MS, FIRST_MS + 1, 0, LAST_MS - 1, LAST_MS):
        assert timetables.next_after(number, instant) > instant
        before = timetables.prev_before(number, instant)
        assert before < instant or before == NEVER


def test_a_rule_without_a_start_begins_on_a_monday_that_begins_a_year() -> None:
    assert shown(occurrences("FREQ=WEEKLY").window(at("2026-01-01"), at("2026-01-12"))) == [
        "2026-01-05 00:00:00",
        "2026-01-12 00:00:00",
    ]
    assert shown(occurrences("FREQ=MONTHLY;BYHOUR=9").window(at("2026-01-01"), at("2026-01-12"))) == [
        "2026-01-01 09:00:00"
    ]


def test_nothing_fires_before_the_start_or_after_the_end() -> None:
    found = occurrences("DTSTART:20260101T090000\nRRULE:FREQ=DAILY;UNTIL=20260103T090000")
    assert shown(found.window(FIRST_S, LAST_S)) == ["2026-01-01 09:00:00", "2026-01-02 09:00:00", "2026-01-03 09:00:00"]
    assert found.cover(at("2026-01-02"))[:2] == (FIRST_S, LAST_S)
    assert found.next_after(at("2026-01-04")) is None


def test_an_end_in_utc_is_an_instant() -> None:
    text = "DTSTART:20260101T003000\nRRULE:FREQ=DAILY;UNTIL=20260102T233000Z"
    assert shown(occurrences(text, "Europe/Vienna").window(FIRST_S, LAST_S)) == [
        "2025-12-31 23:30:00",
        "2026-01-01 23:30:00",
        "2026-01-02 23:30:00",
    ]


def test_dates_are_added_and_removed() -> None:
    text = (
        "DTSTART;TZID=Europe/Vienna:20260101T090000\nRRULE:FREQ=DAILY;COUNT=3\n"
        "EXDATE;TZID=Europe/Vienna:20260102T090000\nRDATE:20260501T120000Z,20260601T120000"
    )
    assert shown(occurrences(text, "Europe/Vienna").window(FIRST_S, LAST_S)) == [
        "2026-01-01 08:00:00",
        "2026-01-03 08:00:00",
        "2026-05-01 12:00:00",
        "2026-06-01 10:00:00",
    ]


def test_a_long_count_is_kept_whole() -> None:
    found = occurrences("DTSTART:20260101T000000\nRRULE:FREQ=HOURLY;COUNT=10000")
    assert len(found.window(FIRST_S, LAST_S)) == 10_000


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2,4;BYMONTHDAY=31",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;INTERVAL=2;BYMONTH=2",
        "FREQ=HOURLY;INTERVAL=2;BYHOUR=3,5",
        "FREQ=HOURLY;BYMINUTE=1;BYSETPOS=2",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=9",
        "FREQ=MONTHLY;BYDAY=53MO",
        "FREQ=YEARLY;BYMONTH=12;BYDAY=53MO,-6TU",
        "DTSTART:20260101T000000\nRRULE:FREQ=DAILY;UNTIL=20251231T000000",
    ],
)
def test_what_never_fires_is_found_out(rule: str) -> None:
    assert occurrences(rule).next_after(at("2026-01-01")) is None


EVERY_DAY = "BYDAY=MO,TU,WE,TH,FR,SA,SU"
EVERY_MINUTE = f"BYHOUR={','.join(map(str, range(24)))};BYMINUTE={','.join(map(str, range(60)))}"


@pytest.mark.parametrize(
    ("rule", "around"),
    [
        (f"FREQ=YEARLY;{EVERY_DAY};{EVERY_MINUTE}", "2026-01-01"),
        (f"FREQ=MONTHLY;{EVERY_DAY};{EVERY_MINUTE}", "2026-01-31"),
        ("FREQ=SECONDLY;BYYEARDAY=100;BYMONTH=1", "2026-01-01"),
        ("FREQ=MINUTELY;BYYEARDAY=-1;BYMONTH=1", "2026-01-01"),
        ("FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=29;BYYEARDAY=61", "2026-01-01"),
        ("DTSTART:08141224T200800 FREQ=SECONDLY;INTERVAL=59;BYMONTHDAY=9,1;BYYEARDAY=264,-126,-55", "2026-01-01"),
        ("FREQ=SECONDLY", "9999-12-31"),
        ("FREQ=SECONDLY;UNTIL=20260101T000000", "2026-03-01"),
        ("DTSTART:20240118T161841 FREQ=DAILY;INTERVAL=1439;BYMONTH=2,5", "9999-12-30"),
    ],
)
def test_no_window_takes_seconds(rule: str, around: str) -> None:
    """The core asks on the event loop. Each takes some milliseconds of the processor; the bar leaves room."""
    begun = time.thread_time()
    found = occurrences(rule)
    low, high, _ = found.cover(at(around))
    assert low <= at(around) < high
    assert time.thread_time() - begun < 0.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a rule is missing"),
        ("FREQ=FORTNIGHTLY", "FREQ: 'FORTNIGHTLY' is not one of YEARLY"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR: '24' is not 0 to 23"),
        ("FREQ=DAILY;BYSECOND=60", "BYSECOND: '60' is not 0 to 59"),
        ("FREQ=DAILY;BYHOUR", "expected NAME=VALUE"),
        ("FREQ=DAILY;BYHOUR=1;BYHOUR=2", "BYHOUR: is there twice"),
        ("FREQ=DAILY;BYEASTER=1", "BYEASTER: unknown"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL: '0' is not a number from 1 to 36525"),
        ("FREQ=DAILY;COUNT=3", "COUNT: counts from DTSTART, which is missing"),
        ("DTSTART:20260101\nRRULE:FREQ=DAILY;COUNT=1000000000", "COUNT: '1000000000' is not a number from 1 to 10000"),
        ("DTSTART:20260101\nRRULE:FREQ=DAILY;COUNT=3;UNTIL=20260201", "UNTIL: cannot be together with COUNT"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL: 'TOMORROW' is not a date"),
        ("FREQ=DAILY;BYWEEKNO=3", "BYWEEKNO: cannot be used with FREQ=DAILY"),
        ("FREQ=WEEKLY;BYDAY=2MO", "BYDAY: a number before a weekday"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY: '0MO' is not a weekday"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS: needs another"),
        ("FREQ=HOURLY;INTERVAL=168;BYDAY=TU", "INTERVAL: steps of a day or more"),
        ("FREQ=HOURLY;INTERVAL=23;BYHOUR=3;BYDAY=MO", "INTERVAL: steps that do not divide a day"),
        ("FREQ=SECONDLY;INTERVAL=7;BYSECOND=1", "BYSECOND: cannot be used"),
        ("RRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY", "RRULE: there are two rules"),
        ("EXRULE:FREQ=DAILY", "EXRULE: withdrawn"),
        ("SUMMARY:backup", "SUMMARY: unknown"),
        ("DTSTART:20260230\nRRULE:FREQ=DAILY", "DTSTART: '20260230' is not a date"),
        ("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY", "DTSTART: ends in Z, which is UTC, and time_zone is 'Europe/Vienna'"),
        ("DTSTART;TZID=Asia/Tokyo:20260101T000000\nRRULE:FREQ=DAILY", "TZID is 'Asia/Tokyo' and time_zone is 'Europe/Vienna'"),
        ("FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=" + ",".join(map(str, range(60))) + ";BYSECOND=" + ",".join(map(str, range(30))), "5400 times a day"),
    ],
)  # fmt: skip
def test_an_error_names_the_part(text: str, said: str) -> None:
    with pytest.raises(Exception, match=r"schedule\.rrule\.rule") as caught:
        parse(text, "Europe/Vienna")
    assert said in str(caught.value)
    assert caught.value.reason == "SCHEDULE_INVALID"


def test_a_count_that_cannot_be_walked_is_refused() -> None:
    with pytest.raises(ValueError, match="COUNT: 10000 times take more than 400 years"):
        occurrences("DTSTART:20260101T000000\nRRULE:FREQ=DAILY;COUNT=10000;BYMONTH=2;BYMONTHDAY=29")
    with pytest.raises(ValueError, match="COUNT: at most 100"):
        occurrences("DTSTART:20260101T000000\nRRULE:FREQ=MINUTELY;INTERVAL=7;BYHOUR=3;COUNT=101")


def test_dates_are_counted_over_all_lines_before_they_are_read() -> None:
    lines = ["EXDATE:" + ",".join(["20260101"] * 250), "RDATE:" + ",".join(["20260102"] * 250)]
    assert len(parse("\n".join(["FREQ=DAILY", *lines]), "UTC").added) == 250
    with pytest.raises(InvalidArgument, match="RDATE: at most 500 dates over all EXDATE and RDATE lines, not 501"):
        parse("\n".join(["FREQ=DAILY", *lines, "RDATE:never"]), "UTC")


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="RRULE: at most 65536 characters, not 65537"):
        parse("FREQ=DAILY" + " " * 65_527, "UTC")


WORDS = st.sampled_from(
    [
        "RRULE:",
        "DTSTART:",
        "EXDATE:",
        "RDATE;VALUE=DATE:",
        ";TZID=UTC",
        "FREQ=",
        "DAILY",
        "SECONDLY",
        ";",
        "=",
        ",",
        "\n",
        "BYDAY=",
        "MO",
        "-1FR",
        "BYHOUR=",
        "9",
        "-1",
        "0",
        "99999999",
        "INTERVAL=",
        "COUNT=",
        "UNTIL=",
        "20260101",
        "20260101T000000Z",
        "00000000",
        "WKST=",
        "BYSETPOS=",
        "BYMONTH=",
        "2",
        "BYMONTHDAY=",
        "31",
    ]
)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=14).map("".join)))
def test_any_text_is_a_rule_or_an_error_of_ours(text: str) -> None:
    try:
        found = parse(text, "UTC")
    except InvalidArgument:
        return
    assert found.interval >= 1


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=MONTHLY;BYDAY=MO,-1FR", ["11-02", "11-09", "11-16", "11-23", "11-27", "11-30", "12-07"]),
        ("FREQ=YEARLY;BYDAY=SU,-1FR", ["12-20", "12-25", "12-27"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=1MO,SA", ["11-02", "11-07", "11-14"]),
    ],
)
def test_plain_and_numbered_weekdays_are_united(rule: str, days: list[str]) -> None:
    begin = at(f"2026-{days[0]}") - 1
    found = occurrences(rule, "UTC").window(begin, at(f"2026-{days[-1]}"))
    assert list(found) == [at(f"2026-{day}") for day in days]
