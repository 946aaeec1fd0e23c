"""Monitors that Sentry's clients make and people change, through a whole server: locks, environments, deletion."""

import json
import urllib.error
import urllib.request
import uuid
from typing import Any

from support.server import Server

HOURLY = {"schedule": {"type": "crontab", "value": "0 * * * *"}, "checkin_margin": 2}


def send(server: Server, slug: str, config: object = HOURLY, *, environment: str = "production", **fields: Any) -> str:
    """One check-in as the cron endpoint takes it; its id."""
    identifier = uuid.uuid4().hex
    content = {"check_in_id": identifier, "status": "ok", "environment": environment, "monitor_config": config}
    request = urllib.request.Request(
        f"{server.http_url}/api/{server.project_id}/cron/{slug}/{server.ingest_key}/",
        data=json.dumps(content | fields).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 202
    return identifier


def refusals(server: Server, slug: str) -> list[tuple[str, bool]]:
    found = server.get(f"{server.monitor_path(slug)}/refusals").get("refusals", [])
    return [(one["reason"], one.get("dropped", False)) for one in found]


def test_an_edit_by_hand_is_not_undone_by_the_next_upsert(server: Server) -> None:
    send(server, "edited")
    path = server.monitor_path("edited")
    server.call("PATCH", path, {"tolerance": {"margin": "600s"}})
    send(server, "edited")
    send(server, "edited")
    monitor = server.get(path)
    assert monitor["tolerance"]["margin"] == "600s"
    assert monitor["locks"] == ["tolerance.margin"]
    writers = monitor["fieldWriters"]
    assert (writers["schedules"]["writtenBy"], writers["schedules"]["upsert"]) == ("sentry", True)
    assert (writers["tolerance.margin"]["writtenBy"], writers["tolerance.margin"]["upsert"]) == ("native", False)
    assert refusals(server, "edited") == [("REASON_MONITOR_FIELD_LOCKED", False)]
    server.call("PATCH", f"{path}?updateMask=locks", {})
    send(server, "edited")
    assert server.get(path)["tolerance"]["margin"] == "120s"
    assert len(server.check_ins("edited")) == 4


def test_a_deleted_monitor_frees_its_slug_at_once_and_an_upsert_makes_a_fresh_one(server: Server) -> None:
    old_run = send(server, "reborn")
    old = server.get(server.monitor_path("reborn"))
    server.call("DELETE", server.monitor_path("reborn"))
    new_run = send(server, "reborn", environment="staging")
    new = server.get(server.monitor_path("reborn"))
    assert new["uid"] != old["uid"]
    assert new["number"] != old["number"]
    assert [environment["environment"] for environment in new["environments"]] == ["staging"]
    assert [run["uid"] for run in server.check_ins("reborn")] == [new_run] != [old_run]


def test_a_deleted_environment_comes_back_fresh_with_its_next_report(server: Server) -> None:
    send(server, "moved")
    send(server, "moved", environment="old", status="error")
    path = server.monitor_path("moved")
    assert server.get(f"/v1/projects/{server.project_id}/incidents?monitor={path.removeprefix('/v1/')}&openOnly=true")
    muted = server.call("POST", f"{path}/environments/old:mute", {})
    assert [one["environment"] for one in muted["environments"] if one.get("muted")] == ["old"]
    server.call("DELETE", f"{path}/environments/old")
    assert [one["environment"] for one in server.get(path)["environments"]] == ["production"]
    assert [run["environment"] for run in server.check_ins("moved")] == ["production"]
    found = server.get(f"/v1/projects/{server.project_id}/incidents?monitor={path.removeprefix('/v1/')}")
    assert found.get("incidents", []) == []
    assert 'monitor="moved",environment="old"' not in server.request("GET", "/metrics/monitors")[2].decode()
    send(server, "moved", environment="old")
    fresh = {one["environment"]: one for one in server.get(path)["environments"]}["old"]
    assert fresh.get("muted", False) is False
    assert fresh["createTime"]
    code, _, _ = server.request("DELETE", f"{path}/environments/none")
    assert code == 404
