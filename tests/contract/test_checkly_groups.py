"""Check groups of Checkly's API: both versions, what they decide of their checks, what is refused."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support.checkly import Checkly, fixture
from support.server import Server

PATH = "/v1/check-groups"
SETTINGS = {
    "escalationType": "TIME_BASED",
    "runBasedEscalation": {"failedRunThreshold": 1},
    "timeBasedEscalation": {"minutesFailingThreshold": 10},
    "reminders": {"amount": 2, "interval": 10},
    "parallelRunFailureThreshold": {"enabled": False, "percentage": 10},
}


@pytest.fixture
def checkly(server: Server) -> Checkly:
    return Checkly(server)


def make(checkly: Checkly, path: str = PATH, **fields):
    return checkly.ask("POST", f"{path}?autoAssignAlerts=false", {"name": "g", **fields}, status=201)


def test_defaults_of_both_versions(checkly: Checkly) -> None:
    first, second = make(checkly), make(checkly, "/v2/check-groups")
    assert first.keys() == second.keys()
    assert (first["useGlobalAlertSettings"], second["useGlobalAlertSettings"]) == (True, None)
    assert (first["retryStrategy"], second["retryStrategy"]) == (None, {"type": "FALLBACK"})
    assert first["alertSettings"]["escalationType"] == "RUN_BASED"
    for one in (first, second):
        assert (one["activated"], one["muted"], one["concurrency"], one["tags"]) == (True, False, 3, [])
        assert (one["checks"], one["alertChannelSubscriptions"], one["environmentVariables"]) == ([], [], [])
        assert checkly.get(f"{PATH}/{one['id']}") == one
    assert first["id"] != second["id"]


def test_all_that_a_group_says(checkly: Checkly) -> None:
    said = {
        "tags": ["cron"],
        "muted": True,
        "locations": ["eu-west-1"],
        "concurrency": 5,
        "runParallel": True,
        "alertSettings": SETTINGS,
        "useGlobalAlertSettings": False,
        "retryStrategy": {"type": "LINEAR"},
        "localSetupScript": "x()",
        "setupSnippetId": 3,
        "runtimeId": "2025.04",
        "privateLocations": ["here"],
    }
    made = make(checkly, **said)
    assert {name: made[name] for name in said} == said
    path = f"{PATH}/{made['id']}"
    assert checkly.ask("PUT", path, said) == made
    changed = checkly.ask("PUT", path, {"name": "h", "muted": False, "localSetupScript": None, "tags": []})
    assert changed == {
        **made,
        "name": "h",
        "muted": False,
        "localSetupScript": None,
        "tags": [],
        "updated_at": changed["updated_at"],
    }
    blank = checkly.ask("PUT", path, {"alertSettings": {}, "useGlobalAlertSettings": None})
    assert blank["alertSettings"]["reminders"] == {"amount": 0, "interval": 5}
    assert blank["useGlobalAlertSettings"] is None


def test_the_groups_of_a_deploy(checkly: Checkly) -> None:
    deploy = next(one for one in fixture("cli-8.23.2-deploy")["requests"] if "projects/deploy" in one["path"])
    groups = [one["payload"] for one in deploy["body"]["resources"] if one["type"] == "check-group"]
    assert len(groups) == 2
    second, first = (make(checkly, **group) for group in groups)
    assert second["useGlobalAlertSettings"] is False
    assert second["alertSettings"] == groups[0]["alertSettings"]
    assert first["useGlobalAlertSettings"] is True
    without = {name: value for name, value in groups[0].items() if name != "useGlobalAlertSettings"}
    assert checkly.ask("PUT", f"{PATH}/{second['id']}", without)["useGlobalAlertSettings"] is None


def test_secret_variables(checkly: Checkly) -> None:
    said = [
        {"key": "A", "value": "1", "locked": False, "secret": False},
        {"key": "B", "value": "hush", "locked": True, "secret": True},
    ]
    made = make(checkly, environmentVariables=said)
    shown = [said[0], {**said[1], "value": None}]
    assert made["environmentVariables"] == shown
    again = checkly.ask("PUT", f"{PATH}/{made['id']}", {"environmentVariables": shown})
    assert again == made  # so the secret is kept


def test_channels_hear_of_a_group(checkly: Checkly) -> None:
    config = {"type": "EMAIL", "config": {"address": "ops@example.invalid"}}
    channel = checkly.ask("POST", "/v1/alert-channels", config, status=201)["id"]
    mine = [{"alertChannelId": channel, "activated": True}]
    group = make(checkly, alertChannelSubscriptions=mine)
    assert group["alertChannelSubscriptions"] == mine
    kept = checkly.ask("PUT", f"{PATH}/{group['id']}", {"name": "other"})
    assert kept["alertChannelSubscriptions"] == mine
    assert [one["groupId"] for one in checkly.get(f"/v1/alert-channels/{channel}")["subscriptions"]] == [group["id"]]
    bare = checkly.ask("PUT", f"{PATH}/{group['id']}", {"alertChannelSubscriptions": []})
    assert bare["alertChannelSubscriptions"] == []
    told = checkly.ask("POST", PATH, {"name": "all"}, status=201)
    assert channel in [one["alertChannelId"] for one in told["alertChannelSubscriptions"]]
    explicit = checkly.ask("POST", PATH, {"name": "none", "alertChannelSubscriptions": []}, status=201)
    assert explicit["alertChannelSubscriptions"] == []
    body = {"name": "x", "alertChannelSubscriptions": [{"alertChannelId": 99999, "activated": True}]}
    answer = checkly.refused("POST", PATH, body)
    assert answer.json["validation"]["keys"] == ["alertChannelSubscriptions[0].alertChannelId"]
    assert "x" not in [one["name"] for one in checkly.get(f"{PATH}?limit=100")]


def test_lists_by_tag_and_name(checkly: Checkly) -> None:
    made = [make(checkly, name=f"list {n}", tags=[f"list-{n}", "list"])["id"] for n in range(3)]

    def found(query: str) -> list[int]:
        return [one["id"] for one in checkly.get(f"{PATH}?limit=100&{query}")]

    assert found("tag[]=list") == found("tag%5B%5D=list") == made
    assert found("tag=list-0&tag=list-2") == [made[0], made[2]]
    assert found("name[]=list%201") == [made[1]]
    assert found("name=list%201&tag=list-0") == []
    answer = checkly.call("GET", f"{PATH}?tag=list&limit=2&page=2")
    assert (answer.headers["content-range"], [one["id"] for one in answer.json]) == ("2-2/3", made[2:])


def test_members_follow_their_group(checkly: Checkly) -> None:
    group = make(checkly, tags=["nightly"])
    path = f"{PATH}/{group['id']}"
    ids = [checkly.create(name=f"member {n}", groupId=group["id"], activated=n > 0)["id"] for n in range(2)]
    assert checkly.get(path)["checks"] == ids
    for activated in (False, True):
        checkly.ask("PUT", path, {"activated": activated})
        assert [checkly.get(f"/v1/checks/{one}")["activated"] for one in ids] == [False, True]  # each by itself
        shown = [checkly.get(f"/v1/checks/{one}?applyGroupSettings=true") for one in ids]
        assert [one["activated"] for one in shown] == [False, activated]
        assert [set(one["tags"]) for one in shown] == [{"nightly"}, {"nightly"}]
        native = checkly.server.call("GET", "/v1/projects/-/monitors?pageSize=1000")["monitors"]
        mine = {one["displayName"]: one.get("inactive", False) for one in native}
        assert (mine["member 0"], mine["member 1"]) == (True, not activated)
    assert checkly.refused("DELETE", path).status == 409
    for one in ids:
        assert checkly.call("DELETE", f"/v1/checks/{one}").status == 204
    assert checkly.call("DELETE", path).status == 204
    assert checkly.refused("GET", path).status == 404


def test_a_group_is_switched_by_many_at_once(checkly: Checkly) -> None:
    """Whoever comes last, its members are as it is."""
    group = make(checkly, name="switched")
    checks = [checkly.create(name=f"switched {n}", groupId=group["id"])["id"] for n in range(3)]
    path = f"{PATH}/{group['id']}"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: checkly.ask("PUT", path, {"activated": n % 2 == 0}), range(24)))
    activated = checkly.get(path)["activated"]
    shown = [checkly.get(f"/v1/checks/{one}?applyGroupSettings=true")["activated"] for one in checks]
    assert shown == [activated] * 3
    assert [checkly.get(f"/v1/checks/{one}")["activated"] for one in checks] == [True] * 3


def test_checks_are_written_while_their_group_is_switched(checkly: Checkly) -> None:
    """None is left behind, and none forgets that nobody has switched it off."""
    group = make(checkly, name="busy")
    path = f"{PATH}/{group['id']}"
    checks = [checkly.create(name=f"busy {n}", groupId=group["id"])["id"] for n in range(4)]

    def ask(n: int) -> None:
        if n % 3 == 0:
            checkly.call("PUT", path, {"activated": n % 2 == 0})
        elif n % 10 == 1:
            checks.append(checkly.create(name=f"busy new {n}", groupId=group["id"])["id"])
        else:
            checkly.call("PUT", f"/v1/checks/heartbeat/{checks[n % 4]}", {"description": f"{n}"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(60)))
    for activated in (checkly.get(path)["activated"], True, False, True):
        if activated != checkly.get(path)["activated"]:
            checkly.ask("PUT", path, {"activated": activated})
        shown = [checkly.get(f"/v1/checks/{one}?applyGroupSettings=true")["activated"] for one in checks]
        assert shown == [activated] * len(checks)
        assert [checkly.get(f"/v1/checks/{one}")["activated"] for one in checks] == [True] * len(checks)
        rows = checkly.server.call("GET", "/v1/projects/-/monitors?pageSize=1000")["monitors"]
        off = [row.get("inactive", False) for row in rows if row.get("displayName", "").startswith("busy ")]
        assert off == [not activated] * len(checks)


def test_many_change_one_at_once(checkly: Checkly) -> None:
    """Each another part of it: none is lost."""
    said = {"concurrency": 7, "frequency": 5, "runtimeId": "2025.04", "tags": ["a"], "muted": True, "runParallel": True}
    for _ in range(3):
        made = make(checkly)
        path = f"{PATH}/{made['id']}"
        checkly.put_apart(path, said)
        found = checkly.get(path)
        assert found == {**made, **said, "updated_at": found["updated_at"]}


def test_checks_of_a_group(checkly: Checkly) -> None:
    group = make(checkly, tags=["g"], muted=True, alertSettings=SETTINGS, useGlobalAlertSettings=False)
    path = f"{PATH}/{group['id']}/checks"
    ids = [checkly.create(name=f"in {n}", groupId=group["id"], tags=["own"])["id"] for n in range(3)]
    other = checkly.create(name="elsewhere")["id"]
    answer = checkly.call("GET", f"{path}?limit=2&page=2")
    assert (answer.headers["content-range"], [one["id"] for one in answer.json]) == ("2-2/3", ids[2:])
    for one in checkly.get(path):
        assert (one["muted"], set(one["tags"]), one["groupId"]) == (True, {"own", "g"}, group["id"])
        assert one["alertSettings"] == SETTINGS
    assert checkly.get(f"{path}/{ids[0]}")["id"] == ids[0]
    second = checkly.get(f"/v2/check-groups/{group['id']}/checks/{ids[0]}")
    assert "logicalId" not in second
    assert checkly.refused("GET", f"{path}/{other}").status == 404
    assert checkly.refused("GET", f"{path}/x").status == 400
    assert checkly.refused("GET", f"{PATH}/99999/checks").status == 404


def test_a_new_check_in_a_group_that_is_off(checkly: Checkly) -> None:
    group = make(checkly, activated=False)
    check = checkly.create(name="sleeper", groupId=group["id"])
    checkly.ask("PUT", f"{PATH}/{group['id']}", {"activated": True})
    found = checkly.get(f"/v1/checks/{check['id']}?applyGroupSettings=true")
    assert found["activated"] is True


def test_windows_follow_the_tags_of_groups(checkly: Checkly, server: Server) -> None:
    body = {"name": "of groups", "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2030-01-01T02:00:00Z"}
    window = checkly.ask("POST", "/v1/maintenance-windows", {**body, "tags": ["follow"]}, status=201)

    def groups() -> list[str]:
        rows = server.call("GET", "/v1/projects/-/maintenanceWindows?pageSize=1000")["maintenanceWindows"]
        return next(row for row in rows if row["displayName"] == "of groups").get("groups", [])

    assert groups() == []
    group = make(checkly, name="Follower", tags=["follow"])
    assert groups() == ["follower"]
    checkly.ask("PUT", f"{PATH}/{group['id']}", {"tags": []})
    assert groups() == []
    checkly.ask("PUT", f"{PATH}/{group['id']}", {"tags": ["follow"]})
    assert groups() == ["follower"]
    assert checkly.get(f"/v1/maintenance-windows/{window['id']}")["tags"] == ["follow"]
    assert checkly.call("DELETE", f"{PATH}/{group['id']}").status == 204
    assert groups() == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"activated": "yes"}, "activated"),
        ({"tags": [""]}, "tags[0]"),
        ({"locations": ["mars"]}, "locations[0]"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": 1.5}, "concurrency"),
        ({"alertSettings": {"escalationType": "NEVER"}}, "alertSettings.escalationType"),
        ({"alertSettings": {"reminders": {"amount": 6}}}, "alertSettings.reminders.amount"),
        ({"environmentVariables": [{"value": "x"}]}, "environmentVariables[0].key"),
        ({"alertChannelSubscriptions": [{"alertChannelId": 1}]}, "alertChannelSubscriptions[0].activated"),
        ({"retryStrategy": []}, "retryStrategy"),
        ({"runtimeId": "1999.01"}, "runtimeId"),
    ],
)
def test_what_is_refused_is_named(checkly: Checkly, fields, named: str) -> None:
    answer = checkly.refused("POST", PATH, {"name": "g", **fields})
    assert (answer.status, answer.json["validation"]["keys"]) == (400, [named])


def test_groups_that_are_not_there(checkly: Checkly) -> None:
    for method, path in (("GET", "999999"), ("PUT", "999999"), ("DELETE", "999999")):
        assert checkly.refused(method, f"{PATH}/{path}", {"name": "x"} if method == "PUT" else None).status == 404
    for path in ("x", "0", "-4"):
        assert checkly.refused("GET", f"{PATH}/{path}").status == 400
