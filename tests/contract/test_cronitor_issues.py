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


def test_many_issues_at_once(api, failing):
    key = only_issue(api, failing)["key"]
    body = {"action": "assign_to", "issues": [key, "nothing", key], "assign_to": "bob"}
    answer = api.call("POST", "/api/issues/bulk", body=body)
    assert answer == {
        "action": "assign_to",
        "requested_count": 2,
        "updated_count": 1,
        "errors": {"missing": ["nothing"]},
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


# --- badges


def badge_of(server, api, name, env="production"):
    from tocsin.dialects.cronitor import badges
    from tocsin.store import SqlStore

    store = SqlStore(server.environment.get("TOCSIN_STORE__URL") or f"sqlite:///{server.data / 'tocsin.db'}")
    try:
        secret = bytes.fromhex(store.get_setting("secret"))
    finally:
        store.close()
    code = api.get(f"/api/monitors/{name}/pings")[0]["monitor_code"]
    return badges.path_of(secret, code, env)


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
