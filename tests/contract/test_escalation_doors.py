"""Escalations, what groups decide and the forms of channels, over every door of a running server."""

import json
import subprocess
import sys
import uuid

import pytest

from support.server import Server
from tocsin.client import Client, ClientError

GROUPS, CHANNELS = "/v1/projects/-/groups", "/v1/projects/-/channels"
SETTINGS = "/v1/projects/-/settings"
ESCALATION = {"failureThreshold": 2, "delay": "600s", "repeatInterval": "300s", "repeatLimit": 3}
UNSET = {"failureThreshold": 1, "delay": "0s", "repeatInterval": "0s", "repeatLimit": 0}


def unique(word: str) -> str:
    return f"{word}-{uuid.uuid4().hex[:8]}"


def test_of_a_monitor(server: Server) -> None:
    monitor = unique("m")
    made = server.create_monitor(monitor, alertPolicy={"escalation": ESCALATION, "projectEscalation": True})
    assert made["alertPolicy"]["escalation"] == ESCALATION
    assert made["alertPolicy"]["projectEscalation"]
    assert server.get(server.monitor_path(monitor))["alertPolicy"] == made["alertPolicy"]
    plain = server.call("PATCH", server.monitor_path(monitor), {"alertPolicy": {"channels": ["ops"]}})
    assert "escalation" not in plain["alertPolicy"]
    wrong = {"alertPolicy": {"escalation": {"failureThreshold": 721}}}
    status, _, answer = server.request("PATCH", server.monitor_path(monitor), wrong)
    assert (status, b"monitor.alert_policy.escalation.failure_threshold" in answer) == (400, True)
    with Client(server.grpc_address, server.admin_key) as client:
        kept = client.put_monitor(monitor, alert_policy={"escalation": {"delay": 60}}).alert_policy.escalation
        assert (kept.failure_threshold, kept.delay.seconds) == (1, 60)
        with pytest.raises(TypeError, match="failures"):
            client.put_monitor(monitor, alert_policy={"escalation": {"failures": 1}})


def test_of_a_group(server: Server) -> None:
    key = unique("g")
    body = {"tags": ["a"], "muted": True, "escalation": ESCALATION, "projectEscalation": False}
    made = server.call("POST", f"{GROUPS}?groupId={key}", body)
    assert {name: made[name] for name in body} == body
    changed = server.call("PATCH", f"{GROUPS}/{key}?updateMask=escalation,projectEscalation,tags", {})
    assert ("escalation" in changed, "projectEscalation" in changed, changed["tags"]) == (False, False, [])
    assert changed["muted"]
    for field, value in (("tags", [""]), ("inactive", True), ("escalation", {"repeatLimit": -1})):
        assert server.request("PATCH", f"{GROUPS}/{key}?updateMask={field}", {field: value})[0] == 400
    with Client(server.grpc_address, server.admin_key) as client:
        assert client.put_group(key, display_name="G").muted
        kept = client.put_group(key, muted=False, tags=["b"], escalation={"delay": 5}, project_escalation=True)
        assert (kept.muted, list(kept.tags), kept.escalation.delay.seconds, kept.project_escalation) == (
            *(False, ["b"], 5, True),
        )
        assert not client.put_group(key, escalation=None).HasField("escalation")


def test_of_a_project(server: Server) -> None:
    assert server.get(SETTINGS)["effective"]["escalation"] == UNSET
    with Client(server.grpc_address, server.admin_key) as client:
        kept = client.put_project_settings(escalation={"failure_threshold": 2, "delay": 600})
        assert (kept.escalation.failure_threshold, kept.escalation.delay.seconds) == (2, 600)
        with pytest.raises(ClientError, match=r"project_settings\.escalation\.repeat_limit"):
            client.put_project_settings(escalation={"repeat_limit": -1})
    done = cli(server, "escalation=failure_threshold:3,repeat_interval:5m")
    assert done.returncode == 0, done.stderr
    (row,) = (line for line in done.stdout.splitlines() if line.split()[0] == "escalation")
    assert row.split() == [
        *("escalation", "failure_threshold:3,", "delay:0s,", "repeat_interval:300s,", "repeat_limit:0", "project"),
    ]
    assert "escalation" not in json.loads(cli(server, "escalation=", "--json").stdout)
    for wrong, said in (("delays:1m", "escalation: "), ("delay:x", "delay"), ("repeat_limit:x", "no number")):
        done = cli(server, f"escalation={wrong}")
        assert (done.returncode != 0, said in done.stderr, "Traceback" in done.stderr) == (True, True, False)


def test_the_form_of_a_channel_keeps_its_secret_to_itself(server: Server) -> None:
    key = unique("c")
    form = {"method": "PUT", "template": "{}", "headers": [{"key": "X", "value": "1", "locked": True}], "secret": "s3"}
    made = server.call("POST", f"{CHANNELS}?channelId={key}", {"url": "https://example.org/", "form": form})
    assert "secret" not in made["form"]
    assert made["form"]["headers"] == form["headers"]
    assert (made["sendFailure"], made["sendRecovery"], made["autoSubscribe"]) == (True, True, False)
    changed = server.call("PATCH", f"{CHANNELS}/{key}?updateMask=form,sendFailure", {"form": {}, "sendFailure": False})
    assert (changed["form"]["method"], changed["form"]["template"], changed["sendFailure"]) == ("POST", "", False)
    assert server.call("PATCH", f"{CHANNELS}/{key}?updateMask=sendFailure", {})["sendFailure"]
    assert "form" not in server.call("PATCH", f"{CHANNELS}/{key}?updateMask=form", {})
    for body in ({"form": {"method": "get"}}, {"kind": "KIND_EMAIL"}, {"form": {"headers": [{"key": ""}]}}):
        mask = next(iter(body))
        assert server.request("PATCH", f"{CHANNELS}/{key}?updateMask={mask}", body)[0] == 400


def cli(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tocsin", "projects", "settings", *arguments]
    where = ["--url", server.http_url, "--key", server.admin_key]
    return subprocess.run([*command, *where], capture_output=True, text=True, check=False, timeout=60)
