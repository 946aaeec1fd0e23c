"""Groups, environments, notification lists and maintenance windows of Cronitor's API against a whole server."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from test_cronitor_figures import Api

FIXTURES = Path(__file__).parent / "fixtures" / "cronitor"
SHAPES = json.loads((FIXTURES / "response_shapes.json").read_text())
LISTS = ("/api/notifications", "/api/templates", "/v1/templates", "/v1/notifications")


@pytest.fixture(scope="module")
def api(server):
    return Api(server)


def fresh(word):
    return f"{word}-{uuid.uuid4().hex[:8]}"


def same_shape(found, wanted, path=""):
    """Every field of the shape is there, of its type; what the shape has as null may be anything."""
    if isinstance(wanted, dict):
        assert isinstance(found, dict), path
        for name, value in wanted.items():
            assert name in found, f"{path}.{name}"
            same_shape(found[name], value, f"{path}.{name}")
    elif isinstance(wanted, list):
        assert isinstance(found, list), path
        for value in found[:1] if wanted else ():
            same_shape(value, wanted[0], f"{path}[]")
    elif wanted is not None and found is not None:
        assert isinstance(found, bool) == isinstance(wanted, bool), path
        assert isinstance(found, (int, float)) == isinstance(wanted, (int, float)), path


# --- notification lists


@pytest.mark.parametrize("path", LISTS)
def test_the_life_of_a_list(api, path):
    name = fresh("Dev Ops")
    made = api.call("POST", path, 201, {"name": name, "notifications": {"emails": ["a@example.com"], "webhook": ["https://example.org/h"]}})  # fmt: skip
    assert made["key"] == name.lower().replace(" ", "-")
    assert (made["name"], made["monitors"], made["environments"]) == (name, [], [])
    assert made["notifications"]["emails"] == ["a@example.com"]
    assert made["notifications"]["webhooks"] == ["https://example.org/h"]
    assert made["notifications"]["slack"] == []
    here = f"{path}/{made['key']}"
    assert api.get(here) == made
    put = api.call(
        "PUT", here, 200, {**made, "notifications": {"slack": ["#a | b.org"]}, "environments": ["production"]}
    )
    assert (put["notifications"]["slack"], put["notifications"]["emails"]) == (["#a | b.org"], [])
    assert (put["environments"], put["name"], put["created"]) == (["production"], name, made["created"])
    assert api.call("PUT", here, 200, {"name": "Other"})["notifications"] == put["notifications"]
    assert api.call("DELETE", here, 204) is None
    assert api.get(here, 404)["error"]
    assert api.call("DELETE", here, 404)["error"]


def test_lists_as_they_are_listed(api):
    made = [api.call("POST", "/api/notifications", 201, {"key": fresh("k"), "name": "n"})["key"] for _ in range(3)]
    answer = api.get("/api/templates?page=1&pageSize=1000")
    same_shape(answer, SHAPES["GET /api/notifications"]["body"])
    keys = [row["key"] for row in answer["templates"]]
    assert set(made) < set(keys) and "default" in keys
    assert len(keys) == answer["total_template_count"]
    small = api.get("/api/notifications?page=2&pageSize=2")
    assert [row["key"] for row in small["templates"]] == keys[2:4]
    assert api.get("/api/notifications?page=1000")["templates"] == []


def test_a_list_names_the_monitors_that_tell_it(api):
    key, name = fresh("ops"), fresh("Told Job")
    api.call("POST", "/api/notifications", 201, {"key": key, "name": "Ops"})
    api.call("POST", "/api/monitors", 201, {"key": name, "type": "job", "notify": [key, "email:a@example.com"]})
    other = fresh("other")
    api.call("POST", "/api/monitors", 201, {"key": other, "type": "job"})
    assert api.get(f"/api/notifications/{key}")["monitors"] == [name]
    told = api.get("/api/notifications/default")["monitors"]
    assert other in told and name not in told


def test_the_default_list_stays(api):
    assert api.call("DELETE", "/api/notifications/default", 400)["error"]
    kept = api.call("PUT", "/api/notifications/default", 200, {"notifications": {"emails": ["ops@example.com"]}})
    assert kept["notifications"]["emails"] == ["ops@example.com"]
    api.call("PUT", "/api/notifications/default", 200, {"notifications": {}})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x" * 300}, "name"),
        ({"name": "x", "key": "Not A Key"}, "key"),
        ({"name": "x", "key": "default"}, "key"),
        ({"name": "x", "notifications": ["a@example.com"]}, "notifications"),
        ({"name": "x", "notifications": {"pigeon": ["coo"]}}, "notifications.pigeon"),
        ({"name": "x", "notifications": {"emails": [1]}}, "notifications.emails"),
        ({"name": "x", "notifications": {"webhooks": ["ftp://example.org"]}}, "notifications"),
        ({"name": "x", "environments": "production"}, "environments"),
    ],
)
def test_a_bad_list_is_refused_whole(api, body, field):
    before = api.get("/api/notifications")["total_template_count"]
    error = api.call("POST", "/api/notifications", 400, body)
    assert error["errors"][0]["field"] == field
    assert field in error["error"]
    assert api.get("/api/notifications")["total_template_count"] == before


def test_a_list_keeps_its_key(api):
    key = fresh("k")
    api.call("POST", "/api/notifications", 201, {"key": key, "name": "n"})
    assert api.call("PUT", f"/api/notifications/{key}", 400, {"key": "other"})["errors"][0]["field"] == "key"
    assert api.call("PUT", f"/api/notifications/{fresh('none')}", 404, {"name": "n"})["error"]
    twice = api.call("POST", "/api/notifications", 201, {"name": key})
    assert twice["key"].startswith(f"{key}-")


def test_what_clients_sent(api):
    """The requests of the CLI, the Terraform provider and the .NET client."""
    requests = json.loads((FIXTURES / "derived_requests.json").read_text())["requests"]
    said = [row for row in requests if row["action"] in ("notification create", "notification list", "list notification lists")]  # fmt: skip
    assert len(said) == 3
    for row in said:
        expect = 201 if row["method"] == "POST" else 200
        answer = api.call(row["method"], row["target"], expect, json.loads(row["body"]) if row["body"] else None)
        assert "templates" in answer or {"key", "name"} <= answer.keys()
        if expect == 201:
            api.call("DELETE", f"/v1/templates/{answer['key']}", 204)


# --- maintenance windows


def iso(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


@pytest.fixture
def job(server):
    name = fresh("job")
    server.create_monitor(name)
    return name


def test_the_life_of_a_window(api, job):
    start, end = iso(NOW + HOUR), iso(NOW + 3 * HOUR)
    name = fresh("Deploy")
    made = api.call(
        "POST", "/api/maintenance_windows", 201, {"name": name, "start": start, "end": end, "monitors": [job]}
    )
    same_shape(made, SHAPES["GET /api/maintenance_windows"]["body"]["data"][0])
    assert (made["key"], made["name"]) == (name.lower(), name)
    assert (made["start"], made["end"], made["duration"], made["state"]) == (start, end, 120, "upcoming")
    assert made["monitors"] == [job]
    here = f"/api/maintenance_windows/{made['key']}"
    assert api.get(here) == made
    put = api.call("PUT", here, 200, {"start": iso(NOW - HOUR), "duration": 90})
    assert (put["state"], put["end"], put["monitors"]) == ("ongoing", iso(NOW + HOUR / 2), [job])
    put = api.call("PUT", here, 200, {**put, "end": iso(NOW - HOUR / 2), "monitors": []})
    assert (put["state"], put["monitors"]) == ("past", [])
    assert api.call("PUT", here, 200, {}) == put
    assert api.call("DELETE", here, 204) is None
    assert api.get(here, 404)["error"]


def test_windows_as_they_are_listed(api, job):
    keys = {}
    for state, start in (("past", -3), ("ongoing", -1), ("upcoming", 5)):
        body = {"key": fresh(state), "start": (NOW + start * HOUR).timestamp(), "duration": 120, "environments": ["qa"]}
        keys[state] = api.call("POST", "/api/maintenance_windows", 201, body)["key"]

    def listed(query):
        """Those of this test: a window of no environment is one of every environment."""
        found = api.get(f"/api/maintenance_windows?pageSize=1000&{query}")["data"]
        return {row["key"]: row["state"] for row in found if row["key"] in keys.values()}

    same_shape(api.get("/api/maintenance_windows?env=qa"), SHAPES["GET /api/maintenance_windows"]["body"])
    assert listed("env=qa") == {key: state for state, key in keys.items()}
    for state, key in keys.items():
        assert listed(f"{state}=true&env=qa&statuspage=p&withAllAffectedMonitors=true") == {key: state}
    assert listed("past=true&upcoming=true").keys() == {keys["past"], keys["upcoming"]}
    assert len(listed("env=other,qa")) == 3
    assert listed("env=other") == {}
    total = api.get("/api/maintenance_windows?pageSize=1")["total_count"]
    assert len(api.get(f"/api/maintenance_windows?pageSize=1&page={total}")["data"]) == 1
    assert api.get(f"/api/maintenance_windows?pageSize=1&page={total + 1}")["data"] == []
    for key in keys.values():
        api.call("DELETE", f"/api/maintenance_windows/{key}", 204)


def test_a_window_is_the_native_one_and_names_monitors_as_clients_do(api, server):
    name = fresh("Windowed Job")
    api.call("POST", "/api/monitors", 201, {"key": name, "type": "heartbeat"})
    body = {"name": "All", "start": iso(NOW - HOUR), "end": iso(NOW + HOUR), "monitors": [name, name]}
    made = api.call("POST", "/api/maintenance_windows", 201, body)
    assert made["monitors"] == [name]
    native = server.get(f"/v1/projects/{server.project_id}/maintenanceWindows/{made['key']}")
    assert [one.partition("-")[0] for one in native["monitors"]] == ["windowed"]
    assert (native["startTime"], native["endTime"]) == (made["start"], made["end"])
    api.call("DELETE", f"/api/maintenance_windows/{made['key']}", 204)


def test_a_window_over_a_group(api):
    group = fresh("g")
    body = {"key": fresh("w"), "start": iso(NOW), "duration": 5, "groups": [group]}
    assert api.call("POST", "/api/maintenance_windows", 400, body)["errors"][0]["field"] == "groups"
    api.call("POST", "/api/groups", 201, {"key": group})
    assert api.call("POST", "/api/maintenance_windows", 201, body)["groups"] == [group]
    assert api.call("PUT", f"/api/maintenance_windows/{body['key']}", 200, {"groups": []})["groups"] == []
    api.call("DELETE", f"/api/maintenance_windows/{body['key']}", 204)


def test_a_window_that_comes_again(api, server):
    key = fresh("weekly")
    window = {"recurrence": {"cron": {"expression": "0 22 * * TUE"}}, "duration": "7200s", "displayName": "Patch day"}
    server.call("POST", f"/v1/projects/{server.project_id}/maintenanceWindows?maintenanceWindowId={key}", window)
    found = api.get(f"/api/maintenance_windows/{key}")
    assert (found["name"], found["duration"]) == ("Patch day", 120)
    assert found["state"] in ("upcoming", "ongoing")
    assert api.call("PUT", f"/api/maintenance_windows/{key}", 200, {"name": "P"})["start"] == found["start"]
    assert api.call("PUT", f"/api/maintenance_windows/{key}", 400, {"start": iso(NOW)})["errors"][0]["field"] == "start"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x"}, "start"),
        ({"start": "soon", "end": iso(NOW)}, "start"),
        ({"start": iso(NOW)}, "end"),
        ({"start": iso(NOW), "end": iso(NOW - HOUR)}, "end"),
        ({"start": iso(NOW), "duration": 0}, "duration"),
        ({"start": iso(NOW), "duration": "1h"}, "duration"),
        ({"start": True, "duration": 1}, "start"),
        ({"start": 10**13, "duration": 1}, "start"),
        ({"start": 253_402_300_799, "duration": 10}, "end"),
        ({"start": iso(NOW), "duration": 1, "monitors": ["nobody"]}, "monitors"),
        ({"start": iso(NOW), "duration": 1, "name": "x" * 300}, "name"),
        ({"start": iso(NOW), "duration": 1, "key": "Bad Key"}, "key"),
    ],
)
def test_a_bad_window_is_refused(api, body, field):
    error = api.call("POST", "/api/maintenance_windows", 400, body)
    assert error["errors"][0]["field"] == field


# --- groups


def test_the_life_of_a_group(api):
    name, jobs = fresh("Night Jobs"), [fresh("In Group") for _ in range(3)]
    for key in jobs:
        api.call("POST", "/api/monitors", 201, {"key": key, "type": "job"})
    made = api.call("POST", "/api/groups", 201, {"name": name, "monitors": jobs[:2]})
    same_shape(made, SHAPES["GET /api/groups"]["body"]["groups"][0])
    assert (made["key"], made["name"]) == (name.lower().replace(" ", "-"), name)
    assert sorted(made["monitors"]) == sorted(jobs[:2])
    here = f"/api/groups/{made['key']}"
    assert api.get(here) == made
    code = api.get(f"/api/monitors/{jobs[2].replace(' ', '%20')}")["attributes"]["code"]
    put = api.call("PUT", here, 200, {"name": "Other", "monitors": [code, jobs[0]]})
    assert put["name"] == "Other" and sorted(put["monitors"]) == sorted([jobs[0], jobs[2]])
    assert api.call("PUT", here, 200, {}) == put
    assert api.get(f"/api/monitors?group={made['key']}")["count"] == 2
    assert api.call("PUT", here, 200, {"monitors": []})["monitors"] == []
    api.call("PUT", here, 200, {"monitors": jobs})
    assert api.call("DELETE", here, 204) is None
    assert api.get(here, 404)["error"]
    assert api.get(f"/api/monitors/{jobs[0].replace(' ', '%20')}")["group"] is None


def test_a_group_is_paused_as_a_whole(api):
    key, job = fresh("g"), fresh("member")
    api.call("POST", "/api/monitors", 201, {"key": job, "type": "job"})
    api.call("POST", "/api/groups", 201, {"key": key, "monitors": [job]})
    for method, hours, paused in (
        ("GET", "/24", True),
        ("GET", "/0", False),
        ("POST", "", True),
        ("POST", "/0", False),
    ):
        assert api.call(method, f"/api/groups/{key}/pause{hours}", 200)["key"] == key
        assert api.get(f"/api/monitors/{job}")["paused"] is paused
    for hours in ("-1", "x", "1.5", "99999999"):
        assert api.get(f"/api/groups/{key}/pause/{hours}", 400)["errors"][0]["field"] == "hours"
    assert api.get("/api/groups/nobody/pause/1", 404)["error"]


def test_groups_as_they_are_listed(api, server):
    key, job = fresh("status"), fresh("beat")
    api.call("POST", "/api/monitors", 201, {"key": job, "type": "heartbeat"})
    api.call("POST", "/api/groups", 201, {"key": key, "monitors": [job]})
    answer = api.get("/api/groups?pageSize=1000")
    same_shape(answer, SHAPES["GET /api/groups"]["body"])
    assert answer["count"] == answer["total_count"] == len(answer["groups"])
    assert "latest_event" not in answer["groups"][0]
    assert api.get(f"/api/groups/{key}?withStatus=true")["latest_event"] is None
    assert server.request("GET", f"/p/{server.ingest_key}/{job}?state=fail&msg=boom", key="")[0] == 200
    found = api.get(f"/api/groups/{key}?withStatus=true")
    assert isinstance(found["latest_event"]["stamp"], str)
    assert (found["latest_event"]["event"], found["latest_event"]["msg"]) == ("fail", "boom")
    assert found["latest_issue"]["state"] == "unresolved"
    only = api.get("/api/groups?page=2&pageSize=1")
    assert (len(only["groups"]), only["page"], only["page_size"]) == (min(1, only["total_count"] - 1), 2, 1)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x" * 300}, "name"),
        ({"key": "a/b"}, "key"),
        ({"key": "ok-key", "monitors": ["nobody"]}, "monitors"),
        ({"key": "ok-key", "monitors": "nobody"}, "monitors"),
    ],
)
def test_a_bad_group_is_refused(api, body, field):
    assert api.call("POST", "/api/groups", 400, body)["errors"][0]["field"] == field
    assert api.get("/api/groups/ok-key", 404)["error"]


def test_a_group_keeps_its_key(api):
    key = fresh("g")
    api.call("POST", "/api/groups", 201, {"key": key})
    assert api.call("POST", "/api/groups", 400, {"key": key})["errors"][0]["field"] == "key"
    assert api.call("PUT", f"/api/groups/{key}", 400, {"key": "x"})["errors"][0]["field"] == "key"
    assert api.call("PUT", "/api/groups/nobody", 404, {"name": "x"})["error"]
    assert api.call("DELETE", "/api/groups/nobody", 404)["error"]


# --- environments


def test_the_life_of_an_environment(api, server):
    key, job = fresh("qa"), fresh("job")
    made = api.call("POST", "/api/environments", 201, {"key": key, "name": "QA", "with_alerts": False})
    same_shape(made, SHAPES["GET /api/environments"]["body"]["environments"][0])
    assert (made["with_alerts"], made["default"], made["active_monitors"]) == (False, False, 0)
    here = f"/api/environments/{key}"
    assert api.get(here) == made
    assert server.request("GET", f"/p/{server.ingest_key}/{job}?state=complete&env={key}", key="")[0] == 200
    assert api.get(here)["active_monitors"] == 1
    put = api.call("PUT", here, 200, {**made, "with_alerts": True, "name": "Quality"})
    assert (put["with_alerts"], put["name"]) == (True, "Quality")
    assert api.call("PUT", here, 200, {"name": "Q"})["with_alerts"] is True
    assert api.call("DELETE", here, 204) is None
    assert api.get(here, 404)["error"]
    assert api.get(f"/api/monitors/{job}/pings") == [], "with what was reported from it"


def test_environments_as_they_are_listed(api, server):
    seen, job = fresh("seen"), fresh("job")
    assert server.request("GET", f"/p/{server.ingest_key}/{job}?state=complete&env={seen}", key="")[0] == 200
    answer = api.get("/api/environments?pageSize=1000")
    same_shape(answer, SHAPES["GET /api/environments"]["body"])
    known = {row["key"]: row for row in answer["environments"]}
    assert (known["production"]["default"], known["production"]["name"]) == (True, "Production")
    assert (known[seen]["with_alerts"], known[seen]["active_monitors"]) == (True, 1)
    assert len(api.get("/api/environments?pageSize=1")["environments"]) == 1


def test_bad_environments(api):
    key = fresh("e")
    api.call("POST", "/api/environments", 201, {"key": key})
    for body, field in (({}, "name"), ({"key": key}, "key"), ({"key": "a/b"}, "key"), ({"key": fresh("e"), "with_alerts": 1}, "with_alerts")):  # fmt: skip
        assert api.call("POST", "/api/environments", 400, body)["errors"][0]["field"] == field
    assert api.call("DELETE", "/api/environments/production", 400)["error"]
    assert api.call("PUT", "/api/environments/nobody", 404, {"name": "x"})["error"]
    assert api.call("DELETE", "/api/environments/nobody", 404)["error"]


# --- what clients send


def test_the_command_line_is_answered(api):
    """Each request of the command line about what is tested here."""
    requests = json.loads((FIXTURES / "derived_requests.json").read_text())["requests"]
    api.call("POST", "/api/groups", 201, {"key": "my-group"})
    api.call("POST", "/api/monitors", 201, {"key": "my-job", "type": "job"})
    wanted = {
        "group pause": {"key"},
        "issue list": {"data", "page", "page_size", "total_count"},
        "issue bulk": {"errors"},
        "maintenance list": {"data"},
        "metric get": {"monitors"},
        "metric aggregate": {"monitors"},
    }
    said = [row for row in requests if row["action"] in wanted]
    assert len(said) == len(wanted)
    for row in said:
        answer = api.call(row["method"], row["target"], 200, json.loads(row["body"]) if row["body"] else None)
        assert wanted[row["action"]] <= answer.keys(), row["action"]
    assert api.get("/api/metrics?monitor=my-job&field=run_count")["monitors"].keys() == {"my-job"}
    api.call("DELETE", "/api/groups/my-group", 204)
    api.call("DELETE", "/api/monitors/my-job", 204)
