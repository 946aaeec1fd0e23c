"""Groups and environments of a project over every door of a running server."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from support.server import Server
from tocsin.client import Client, ClientError

GROUPS = "/v1/projects/-/groups"
ENVIRONMENTS = "/v1/projects/-/environments"


def unique(word: str) -> str:
    return f"{word}-{uuid.uuid4().hex[:8]}"


def members(server: Server, group: str) -> list[str]:
    found: dict[str, Any] = server.get(f"/v1/projects/-/monitors?filter=group%20%3D%20%22{group}%22")
    return [row["name"].rpartition("/")[2] for row in found["monitors"]]


def test_groups_over_rest(server: Server) -> None:
    key = unique("G")
    made = server.call("POST", f"{GROUPS}?groupId={key}", {"displayName": "Night"})
    assert made["name"] == f"projects/{server.project_id}/groups/{key}"
    assert (made["displayName"], made["monitorCount"]) == ("Night", 0)
    assert int(made["number"]) > 0
    assert server.get(f"{GROUPS}/{key}") == made
    assert server.request("POST", f"{GROUPS}?groupId={key}", {})[0] == 409
    changed = server.call("PATCH", f"{GROUPS}/{key}?updateMask=displayName", {})
    assert changed["displayName"] == ""
    assert key in [row["name"].rpartition("/")[2] for row in server.get(f"{GROUPS}?pageSize=1000")["groups"]]
    server.call("DELETE", f"{GROUPS}/{key}")
    assert server.request("GET", f"{GROUPS}/{key}")[0] == 404
    assert server.request("DELETE", f"{GROUPS}/{key}")[0] == 404
    server.call("DELETE", f"{GROUPS}/{key}?allowMissing=true")


def test_a_monitor_is_in_a_group_that_exists(server: Server) -> None:
    key, one = unique("Group"), unique("m")
    with Client(server.grpc_address, server.admin_key) as client:
        with pytest.raises(ClientError, match=r"monitor\.group") as refused:
            client.put_monitor(one, group=key)
        assert refused.value.reason == "GROUP_UNKNOWN"
        with pytest.raises(ClientError, match=r"monitor\.group"):
            client.put_monitor(one, group="a/b")
        client.put_group(key)
        made = client.put_monitor(one, group=key, tags=["db", "nightly"])
        assert (made.group, list(made.tags)) == (key, ["db", "nightly"])
        assert [row.name for row in client.monitors(filter=f"group = {key} AND tags:DB")] == [made.name]
        assert client.get_group(key).monitor_count == 1
        assert client.put_monitor(one, tags=["db"]).group == key
        client.delete_group(key)
        assert client.get_monitor(one).group == ""
    status, _, answer = server.request(
        "POST",
        "/v1/projects/-/monitors:batchUpdate",
        {"requests": [{"monitor": {"name": f"projects/-/monitors/{one}", "group": key}}]},
    )
    assert status == 400
    assert b"requests[0].monitor.group" in answer


def test_the_members_of_a_group_are_set_muted_and_unmuted(server: Server) -> None:
    key, other = unique("group"), unique("other")
    ids = sorted(unique("m") for _ in range(3))
    with Client(server.grpc_address, server.admin_key) as client:
        client.put_group(key)
        client.put_group(other)
        for one in ids:
            client.put_monitor(one, group=other)
        assert client.set_group_monitors(key, ids[:2]).monitor_count == 2
        assert members(server, key) == ids[:2]
        assert members(server, other) == ids[2:]
        with pytest.raises(ClientError) as refused:
            client.set_group_monitors(key, [ids[2], "no-such"])
        assert refused.value.reason == "MONITOR_NOT_FOUND"
        assert client.set_group_monitors(key, ids[1:]).monitor_count == 2
        assert members(server, key) == ids[1:]
        client.mute_group(key, timedelta(hours=1))
        assert [client.get_monitor(one).muted for one in ids] == [False, True, True]
        assert client.get_monitor(ids[1]).HasField("mute_expire_time")
        client.mute_group(key)
        assert not client.get_monitor(ids[1]).HasField("mute_expire_time")
        client.unmute_group(key)
        assert not any(client.get_monitor(one).muted for one in ids)
        assert client.set_group_monitors(key, []).monitor_count == 0
        with pytest.raises(ClientError):
            client.mute_group("no such group")
        status, _, answer = server.request("POST", f"{GROUPS}/{key}:mute", {"expireTime": "2020-01-01T00:00:00Z"})
        assert status == 400
        assert b"expire_time" in answer
    with Client(server.grpc_address, server.ingest_key) as client, pytest.raises(ClientError, match="scope"):
        list(client.groups())


def test_environments_of_a_project(server: Server) -> None:
    reported, made_here, one = unique("reported"), unique("Made"), unique("m")
    with Client(server.grpc_address, server.admin_key) as client:
        client.put_monitor(one)
        client.heartbeat(one, environment=reported)
        found = client.get_project_environment(reported)
        assert (found.with_alerts, found.default, found.monitor_count, found.number) == (True, False, 1, 0)
        quiet = client.put_project_environment(reported, with_alerts=False)
        assert (quiet.with_alerts, quiet.monitor_count) == (False, 1)
        assert quiet.number > 0
        renamed = client.put_project_environment(reported, display_name="Reported")
        assert (renamed.with_alerts, renamed.display_name, renamed.number) == (False, "Reported", quiet.number)
        with pytest.raises(ClientError, match="scope"), Client(server.grpc_address, server.ingest_key) as other:
            other.put_project_environment(reported)
        assert server.request("POST", f"{ENVIRONMENTS}?projectEnvironmentId={reported}", {})[0] == 409
        server.call("POST", f"{ENVIRONMENTS}?projectEnvironmentId={made_here}", {})
        listed = {row.name.rpartition("/")[2]: row for row in client.project_environments(page_size=2)}
        assert {reported, made_here, "production"} <= listed.keys()
        assert list(listed) == sorted(listed)
        assert listed["production"].default
        with pytest.raises(ClientError) as refused:
            client.delete_project_environment("production")
        assert refused.value.reason == "ENVIRONMENT_IS_DEFAULT"
        client.delete_project_environment(reported)
        assert [health.environment for health in client.get_monitor(one).environments] == ["production"]
        client.delete_project_environment(made_here)
        for gone in (reported, made_here):
            assert server.request("GET", f"{ENVIRONMENTS}/{gone}")[0] == 404
        with pytest.raises(ClientError):
            client.delete_project_environment(reported)
        client.delete_project_environment(reported, allow_missing=True)
