"""Maintenance windows of Checkly's API: once and again, by tags or for all, and those that others made."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from support.checkly import Checkly
from support.readers import reader_key
from support.server import Server

PATH = "/v1/maintenance-windows"
ONCE = {"name": "mw", "startsAt": "2030-01-01T00:00:00.000Z", "endsAt": "2030-01-01T02:00:00.000Z"}
DAILY = {**ONCE, "tags": ["cron"], "repeatInterval": 1, "repeatUnit": "DAY", "repeatEndsAt": "2030-02-01T00:00:00.000Z"}
BLANK = {
    "tags": [],
    "repeatInterval": None,
    "repeatUnit": None,
    "repeatEndsAt": None,
    "timezone": None,
    "pauseAllChecks": False,
    "silenceAllAlerts": False,
    "silenceAlertsTags": [],
    "description": None,
    "statusPageVisibility": None,
}


@pytest.fixture
def checkly(server: Server) -> Checkly:
    return Checkly(server)


def make(checkly: Checkly, **fields):
    return checkly.ask("POST", PATH, {**ONCE, **fields}, status=201)


def native(server: Server, made) -> dict:
    """The window as the native API has it, by the name that it was given."""
    rows = server.call("GET", "/v1/projects/-/maintenanceWindows?pageSize=1000")["maintenanceWindows"]
    return next(row for row in rows if row["displayName"] == made["name"])


def test_once(checkly: Checkly) -> None:
    made = make(checkly)
    assert made == {**BLANK, **ONCE, "id": made["id"], "created_at": made["created_at"], "updated_at": None}
    path = f"{PATH}/{made['id']}"
    assert checkly.get(path) == made
    assert checkly.ask("PUT", path, ONCE) == made
    changed = checkly.ask("PUT", path, {"description": "why", "statusPageVisibility": {"enabled": False}})
    assert changed["description"] == "why"
    assert changed["statusPageVisibility"] == {"enabled": False}
    assert checkly.ask("PUT", path, {"description": None})["description"] is None
    assert checkly.call("DELETE", path).status == 204
    assert checkly.refused("GET", path).status == 404
    assert checkly.refused("PUT", path, ONCE).status == 404
    assert checkly.refused("DELETE", path).status == 404


def test_many_change_one_at_once(checkly: Checkly) -> None:
    """Each another part of it: none is lost."""
    said = {"name": "all", "description": "why", "pauseAllChecks": True, "silenceAlertsTags": ["a"]}
    said |= {"statusPageVisibility": {"enabled": False}, "endsAt": "2030-01-01T03:00:00.000Z"}
    for _ in range(3):
        made = make(checkly)
        path = f"{PATH}/{made['id']}"
        checkly.put_apart(path, said)
        found = checkly.get(path)
        assert found == {**made, **said, "updated_at": found["updated_at"]}


def test_the_window_of_a_deploy(checkly: Checkly, server: Server) -> None:
    made = make(checkly, **{**DAILY, "name": "deployed"})
    assert {name: made[name] for name in DAILY} == {**DAILY, "name": "deployed"}
    seen = native(server, made)
    assert seen["tags"] == ["cron"]
    rule = seen["recurrence"]["rrule"]["rule"]
    assert rule.split() == [
        "DTSTART:20300101T000000",
        "RRULE:FREQ=DAILY;INTERVAL=1;UNTIL=20300201T000000Z",
    ]
    assert seen["duration"] == "7200s"
    again = checkly.ask("PUT", f"{PATH}/{made['id']}", {**DAILY, "name": "deployed"})
    assert again == made


def test_a_repetition_ends_when_it_is_taken_back(checkly: Checkly, server: Server) -> None:
    made = make(checkly, **{**DAILY, "name": "taken back"})
    blank = {"repeatInterval": 0, "repeatUnit": "", "repeatEndsAt": "", "timezone": ""}  # as Terraform sends them
    changed = checkly.ask("PUT", f"{PATH}/{made['id']}", {**ONCE, **blank, "name": "taken back"})
    assert (changed["repeatUnit"], changed["repeatInterval"], changed["repeatEndsAt"]) == (None, None, None)
    assert native(server, made)["startTime"] == "2030-01-01T00:00:00Z"


def test_a_zone_keeps_the_time_of_day(checkly: Checkly, server: Server) -> None:
    made = make(checkly, name="zoned", repeatUnit="MONTH", startsAt="2030-01-31T08:00:00Z", endsAt="2030-01-31T09:00:00Z",
                timezone="America/New_York")  # fmt: skip
    assert (made["repeatInterval"], made["timezone"]) == (1, "America/New_York")
    recurrence = native(server, made)["recurrence"]
    assert recurrence["timeZone"] == "America/New_York"
    assert recurrence["rrule"]["rule"].split() == [
        "DTSTART:20300131T030000",
        "RRULE:FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
    ]
    kept = checkly.ask("PUT", f"{PATH}/{made['id']}", {"name": "zoned"})
    assert kept["timezone"] == "America/New_York"
    assert checkly.ask("PUT", f"{PATH}/{made['id']}", {"timezone": None})["timezone"] is None
    assert native(server, made)["recurrence"].get("timeZone", "UTC") == "UTC"


def test_whose_checks_pause_and_whose_alerts_are_silent(checkly: Checkly, server: Server) -> None:
    made = make(checkly, name="scoped", pauseAllChecks=True, tags=["kept"], silenceAlertsTags=["a"])
    assert (made["pauseAllChecks"], made["tags"], made["silenceAlertsTags"]) == (True, ["kept"], ["a"])
    assert native(server, made).get("tags", []) == []
    changed = checkly.ask("PUT", f"{PATH}/{made['id']}", {"pauseAllChecks": False})
    assert (changed["pauseAllChecks"], changed["tags"]) == (False, ["kept"])
    assert native(server, made)["tags"] == ["kept"]
    silent = checkly.ask("PUT", f"{PATH}/{made['id']}", {"tags": [], "silenceAllAlerts": True})
    assert (silent["tags"], silent["silenceAllAlerts"], silent["silenceAlertsTags"]) == ([], True, ["a"])


def test_a_window_of_the_native_api(checkly: Checkly, server: Server) -> None:
    body = {
        "recurrence": {"cron": {"expression": "0 3 * * *"}, "timeZone": "UTC"},
        "duration": "3600s",
        "displayName": "nightly",
        "monitors": ["backup-*"],
    }
    server.call("POST", "/v1/projects/-/maintenanceWindows?maintenanceWindowId=nightly", body)
    shown = next(one for one in checkly.get(f"{PATH}?limit=100") if one["name"] == "nightly")
    starts, ends = (datetime.fromisoformat(shown[name]) for name in ("startsAt", "endsAt"))
    assert (starts.hour, (ends - starts).total_seconds()) == (3, 3600)
    assert ends > datetime.now(UTC)
    path = f"{PATH}/{shown['id']}"
    renamed = checkly.ask("PUT", path, {**shown, "name": "every night"})
    assert renamed["name"] == "every night"
    seen = server.call("GET", "/v1/projects/-/maintenanceWindows/nightly")
    assert (seen["monitors"], seen["recurrence"]["cron"]) == (["backup-*"], {"expression": "0 3 * * *"})
    assert checkly.ask("PUT", path, {**ONCE, "name": "once"})["startsAt"] == ONCE["startsAt"]
    assert "recurrence" not in server.call("GET", "/v1/projects/-/maintenanceWindows/nightly")
    assert checkly.call("DELETE", path).status == 204


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"startsAt": None}, "startsAt"),
        ({"startsAt": "tomorrow"}, "startsAt"),
        ({"startsAt": 5}, "startsAt"),
        ({"startsAt": "2230-01-01T00:00:00Z"}, "startsAt"),
        ({"endsAt": ONCE["startsAt"]}, "endsAt"),
        ({"repeatUnit": "YEAR"}, "repeatUnit"),
        ({"repeatInterval": 1}, "repeatUnit"),
        ({"repeatInterval": 366, "repeatUnit": "DAY"}, "repeatInterval"),
        ({"repeatInterval": -1, "repeatUnit": "DAY"}, "repeatInterval"),
        ({"repeatUnit": "DAY", "repeatEndsAt": "2029-01-01T00:00:00Z"}, "repeatEndsAt"),
        ({"repeatUnit": "DAY", "endsAt": "2030-01-01T00:00:10Z"}, "endsAt"),
        ({"timezone": "+05:00"}, "timezone"),
        ({"timezone": "Etc/GMT+5"}, "timezone"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"tags": "cron"}, "tags"),
        ({"tags": [""]}, "tags[0]"),
        ({"tags": [1]}, "tags[0]"),
        ({"pauseAllChecks": "yes"}, "pauseAllChecks"),
        ({"description": "x" * 2001}, "description"),
        ({"statusPageVisibility": []}, "statusPageVisibility"),
    ],
)
def test_what_is_refused_is_named(checkly: Checkly, fields, named: str) -> None:
    answer = checkly.refused("POST", PATH, {**ONCE, **fields})
    assert answer.status == 400
    assert answer.json["validation"] == {"source": "payload", "keys": [named]}


def test_pages_and_readers(checkly: Checkly, server: Server) -> None:
    ids = [make(checkly)["id"] for _ in range(3)]
    answer = checkly.call("GET", f"{PATH}?limit=2")
    total = int(answer.headers["content-range"].partition("/")[2])
    assert (answer.headers["content-range"], len(answer.json)) == (f"0-1/{total}", 2)
    assert checkly.call("GET", f"{PATH}?limit=2&page=999").headers["content-range"] == f"0-0/{total}"
    reader = Checkly(server, reader_key(server))
    assert reader.get(f"{PATH}/{ids[0]}")["id"] == ids[0]
    assert reader.refused("DELETE", f"{PATH}/{ids[0]}").status == 403


def test_a_pause_by_the_tag_of_a_group(checkly: Checkly, server: Server) -> None:
    """Of two monitors that are due each second, the one whose group has the tag does not fail."""
    now = datetime.now(UTC)
    times = {"startsAt": (now - timedelta(minutes=5)).isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat()}
    make(checkly, name="pausing", tags=["paused-group"], **times)
    body = {"name": "Paused", "tags": ["paused-group"]}
    checkly.ask("POST", "/v1/check-groups?autoAssignAlerts=false", body, status=201)
    for name, group in (("held", "paused"), ("due", "")):
        schedules = [{"rolling": {"period": "1s"}}]
        server.create_monitor(name, schedules=schedules, tolerance={"margin": "0s"}, group=group)
        assert server.request("POST", f"/report/{name}", key=server.ingest_key)[0] == 200

    def failing() -> dict[str, bool]:
        return {one["name"]: one["hasFailures"] for one in checkly.get("/v1/check-statuses")}

    until = time.monotonic() + 20
    while not failing()["due"]:
        assert time.monotonic() < until
    assert failing()["held"] is False
