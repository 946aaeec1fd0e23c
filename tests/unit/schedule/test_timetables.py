"""The compiler: the vectors of spec/sentry-crons.md 5.4, interning, and errors that name their field."""

import datetime as dt

import pytest

from tocsin._core.timetable import NEVER
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.schedule import Cron, Daily, DaylightPolicy, Interval, Rolling, RRule, Unit
from tocsin.schedule import NO_SCHEDULE

VIENNA, NEW_YORK = "Europe/Vienna", "America/New_York"


def ms(text):
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp() * 1000)


def sentry(count, unit, zone="UTC"):
    return Interval(count, unit, zone, truncate_to_minute=True)


@pytest.mark.parametrize(
    ("schedule", "reference", "expected"),
    [
        (Cron("30 2 * * *", VIENNA), "2026-03-28 12:00", "2026-03-29 01:00"),
        (Cron("30 2 * * *", VIENNA), "2026-03-29 12:00", "2026-03-30 00:30"),
        (Cron("30 2 * * *", VIENNA), "2026-10-24 12:00", "2026-10-25 00:30"),
        (Cron("30 2 * * *", VIENNA), "2026-10-25 00:30", "2026-10-26 01:30"),
        (Cron("*/30 * * * *", VIENNA), "2026-03-29 00:30", "2026-03-29 01:00"),
        (Cron("*/30 * * * *", VIENNA), "2026-10-25 00:30", "2026-10-25 01:00"),
        (Cron("0 * * * *", VIENNA), "2026-10-25 00:00", "2026-10-25 01:00"),
        (Cron("0 1-5 * * *", VIENNA), "2026-10-25 00:00", "2026-10-25 02:00"),
        (Cron("0 5 * * *", NEW_YORK), "2026-03-07 15:00", "2026-03-08 09:00"),
        (sentry(1, Unit.HOUR, VIENNA), "2026-03-29 00:30", "2026-03-29 01:30"),
        (sentry(1, Unit.HOUR, VIENNA), "2026-10-25 00:30", "2026-10-25 01:30"),  # better than Sentry: real time
        (sentry(1, Unit.DAY, VIENNA), "2026-03-28 01:30", "2026-03-29 01:30"),
        (sentry(1, Unit.MONTH), "2026-01-31 10:00", "2026-02-28 10:00"),  # better than Sentry: clamped
        (sentry(1, Unit.YEAR), "2028-02-29 10:00", "2029-02-28 10:00"),  # likewise
        (sentry(2, Unit.WEEK), "2026-06-01 10:00:59", "2026-06-15 10:00"),
        (sentry(10, Unit.MINUTE), "2026-06-01 12:00:45", "2026-06-01 12:10"),
        (Cron("0 0 L * *"), "2026-02-10", "2026-02-28"),
        (Cron("0 0 LW * *"), "2026-05-10", "2026-05-29"),
        (Cron("0 0 * * 5L"), "2026-06-01", "2026-06-26"),
        (Cron("0 0 * * MON#2"), "2026-06-01", "2026-06-08"),
        (Cron("0 0 29 2 *"), "2026-06-01", "2028-02-29"),
        (Cron("0 0 13 * FRI"), "2026-06-01", "2026-06-05"),
        (Cron("0 0 */2 * MON"), "2026-06-01", "2026-06-15"),
        (Cron("0 0 L-3 * *"), "2026-02-10", "2026-02-25"),
        (Cron("0 0 * * MON#L"), "2026-06-01", "2026-06-29"),
        (Cron("0 0 15 * ?"), "2026-06-01", "2026-06-15"),
        (Cron("0 0 15W * *"), "2026-08-01", "2026-08-14"),  # the 15th is a Saturday
        (Daily(("02:30", "14:30:15"), VIENNA), "2026-03-28 12:00", "2026-03-28 13:30:15"),
        (Daily(("02:30", "14:30:15"), VIENNA), "2026-03-28 14:00", "2026-03-29 01:00"),
        (Rolling(90_000), "2026-06-01 10:00:59", "2026-06-01 10:02:29"),
    ],
)
def test_next(compiler, schedule, reference, expected):
    assert compiler.next_after(compiler.compile((schedule,)), ms(reference)) == ms(expected)


def test_previous_is_strict(compiler):
    hourly = compiler.compile((Cron("0 * * * *"),))
    assert compiler.prev_before(hourly, ms("2026-06-01 05:35")) == ms("2026-06-01 05:00")
    assert compiler.prev_before(hourly, ms("2026-06-01 05:00")) == ms("2026-06-01 04:00")
    assert compiler.distance(hourly, ms("2026-06-01 05:00")) == 3_600_000


@pytest.mark.parametrize(
    ("schedule", "expected", "judged", "again"),
    [  # spec/sentry-crons.md 5.5 and architecture.md 15, Time no. 4
        (Cron("* * * * *"), "2026-06-01 12:01", "2026-06-01 12:02", "2026-06-01 12:02"),
        (Cron("*/5 * * * *"), "2026-06-01 12:15", "2026-06-01 12:25", "2026-06-01 12:25"),
        (Cron("*/5 * * * *"), "2026-06-01 12:15", "2026-06-01 12:15", "2026-06-01 12:20"),
        (sentry(10, Unit.MINUTE), "2026-06-01 12:10", "2026-06-01 12:15", "2026-06-01 12:20"),
        (Rolling(60_000), "2026-06-01 12:00:30", "2026-06-01 12:05", "2026-06-01 12:05:30"),
    ],
)
def test_rearm(compiler, schedule, expected, judged, again):
    assert compiler.rearm(compiler.compile((schedule,)), ms(expected), ms(judged)) == ms(again)


def test_equal_schedules_are_one_timetable(compiler):
    first = compiler.compile((Cron("0 0 * * *", VIENNA),))
    count = len(compiler.timetables)
    for text in ("@daily", "0  0 * * *", "00 0 * * *", "@MIDNIGHT"):
        assert compiler.compile((Cron(text, VIENNA),)) == first
    assert len(compiler.timetables) == count
    assert compiler.compile((Cron("@daily", "UTC"),)) != first
    assert compiler.compile((Cron("@daily", VIENNA, DaylightPolicy.SKIP),)) != first


def test_several_schedules(compiler):
    a, b = Cron("0 9 * * *"), Cron("0 17 * * *")
    union = compiler.compile((a, b))
    assert union == compiler.compile((b, a, b))
    assert compiler.next_after(union, ms("2026-06-01 10:00")) == ms("2026-06-01 17:00")
    assert compiler.compile((a, a)) == compiler.compile((a,))
    assert compiler.is_grid(union)
    assert not compiler.is_grid(compiler.compile((a, Rolling(1000))))


def test_no_schedule_is_never_due(compiler):
    assert compiler.compile(()) == NO_SCHEDULE == 0
    assert compiler.next_after(NO_SCHEDULE, 0) == NEVER


@pytest.mark.parametrize(
    ("schedule", "field", "reason", "says"),
    [
        (Cron("0 25 * * *"), "cron.expression", "SCHEDULE_INVALID", "hour field, position 3"),
        (Cron("0 0 31 4 *"), "cron.expression", "SCHEDULE_NEVER_FIRES", "never fires"),
        (Cron("0 0 30 2 *"), "cron.expression", "SCHEDULE_NEVER_FIRES", "never fires"),
        (Cron("30 2 8-14 3 */7", NEW_YORK, DaylightPolicy.SKIP), "cron.expression", "SCHEDULE_NEVER_FIRES", "never"),
        (Cron("0 0 * * *", "Mars/Base"), "time_zone", "TIME_ZONE_UNKNOWN", "'Mars/Base' is not a time zone"),
        (Interval(0, Unit.DAY), "interval.count", "SCHEDULE_INVALID", "between 1 and 36525 days, got 0"),
        (Interval(10**30, Unit.YEAR), "interval.count", "SCHEDULE_INVALID", "between 1 and 100 years"),
        (Interval(1, Unit.DAY, "Nowhere"), "time_zone", "TIME_ZONE_UNKNOWN", "Nowhere"),
        (Daily(()), "daily.times_of_day", "SCHEDULE_INVALID", "1 to 288 times"),
        (Daily(("12:00",) * 289), "daily.times_of_day", "SCHEDULE_INVALID", "got 289"),
        (Daily(("12:00", "24:00")), "daily.times_of_day[1]", "SCHEDULE_INVALID", "'24:00' is not a time of day"),
        (Daily(("noon",)), "daily.times_of_day[0]", "SCHEDULE_INVALID", '"HH:MM"'),
        (Daily(("12:00\n",)), "daily.times_of_day[0]", "SCHEDULE_INVALID", "not a time of day"),
        (Rolling(999), "rolling.period", "SCHEDULE_INVALID", "between 1 second and 100 years"),
        (Rolling(10**18), "rolling.period", "SCHEDULE_INVALID", "between 1 second and 100 years"),
    ],
)
def test_errors_name_their_field(compiler, schedule, field, reason, says):
    for schedules, path in (((schedule,), f"schedule.{field}"), ((Rolling(1000), schedule), f"schedule[1].{field}")):
        with pytest.raises(InvalidArgument) as caught:
            compiler.compile(schedules)
        assert caught.value.reason == reason
        assert [violation.field for violation in caught.value.violations] == [path]
        assert says in caught.value.message


def test_a_failure_is_not_remembered_as_a_success(compiler):
    for _ in range(2):
        with pytest.raises(InvalidArgument):
            compiler.compile((Cron("0 0 31 4 *"),))


def test_at_most_32_schedules(compiler):
    compiler.compile(tuple(Rolling(1000 * i) for i in range(1, 33)))
    with pytest.raises(InvalidArgument, match="at most 32 schedules, got 33"):
        compiler.compile(tuple(Rolling(1000 * i) for i in range(1, 34)), field="monitor.schedules")


def test_a_recurrence_rule_is_a_grid(compiler):
    number = compiler.compile((RRule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYHOUR=9", "Europe/Vienna"),))
    assert compiler.is_grid(number)
    monday = 1_767_600_000_000  # 2026-01-05 08:00Z, 09:00 in Vienna
    assert compiler.next_after(number, monday - 1) in (monday, monday + 7 * 86_400_000)
    first = compiler.next_after(number, monday - 1)
    assert compiler.next_after(number, first) == first + 14 * 86_400_000
    assert compiler.prev_before(number, first) == first - 14 * 86_400_000
    assert compiler.distance(number, first) == 14 * 86_400_000
    far = 253_000_000_000_000  # in the year 9987
    assert far < compiler.next_after(number, far) <= far + 14 * 86_400_000
    assert compiler.compile((RRule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYHOUR=9", "Europe/Vienna"),)) == number


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("FREQ=DAILY;BYHOUR=25", "SCHEDULE_INVALID"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "SCHEDULE_NEVER_FIRES"),
        ("DTSTART:20200101T000000\nRRULE:FREQ=DAILY;COUNT=3", "SCHEDULE_NEVER_FIRES"),
        ("DTSTART;TZID=Asia/Tokyo:20200101T000000\nRRULE:FREQ=DAILY", "SCHEDULE_INVALID"),
    ],
)
def test_a_recurrence_rule_that_cannot_be_used(compiler, rule, reason):
    with pytest.raises(InvalidArgument, match=r"schedule\.rrule\.rule") as caught:
        compiler.compile((RRule(rule),))
    assert caught.value.reason == reason
