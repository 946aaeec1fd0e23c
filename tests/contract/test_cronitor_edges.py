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
