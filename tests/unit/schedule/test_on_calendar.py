"""Calendar expressions: masks, errors that name the field, and what the compiler makes of them."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.expressions import calendars
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.schedule import Cron, DaylightPolicy, OnCalendar
from tocsin.schedule import fire_times
from tocsin.schedule.on_calendar import WORDS, parse


def bits(*values):
    return sum(1 << value for value in values)


def ms(text):
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Mon..Fri *-*-* 08:00",
            {"dow": bits(1, 2, 3, 4, 5), "hour": bits(8), "minute": 1, "second": 1, "years": None},
        ),
        ("Sun,wednesday 1:2:3", {"dow": bits(0, 3), "second": bits(3), "dom": bits(*range(1, 32))}),
        ("Sat..Mon", {"dow": bits(6, 0, 1), "hour": 1, "minute": 1}),
        ("mon-fri,", {"dow": bits(1, 2, 3, 4, 5)}),
        ("2026-11-*", {"years": (2026,), "month": bits(11), "dom": bits(*range(1, 32))}),
        ("26,70,2028..2030-1-1", {"years": (1970, 2026, 2028, 2029, 2030)}),
        ("2190/4-1-1", {"years": (2190, 2194, 2198)}),
        ("*-02~03", {"month": bits(2), "dom": 0, "last": bits(2)}),
        ("*-*~07/2", {"dom": 0, "last": bits(6, 4, 2, 0)}),
        ("*~5..9/3", {"dom": 0, "last": bits(4, 7)}),
        ("*-*~*", {"dom": bits(*range(1, 32)), "last": 0}),
        ("*-*-01/3", {"dom": bits(*range(1, 32, 3))}),
        ("3-1..7/2,20", {"month": bits(3), "dom": bits(1, 3, 5, 7, 20)}),
        ("*:0/20:*", {"minute": bits(0, 20, 40), "second": bits(*range(60)), "hour": bits(*range(24))}),
    ],
)
def test_masks(text, expected):
    calendar = parse(text)
    masks = calendar.cron.masks()
    assert calendar.time_zone == ""
    assert {name: masks[name] for name in expected} == expected
    assert not masks["either_day"]


@pytest.mark.parametrize("word", WORDS)
def test_words_stand_for_expressions(word):
    assert parse(word.upper()) == parse(WORDS[word])
    assert parse(f" {word} utc").time_zone == "UTC"


@pytest.mark.parametrize(
    ("text", "zone"), [("Mon *-*-* 1:0 Asia/Tokyo", "Asia/Tokyo"), ("daily utc", "UTC"), ("*-*-* EST", "EST")]
)
def test_a_time_zone_may_follow(text, zone):
    assert parse(text).time_zone == zone


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected [weekdays] [[year-]month-day] [hour:minute[:second]] [time zone]"),
        ("fortnightly", "position 1: 'fortnightly' is no weekday (Mon to Sun, Monday to Sunday), nor a word such as"),
        ("Mon..Wed..Fri", "more than two ends"),
        ("Mon,,Tue", "'' is no weekday"),
        ("*-*", None),
        ("5", "'5' is not a date"),
        ("*-*-*-*", "is not a date"),
        ("*-*-07~03", "is not a date"),
        ("24:00", "hour 24 is not 0 to 23"),
        ("*-13-1", "month 13 is not 1 to 12"),
        ("*-*-0", "day 0 is not 1 to 31"),
        ("*-*~29", "day from the end of the month 29 is not 1 to 28"),
        ("2200-1-1", "year 2200 is not 1970 to 2199"),
        ("*-*-1 1:60", "position 9: minute 60 is not 0 to 59"),
        ("2060-*-1 1:7..60", "position 15: minute 60"),
        (" daily 1:2", "position 2: 'daily' is no weekday"),
        ("*-*-1 1:2:3:4", "'1:2:3:4' is not a time"),
        ("*:*/5", "minute '*/5' is not *, a value, a range a..b or a repetition a/n"),
        ("*:20..10", "minute range 20..10 ends before it begins"),
        ("*:0/0", "a repetition is a number from 1"),
        ("*:59/1", "never repeats within 0 to 59"),
        ("*-*~3/3", "never repeats within 1 to 28"),
        ("*:*:0.5", "second '0.5': fractions of a second are not supported"),
        ("@1700000000", "an instant is no schedule; write the date"),
        ("1:0 *-*-*", "is neither date nor time, or in the wrong order"),
        ("*:" + "0," * 300 + "1", "more than 240 values of the minute"),
        ("1" * 2000, "longer than 1000 characters"),
        ("99999999999-1-1", "year 99999999999 is not 1970 to 2199"),
    ],
)
def test_errors_say_what_is_wrong(text, says):
    if says is None:
        assert parse(text) == parse("*-*-*")
        return
    with pytest.raises(InvalidArgument) as caught:
        parse(text, field="schedule.on_calendar.expression")
    error = caught.value
    assert says in error.message
    assert error.reason == "SCHEDULE_INVALID"
    assert error.metadata["field"] == "schedule.on_calendar.expression"
    assert error.metadata["expression"] == text[:1000]


@given(st.text(alphabet="*-~:/.,0123456789 MonTuedailyUTC@", max_size=30) | st.text(max_size=20))
def test_any_text_is_compiled_or_refused(text):
    try:
        calendar = parse(text)
    except InvalidArgument as error:
        assert error.reason == "SCHEDULE_INVALID"
    else:
        assert calendar.cron.masks()["minute"]


@given(calendars())
def test_what_systemd_accepts_is_accepted(text):
    assert parse(text).time_zone == ""


def test_the_compiler_takes_them(compiler):
    number = compiler.compile((OnCalendar("Mon..Fri *-*-* 08:00", "Europe/Vienna"),))
    assert compiler.compile((Cron("0 8 * * 1-5", "Europe/Vienna", DaylightPolicy.SKIP),)) == number  # interned
    assert compiler.compile((OnCalendar("Mon..Fri 8:0 Europe/Vienna"),)) == number
    assert compiler.compile((OnCalendar("Mon..Fri 8:0 Europe/Vienna", "Europe/Vienna"),)) == number
    assert compiler.next_after(number, ms("2026-06-05 06:00")) == ms("2026-06-08 06:00")
    assert compiler.is_grid(number)
    years = compiler.compile((OnCalendar("2027,2029-12-31"),))
    assert compiler.timetables.upcoming(years, ms("2026-06-05 06:00"), 5) == [ms("2027-12-31"), ms("2029-12-31")]


def test_daylight_is_as_systemd_does_it(compiler):
    number = compiler.compile((OnCalendar("1..2:30 America/New_York"),))
    found = compiler.timetables.upcoming(number, ms("2026-03-08 05:00"), 2)
    assert found == [ms("2026-03-08 06:30"), ms("2026-03-09 05:30")]  # 02:30 does not exist on the 8th
    found = compiler.timetables.upcoming(number, ms("2026-11-01 05:00"), 2)
    assert found == [ms("2026-11-01 05:30"), ms("2026-11-01 07:30")]  # 01:30 once


@pytest.mark.parametrize(
    ("schedule", "field", "reason", "says"),
    [
        (OnCalendar("2020-01-01"), "on_calendar.expression", "SCHEDULE_NEVER_FIRES", "never fires"),
        (OnCalendar("*-02-30"), "on_calendar.expression", "SCHEDULE_NEVER_FIRES", "never fires"),
        (OnCalendar("2027..2029-2-29"), "on_calendar.expression", "", ""),
        (OnCalendar("2029..2031-2-29"), "on_calendar.expression", "SCHEDULE_NEVER_FIRES", "never fires"),
        (OnCalendar("*:61"), "on_calendar.expression", "SCHEDULE_INVALID", "minute 61"),
        (
            OnCalendar("daily Mars/Base"),
            "on_calendar.expression",
            "TIME_ZONE_UNKNOWN",
            "'Mars/Base' is not a time zone",
        ),
        (OnCalendar("daily", "Mars/Base"), "time_zone", "TIME_ZONE_UNKNOWN", "'Mars/Base' is not a time zone"),
        (
            OnCalendar("daily Asia/Tokyo", "Europe/Vienna"),
            "on_calendar.expression",
            "SCHEDULE_INVALID",
            "names the time zone Asia/Tokyo, the schedule Europe/Vienna",
        ),
    ],
)
def test_errors_of_the_compiler(compiler, schedule, field, reason, says):
    if not reason:
        assert compiler.compile((schedule,))
        return
    with pytest.raises(InvalidArgument) as caught:
        compiler.compile((schedule,), field="schedule")
    assert caught.value.reason == reason
    assert caught.value.metadata["field"] == f"schedule.{field}"
    assert says in caught.value.message


def test_the_preview_reads_the_zone_of_the_expression(compiler):
    (time,) = fire_times(compiler, (OnCalendar("daily Asia/Tokyo"),), ms("2026-06-05 06:00"), 1)
    assert time.utc_offset_s == 9 * 3600
