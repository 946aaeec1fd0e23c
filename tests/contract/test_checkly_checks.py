"""Heartbeat checks through Checkly's API: what updates keep, whom new checks tell, lists, versions, statuses."""

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.checkly import HEARTBEAT, Checkly
from support.server import Server

DEFAULTS = {
    "escalationType": "RUN_BASED",
    "runBasedEscalation": {"failedRunThreshold": 1},
    "reminders": {"amount": 0, "interval": 5},
    "parallelRunFailureThreshold": {"enabled": False, "percentage": 10},
}


@pytest.fixture
def checkly(server: Server) -> Checkly:
    return Checkly(server)


@pytest.fixture
def own(new_server: Callable[..., Server]) -> Checkly:
    """A server that has no other checks."""
    server = new_server()
    server.start()
    return Checkly(server)


def put(checkly: Checkly, check: dict[str, Any], **said: Any) -> dict[str, Any]:
    found: dict[str, Any] = checkly.ask("PUT", f"/v1/checks/heartbeat/{check['id']}?autoAssignAlerts=false", said)
    return found


def email(checkly: Checkly, **more: Any) -> int:
    body = {"type": "EMAIL", "config": {"address": f"{uuid.uuid4().hex}@example.invalid"}, **more}
    return int(checkly.ask("POST", "/v1/alert-channels", body, status=201)["id"])


def monitor_of(checkly: Checkly, check: dict[str, Any]) -> dict[str, Any]:
    """As the native API has it."""
    found: dict[str, Any] = next(
        one
        for one in checkly.server.get("/v1/projects/-/monitors?pageSize=1000")["monitors"]
        if one["uid"].replace("-", "") == check["id"].replace("-", "")
    )
    return found


def test_the_defaults(checkly: Checkly) -> None:
    made = checkly.create(name="bare")
    assert made["alertSettings"] == DEFAULTS
    assert (made["activated"], made["muted"], made["useGlobalAlertSettings"]) == (True, False, True)
    assert (made["tags"], made["description"], made["triggerIncident"], made["updated_at"]) == ([], None, None, None)
    assert made["created_at"].endswith("Z")


def test_an_omitted_attribute_keeps_its_value(checkly: Checkly) -> None:
    settings = {**DEFAULTS, "reminders": {"amount": 3, "interval": 10}}
    made = checkly.create(tags=["a", "b"], description="d", alertSettings=settings, useGlobalAlertSettings=False)
    changed = put(checkly, made, name="other")
    assert {**made, "name": "other", "updated_at": changed["updated_at"]} == changed
    assert changed["updated_at"] is not None
    assert put(checkly, made, description=None)["description"] is None
    assert put(checkly, made, tags=[])["tags"] == []


def test_alert_settings_are_replaced_as_a_whole(checkly: Checkly) -> None:
    made = checkly.create(
        alertSettings={
            "escalationType": "TIME_BASED",
            "timeBasedEscalation": {"minutesFailingThreshold": 30},
            "reminders": {"amount": 2, "interval": 15},
        }
    )
    assert made["alertSettings"]["timeBasedEscalation"] == {"minutesFailingThreshold": 30}
    changed = put(checkly, made, alertSettings={"reminders": {"interval": 10}, "timeBasedEscalation": {}})
    assert changed["alertSettings"] == {**DEFAULTS, "reminders": {"amount": 0, "interval": 10}}
    assert put(checkly, made, alertSettings=None)["alertSettings"] == DEFAULTS


def test_the_same_again_changes_nothing(checkly: Checkly) -> None:
    body = {
        "name": "again",
        "heartbeat": {"period": 24, "periodUnit": "hours", "grace": 0, "graceUnit": "days"},
        "tags": ["x"],
        "locations": ["eu-west-1"],
        "alertSettings": {},
        "description": "d",
        "muted": True,
    }
    made = checkly.create(**body)
    assert made["heartbeat"]["periodUnit"] == "hours"
    etag = monitor_of(checkly, made)["etag"]
    assert put(checkly, made, **body) == made
    assert checkly.ask("PUT", f"/v1/checks/{made['id']}", body)["updated_at"] is None
    assert monitor_of(checkly, made)["etag"] == etag


def test_units_change_and_the_schedule_does_not(checkly: Checkly) -> None:
    made = checkly.create(heartbeat={"period": 24, "periodUnit": "hours", "grace": 90, "graceUnit": "seconds"})
    changed = put(checkly, made, heartbeat={"period": 1, "periodUnit": "days", "grace": 1.5, "graceUnit": "minutes"})
    assert changed["heartbeat"] == {
        **made["heartbeat"],
        "period": 1,
        "periodUnit": "days",
        "grace": 1.5,
        "graceUnit": "minutes",
    }
    assert monitor_of(checkly, changed)["schedules"][0]["rolling"] == {"period": "86400s"}


def test_the_token_stays_until_another_is_given(checkly: Checkly) -> None:
    made = checkly.create()
    token = made["heartbeat"]["pingToken"]
    for said in (None, "", "<string>", token.upper(), token.replace("-", "")):
        assert put(checkly, made, heartbeat={**HEARTBEAT, "pingToken": said})["heartbeat"]["pingToken"] == token
    other = str(uuid.uuid4())
    assert put(checkly, made, heartbeat={**HEARTBEAT, "pingToken": other})["heartbeat"]["pingUrl"].endswith(other)
    assert checkly.create(heartbeat={**HEARTBEAT, "pingToken": token})["heartbeat"]["pingToken"] == token


def test_a_token_has_one_owner(checkly: Checkly) -> None:
    made = checkly.create()
    taken = {**HEARTBEAT, "pingToken": made["heartbeat"]["pingToken"]}
    body = {"name": "thief", "heartbeat": taken}
    assert checkly.refused("POST", "/v1/checks/heartbeat", body).status == 409
    other = checkly.create()
    assert checkly.refused("PUT", f"/v1/checks/heartbeat/{other['id']}", {"heartbeat": taken}).status == 409
    assert checkly.get(f"/v1/checks/{other['id']}")["heartbeat"] == other["heartbeat"]


def test_equal_names_are_different_checks(checkly: Checkly) -> None:
    made = [checkly.create(name="Same Name äöü") for _ in range(4)]
    assert len({one["id"] for one in made}) == 4
    names = [monitor_of(checkly, one)["name"].rpartition("/")[2] for one in made]
    assert names[:2] == ["same-name-aou", "same-name-aou-2"]
    assert checkly.create(name="日本")["name"] == "日本"


def test_new_checks_tell_everybody_unless_they_say_whom(own: Checkly) -> None:
    first, second = email(own), email(own, autoSubscribe=True)
    body = {"name": "n", "heartbeat": HEARTBEAT}

    def channels(query: str, **more: Any) -> list[int]:
        made = own.ask("POST", f"/v1/checks/heartbeat{query}", {**body, **more}, status=201)
        return [one["alertChannelId"] for one in made["alertChannelSubscriptions"]]

    assert channels("") == [first, second]
    assert channels("?autoAssignAlerts=true") == [first, second]
    assert channels("?autoAssignAlerts=false") == []
    assert channels("", alertChannelSubscriptions=[]) == []
    said = [{"alertChannelId": second, "activated": False}]
    assert channels("", alertChannelSubscriptions=said) == [second]


def test_subscriptions_are_replaced_when_said(checkly: Checkly) -> None:
    first, second = email(checkly), email(checkly)
    said = [{"alertChannelId": first, "activated": True}, {"alertChannelId": second, "activated": False}]
    made = checkly.create(alertChannelSubscriptions=said)
    assert made["alertChannelSubscriptions"] == said
    assert len(made["alertChannels"]["email"]) == 1  # the other is not active
    assert put(checkly, made, name="x")["alertChannelSubscriptions"] == said
    assert put(checkly, made, alertChannelSubscriptions=said[1:])["alertChannelSubscriptions"] == said[1:]
    assert put(checkly, made, alertChannelSubscriptions=[])["alertChannelSubscriptions"] == []


def test_a_check_that_is_deleted_is_gone(checkly: Checkly) -> None:
    made = checkly.create(alertChannelSubscriptions=[{"alertChannelId": email(checkly), "activated": True}])
    answer = checkly.call("DELETE", f"/v1/checks/{made['id']}")
    assert (answer.status, answer.content) == (204, b"")
    for method in ("GET", "DELETE", "PUT"):
        assert checkly.refused(method, f"/v1/checks/{made['id']}", None if method != "PUT" else {}).status == 404
    assert checkly.refused("GET", f"/v1/check-statuses/{made['id']}").status == 404
    assert checkly.refused("GET", f"/ping/{made['heartbeat']['pingToken']}").status == 404


def test_the_three_versions(checkly: Checkly) -> None:
    intent = {"goal": "g", "requiredOutcomes": ["r"], "mustPreserve": ["m"]}
    made = checkly.create(intent=intent, groupOrder=2, aiAutoRepairEnabled=True)
    first, second, third = (checkly.get(f"/v{version}/checks/{made['id']}") for version in (1, 2, 3))
    assert first.keys() - second.keys() == {"project", "logicalId", "member", "pending"}
    assert second["projectBindings"] == {"owner": None, "references": []}
    assert {**third, "intent": intent} == second
    kinds = [one["type"] for one in third["intent"]["constraints"]]
    assert kinds == ["REQUIRED_OUTCOME", "MUST_PRESERVE"]
    assert (first["groupOrder"], first["aiAutoRepairEnabled"], first["intent"]) == (2, True, intent)


def test_lists_are_pages_of_checks_alone(own: Checkly) -> None:
    made = [own.create(name=f"Job {one}", tags=[["red"], ["blue"], []][one % 3]) for one in range(12)]
    own.server.create_monitor("cron", schedules=[{"cron": {"expression": "0 * * * *"}}])
    own.server.create_monitor("native", kind="KIND_HEARTBEAT", schedules=[{"rolling": {"period": "600s"}}])
    answer = own.call("GET", "/v1/checks")
    assert [one["id"] for one in answer.json] == [one["id"] for one in made[:10]]
    assert answer.headers["content-range"] == "0-9/13"
    answer = own.call("GET", "/v1/checks?limit=5&page=3")
    assert answer.headers["content-range"] == "10-12/13"
    native = answer.json[-1]
    assert (native["name"], native["heartbeat"]["pingToken"], native["heartbeat"]["pingUrl"]) == ("native", None, None)
    assert (native["heartbeat"]["period"], native["heartbeat"]["periodUnit"]) == (10, "minutes")
    assert own.call("GET", "/v1/checks?page=9").headers["content-range"] == "0-0/13"

    def ids(query: str) -> list[int]:
        found = own.get(f"/v1/checks?limit=100&{query}")
        return [int(one["name"].rpartition(" ")[2]) for one in found]

    assert ids("tag=red") == ids("tag[]=red") == ids("tag%5B%5D=red") == [0, 3, 6, 9]
    assert ids("tag=red&tag=blue") == [0, 1, 3, 4, 6, 7, 9, 10]
    assert ids("search=jOB%201") == [1, 10, 11]
    assert len(ids("search=job&checkType=HEARTBEAT&status=passing")) == 12
    for query in ("checkType=API", "status=failing", "status=degraded", "apiCheckUrlFilterPattern=x", "search=%25"):
        assert own.call("GET", f"/v1/checks?{query}").headers["content-range"] == "0-0/0"
    assert own.get("/v2/checks")[0].keys() < own.get("/v1/checks")[0].keys()
    assert len(own.get("/v1/check-statuses?limit=1")) == 13


def test_a_native_heartbeat_can_be_changed_here(checkly: Checkly) -> None:
    name = f"native-{uuid.uuid4().hex[:8]}"
    native = checkly.server.create_monitor(name, kind="KIND_HEARTBEAT", schedules=[{"rolling": {"period": "90s"}}])
    found = put(checkly, {"id": native["uid"]}, name="Named here", activated=False)
    assert (found["name"], found["activated"]) == ("Named here", False)
    assert (found["heartbeat"]["period"], found["heartbeat"]["periodUnit"]) == (90, "seconds")
    assert found["heartbeat"]["pingToken"]
    assert put(checkly, found, activated=True)["activated"] is True


def test_statuses(checkly: Checkly) -> None:
    made = checkly.create(name="pinged")
    before = checkly.get(f"/v1/check-statuses/{made['id']}")
    assert (before["hasFailures"], before["lastCheckRunId"], before["updated_at"]) == (False, None, None)
    assert checkly.server.request("GET", f"/ping/{made['heartbeat']['pingToken']}", key="")[0] == 200
    after = checkly.get(f"/v1/check-statuses/{made['id']}")
    assert {**after, "lastCheckRunId": None, "updated_at": None} == before
    assert uuid.UUID(after["lastCheckRunId"])
    assert after in checkly.get("/v1/check-statuses")
    events = checkly.get(f"/v1/checks/heartbeats/{made['id']}/events")[0]["events"]
    assert [one["id"] for one in events] == [after["lastCheckRunId"]]


def test_muted_and_activated(checkly: Checkly) -> None:
    made = checkly.create(muted=True, activated=False)
    assert (made["muted"], made["activated"]) == (True, False)
    changed = put(checkly, made, muted=False)
    assert (changed["muted"], changed["activated"]) == (False, False)
    assert put(checkly, made, activated=True)["activated"] is True


def test_a_redeployment_leaves_the_timer_alone(checkly: Checkly) -> None:
    made = checkly.create()
    checkly.server.request("GET", f"/ping/{made['heartbeat']['pingToken']}", key="")
    before = monitor_of(checkly, made)["environments"]
    put(checkly, made, name="renamed", tags=["t"], heartbeat=HEARTBEAT, alertSettings={}, description="new")
    assert monitor_of(checkly, made)["environments"] == before
    put(checkly, made, heartbeat={**HEARTBEAT, "period": 2})
    assert monitor_of(checkly, made)["environments"] != before


def test_a_check_that_fails(checkly: Checkly) -> None:
    """A native period of a second: the shortest one of a check is thirty."""
    name = f"quick-{uuid.uuid4().hex[:8]}"
    body = {"kind": "KIND_HEARTBEAT", "schedules": [{"rolling": {"period": "1s"}}], "tolerance": {"margin": "0s"}}
    native = checkly.server.create_monitor(name, **body)
    path = f"/v1/check-statuses/{native['uid']}"
    assert checkly.get(path)["hasFailures"] is False
    checkly.server.call("POST", f"{checkly.server.monitor_path(name)}:heartbeat", {})
    deadline = time.monotonic() + 30
    while not checkly.get(path)["hasFailures"]:
        assert time.monotonic() < deadline, "no failure in 30 s"
    failing = [one["id"].replace("-", "") for one in checkly.get(f"/v1/checks?status=failing&search={name}")]
    assert failing == [native["uid"].replace("-", "")]
    assert checkly.get(f"/v1/checks?status=passing&search={name}") == []
    checkly.ask("DELETE", f"/v1/checks/{native['uid']}", status=204)


def test_many_change_one_check_at_once(checkly: Checkly) -> None:
    """Each says something else, and nothing of it is lost."""
    made = checkly.create()
    said: list[dict[str, Any]] = [
        *({name: f"{name} of them"} for name in ("description", "script", "scriptPath", "sslCheckDomain")),
        *({name: 7} for name in ("groupOrder", "setupSnippetId", "maxResponseTime", "frequencyOffset")),
        *({"localSetupScript": "the same of many"} for _ in range(32)),
    ]
    with ThreadPoolExecutor(len(said)) as pool:
        list(pool.map(lambda one: put(checkly, made, **one), said))
    found = checkly.get(f"/v1/checks/{made['id']}")
    for one in said:
        assert one.items() <= found.items()


def test_settings_of_the_group_are_merged_when_asked_for(checkly: Checkly) -> None:
    group = checkly.ask(
        "POST",
        "/v2/check-groups?autoAssignAlerts=false",
        {
            "name": "g",
            "tags": ["group", "both"],
            "muted": True,
            "activated": False,
            "useGlobalAlertSettings": False,
            "alertSettings": {"runBasedEscalation": {"failedRunThreshold": 5}},
        },
        status=201,
    )
    made = checkly.create(groupId=group["id"], tags=["both", "own"])
    own = checkly.get(f"/v1/checks/{made['id']}")
    assert (own["tags"], own["muted"], own["activated"], own["groupId"]) == (["both", "own"], False, True, group["id"])
    merged = checkly.get(f"/v1/checks/{made['id']}?applyGroupSettings=true")
    assert (merged["tags"], merged["muted"], merged["activated"]) == (["both", "own", "group"], True, False)
    assert merged["alertSettings"]["runBasedEscalation"] == {"failedRunThreshold": 5}
    assert merged["useGlobalAlertSettings"] is False
    assert put(checkly, made, groupId=None)["activated"] is True
