"""What clients send that is odd and legal: answers sent back, empty values of other languages, and bodies that are too deep."""

import time
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
    return f"e-{uuid.uuid4().hex[:10]}"


def native(cronitor: Cronitor, monitor: str) -> Any:
    return cronitor.server.get(cronitor.server.monitor_path(monitor))


def test_an_instant_after_the_year_9999_is_refused(cronitor: Cronitor) -> None:
    sent = {"name": "Late", "start": int(time.time()) + 60, "end": "9999-12-31T23:59:59-05:00"}
    answer = cronitor.call("POST", "/api/maintenance_windows", sent)
    assert (answer.status, "end: " in answer.json["error"]) == (400, True)
    assert cronitor.call("GET", "/api/maintenance_windows").status == 200


def test_sending_back_what_was_read_keeps_a_pause_with_an_end(cronitor: Cronitor, key: str) -> None:
    cronitor.put({"key": key, "type": "job"})
    cronitor.get(f"/api/monitors/{key}/pause/2")
    until = native(cronitor, key)["muteExpireTime"]
    read = cronitor.get(f"/api/monitors/{key}")
    assert read["paused"]
    assert cronitor.call("PUT", f"/api/monitors/{key}", read).status == 200
    assert native(cronitor, key)["muteExpireTime"] == until
    cronitor.put(read)
    assert native(cronitor, key)["muteExpireTime"] == until
    (found,) = cronitor.put({"key": key, "paused": False})
    assert not found["paused"]


def test_a_time_zone_that_is_null_is_the_accounts(cronitor: Cronitor, key: str) -> None:
    cronitor.put({"key": key, "type": "job", "schedule": "0 9 * * *", "timezone": "Asia/Tokyo"})
    (found,) = cronitor.put({"key": key, "note": "nothing of a zone"})
    assert found["timezone"] == "Asia/Tokyo"
    (found,) = cronitor.put({"key": key, "timezone": None})
    assert (found["timezone"], found["schedule"]) == ("UTC", "0 9 * * *")
    assert cronitor.get(f"/api/monitors/{key}")["timezone"] == "UTC"
    assert "Tokyo" not in str(native(cronitor, key))


def nested(depth: int) -> Any:
    value: Any = "leaf"
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize("depth", [29, 400, 900])
@pytest.mark.parametrize("field", ["metadata", "request"])
def test_what_is_nested_too_deep_is_refused(cronitor: Cronitor, key: str, field: str, depth: int) -> None:
    inner = nested(depth)
    answer = cronitor.call("PUT", "/api/monitors", [{"key": key, "type": "job", field: inner}])
    assert (answer.status, "nested" in answer.text, answer.json["errors"][0]["field"]) == (400, True, field)
    assert cronitor.call("GET", f"/api/monitors/{key}").status == 404
    (found,) = cronitor.put({"key": key, "type": "job", field: nested(28)})
    assert found[field]
    exported = cronitor.call("GET", f"/api/monitors.yaml?search={key}")
    assert exported.status == 200
    assert cronitor.call("PUT", "/api/monitors", exported.content, content_type="application/yaml").status == 200


def test_what_no_field_expects_is_bounded(cronitor: Cronitor, key: str) -> None:
    for field, length in (("more", 70_000), ("body", 600_000)):
        request = {"url": "https://example.com/", field: "x" * length}
        answer = cronitor.call("PUT", "/api/monitors", [{"key": key, "type": "job", "request": request}])
        assert (answer.status, answer.json["errors"][0]["field"]) == (400, "request"), field


def test_a_write_that_is_refused_makes_no_group(cronitor: Cronitor, key: str) -> None:
    answer = cronitor.call("PUT", "/api/monitors", [{"key": key, "type": "job", "group": f"g-{key}", "name": 1}])
    assert answer.status == 400
    body = {"monitors": [{"key": key, "type": "job", "group": f"g-{key}"}], "rollback": True}
    assert cronitor.call("PUT", "/api/monitors", body).status == 200
    assert cronitor.call("GET", f"/api/groups/g-{key}").status == 404
    cronitor.put({"key": key, "type": "job", "group": f"g-{key}"}, {"key": f"{key}-2", "type": "job", "group": key})
    assert [cronitor.get(f"/api/groups/{group}")["name"] for group in (f"g-{key}", key)] == [f"g-{key}", key]


@pytest.mark.parametrize("path", ["groups", "environments", "notifications"])
def test_a_name_without_latin_letters_gets_a_key(cronitor: Cronitor, path: str) -> None:
    made = []
    for _ in range(2):
        answer = cronitor.call("POST", f"/api/{path}", {"name": "夜間バッチ"})
        assert answer.status == 201, answer
        made.append(answer.json["key"])
        assert answer.json["name"] == "夜間バッチ"
        assert cronitor.get(f"/api/{path}/{made[-1]}")["name"] == "夜間バッチ"
    assert len({*made}) == 2
    assert cronitor.call("POST", f"/api/{path}", {}).status == 400


def test_a_list_that_was_deleted_is_refused_only_where_it_is_new(cronitor: Cronitor, key: str) -> None:
    name = f"l-{key}"
    assert cronitor.call("POST", "/api/notifications", {"name": name, "key": name}).status == 201
    cronitor.put({"key": key, "type": "job", "notify": [name]})
    assert cronitor.call("DELETE", f"/api/notifications/{name}").status == 204
    read = cronitor.get(f"/api/monitors/{key}")
    assert read["notify"] == [name]
    assert cronitor.call("PUT", f"/api/monitors/{key}", read).status == 200
    cronitor.put({"key": key, "notify": ["default", name]})
    exported = cronitor.call("GET", f"/api/monitors.yaml?search={key}").content
    assert cronitor.call("PUT", "/api/monitors", exported, content_type="application/yaml").status == 200
    assert cronitor.call("POST", "/api/monitors/clone", {"key": key}).status == 201
    answer = cronitor.call("PUT", "/api/monitors", [{"key": f"{key}-2", "type": "job", "notify": [name]}])
    assert answer.status == 400
    assert cronitor.call("PUT", f"/api/monitors/{key}", {"notify": [f"{name}-2"]}).status == 400


@pytest.mark.parametrize("nothing", [None, []])
def test_no_regions_are_all_regions(cronitor: Cronitor, key: str, nothing: Any) -> None:
    request = {"url": "https://example.com/"}
    cronitor.put({"key": key, "type": "check", "request": request, "regions": ["eu-west-1"]})
    (found,) = cronitor.put({"key": key, "note": "nothing of regions"})
    assert found["request"]["regions"] == ["eu-west-1"]
    (found,) = cronitor.put({"key": key, "regions": nothing})
    assert "regions" not in found["request"]
    (found,) = cronitor.put({"key": key, "regions": nothing, "request": {**request, "regions": ["us-east-1"]}})
    assert found["request"]["regions"] == ["us-east-1"]


def test_an_empty_array_of_php_is_an_empty_hash(cronitor: Cronitor, key: str) -> None:
    request = {"url": "https://example.com/", "headers": [], "cookies": []}
    (found,) = cronitor.put({"key": key, "type": "check", "request": request})
    assert (found["request"]["headers"], found["request"]["cookies"]) == ({}, {})
    answer = cronitor.call("PUT", f"/api/monitors/{key}", {"request": {**request, "headers": ["x"]}})
    assert answer.status == 400


def test_headers_in_yaml_stand_without_quotes(cronitor: Cronitor, key: str) -> None:
    text = f"""
checks:
  {key}:
    request:
      url: https://example.com/
      timeout_seconds: 7
      headers: {{X-Build: 007, X-Ratio: 1.50, X-Flag: true, X-None: }}
      cookies: {{session: 12}}
"""
    answer = cronitor.call("PUT", "/api/monitors", text.encode(), content_type="application/yaml")
    assert answer.status == 200, answer
    request = cronitor.get(f"/api/monitors/{key}")["request"]
    assert request["headers"] == {"X-Build": "007", "X-Ratio": "1.50", "X-Flag": "true", "X-None": ""}
    assert (request["cookies"], request["timeout_seconds"]) == ({"session": "12"}, 7)
