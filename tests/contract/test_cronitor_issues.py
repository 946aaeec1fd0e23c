"""Issues, badges and logs of Cronitor's API against a whole server."""

import gzip
import time
import uuid

import pytest
from test_cronitor_figures import Api

ISSUE = {
    "key", "name", "state", "severity", "started", "environment", "assigned_to", "statuspages",
    "affected_components", "created_by", "created", "updated",
}  # fmt: skip


@pytest.fixture(scope="module")
def api(server):
    return Api(server)


@pytest.fixture
def failing(server):
    """A job with an open incident."""
    name = f"failing-{uuid.uuid4().hex[:8]}"
    server.create_monitor(name, displayName=f"Name of {name}")
    assert server.request("POST", f"/report/{name}/fail")[0] == 200
    return name


def only_issue(api, name, more=""):
    answer = api.get(f"/api/issues?job={name}{more}")
    assert answer.keys() == {"data", "page", "page_size", "total_count"}
    assert len(answer["data"]) == answer["total_count"] <= 1
    return answer["data"][0] if answer["data"] else None


def test_an_issue_as_it_is_listed(api, failing):
    found = only_issue(api, failing)
    assert found.keys() >= ISSUE
    assert found["name"] == f"Name of {failing} is failing"
    assert (found["state"], found["severity"], found["environment"]) == ("unresolved", "outage", "production")
    assert found["created_by"] == {"kind": "system", "name": "tocsin"}
    assert found["updated"] is None
    assert api.get(f"/api/issues/{found['key']}") == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("&state=unresolved", True),
        ("&state=resolved,investigating", False),
        ("&severity=outage", True),
        ("&severity=missing_data", False),
        ("&severity=operational", False),
        ("&env=production", True),
        ("&env=staging", False),
        ("&time=24h", True),
        ("&time=yesterday", False),
        ("&search=NAME+OF+FAILING", True),
        ("&search=nothing", False),
        ("&orderBy=-started&page=1&pageSize=50", True),
    ],
)
def test_filters(api, failing, query, found):
    assert (only_issue(api, failing, query) is not None) is found


def test_issues_of_a_group_and_a_tag(api, failing):
    group, tag = f"g-{failing}", f"t-{failing}"
    api.call("PUT", f"/api/monitors/{failing}", body={"group": group, "tags": [tag]})
    for query in (f"group={group}", f"tag={tag}", f"group={group}&tag={tag},other"):
        assert api.get(f"/api/issues?{query}")["total_count"] == 1
    assert api.get(f"/api/issues?group={group}&tag=other")["total_count"] == 0
    assert api.get(f"/api/aggregates?group={group}&tag={tag}")["monitors"].keys() == {failing}


def test_pages(api, failing, server):
    server.request("POST", f"/report/{failing}/fail?environment=a")
    server.request("POST", f"/report/{failing}/fail?environment=b")
    first = api.get(f"/api/issues?job={failing}&pageSize=2&orderBy=started")
    assert [row["environment"] for row in first["data"]] == ["production", "a"]
    assert (first["total_count"], first["page_size"]) == (3, 2)
    second = api.get(f"/api/issues?job={failing}&pageSize=2&orderBy=started&page=2")
    assert [row["environment"] for row in second["data"]] == ["b"]
    assert api.get(f"/api/issues?job={failing}&page=3&pageSize=2")["data"] == []


def test_an_issue_is_taken_in_hand(api, failing):
    key = only_issue(api, failing)["key"]
    taken = api.call("PUT", f"/api/issues/{key}", body={"state": "investigating", "assigned_to": "ann"})
    assert (taken["state"], taken["assigned_to"]) == ("investigating", "ann")
    assert taken["updated"] is not None
    told = api.call("PUT", f"/api/issues/{key}", body={"state": "update", "message": "disk is full"})
    assert (told["state"], told["assigned_to"], told["message"]) == ("investigating", "ann", "disk is full")
    assert only_issue(api, failing, "&state=monitoring")["key"] == key


def test_an_issue_about_an_assertion(api, server):
    job = f"asserted-{uuid.uuid4().hex[:8]}"
    api.call("POST", "/api/monitors", 201, {"key": job, "type": "job", "assertions": ["metric.count > 100"]})
    for state in ("state=complete&metric=count:5", "state=complete&metric=count:500"):
        assert server.request("GET", f"/p/{server.ingest_key}/{job}?{state}", key="")[0] == 200
    found = only_issue(api, job)
    assert found["name"] == f"{job} violates metric.count > 100"
    assert (found["severity"], found["state"]) == ("degraded_performance", "resolved")
    assert only_issue(api, job, "&severity=outage,missing_data") is None
    assert only_issue(api, job, "&severity=degraded_performance") == found
    told = api.get(f"/api/monitors/{job}/alerts")
    assert [row["description"] for row in told] == ["Recovered", "Violates metric.count > 100"]


def test_an_issue_is_resolved_by_hand(api, failing):
    key = only_issue(api, failing)["key"]
    body = {"state": "resolved", "message": "was the disk"}
    resolved = api.call("PUT", f"/api/issues/{key}", body=body)
    assert (resolved["state"], resolved["message"]) == ("resolved", "was the disk")
    assert resolved["updated"] is not None
    assert api.call("PUT", f"/api/issues/{key}", body=body)["state"] == "resolved", "once more is the same"
    assert api.get(f"/api/monitors/{failing}")["passing"] is True
    assert [row["event"] for row in api.get(f"/api/monitors/{failing}/alerts")] == ["recovery", "alert"]
    api.server.request("POST", f"/report/{failing}/fail")
    assert only_issue(api, failing, "&state=unresolved")["key"] != key
    done = api.call(
        "POST", "/api/issues/bulk", body={"action": "change_state", "issues": [key, "x"], "state": "resolved"}
    )
    assert (done["updated_count"], done["errors"]) == (1, {"missing": ["x"], "kept": []})


def test_many_issues_at_once(api, failing):
    key = only_issue(api, failing)["key"]
    body = {"action": "assign_to", "issues": [key, "nothing", key], "assign_to": "bob"}
    answer = api.call("POST", "/api/issues/bulk", body=body)
    assert answer == {
        "action": "assign_to",
        "requested_count": 2,
        "updated_count": 1,
        "errors": {"missing": ["nothing"], "kept": []},
    }
    assert only_issue(api, failing)["assigned_to"] == "bob"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("GET", "", None, 404, None),
        ("PUT", "", {"state": "resolved"}, 404, None),
        ("GET", "?state=broken", None, 400, "state"),
        ("GET", "?severity=bad", None, 400, "severity"),
        ("GET", "?orderBy=name", None, 400, "orderBy"),
        ("GET", "?page=0", None, 400, "page"),
        ("POST", "/bulk", {"action": "paint"}, 400, "action"),
        ("POST", "/bulk", {"action": "change_state", "issues": ["x"]}, 400, "state"),
        ("POST", "/bulk", {"action": "change_state", "issues": "x", "state": "resolved"}, 400, "issues"),
        ("POST", "/bulk", {"action": "change_state", "issues": ["x"], "state": 1}, 400, "state"),
        ("POST", "/other", {}, 405, None),
    ],
)
def test_errors(api, method, path, body, status, field):
    path = path if path.startswith(("?", "/")) else "/00000000ffffffff"
    error = api.call(method, f"/api/issues{path}", status, body)
    assert error["errors"][0].get("field") == field


def test_a_body_that_is_no_object(api, failing):
    path = f"/api/issues/{only_issue(api, failing)['key']}"
    for body in (b"[]", b"{", b"\xff", b'"x"', b"[" * 100_000):
        assert "JSON" in api.call("PUT", path, 400, body)["error"]


# --- issues of no monitor


def opened(api, **fields):
    return api.call("POST", "/api/issues", 201, {"name": f"by hand {uuid.uuid4().hex[:8]}", **fields})


def test_the_life_of_an_issue_of_no_monitor(api):
    made = opened(api, severity="minor_outage", environment="qa", message="slow")
    assert made.keys() >= ISSUE
    assert (made["state"], made["severity"], made["environment"]) == ("unresolved", "minor_outage", "qa")
    assert made["created_by"]["kind"] == "user" and made["updated"] is None
    here = f"/api/issues/{made['key']}"
    assert api.get(here) == made
    put = api.call("PUT", here, body={**made, "state": "identified", "assigned_to": "ann", "name": f"{made['name']}!"})
    assert (put["state"], put["assigned_to"], put["message"]) == ("identified", "ann", "slow")
    assert put["ended"] is None and put["updated"] is not None
    assert api.call("PUT", here, body={"state": "update", "message": "x"})["state"] == "identified"
    done = api.call("PUT", here, body={"state": "resolved"})
    assert (done["state"], done["message"], done["started"]) == ("resolved", "x", made["started"])
    assert done["ended"] is not None
    assert api.call("PUT", here, body={"state": "monitoring"})["ended"] is None
    assert api.call("DELETE", here, 204) is None
    assert api.get(here, 404)["error"]


def test_issues_of_both_kinds_share_pages_and_filters(api, failing, server):
    mark = uuid.uuid4().hex[:8]
    job = f"paged-{mark}"
    server.create_monitor(job, displayName=f"Paged {mark}")
    made = []
    for turn in range(7):
        if turn % 3 == 1:
            made.append(opened(api, name=f"Paged {mark} {turn}")["key"])
        else:
            assert server.request("POST", f"/report/{job}/fail?environment=e{turn}")[0] == 200
            made.append(next(row["key"] for row in api.get(f"/api/issues?job={job}&env=e{turn}")["data"]))
    for order in ("started", "-started"):
        for size in (1, 2, 3, 7, 20):
            seen, page = [], 1
            while True:
                answer = api.get(f"/api/issues?search=paged+{mark}&orderBy={order}&pageSize={size}&page={page}")
                assert answer["total_count"] == 7
                seen += [row["key"] for row in answer["data"]]
                if not answer["data"]:
                    break
                page += 1
            assert seen == (made if order == "started" else made[::-1])
    by_hand = [made[1], made[4]]
    assert [
        row["key"] for row in api.get(f"/api/issues?search={mark}&state=unresolved&severity=outage")["data"]
    ] == made[::-1]
    assert api.get(f"/api/issues?search={mark}&job={job}")["total_count"] == 5
    assert api.get(f"/api/issues?search={mark}&env=qa")["total_count"] == 0
    assert api.get(f"/api/issues?search={mark}&time=yesterday")["total_count"] == 0
    done = api.call("POST", "/api/issues/bulk", body={"action": "delete", "issues": [*by_hand, made[0]]})
    assert (done["updated_count"], done["errors"]["kept"]) == (2, [made[0]])
    assert api.get(f"/api/issues?search={mark}")["total_count"] == 5


def test_an_issue_that_began_earlier(api):
    assert opened(api, started="2026-01-02T03:04:05Z")["started"] == "2026-01-02T03:04:05Z"
    assert opened(api, started=1_700_000_000)["started"] == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x", "state": "bad"}, "state"),
        ({"name": "x", "severity": "bad"}, "severity"),
        ({"name": "x", "started": "soon"}, "started"),
        ({"name": "x", "environment": "e" * 300}, "environment"),
        ({"name": 7}, "name"),
    ],
)
def test_a_bad_issue_is_refused(api, body, field):
    assert api.call("POST", "/api/issues", 400, body)["errors"][0]["field"] == field


# --- badges


def badge_of(server, api, name, env="production"):
    return api.get(f"/api/monitors/{name}?env={env}")["public_badge_url"].removeprefix(server.http_url)


def test_a_badge_without_a_key(server, api, failing):
    path = badge_of(server, api, failing)
    status, headers, content = server.request("GET", path, key="")
    assert (status, headers["content-type"]) == (200, "image/svg+xml")
    assert f"Name of {failing}: failing".encode() in content
    assert "max-age" in headers["cache-control"]
    assert server.request("HEAD", path, key="")[0] == 200
    server.call("POST", f"{server.monitor_path(failing)}:mute", {})
    assert b"paused" in server.request("GET", path, key="")[2]


def test_an_address_that_was_guessed(server, api, failing):
    path = badge_of(server, api, failing)
    code, digest = path.split("/")[2], path.rpartition("/")[2]
    for wrong in (
        f"/badges/{code}/staging/{digest}",
        f"/badges/{code}/production/{'0' * 32}.svg",
        f"/badges/zzzzzz/production/{digest}",
        f"/badges/{code}/production/%C3%A9.svg",
        badge_of(server, api, failing, "staging"),
    ):
        assert server.request("GET", wrong, key="")[0] == 404


# --- logs


def test_a_log_is_taken_once(server, api):
    key = server.ingest_key
    made = Api(server, key).call("POST", "/api/logs/presign", body={"job_key": "nightly", "series": "1.0"})
    assert made.keys() == {"url"}
    assert made["url"].startswith(server.http_url)
    path = made["url"].removeprefix(server.http_url)
    assert server.request("GET", path, key="")[0] == 405
    assert server.request("PUT", path, gzip.compress(b"out"), key="")[0] == 200
    assert server.request("PUT", path, b"", key="")[0] == 403
    empty = api.call("POST", "/api/logs/presign", body={"job_key": "nightly"})["url"]
    assert server.request("PUT", empty.removeprefix(server.http_url), b"", key="")[0] == 200
    assert server.request("PUT", f"{path}x", b"", key="")[0] == 403


def test_a_large_log_is_let_go(server, api):
    before = time.monotonic()
    path = api.call("POST", "/api/logs/presign", body={})["url"].removeprefix(server.http_url)
    assert server.request("PUT", path, b"x" * (30 * 1024 * 1024), key="")[0] == 200
    assert time.monotonic() - before < 60


def test_a_log_request_that_is_wrong(server, api):
    assert api.call("POST", "/api/logs/presign", 400, {"job_key": 7})["errors"][0]["field"] == "job_key"
    assert api.call("POST", "/api/logs/presign", 400, {"series": "x" * 300})["errors"][0]["field"] == "series"
    assert Api(server, "x").call("POST", "/api/logs/presign", 403, {})["error"] == "Invalid API key"
