"""`config` in and out: what can be said is said, the rest is told in words, and what is wrong is named."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.app.tzdata import read_zone
from tocsin.dialects.sentry.management import config_form
from tocsin.dialects.sentry.management.config_json import config_json, schedule_of
from tocsin.dialects.sentry.management.form import Form
from tocsin.domain.instant import DAY, HOUR, MINUTE
from tocsin.domain.monitor import Monitor, Policy, Tolerance
from tocsin.domain.project_settings import DEFAULTS, ProjectSettings
from tocsin.domain.schedule import Cron, Daily, DaylightPolicy, Interval, OnCalendar, Rolling, RRule, Unit
from tocsin.schedule import Zones
from tocsin.service.configuration import Configuration

RULES = config_form.Rules(Configuration(Zones(read_zone)).check, DEFAULTS)
TRUNCATED = {"truncate_to_minute": True}


def monitor(*schedules, **tolerance):
    return Monitor(1, 1, "m", "0" * 32, Policy(schedules=schedules, tolerance=Tolerance(**tolerance)))


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (Cron("*/5 9-17 * * MON-FRI"), ("crontab", "*/5 9-17 * * MON-FRI")),
        (Cron("0 30 4 * * *"), ("crontab", "30 4 * * *")),
        (Cron("@daily"), ("crontab", "@daily")),
        (Interval(2, Unit.HOUR), ("interval", [2, "hour"])),
        (Interval(1, Unit.MONTH), ("interval", [1, "month"])),
        (Interval(120, Unit.SECOND), ("interval", [2, "minute"])),
        (Interval(61, Unit.SECOND), ("interval", [2, "minute"])),
        (Rolling(90 * MINUTE), ("interval", [90, "minute"])),
        (Rolling(3 * HOUR), ("interval", [3, "hour"])),
        (Rolling(7 * DAY), ("interval", [7, "day"])),
        (Rolling(1), ("interval", [1, "minute"])),
        (Daily(("14:30",)), ("crontab", "30 14 * * *")),
        (Daily(("14:05", "02:05:00")), ("crontab", "5 2,14 * * *")),
    ],
)
def test_what_sentry_can_say(schedule, said):
    assert schedule_of([schedule]) == said


@pytest.mark.parametrize(
    "schedules",
    [
        (Cron("30 0 9 * * *"),),
        (Cron("0 9 * * *", daylight=DaylightPolicy.BOTH),),
        (Daily(("14:30", "02:00")),),
        (Daily(("02:00:30",)),),
        (RRule("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9"),),
        (OnCalendar("Mon..Fri *-*-* 08:00"),),
        (Cron("0 9 * * *"), Interval(1, Unit.HOUR)),
    ],
)
def test_what_it_cannot_say_is_told_in_words(schedules):
    kind, words = schedule_of(schedules)
    assert kind == "crontab"
    assert len(words.split()) != 5 or not words[0].isdigit()
    assert words


def test_a_monitor_without_a_schedule():
    assert schedule_of(()) == ("crontab", "")


def test_lengths_are_minutes_rounded_up():
    shown = config_json(monitor(Cron("0 * * * *", "Asia/Tokyo"), margin_ms=90_000, max_runtime_ms=0).policy)
    assert (shown["checkin_margin"], shown["max_runtime"], shown["timezone"]) == (2, None, "Asia/Tokyo")
    assert list(shown) == [
        *("schedule_type", "schedule", "checkin_margin", "max_runtime", "timezone"),
        *("failure_issue_threshold", "recovery_threshold", "alert_rule_id"),
    ]


def read(said, known=None, **decided):
    form = Form.parse(msgspec.json.encode(said))
    rules = RULES._replace(defaults=ProjectSettings(**decided).over(DEFAULTS))
    return config_form.read(form, known, rules), form.problems


@pytest.mark.parametrize(
    ("said", "plan"),
    [
        ({"schedule_type": "crontab", "schedule": " 0   4 * * * "}, Cron("0 4 * * *")),
        ({"schedule": "@HOURLY"}, Cron("0 * * * *")),
        ({"scheduleType": "interval", "schedule": [1, "year"]}, Interval(1, Unit.YEAR, **TRUNCATED)),
        ({"schedule": [1, "minute"], "timezone": "Asia/Tokyo"}, Interval(1, Unit.MINUTE, "Asia/Tokyo", **TRUNCATED)),
        ({"schedule": {"type": "crontab", "value": "0 4 * * *"}}, Cron("0 4 * * *")),
        ({"schedule": {"type": "interval", "value": 2, "unit": "week"}}, Interval(2, Unit.WEEK, **TRUNCATED)),
        ({"schedule": "0 4 * * *", "timezone": ""}, Cron("0 4 * * *")),
        ({"schedule": "0 4 * * *", "timezone": None}, Cron("0 4 * * *")),
    ],
)
def test_schedules_in(said, plan):
    (policy, tolerance), problems = read(said)
    assert problems == {}
    assert policy == {"schedules": (plan,), "round_to_minute": True}
    assert tolerance == {}


@pytest.mark.parametrize(
    "schedule",
    [
        *("", "* * * *", "* * * * * *", "60 * * * *", "0 0 31 4 *", "@midnight", "@reboot", "0 24 * * *", "* * * * 8"),
        *(
            [],
            [1],
            [0, "hour"],
            [-1, "hour"],
            [1.0, "hour"],
            [True, "hour"],
            ["1", "hour"],
            [1, "hours"],
            [1, "second"],
        ),
        *([2**31, "hour"], [1, "hour", 2], 5, True, {"type": "crontab"}, {"type": "x", "value": 1}, {}),
        *({"type": "interval", "value": 1}, {"type": "interval", "value": "0 * * * *"}),
    ],
)
def test_schedules_that_are_none(schedule):
    _, problems = read({"schedule": schedule})
    assert list(problems) == ["schedule"]
    (text,) = problems["schedule"]
    assert len(text) < 300


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"schedule_type": "crontab", "schedule": [1, "hour"]}, "schedule"),
        ({"schedule_type": "interval", "schedule": "0 * * * *"}, "schedule"),
        ({"schedule_type": "cron", "schedule": "0 * * * *"}, "schedule_type"),
        ({"schedule_type": "interval"}, "schedule"),
        ({}, "schedule"),
        ({"schedule": None}, "schedule"),
        ({"schedule": "0 * * * *", "timezone": "Mars/Olympus"}, "timezone"),
        ({"schedule": "0 * * * *", "timezone": 5}, "timezone"),
    ],
)
def test_what_is_wrong_is_named(said, field):
    assert field in read(said)[1]


@given(st.sampled_from(config_form._NUMBERS), st.integers(-(2**70), 2**70))
def test_bounds_are_refused_and_not_clamped(number, value):
    name, field, worth, least, most = number
    (_, tolerance), problems = read({"schedule": "0 * * * *", name: value})
    if least <= value <= most:
        assert problems == {}
        assert tolerance == {field: max(value, 1) * worth}
    else:
        assert list(problems) == [name]


def test_null_is_the_default():
    (_, tolerance), problems = read({"schedule": "0 * * * *", **dict.fromkeys(n[0] for n in config_form._NUMBERS)})
    assert problems == {}
    assert tolerance == {
        "margin_ms": MINUTE,
        "max_runtime_ms": 30 * MINUTE,
        "failure_threshold": 1,
        "recovery_threshold": 1,
    }


def test_a_new_monitor_has_the_defaults_of_its_project():
    decided = {"margin_ms": 5 * MINUTE, "recovery_threshold": 3, "time_zone": "Asia/Tokyo", "miss_while_running": False}
    (policy, tolerance), _ = read({"schedule": "0 * * * *"}, **decided)
    assert policy["schedules"] == (Cron("0 * * * *", "Asia/Tokyo"),)
    assert policy["miss_while_running"] is False
    assert tolerance == {"margin_ms": 5 * MINUTE, "recovery_threshold": 3}
    (policy, tolerance), _ = read({"checkin_margin": None, "timezone": None}, monitor(Cron("0 4 * * *")), **decided)
    assert policy == {"schedules": (Cron("0 4 * * *", "Asia/Tokyo"),)}
    assert tolerance == {"margin_ms": 5 * MINUTE}  # what is not named stays
    (_, tolerance), _ = read({"schedule": "0 * * * *", "checkin_margin": 2}, **decided)
    assert tolerance["margin_ms"] == 2 * MINUTE


def test_the_zone_alone_moves_the_schedules_that_have_one():
    known = monitor(Cron("0 4 * * *"), Rolling(HOUR))
    (policy, _), problems = read({"timezone": "Asia/Tokyo"}, known)
    assert problems == {}
    assert policy == {"schedules": (Cron("0 4 * * *", "Asia/Tokyo"), Rolling(HOUR))}


def test_a_new_schedule_keeps_the_zone():
    (policy, _), _ = read({"schedule": "5 4 * * *"}, monitor(Cron("0 4 * * *", "Asia/Tokyo")))
    assert policy["schedules"] == (Cron("5 4 * * *", ""),)  # open: the zone of what it replaces


@pytest.mark.parametrize(
    "schedules",
    [
        (Cron("0 30 4 * * *"),),
        (Interval(61, Unit.SECOND),),
        (RRule("FREQ=DAILY"),),
        (Cron("0 9 * * *"), Daily(("14:30",))),
        (),
    ],
)
def test_what_is_sent_back_as_shown_changes_nothing(schedules):
    known = monitor(*schedules)
    shown = config_json(known.policy)
    del shown["timezone"]
    (policy, _), problems = read({**shown, "max_runtime": 5}, known)
    assert (policy, problems) == ({}, {})
