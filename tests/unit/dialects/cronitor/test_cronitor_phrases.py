"""The grammar of schedules: every form that is documented or was captured, and what an error says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.engines import compiler as compilers
from tocsin.dialects.cronitor import phrases
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import HOUR, MINUTE, SECOND
from tocsin.domain.schedule import Anchor, Cron, Daily, Interval, Rolling, RRule, Unit

ZONE = "Europe/Vienna"
MONDAY = 1_764_547_200_000  # 2025-12-01T00:00:00Z


def every(count, unit, anchor=Anchor.RUN_START):
    return Interval(count, unit, ZONE, anchor)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0 * * *", Cron("0 0 * * *", ZONE)),
        ("0 0 * * Mon", Cron("0 0 * * Mon", ZONE)),
        (" */15 9-17 * * mon-fri ", Cron("*/15 9-17 * * mon-fri", ZONE)),
        ("30 0 12 * * *", Cron("30 0 12 * * *", ZONE)),
        ("0 0 L * ?", Cron("0 0 L * ?", ZONE)),
        ("0 0 ? * 5L", Cron("0 0 ? * 5L", ZONE)),
        ("0 ? 1 ? *", Cron("0 * 1 * *", ZONE)),
        ("?/5 0 * * *", Cron("*/5 0 * * *", ZONE)),
        ("0 9 * * Thr", Cron("0 9 * * THU", ZONE)),
        ("0 9 * * MON#2", Cron("0 9 * * MON#2", ZONE)),
        ("@daily", Cron("@daily", ZONE)),
        ("@Midnight", Cron("@Midnight", ZONE)),
        ("every 5 minutes", every(5, Unit.MINUTE)),
        ("every 60 seconds", every(1, Unit.MINUTE)),
        ("EVERY 5 min", every(5, Unit.MINUTE)),
        ("every minute", every(1, Unit.MINUTE)),
        ("every 45 seconds", every(45, Unit.SECOND)),
        ("every 1 hour and 30 minutes", every(90, Unit.MINUTE)),
        ("every 2 days, 1 hour and 3 seconds", every(176_403, Unit.SECOND)),
        ("every 1.50 seconds", Rolling(1_500)),
        ("every 1 year", every(8_760, Unit.HOUR)),
        ("every .5 h", every(30, Unit.MINUTE)),
        ("every month", every(720, Unit.HOUR)),
        ("at 14:30", Daily(("14:30",), ZONE)),
        ("At 7:05:09", Daily(("07:05:09",), ZONE)),
        ("every day at 13:37", Daily(("13:37",), ZONE)),
        ("13:37", Daily(("13:37",), ZONE)),
        ("weekdays at 9:00", Cron("0 9 * * MON-FRI", ZONE)),
        ("every Monday at 9:00:30", Cron("30 0 9 * * MON", ZONE)),
        ("@reboot", None),
        ("FREQ=WEEKLY;BYDAY=MO;BYHOUR=9", RRule("FREQ=WEEKLY;BYDAY=MO;BYHOUR=9", ZONE)),
        ("RRULE:FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9", RRule("RRULE:FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9", ZONE)),
        ("FREQ=DAILY;INTERVAL=1", RRule("FREQ=DAILY;INTERVAL=1", ZONE)),
    ],
)
def test_what_is_documented_or_captured_is_read(text, expected):
    found = phrases.parse(text, ZONE)
    assert found == expected
    if found is not None:
        compilers().compile((found,))


def test_a_heartbeat_is_counted_from_any_beat():
    assert phrases.parse("every 5 minutes", ZONE, heartbeat=True) == every(5, Unit.MINUTE, Anchor.ANY_REPORT)


def test_steps_of_several_weeks_count_from_the_day_of_creation():
    found = phrases.parse("FREQ=WEEKLY;INTERVAL=2;BYDAY=WE;BYHOUR=9;BYMINUTE=0", ZONE, anchor=MONDAY)
    assert isinstance(found, RRule)
    assert found.rule.startswith("DTSTART:20251201T000000\n")
    compiler = compilers()
    number = compiler.compile((found,))
    first = compiler.next_after(number, MONDAY)
    assert first == MONDAY + 2 * 24 * HOUR + 8 * HOUR
    assert compiler.next_after(number, first) == first + 14 * 24 * HOUR


def test_a_start_of_its_own_is_kept():
    text = "DTSTART:20250101T090000\nRRULE:FREQ=DAILY;INTERVAL=3"
    assert phrases.parse(text, ZONE, anchor=MONDAY) == RRule(text, ZONE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 7 mon-fri * *", "30 7 * * mon-fri"),
        ("0 0 * 1 *", "0 0 * 1 *"),
        ("0 0 fri 13 *", "0 0 13 * fri"),
        ("every 5 minutes", "every 5 minutes"),
        ("every 1 hour and 30", "every 1 hour and 30"),
    ],
)
def test_the_fields_of_celery_are_turned_only_where_they_must_be(text, expected):
    assert phrases.as_meant(text) == expected


def test_nobody_else_gets_his_fields_turned():
    with pytest.raises(InvalidArgument, match="position 6"):
        phrases.parse("30 7 mon-fri * *", ZONE)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("every five", 7),
        ("every 5 fortnights", 9),
        ("every 0 minutes", 7),
        ("  every 5 minutes or so", 19),
        ("every 500 ms", 11),
        ("every .5 seconds", 1),
        ("at 25:00", 4),
        ("at 12:60", 7),
        ("at noon", 4),
        ("at", 3),
        ("someday at 9:00", 1),
        ("14:30pm", 1),
        ("0 0 32 * *", 5),
        ("0 0 * * foo", 9),
        ("* * * *", 8),
        ("@never", 1),
        ("every", 1),
        ("", 1),
        ("nonsense", 9),
        ("FREQ=HOURLY", 6),
        ("RRULE:INTERVAL=2", 1),
        ("5 minutes", 10),
        ("0 0 * * * " + "x" * 1_000, 1_001),
    ],
)
def test_an_error_says_where(text, position):
    with pytest.raises(InvalidArgument) as raised:
        phrases.parse(text, ZONE)
    assert raised.value.metadata["position"] == str(position), raised.value.message
    assert f"position {position}" in raised.value.message
    assert raised.value.message.startswith("schedule: cannot parse")


def test_equal_schedules_count_once_and_are_few():
    found = phrases.parse_all(("every 60 seconds", "every 1 minute", "@reboot", "at 14:30"), ZONE)
    assert found == (every(1, Unit.MINUTE), Daily(("14:30",), ZONE))
    with pytest.raises(InvalidArgument, match="at most 20"):
        phrases.parse_all(("at 14:30",) * 21, ZONE)


def test_which_of_several_is_wrong():
    with pytest.raises(InvalidArgument) as raised:
        phrases.parse_all(("at 14:30", "at 25:00"), ZONE)
    assert raised.value.violations[0].field == "schedules[1]"


@pytest.mark.parametrize("text", ["every 30 seconds", "every 1 hour", "90 seconds", "2 minutes"])
def test_what_a_check_may_say(text):
    assert 30 * SECOND <= phrases.check_interval(text) <= HOUR


@pytest.mark.parametrize("text", ["every 29 seconds", "every 61 minutes", "0 0 * * *", "at 14:30"])
def test_what_a_check_may_not_say(text):
    with pytest.raises(InvalidArgument):
        phrases.check_interval(text)


@given(st.integers(1, 10_000), st.sampled_from(["s", "min", "hours", "d"]), st.sampled_from([" ", ""]))
def test_every_interval_is_as_long_as_it_says(count, unit, blank):
    found = phrases.parse(f"every {count}{blank}{unit}", "UTC")
    assert isinstance(found, Interval)
    size = {Unit.SECOND: SECOND, Unit.MINUTE: MINUTE, Unit.HOUR: HOUR}[found.unit]
    assert found.count * size == count * {"s": SECOND, "min": MINUTE, "hours": HOUR, "d": 24 * HOUR}[unit]


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        phrases.parse(text, "UTC")
    except InvalidArgument as problem:
        assert 1 <= int(problem.metadata["position"]) <= len(text) + 1
