"""Escalations, what groups decide and the forms of channels, over every door of a running server."""

import json
import subprocess
import sys
import uuid

import pytest

from support.checkly import Checkly
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


def test_the_form_of_a_channel_keeps_its_secrets_to_itself(server: Server) -> None:
    key = unique("c")
    headers = [{"key": "X", "value": "l0cked", "locked": True}, {"key": "Y", "value": "2", "locked": False}]
    form = {"method": "PUT", "template": "{}", "headers": headers, "queryParameters": headers[:1], "secret": "s3"}
    made = server.call("POST", f"{CHANNELS}?channelId={key}", {"url": "https://example.org/", "form": form})
    assert "secret" not in made["form"]
    blank = {"key": "X", "value": "", "locked": True}
    assert made["form"]["headers"] == [blank, headers[1]]
    assert made["form"]["queryParameters"] == [blank]
    assert (made["sendFailure"], made["sendRecovery"], made["autoSubscribe"]) == (True, True, False)
    back = {**made["form"], "template": "x"}  # what was read, with a change: what is not shown stays
    assert server.call("PATCH", f"{CHANNELS}/{key}?updateMask=form", {"form": back})["form"] == back
    number = int(made["number"])
    config = Checkly(server).get(f"/v1/alert-channels/{number}")["config"]
    assert (config["headers"], config["queryParameters"], config["webhookSecret"]) == (headers, headers[:1], "s3")
    changed = server.call("PATCH", f"{CHANNELS}/{key}?updateMask=form,sendFailure", {"form": {}, "sendFailure": False})
    assert (changed["form"]["method"], changed["form"]["template"], changed["sendFailure"]) == ("POST", "", False)
    assert server.call("PATCH", f"{CHANNELS}/{key}?updateMask=sendFailure", {})["sendFailure"]
    assert "form" not in server.call("PATCH", f"{CHANNELS}/{key}?updateMask=form", {})
    for body in ({"form": {"method": "get"}}, {"kind": "KIND_EMAIL"}, {"form": {"headers": [{"key": ""}]}}):
        mask = next(iter(body))
        assert server.request("PATCH", f"{CHANNELS}/{key}?updateMask={mask}", body)[0] == 400


def test_channels_of_other_kinds_are_made_by_other_protocols(server: Server) -> None:
    status, _, content = server.request("POST", f"{CHANNELS}?channelId={unique('c')}", {"kind": "KIND_EMAIL"})
    assert status == 400
    assert b"channel.kind" in content
    assert b"config" not in content
    mail = {"type": "EMAIL", "config": {"address": "ops@example.invalid"}}
    number = Checkly(server).ask("POST", "/v1/alert-channels", mail, status=201)["id"]
    found = next(one for one in server.get(f"{CHANNELS}?pageSize=1000")["channels"] if int(one["number"]) == number)
    path = f"/v1/{found['name']}"
    changed = server.call("PATCH", f"{path}?updateMask=kind,sendFailure", {**found, "sendFailure": False})
    assert (changed["kind"], changed["sendFailure"]) == ("KIND_EMAIL", False)
    status, _, content = server.request("PATCH", f"{path}?updateMask=kind", {"kind": "KIND_SLACK"})
    assert (status, b"channel.kind" in content) == (400, True)


def cli(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tocsin", "projects", "settings", *arguments]
    where = ["--url", server.http_url, "--key", server.admin_key]
    return subprocess.run([*command, *where], capture_output=True, text=True, check=False, timeout=60)
