"""Notification lists and channels over every door of a running server."""

import uuid

import pytest

from support.server import Server
from tocsin.client import Client, ClientError

LISTS = "/v1/projects/-/notificationLists"
CHANNELS = "/v1/projects/-/channels"
HOOK = "webhook:https://example.org/hook"


def test_lists_over_rest(server: Server) -> None:
    key = f"l-{uuid.uuid4().hex[:8]}"
    body = {"displayName": "On call", "destinations": [HOOK, "email:a@example.org"]}
    made = server.call("POST", f"{LISTS}?notificationListId={key}", body)
    assert made["name"] == f"projects/{server.project_id}/notificationLists/{key}"
    assert server.get(f"{LISTS}/{key}") == made
    changed = server.call("PATCH", f"{LISTS}/{key}?updateMask=environments,displayName", {"environments": ["staging"]})
    assert (changed["displayName"], changed["environments"]) == ("", ["staging"])
    assert changed["destinations"] == body["destinations"]
    found = {row["name"].rpartition("/")[2] for row in server.get(f"{LISTS}?pageSize=1000")["notificationLists"]}
    assert {"default", key} <= found
    status, _, answer = server.request("POST", f"{LISTS}?notificationListId={key}", body)
    assert (status, b"NOTIFICATION_LIST_ALREADY_EXISTS" in answer) == (409, True)
    server.call("DELETE", f"{LISTS}/{key}")
    assert server.request("GET", f"{LISTS}/{key}")[0] == 404
    assert server.request("DELETE", f"{LISTS}/{key}")[0] == 404
    server.call("DELETE", f"{LISTS}/{key}?allowMissing=true")
    status, _, answer = server.request("DELETE", f"{LISTS}/default")
    assert (status, b"NOTIFICATION_LIST_REQUIRED" in answer) == (400, True)


def test_a_name_is_made_of_the_display_name(server: Server) -> None:
    word = uuid.uuid4().hex[:8]
    made = server.call("POST", CHANNELS, {"displayName": f"My {word}!", "url": "https://example.org/"})
    assert made["name"].endswith(f"/channels/my-{word}")
    assert made["kind"] == "KIND_WEBHOOK"
    assert server.request("POST", CHANNELS, {"displayName": "!", "url": "https://example.org/"})[0] == 400
    server.call("DELETE", f"{CHANNELS}/my-{word}")


def test_the_client_tells_whom_to_tell(server: Server) -> None:
    key = f"c-{uuid.uuid4().hex[:8]}"
    with Client(server.grpc_address, server.admin_key) as client:
        channel = client.put_channel(key, "https://example.org/hook", display_name="Ops")
        assert client.get_channel(key) == channel
        assert key in [row.name.rpartition("/")[2] for row in client.channels(page_size=1)]
        made = client.put_notification_list(key, [f"webhook:{key}"], environments=["production"])
        assert client.get_notification_list(key) == made
        assert key in [row.name.rpartition("/")[2] for row in client.notification_lists(page_size=1)]
        with pytest.raises(ClientError, match=r"notification_list\.destinations\[0\]"):
            client.put_notification_list(key, ["nobody"])
        with pytest.raises(ClientError, match=r"channel\.url"):
            client.put_channel(key, "")
        with pytest.raises(ClientError, match=r"notification_list\.name"):
            client.put_notification_list("Not good", [])
        client.delete_notification_list(key)
        client.delete_channel(key)
        with pytest.raises(ClientError, match="stays"):
            client.delete_notification_list("default")
    with Client(server.grpc_address, server.ingest_key) as client, pytest.raises(ClientError, match="scope"):
        list(client.channels())


def test_an_alert_policy_keeps_all_it_says(server: Server) -> None:
    monitor = f"m-{uuid.uuid4().hex[:8]}"
    policy = {
        "channels": ["default", HOOK],
        "repeatInterval": "28800s",
        "repeatLimit": 10,
        "events": ["EVENT_FAIL", "EVENT_RUN", "EVENT_FAIL"],
    }
    made = server.create_monitor(monitor, alertPolicy=policy)
    assert made["alertPolicy"] == {**policy, "events": ["EVENT_RUN", "EVENT_FAIL"], "projectEscalation": False}
    assert server.get(server.monitor_path(monitor))["alertPolicy"] == made["alertPolicy"]
    with Client(server.grpc_address, server.admin_key) as client:
        told = {"channels": ["ops"], "repeat_interval": 60, "repeat_limit": 3, "events": ["complete"]}
        kept = client.put_monitor(monitor, alert_policy=told).alert_policy
        assert (list(kept.channels), kept.repeat_interval.seconds, kept.repeat_limit) == (["ops"], 60, 3)
        assert list(kept.events) == [kept.EVENT_COMPLETE]
        assert not client.put_monitor(monitor, alert_policy={}).alert_policy.channels
        with pytest.raises(TypeError, match="chanels"):
            client.put_monitor(monitor, alert_policy={"chanels": []})
        with pytest.raises(ValueError, match="EVENT_BEGIN"):
            client.put_monitor(monitor, alert_policy={"events": ["begin"]})
    for wrong in ({"repeatLimit": -1}, {"repeatLimit": 10_001}, {"events": ["EVENT_UNSPECIFIED"]}):
        body = {"alertPolicy": wrong}
        assert server.request("PATCH", server.monitor_path(monitor), body)[0] == 400


def test_notices_over_rest_and_the_client(server: Server) -> None:
    monitor = f"m-{uuid.uuid4().hex[:8]}"
    refused = "webhook:http://127.0.0.1:9/"  # a private address, which nobody has allowed
    server.create_monitor(monitor, alertPolicy={"channels": [refused, "email:a@example.org"]})
    server.call("POST", f"{server.monitor_path(monitor)}/checkIns:report", {"kind": "KIND_ERROR"})
    about = f"/v1/projects/-/notices?monitor={server.monitor_path(monitor).removeprefix('/v1/')}"
    (dead,) = server.until(f"{about}&states=STATE_DEAD", "notices")
    assert (dead["kind"], dead["sequence"], dead["rule"], dead["attemptCount"]) == ("KIND_ALERT", 1, "error", 1)
    assert "not public" in dead["error"]
    assert server.get(f"/v1/{dead['name']}") == dead
    (unsupported,) = server.get(f"{about}&states=STATE_UNSUPPORTED")["notices"]
    assert (unsupported["destination"], unsupported["attemptCount"]) == ("email:a@example.org", 0)
    assert server.metric('tocsin_notifications_unsupported_total{kind="email"}') >= 1
    assert server.request("GET", "/v1/projects/-/notices/999999")[0] == 404
    assert server.request("GET", f"{about}&states=STATE_UNSPECIFIED")[0] == 400
    with Client(server.grpc_address, server.admin_key) as client:
        assert [row.name for row in client.notices(monitor=monitor, states=["dead"])] == [dead["name"]]
        assert client.retry_notices(dead["name"], unsupported["name"]) == 1
        server.until(f"{about}&states=STATE_DEAD", "notices")
        with pytest.raises(ClientError, match="no monitor"):
            list(client.notices(monitor="no-such"))
