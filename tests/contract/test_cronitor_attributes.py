"""Each attribute of a monitor over Cronitor's API: default, what is refused, what is read back, what it comes to."""

import uuid
from typing import Any

import pytest

from support.cronitor import Cronitor
from support.server import Server


@pytest.fixture
def cronitor(server: Server) -> Cronitor:
    return Cronitor(server)


@pytest.fixture
def key() -> str:
    return f"a-{uuid.uuid4().hex[:10]}"


def native(cronitor: Cronitor, monitor: str) -> Any:
    return cronitor.server.get(cronitor.server.monitor_path(monitor))


DEFAULTS: dict[str, dict[str, Any]] = {
    "job": {"grace_seconds": 60, "platform": "cron", "schedule": None, "schedules": []},
    "heartbeat": {"grace_seconds": 0, "platform": "", "schedule": None, "schedules": []},
    "check": {"grace_seconds": 0, "platform": "http", "schedule": "every 60 seconds"},
}
COMMON: dict[str, Any] = {
    "note": None,
    "timezone": "UTC",
    "assertions": [],
    "schedule_tolerance": None,
    "failure_tolerance": None,
    "realert_interval": "every 8 hours",
    "consecutive_alert_threshold": 10,
    "notify": ["default"],
    "group": None,
    "tags": [],
    "metadata": None,
    "paused": False,
    "environments": ["production"],
    "disabled": False,
    "initialized": False,
    "passing": True,
    "running": False,
    "latest_event": None,
    "latest_issue": None,
    "next_expected_at": None,
    "statuspages": [],
    "site": None,
}


def least(kind: str, key: str) -> dict[str, Any]:
    """What a monitor must say."""
    request = {"request": {"url": "https://example.com/"}} if kind == "check" else {}
    return {"key": key, "type": kind, **request}


@pytest.mark.parametrize("kind", DEFAULTS)
def test_defaults(cronitor: Cronitor, key: str, kind: str) -> None:
    (found,) = cronitor.put(least(kind, key))
    assert {name: found[name] for name in COMMON | DEFAULTS[kind]} == COMMON | DEFAULTS[kind]
    assert (found["key"], found["name"], found["type"]) == (key, key, kind)
    assert found["attributes"]["key"] == key


VALUES: list[tuple[str, str, Any]] = [
    ("job", "name", "Nightly backup"),
    ("job", "note", "see the wiki"),
    ("job", "schedule", "0 2 * * Mon"),
    ("job", "schedules", ["at 14:30", "every 2 days, 1 hour and 3 seconds"]),
    ("job", "timezone", "Europe/Vienna"),
    ("job", "assertions", ["metric.duration < 15min", "metric.error_rate <= 5%"]),
    ("heartbeat", "assertions", ["metric.temperature > -4.5"]),
    ("check", "assertions", ["response.code = 200", "response.json user.count > 10"]),
    ("job", "grace_seconds", 0),
    ("heartbeat", "grace_seconds", 300),
    ("job", "schedule_tolerance", 2),
    ("job", "failure_tolerance", 3),
    ("job", "realert_interval", "every 90 minutes"),
    ("job", "consecutive_alert_threshold", 1000),
    ("job", "notify", ["email:alerts@example.com, sms:+155512345555, slack:#devops-channel"]),
    ("job", "notify", {"alerts": ["default"], "events": True}),
    ("job", "notify", {"alerts": ["default"], "events": {"complete": True, "run": False}}),
    ("job", "notify", ["slack:#alerts | example.org"]),
    ("job", "tags", ["database", "cron job"]),
    ("job", "metadata", {"backoffLimit": 6, "nested": {"x": [1, None]}}),
    ("job", "metadata", '{"concurrencyPolicy":"Allow"}'),
    ("job", "platform", "SQL Maintenance Plan"),
    ("check", "platform", "browser"),
    ("check", "schedule", "every 2 minutes"),
]


@pytest.mark.parametrize(("kind", "name", "value"), VALUES)
def test_what_is_said_is_read_back_until_it_is_reset(
    cronitor: Cronitor, key: str, kind: str, name: str, value: Any
) -> None:
    (fresh,) = cronitor.put(least(kind, key))
    (found,) = cronitor.put({"key": key, name: value})
    assert found[name] == value
    (later,) = cronitor.put({"key": key, "note": "another thing"})
    assert later[name] == (value if name != "note" else "another thing")
    (reset,) = cronitor.put({"key": key, name: None, "note": None})
    moving = {"next_expected_at"}
    assert {one: part for one, part in reset.items() if one not in moving} == {
        one: part for one, part in fresh.items() if one not in moving
    }


BAD: list[tuple[str, str, Any, str]] = [
    ("job", "key", "a/b", "key"),
    ("job", "key", "x" * 256, "key"),
    ("job", "key", "line\nbreak", "key"),
    ("job", "type", "site", "type"),
    ("job", "type", 3, "type"),
    ("job", "name", "x" * 256, "name"),
    ("job", "name", ["x"], "name"),
    ("job", "schedule", "every five", "schedule"),
    ("job", "schedule", "0 0 31 2 *", "schedule"),
    ("job", "schedules", ["at 14:30", "at 25:00"], "schedules"),
    ("job", "schedules", "at 14:30", "schedules"),
    ("job", "schedules", ["at 14:30"] * 21, "schedules"),
    ("job", "schedule", "FREQ=WEEKLY;BYDAY=XX", "schedule"),
    ("job", "timezone", "Mars/Olympus", "timezone"),
    ("job", "assertions", ["metric.duration < 5 fortnights"], "assertions"),
    ("job", "assertions", ["response.code = 200"], "assertions"),
    ("job", "assertions", "metric.count > 1", "assertions"),
    ("check", "assertions", ["metric.count > 1"], "assertions"),
    ("job", "grace_seconds", -1, "grace_seconds"),
    ("job", "grace_seconds", "60", "grace_seconds"),
    ("job", "grace_seconds", True, "grace_seconds"),
    ("job", "schedule_tolerance", 1.5, "schedule_tolerance"),
    ("job", "failure_tolerance", 720, "failure_tolerance"),
    ("job", "realert_interval", "sometimes", "realert_interval"),
    ("job", "realert_interval", 0, "realert_interval"),
    ("job", "consecutive_alert_threshold", 0, "consecutive_alert_threshold"),
    ("job", "notify", "default", "notify"),
    ("job", "notify", ["carrier pigeon:x"], "notify"),
    ("job", "notify", ["default", "devops-listt"], "notify"),
    ("job", "notify", {"alerts": ["default"], "events": {"sleep": True}}, "notify"),
    ("job", "notify", {"alerts": ["default"], "events": {"run": "yes"}}, "notify"),
    ("job", "notify", ["webhook:ftp://example.com/"], "notify"),
    ("job", "group", "a/b", "group"),
    ("job", "tags", "database", "tags"),
    ("job", "tags", ["x" * 101], "tags"),
    ("job", "metadata", "no json", "metadata"),
    ("job", "metadata", [1], "metadata"),
    ("job", "platform", "x" * 65, "platform"),
    ("check", "platform", "carrier pigeon", "platform"),
    ("check", "schedule", "every 29 seconds", "schedule"),
    ("check", "schedule", "0 * * * *", "schedule"),
    ("check", "request", None, "request"),
    ("check", "request", {"url": "ftp://example.com"}, "request"),
    ("check", "request", {"url": "https://example.com", "method": "BREW"}, "request"),
    ("check", "request", {"url": "https://example.com", "method": "PUT"}, "request"),
    ("check", "request", {"url": "https://example.com", "headers": {"x": "y" * 5_120}}, "request"),
    ("check", "request", {"url": "https://example.com", "cookies": {"x": 1}}, "request"),
    ("check", "request", {"url": "https://example.com", "timeout_seconds": 16}, "request"),
    ("check", "request", {"url": "https://example.com", "follow_redirects": "no"}, "request"),
    ("check", "request", {"url": "https://example.com", "verify_ssl": 1}, "request"),
    ("check", "regions", ["moon-1"], "request"),
    ("job", "paused", "yes", "paused"),
]


@pytest.mark.parametrize(("kind", "name", "value", "field"), BAD)
def test_a_bad_value_names_monitor_and_attribute_and_keeps_nothing(
    cronitor: Cronitor, key: str, kind: str, name: str, value: Any, field: str
) -> None:
    good = {"key": f"{key}-good", "type": "job"}
    answer = cronitor.call("PUT", "/api/monitors", [good, {**least(kind, key), name: value}])
    assert answer.status == 400, answer
    problem = answer.json["errors"][0]
    assert problem["field"] == field
    assert problem["key"] == (key if name != "key" else "monitors[1]")
    assert problem["message"].startswith(field)
    for one in (good["key"], key):
        assert cronitor.call("GET", f"/api/monitors/{one}").status == 404


def test_all_that_is_wrong_is_told_at_once(cronitor: Cronitor, key: str) -> None:
    answer = cronitor.call("PUT", "/api/monitors", [{"key": key, "grace_seconds": -1, "schedule": "never"}, 3])
    assert [(one["key"], one["field"]) for one in answer.json["errors"]] == [
        (key, "grace_seconds"),
        ("monitors[1]", None),
    ]
    assert "(and 1 more)" in answer.json["error"]


def test_a_type_is_needed_to_create(cronitor: Cronitor, key: str) -> None:
    answer = cronitor.call("PUT", "/api/monitors", [{"key": key}])
    assert answer.json["errors"][0]["field"] == "type"


@pytest.mark.parametrize(("alias", "kind"), [("event", "heartbeat"), ("Heartbeat", "heartbeat")])
def test_aliases_of_types(cronitor: Cronitor, key: str, alias: str, kind: str) -> None:
    assert cronitor.put({"key": key, "type": alias})[0]["type"] == kind


def test_the_default_name_and_note_show_while_there_is_no_other(cronitor: Cronitor, key: str) -> None:
    given = {"defaultName": "[host-1] /opt/backup.sh", "defaultNote": "Discovered in /etc/crontab L3"}
    (found,) = cronitor.put({"key": key, "type": "job", **given})
    assert (found["name"], found["note"]) == (given["defaultName"], given["defaultNote"])
    (found,) = cronitor.put({"key": key, "name": "Backup", "note": "mine"})
    assert (found["name"], found["note"]) == ("Backup", "mine")
    (found,) = cronitor.put({"key": key, **given})
    assert (found["name"], found["note"]) == ("Backup", "mine")
    assert native(cronitor, key)["displayName"] == "Backup"


def test_hours_and_intervals_between_alerts(cronitor: Cronitor, key: str) -> None:
    for sent, read in ((8, "every 8 hours"), (1, "every hour"), ("24", "every 24 hours"), ("30 min", "every 30 min")):
        assert cronitor.put({"key": key, "type": "job", "realert_interval": sent})[0]["realert_interval"] == read
    assert native(cronitor, key)["alertPolicy"]["repeatInterval"] == "1800s"


def test_schedules_win_over_schedule_and_equal_ones_are_kept(cronitor: Cronitor, key: str) -> None:
    both = {"schedule": "at 9:00", "schedules": ["at 10:00", "every 60 seconds", "every 1 minute"]}
    (found,) = cronitor.put({"key": key, "type": "job", **both})
    assert (found["schedule"], found["schedules"]) == ("at 10:00", both["schedules"])
    assert len(native(cronitor, key)["schedules"]) == 2


def test_tolerances_come_to_thresholds(cronitor: Cronitor, key: str) -> None:
    said = {"grace_seconds": 90, "schedule_tolerance": 2, "failure_tolerance": 1, "schedule": "every 5 minutes"}
    cronitor.put({"key": key, "type": "job", **said})
    found = native(cronitor, key)["tolerance"]
    assert found["margin"] == "90s"
    assert found["alertDelay"] == "90s"
    assert (found["missThreshold"], found["failureThreshold"]) == (3, 2)
    assert found.get("maxRuntime", "0s") == "0s"
    cronitor.put({"key": key, "grace_seconds": 0})
    assert native(cronitor, key)["tolerance"]["margin"] == "1s"
    assert cronitor.get(f"/api/monitors/{key}")["grace_seconds"] == 0


def test_a_time_zone_holds_for_the_schedules_before_and_after(cronitor: Cronitor, key: str) -> None:
    cronitor.put({"key": key, "type": "job", "schedule": "at 9:00"})
    cronitor.put({"key": key, "timezone": "Asia/Tokyo"})
    assert native(cronitor, key)["schedules"][0]["timeZone"] == "Asia/Tokyo"
    cronitor.put({"key": key, "schedule": "at 10:00"})
    assert native(cronitor, key)["schedules"][0]["timeZone"] == "Asia/Tokyo"


def test_old_assertions_that_are_schedules(cronitor: Cronitor, key: str) -> None:
    said = ["job.completes every 1 day", "metric.duration < 1 hour"]
    (found,) = cronitor.put({"key": key, "type": "job", "assertions": said})
    assert found["assertions"] == said
    assert native(cronitor, key)["schedules"][0]["interval"]["count"] == 24
    assert native(cronitor, key)["assertions"] == [said[1]]
    answer = cronitor.call("PUT", "/api/monitors", [{"key": key, "assertions": ["job.runs every blue moon"]}])
    assert answer.json["errors"][0]["field"] == "assertions"


def test_a_paused_monitor_is_judged_and_not_told(cronitor: Cronitor, key: str) -> None:
    (found,) = cronitor.put({"key": key, "type": "job", "paused": True})
    assert found["paused"]
    assert native(cronitor, key)["muted"]
    cronitor.ping(f"{key}?state=fail")
    assert not cronitor.get(f"/api/monitors/{key}")["passing"]
    (found,) = cronitor.put({"key": key, "paused": False})
    assert not found["paused"]


def test_a_check_is_kept_whole_and_not_asked(cronitor: Cronitor, key: str) -> None:
    request = {"url": "https://example.com/", "method": "POST", "body": "", "headers": {"X-Token": "t"}}
    (found,) = cronitor.put({"key": key, "type": "synthetic", "request": request, "regions": ["us-east-1"]})
    assert found["type"] == "check"
    assert found["request"] == {
        "timeout_seconds": 10,
        "follow_redirects": True,
        "verify_ssl": True,
        **request,
        "regions": ["us-east-1"],
    }
    assert found["asking"] is False
    assert native(cronitor, key)["inactive"]
    cronitor.ping(f"{key}?state=complete")
    assert not cronitor.get(f"/api/monitors/{key}")["initialized"]
    (found,) = cronitor.put({"key": key, "type": "heartbeat"})
    assert (found["type"], found["schedule"], "asking" in found) == ("heartbeat", None, False)
    cronitor.ping(f"{key}?state=complete")
    assert cronitor.get(f"/api/monitors/{key}")["initialized"]


@pytest.mark.parametrize(
    ("platform", "url", "good"),
    [
        ("tcp", "tcp://example.com:22", True),
        ("tcp", "example.com:22", True),
        ("tcp", "example.com", False),
        ("udp", "example.com:53", True),
        ("s3", "s3://bucket/prefix", True),
        ("http", "example.com", False),
        ("browser", "https://[::1]:8443/x", True),
        ("http", "https://example.com:port/", False),
    ],
)
def test_where_checks_may_look(cronitor: Cronitor, key: str, platform: str, url: str, good: bool) -> None:
    body = {"key": key, "type": "check", "platform": platform, "request": {"url": url}}
    assert cronitor.call("PUT", "/api/monitors", [body]).status == (200 if good else 400)


def test_unknown_attributes_and_those_sent_back_are_passed_over(cronitor: Cronitor, key: str) -> None:
    (found,) = cronitor.put({"key": key, "type": "job", "colour": "blue", "schedule": "at 9:00"})
    (again,) = cronitor.put(found)
    assert again == found


def test_what_another_protocol_wrote_is_read_and_kept(cronitor: Cronitor, key: str) -> None:
    """A monitor has one configuration; a partial update by either door touches only what it names."""
    schedule = {"onCalendar": {"expression": "Mon..Fri *-*-* 08:00"}}
    created = cronitor.server.create_monitor(
        key, schedules=[schedule], tolerance={"margin": "120s", "maxRuntime": "600s"}, displayName="Native"
    )
    found = cronitor.get(f"/api/monitors/{key}")
    assert (found["type"], found["name"], found["grace_seconds"]) == ("job", "Native", 120)
    assert found["schedule"].startswith("at 08:00")
    cronitor.put({"key": key, "note": "n", "tags": ["x"]})
    now = native(cronitor, key)
    for name in ("schedules", "tolerance", "displayName"):
        assert now[name] == created[name]
    cronitor.put({"key": key, "schedule": "every 5 minutes"})
    cronitor.server.call(
        "PATCH", f"{cronitor.server.monitor_path(key)}?updateMask=displayName", {"displayName": "By hand"}
    )
    found = cronitor.get(f"/api/monitors/{key}")
    assert (found["name"], found["schedule"], found["note"]) == ("By hand", "every 5 minutes", "n")
