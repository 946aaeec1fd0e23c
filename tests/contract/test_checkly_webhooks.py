"""Webhooks as Checkly's API makes them: templates with variables of account and group, secrets, signature, refusals."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.checkly import Checkly
from support.receiver import Receiver
from support.server import Server

SETTINGS = {"TOCSIN_OUTGOING__ALLOWED_NETWORKS": "127.0.0.0/8", "TOCSIN_NOTIFY__FORM_RETRY_SECONDS": "0.05"}
NAMES = (
    *("ALERT_TITLE", "ALERT_TYPE", "CHECK_NAME", "CHECK_ID", "CHECK_TYPE", "GROUP_NAME", "STAGE", "REGION"),
    *("CHECK_RESULT_ID", "RESULT_LINK", "STARTED_AT"),
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    made.start()
    yield made
    made.die()


@pytest.fixture
def telling(new_server: Callable[..., Server]) -> Checkly:
    server = new_server(environment=SETTINGS)
    server.start()
    return Checkly(server)


def hook(telling: Checkly, receiver: Receiver, **config: Any) -> int:
    made = {"name": "hook", "url": receiver.destination.partition(":")[2], **config}
    return int(telling.ask("POST", "/v1/alert-channels", {"type": "WEBHOOK", "config": made}, status=201)["id"])


def report(checkly: Checkly, path: str) -> None:
    assert checkly.server.request("POST", f"/report/{path}", key=checkly.server.ingest_key)[0] == 200


def test_a_template_finds_variables_of_group_and_account(telling: Checkly, receiver: Receiver) -> None:
    for key, value, secret in (("STAGE", "account", False), ("TOKEN", "hidden", True), ("CHECK_NAME", "never", False)):
        telling.ask("POST", "/v1/variables", {"key": key, "value": value, "secret": secret}, status=201)
    rows = [{"key": "STAGE", "value": "group", "locked": False}]
    group = telling.ask("POST", "/v2/check-groups", {"name": "Night", "environmentVariables": rows}, status=201)["id"]
    channel = hook(
        telling,
        receiver,
        method="PUT",
        template="{" + ", ".join(f'"{name}": "{{{{{name}}}}}"' for name in NAMES) + ', "TAGS": "{{TAGS}}"}',
        headers=[{"key": "Authorization", "value": "Bearer {{TOKEN}}", "locked": True}],
        queryParameters=[{"key": "team", "value": '{{tagValue TAGS "team" "nobody"}}', "locked": False}],
        webhookSecret="s3cret",
    )
    told = [{"alertChannelId": channel, "activated": True}]
    check = telling.create(name="nightly", groupId=group, tags=["team:core"], alertChannelSubscriptions=told)
    report(telling, "nightly/fail")
    (alert,) = receiver.wait_for(1)
    report(telling, "nightly")
    recovery = receiver.wait_for(2)[1]
    assert (alert.method, alert.path) == ("PUT", "/hook?team=core")
    assert alert.headers["authorization"] == "Bearer hidden"
    assert alert.headers["x-checkly-signature"] == hmac.new(b"s3cret", alert.body, hashlib.sha256).hexdigest()
    said, later = json.loads(alert.body), json.loads(recovery.body)
    assert said == {
        "ALERT_TITLE": "Check &quot;nightly&quot; has failed",
        "ALERT_TYPE": "ALERT_FAILURE",
        "CHECK_NAME": "nightly",
        "CHECK_ID": check["id"],
        "CHECK_TYPE": "HEARTBEAT",
        "GROUP_NAME": "Night",
        "STAGE": "group",
        "REGION": "",
        "TAGS": "team:core",
        **{name: said[name] for name in ("CHECK_RESULT_ID", "RESULT_LINK", "STARTED_AT")},
    }
    assert said["RESULT_LINK"].endswith(f"/heartbeats/{check['id']}/results/{said['CHECK_RESULT_ID']}")
    assert (later["ALERT_TYPE"], later["STAGE"]) == ("ALERT_RECOVERY", "group")
    assert later["CHECK_RESULT_ID"] != said["CHECK_RESULT_ID"]
    notices = telling.server.request("GET", "/v1/projects/-/notices")[2]
    assert b"hidden" not in notices


def test_an_event_that_a_template_names_can_be_read(telling: Checkly, receiver: Receiver) -> None:
    channel = hook(telling, receiver)
    check = telling.create(name="nightly", alertChannelSubscriptions=[{"alertChannelId": channel, "activated": True}])
    report(telling, "nightly/fail")
    report(telling, "nightly")
    _, recovery = receiver.wait_for(2)
    event = json.loads(recovery.body)["CHECK_RESULT_ID"]
    found = telling.get(f"/v1/checks/heartbeats/{check['id']}/events/{event}")
    assert found["event"]["id"] == event


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"template": "{{#if A}}"}, "template"),
        ({"template": "{{> partial}}"}, "template"),
        ({"headers": [{"key": "X", "value": "{{"}]}, "headers"),
        ({"queryParameters": [{"key": "{{}}", "value": "x"}]}, "query"),
        ({"url": "https://example.org/{{/x}}"}, "url"),
    ],
)
def test_a_template_that_cannot_be_read_is_refused(
    telling: Checkly, receiver: Receiver, config: dict[str, Any], field: str
) -> None:
    body = {"type": "WEBHOOK", "config": {"name": "hook", "url": "https://example.org/", **config}}
    found = telling.refused("POST", "/v1/alert-channels", body)
    assert found.status == 400
    assert field in found.json["message"]
    assert "cannot be read as a template" in found.json["message"]
    assert telling.get("/v1/alert-channels") == []
