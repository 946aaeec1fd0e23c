"""Spec sections 3.1 to 3.4: what a monitor_config becomes, and what it is refused for."""

import json

import msgspec
import pytest

from tocsin.dialects.sentry.config import read
from tocsin.domain.instant import MINUTE
from tocsin.domain.monitor import Kind, Monitor, MonitorChange, Tolerance
from tocsin.domain.schedule import PROJECT_ZONE, Anchor, Cron, Interval, Unit

HOURLY = {"type": "crontab", "value": "0 * * * *"}
DAYS_28 = 40_320 * MINUTE


def _read(document: object):
    return read(msgspec.Raw(json.dumps(document).encode()))


def _change(document: object) -> MonitorChange:
    reading = _read(document)
    assert reading.error == ""
    assert reading.change is not None
    return reading.change


def _with(**fields: object) -> MonitorChange:
    return _change({"schedule": HOURLY, **fields})


def test_a_full_one():
    change = _change(
        {
            "schedule": HOURLY,
            "checkin_margin": 5,
            "max_runtime": 45,
            "failure_issue_threshold": 2,
            "recovery_threshold": 3,
            "timezone": "America/Los_Angeles",
            "owner": "team:backend",
        }
    )
    assert change == MonitorChange(
        policy={"schedules": (Cron("0 * * * *", "America/Los_Angeles"),), "kind": Kind.JOB, "round_to_minute": True},
        tolerance={
            "margin_ms": 5 * MINUTE,
            "max_runtime_ms": 45 * MINUTE,
            "failure_threshold": 2,
            "recovery_threshold": 3,
        },
        owner="team:backend",
        origin="sentry",
    )


def test_only_named_keys_travel():
    change = _with(max_runtime=10)
    assert change.tolerance == {"max_runtime_ms": 10 * MINUTE}
    assert change.owner is msgspec.UNSET
    stored = Monitor(1, 42, "job", "u", owner="user:a").policy
    stored = msgspec.structs.replace(stored, tolerance=Tolerance(margin_ms=7 * MINUTE, failure_threshold=4))
    after = change.apply(Monitor(1, 42, "job", "u", policy=stored, owner="user:a"), 5)
    assert after.policy.tolerance == Tolerance(margin_ms=7 * MINUTE, failure_threshold=4, max_runtime_ms=10 * MINUTE)
    assert after.owner == "user:a"


def test_null_is_the_default_of_the_project():
    change = _with(
        checkin_margin=None,
        max_runtime=None,
        failure_issue_threshold=None,
        recovery_threshold=None,
        timezone=None,
        owner=None,
    )
    assert change.tolerance == {
        "margin_ms": None,
        "max_runtime_ms": None,
        "failure_threshold": None,
        "recovery_threshold": None,
    }
    assert change.policy["schedules"] == (Cron("0 * * * *", PROJECT_ZONE),)
    assert change.owner is msgspec.UNSET


def test_a_new_monitor_has_the_defaults_of_sentry():
    policy = _with().apply(Monitor(1, 42, "job", "u"), 5).policy
    tolerance = policy.tolerance
    assert (tolerance.margin_ms, tolerance.max_runtime_ms) == (MINUTE, 30 * MINUTE)
    assert (tolerance.failure_threshold, tolerance.recovery_threshold) == (1, 1)
    assert policy.round_to_minute


@pytest.mark.parametrize(
    ("key", "value", "field", "expected"),
    [
        ("checkin_margin", 0, "margin_ms", MINUTE),
        ("checkin_margin", 1, "margin_ms", MINUTE),
        ("checkin_margin", 40_320, "margin_ms", DAYS_28),
        ("checkin_margin", 40_321, "margin_ms", DAYS_28),
        ("checkin_margin", 10**30, "margin_ms", DAYS_28),
        ("max_runtime", 1, "max_runtime_ms", MINUTE),
        ("max_runtime", 40_320, "max_runtime_ms", DAYS_28),
        ("max_runtime", 40_321, "max_runtime_ms", DAYS_28),
        ("failure_issue_threshold", 1, "failure_threshold", 1),
        ("failure_issue_threshold", 720, "failure_threshold", 720),
        ("recovery_threshold", 720, "recovery_threshold", 720),
    ],
)
def test_bounds(key, value, field, expected):
    assert _with(**{key: value}).tolerance == {field: expected}


@pytest.mark.parametrize("key", ["checkin_margin", "max_runtime", "failure_issue_threshold", "recovery_threshold"])
@pytest.mark.parametrize("value", [-1, 1.5, "5", True, [1], {}])
def test_not_a_whole_number(key, value):
    reading = _read({"schedule": HOURLY, key: value})
    assert reading.change is None
    assert f"$.monitor_config.{key}: " in reading.error


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_runtime", 0),
        ("failure_issue_threshold", 0),
        ("recovery_threshold", 0),
        ("failure_issue_threshold", 721),
        ("recovery_threshold", 10**30),
    ],
)
def test_out_of_bounds(key, value):
    reading = _read({"schedule": HOURLY, key: value})
    assert reading.change is None
    assert reading.error.startswith(f"$.monitor_config.{key}: must be at ")


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("0 * * * *", "0 * * * *"),
        ("  0\t*  * *\n* ", "0 * * * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@Daily", "0 0 * * *"),
        (" @hourly ", "0 * * * *"),
        ("0 0 LW * MON#2", "0 0 LW * MON#2"),
    ],
)
def test_crontab(value, stored):
    assert _with(schedule={"type": "crontab", "value": value}).policy["schedules"] == (Cron(stored, ""),)


@pytest.mark.parametrize("unit", ["year", "month", "week", "day", "hour", "minute"])
def test_interval(unit):
    (plan,) = _with(schedule={"type": "interval", "value": 2, "unit": unit}, timezone="Europe/Vienna").policy[
        "schedules"
    ]
    assert plan == Interval(2, Unit(unit), "Europe/Vienna", Anchor.ANY_REPORT, truncate_to_minute=True)


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (None, "$.monitor_config.schedule: required"),
        ([], "$.monitor_config.schedule: expected"),
        ("0 * * * *", "$.monitor_config.schedule: expected"),
        ({}, "$.monitor_config.schedule.type: required"),
        ({"type": None, "value": "0 * * * *"}, "$.monitor_config.schedule.type: required"),
        ({"type": "cron", "value": "0 * * * *"}, "'cron' is neither 'crontab' nor 'interval'"),
        ({"type": "crontab"}, "$.monitor_config.schedule.value: required"),
        ({"type": "crontab", "value": 5}, "$.monitor_config.schedule.value: expected `str`, got `int`"),
        ({"type": "crontab", "value": ""}, "has 0"),
        ({"type": "crontab", "value": "* * * *"}, "has 4"),
        ({"type": "crontab", "value": "0 * * * * *"}, "has 6"),
        ({"type": "crontab", "value": "@midnight"}, "unknown nickname '@midnight'"),
        ({"type": "crontab", "value": "@reboot"}, "unknown nickname"),
        ({"type": "crontab", "value": "@every 5m"}, "unknown nickname"),
        ({"type": "interval", "unit": "day"}, "$.monitor_config.schedule.value: required"),
        (
            {"type": "interval", "value": "2", "unit": "day"},
            "$.monitor_config.schedule.value: expected `int`, got `str`",
        ),
        ({"type": "interval", "value": 1.5, "unit": "day"}, "$.monitor_config.schedule.value: expected `int`"),
        ({"type": "interval", "value": 0, "unit": "day"}, "$.monitor_config.schedule.value: must be 1 to"),
        ({"type": "interval", "value": -1, "unit": "day"}, "$.monitor_config.schedule.value: must be 1 to"),
        ({"type": "interval", "value": 2**63, "unit": "day"}, "$.monitor_config.schedule.value: must be 1 to"),
        ({"type": "interval", "value": 1}, "$.monitor_config.schedule.unit: required"),
        ({"type": "interval", "value": 1, "unit": "days"}, "'days' is none of minute, hour, day, week, month, year"),
        ({"type": "interval", "value": 1, "unit": "second"}, "'second' is none of"),
    ],
)
def test_bad_schedules(schedule, text):
    reading = _read({"schedule": schedule})
    assert reading.change is None
    assert text in reading.error
    assert reading.error.startswith("$.monitor_config.schedule")


@pytest.mark.parametrize("document", [{}, [], "x", 5, True])
def test_not_a_config(document):
    reading = _read(document)
    assert reading.change is None
    assert reading.error.startswith("$.monitor_config")


@pytest.mark.parametrize("zone", ["", None])
def test_no_zone_is_that_of_the_project(zone):
    assert _with(timezone=zone).policy["schedules"] == (Cron("0 * * * *", PROJECT_ZONE),)


def test_a_zone_that_is_not_named_stays():
    monitor = _with(timezone="Europe/Vienna").apply(Monitor(1, 42, "job", "u"), 5)
    assert _with().apply(monitor, 6) is monitor
    assert _with().apply(Monitor(1, 42, "job", "u"), 5).policy.schedules == (Cron("0 * * * *", "UTC"),)


def test_a_zone_must_be_text():
    assert _read({"schedule": HOURLY, "timezone": 1}).error == "$.monitor_config.timezone: expected `str`, got `int`"


@pytest.mark.parametrize("owner", ["user:7", "user:ada@example.com", "team:ops", "  team:ops  "])
def test_owner(owner):
    assert _with(owner=owner).owner == owner.strip()


@pytest.mark.parametrize("owner", ["ops", "user:", "group:x", 5, "team:" + "x" * 300, ["team:ops"]])
def test_a_bad_owner_is_left_out_and_told(owner):
    reading = _read({"schedule": HOURLY, "owner": owner})
    assert reading.change is not None
    assert reading.change.owner is msgspec.UNSET
    assert reading.bad_owner.startswith("$.monitor_config.owner: ")


def test_an_empty_owner_is_none():
    reading = _read({"schedule": HOURLY, "owner": ""})
    assert (reading.bad_owner, reading.misplaced) == ("", "")


def test_misplaced_keys_are_told():
    reading = _read({"schedule": {**HOURLY, "timezone": "Europe/Vienna"}, "maxRuntime": 5})
    assert reading.change is not None
    assert reading.misplaced == (
        "ignored unknown keys: $.monitor_config.maxRuntime (did you mean $.monitor_config.max_runtime?), "
        "$.monitor_config.schedule.timezone (did you mean $.monitor_config.timezone?)"
    )


@pytest.mark.parametrize(
    ("where", "key", "place"),
    [
        ("schedule", "timezone", "$.monitor_config.timezone"),
        ("schedule", "timeZone", "$.monitor_config.timezone"),
        ("schedule", "max_runtime", "$.monitor_config.max_runtime"),
        ("schedule", "crontab", "$.monitor_config.schedule.value"),
        ("schedule", "schedule_type", "$.monitor_config.schedule.type"),
        ("config", "type", "$.monitor_config.schedule.type"),
        ("config", "value", "$.monitor_config.schedule.value"),
        ("config", "crontab", "$.monitor_config.schedule.value"),
        ("config", "checkinMargin", "$.monitor_config.checkin_margin"),
        ("config", "failureIssueThreshold", "$.monitor_config.failure_issue_threshold"),
        ("config", "failure-threshold", "$.monitor_config.failure_issue_threshold"),
        ("config", "recovery_treshold", "$.monitor_config.recovery_threshold"),
        ("config", "environment", "$.environment"),
        ("config", "slug", "$.monitor_slug"),
        ("config", "colour", ""),
        ("config", "x" * 10_000, ""),
        ("config", "", ""),
    ],
)
def test_the_place_that_was_meant_is_named(where, key, place):
    config = {"schedule": {**HOURLY, key: 1}} if where == "schedule" else {"schedule": HOURLY, key: 1}
    told = _read(config).misplaced
    assert key[:40] in told
    assert (f"did you mean {place}?" in told) if place else ("did you mean" not in told)
    assert len(told) < 200


def test_a_configuration_that_is_refused_says_what_was_meant():
    told = _read({"schedule": {"crontab": "0 * * * *"}}).error
    assert told.startswith("$.monitor_config.schedule.type: required; ignored unknown keys: ")
    assert told.endswith("$.monitor_config.schedule.crontab (did you mean $.monitor_config.schedule.value?)")


def test_only_so_many_are_told():
    told = _read({"schedule": HOURLY, **{f"k{number:03}": 1 for number in range(1_000)}}).misplaced
    assert told.count("$.") == 10


def test_nested_bombs_stay_inside():
    bomb = b"[" * 50_000 + b"]" * 50_000
    assert "nested too deeply" in read(msgspec.Raw(b'{"schedule":' + bomb + b"}")).error
