"""Every request to Cronitor's REST API that its clients were seen to send, replayed; answers have the target shapes."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.cronitor import Cronitor, differences
from support.server import Server

FIXTURES = Path(__file__).parent / "fixtures" / "cronitor"
FILES = "python_sdk", "node_sdk", "celery_beat_sync", "derived_requests"
MONITORS = "/api/monitors", "/api/search"
SHAPES = json.loads((FIXTURES / "response_shapes.json").read_text())
LIST, ONE = (SHAPES[name]["body"] for name in ("GET /api/monitors", "GET /api/monitors/:key (job)"))
NAMED = "nightly-backup", "n1", "nightly", "my-job", "k1", "abc123"  # by requests that need a monitor
SENDERS: dict[str, Any] = {"metrics": {}, "notify": None}  # whose parts are what the sender made of them


def requests(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        if "target" in document:
            yield document
        else:
            for part in document.values():
                yield from requests(part)
    elif isinstance(document, list):
        for part in document:
            yield from requests(part)


def sent() -> Iterator[Any]:
    for name in FILES:
        document = json.loads((FIXTURES / f"{name}.json").read_text())
        for number, request in enumerate(requests(document)):
            path = request["target"].partition("?")[0]
            if path.startswith(MONITORS) and not path.endswith(("/activity", "/pings", "/alerts")):
                yield pytest.param(request, id=f"{name}-{number}")


@pytest.fixture
def cronitor(server: Server) -> Cronitor:
    return Cronitor(server)


@pytest.fixture
def key() -> str:
    return f"m-{uuid.uuid4().hex[:10]}"


def shape_of(request: dict[str, Any]) -> Any:
    """Of a good answer."""
    method, path = request["method"], request["target"].partition("?")[0]
    if method == "GET" and path in ("/api/monitors", "/api/search"):
        return LIST
    if method == "PUT" and path == "/api/monitors":
        return [ONE] if request["body"].startswith("[") else {"monitors": [ONE]}
    if method == "DELETE" and path == "/api/monitors":
        return SHAPES["DELETE /api/monitors"]["body"]
    return ONE


@pytest.mark.parametrize("request_", list(sent()))
def test_what_clients_send_is_answered_as_they_need_it(cronitor: Cronitor, request_: dict[str, Any]) -> None:
    """Each finds what it names: the CLI's second sync names a monitor by its code."""
    method, target, body = request_["method"], request_["target"], request_["body"] or ""
    assert cronitor.call("DELETE", "/api/monitors", {"monitors": list(NAMED)}).status == 200
    lists = f"/v1/projects/{cronitor.server.project_id}/notificationLists"
    cronitor.server.request("POST", f"{lists}?notificationListId=ops", {})  # which one of them names
    cronitor.put(*({"key": name, "type": "job"} for name in NAMED))
    if "a1B2c3" in body:
        (made,) = cronitor.put({"key": f"discovered-{uuid.uuid4().hex}", "type": "job"})
        body = body.replace("a1B2c3", made["attributes"]["code"])
    headers = {name: value for name, value in request_["headers"].items() if name != "authorization"}
    answer = cronitor.call(method, target, body.encode() if body else None, **headers)
    expected = 201 if method == "POST" else 204 if method == "DELETE" and target != "/api/monitors" else 200
    assert answer.status == expected, answer
    if expected == 204:
        assert answer.content == b""
    elif "yaml" in answer.headers["content-type"]:
        assert answer.text.startswith("jobs:")
        with pytest.raises(ValueError, match="Expecting value"):
            json.loads(answer.text)
        assert set(yaml.safe_load(answer.text)) == {"jobs", "checks", "heartbeats"}
    else:
        assert differences(plain(shape_of(request_)), answer.json) == []


def plain(shape: Any) -> Any:
    """The shape without what is different in each monitor."""
    if isinstance(shape, dict):
        return {name: SENDERS[name] if name in SENDERS else plain(part) for name, part in shape.items()}
    return [plain(part) for part in shape] if isinstance(shape, list) else shape


def test_the_shape_of_a_monitor_that_has_lived(cronitor: Cronitor, key: str) -> None:
    cronitor.put({"key": key, "type": "job", "schedule": "0 0 * * *", "tags": ["database"]})
    cronitor.ping(f"{key}?state=run&series=s1&host=web-1")
    cronitor.ping(f"{key}?state=complete&series=s1&metric=count:3&msg=done&host=web-1")
    cronitor.ping(f"{key}?state=fail&msg=oh")
    found = cronitor.get(f"/api/monitors/{key}?withEvents=true&withInvocations=true")
    assert differences(plain(ONE), found) == []
    assert found["initialized"]
    assert not found["passing"]
    assert not found["running"]
    assert found["latest_issue"]["state"] == "unresolved"
    assert found["latest_event"]["event"] == "fail"
    assert found["latest_event"]["msg"] == "oh"
    assert found["latest_event"]["ip"] == "127.0.0.1"
    assert [event["event"] for event in found["latest_events"]] == ["fail", "complete", "run"]
    first, second = found["latest_invocations"]
    assert (first["state"], second["state"]) == ("fail", "complete")
    assert second["series"] == "s1"
    assert second["events"][0]["metrics"]["count"] == 3
    assert found["next_expected_at"] % 86_400 == 0
    cronitor.ping(f"{key}?state=ok")
    found = cronitor.get(f"/api/monitors/{key}")
    assert found["passing"]
    assert found["latest_issue"]["state"] == "resolved"
    assert found["latest_events"] is None


def test_what_means_nothing_is_no_latest_event(cronitor: Cronitor, key: str) -> None:
    cronitor.ping(f"{key}?state=complete&msg=last")
    cronitor.ping(f"{key}?state=logs&metric=length:812")
    cronitor.ping(f"{key}?state=party")
    found = cronitor.get(f"/api/monitors/{key}?withEvents=true")
    assert found["latest_event"]["msg"] == "last"
    assert [event["event"] for event in found["latest_events"]] == ["party", "logs", "complete"]
    cronitor.ping(f"{key}?msg=still+here")
    assert cronitor.get(f"/api/monitors/{key}")["latest_event"]["msg"] == "still here"


def test_an_end_after_a_note_is_the_latest_event(cronitor: Cronitor, key: str) -> None:
    cronitor.ping(f"{key}?state=run&series=s1")
    cronitor.ping(f"{key}?series=s1&msg=half+way")
    assert cronitor.get(f"/api/monitors/{key}")["latest_event"]["msg"] == "half way"
    cronitor.ping(f"{key}?state=fail&series=s1&msg=after+all")
    found = cronitor.get(f"/api/monitors/{key}")["latest_event"]
    assert (found["event"], found["msg"]) == ("fail", "after all")


def test_whatever_the_host_header_says(server: Server, cronitor: Cronitor, key: str) -> None:
    cronitor.put({"key": key, "type": "job"})
    for host in ("cronitor.io", "eu.cronitor.link", "example.org:8443"):
        assert cronitor.call("GET", f"/api/monitors/{key}", Host=host).status == 200
        status, _, body = server.request("GET", f"/p/{server.ingest_key}/{key}", key="", headers={"Host": host})
        assert (status, body) == (200, b"ok")


def test_the_version_that_a_client_names_changes_nothing(cronitor: Cronitor, key: str) -> None:
    cronitor.put({"key": key, "type": "job"})
    answers = [
        cronitor.call("GET", f"/api/monitors/{key}", Cronitor_Version=version).content
        for version in ("2020-10-01", "2025-11-28", "", "tomorrow")
    ]
    assert len(set(answers)) == 1


def test_the_shape_of_a_heartbeat(cronitor: Cronitor, key: str) -> None:
    cronitor.ping(f"{key}?msg=t=34")
    found = cronitor.get(f"/api/monitors/{key}")
    shape = SHAPES["GET /api/monitors/:key (heartbeat, no schedule)"]["body"]
    assert differences({**shape, "notify": ["default"]}, found) == []
    assert (found["type"], found["latest_event"]["event"]) == ("heartbeat", "tick")
    assert found["grace_seconds"] == 0
    assert found["schedule"] is None
    assert found["next_expected_at"] is None


def test_errors_have_every_word_that_clients_look_for(cronitor: Cronitor, key: str) -> None:
    good, bad = {"key": f"{key}-1", "type": "job"}, {"key": key, "type": "job", "schedule": "every five"}
    answer = cronitor.call("PUT", "/api/monitors", [good, bad])
    assert answer.status == 400
    assert differences(SHAPES["400"], answer.json) == []
    assert answer.json["error"].startswith(f"{key}: schedule: cannot parse 'every five' (position 7)")
    assert (answer.json["errors"][0]["key"], answer.json["errors"][0]["field"]) == (key, "schedule")
    assert cronitor.call("GET", f"/api/monitors/{key}-1").status == 404
    for path, status, shape in ((f"/api/monitors/{key}", 404, "404"), ("/api/monitors/a/b/c/d", 404, "404")):
        answer = cronitor.call("GET", path)
        assert (answer.status, differences(SHAPES[shape], answer.json)) == (status, [])


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_a_key_that_is_none_and_one_that_may_only_report(server: Server, method: str) -> None:
    body = None if method == "GET" else b"[]"
    stranger = Cronitor(server, "f" * 32).call(method, "/api/monitors", body)
    assert stranger.status == 403
    assert stranger.json["error"] == "Invalid API key"
    telemetry = Cronitor(server, server.ingest_key).call(method, "/api/monitors", body)
    assert telemetry.status == 403
    assert "tocsin keys create" in telemetry.json["error"]


def test_a_pause_by_get_needs_a_key_that_may_write(server: Server, cronitor: Cronitor, key: str) -> None:
    cronitor.put({"key": key, "type": "job"})
    assert Cronitor(server, server.ingest_key).call("GET", f"/api/monitors/{key}/pause").status == 403
    assert not cronitor.get(f"/api/monitors/{key}")["paused"]
