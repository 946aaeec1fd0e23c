"""Alert channels of Checkly's API: every type, partial changes, subscriptions, what is refused."""

import pytest

from support.checkly import Checkly, fixture
from support.readers import reader_key
from support.server import Server

CONFIGS = {
    "EMAIL": {"address": "ops@example.invalid"},
    "SLACK": {"url": "https://hooks.slack.invalid/services/T0/B0/xyz", "channel": "#ops"},
    "SLACK_APP": {"slackChannels": ["#ops", "#dev"]},
    "WEBHOOK": {
        "name": "hook",
        "url": "https://hook.invalid/x",
        "method": "PUT",
        "template": '{"t":"{{ALERT_TITLE}}"}',
        "headers": [{"key": "X-A", "value": "b", "locked": True}],
        "queryParameters": [{"key": "q", "value": "1", "locked": False}],
        "webhookSecret": "s3cret",
        "webhookType": "WEBHOOK_MSTEAMS",
    },
    "SMS": {"number": "+15550001111", "name": "on-call"},
    "CALL": {"number": "+15550001111", "name": "on-call"},
    "PAGERDUTY": {"account": "acc", "serviceName": "svc", "serviceKey": "pd-key"},
    "OPSGENIE": {"name": "og", "apiKey": "og-key", "region": "EU", "priority": "P1"},
}
SHAPE = {
    *("id", "type", "config", "subscriptions", "sendRecovery", "sendFailure", "sendDegraded", "sslExpiry"),
    *("sslExpiryThreshold", "autoSubscribe", "created_at", "updated_at", "projectBindings"),
}
PATH = "/v1/alert-channels"


@pytest.fixture
def checkly(server: Server) -> Checkly:
    return Checkly(server)


def make(checkly: Checkly, type: str = "EMAIL", **fields):
    return checkly.ask("POST", PATH, {"type": type, "config": CONFIGS[type], **fields}, status=201)


@pytest.mark.parametrize("type", CONFIGS)
def test_each_type_comes_back_as_it_was_sent(checkly: Checkly, type: str) -> None:
    made = make(checkly, type)
    assert made.keys() == SHAPE
    assert (made["type"], made["config"]) == (type, CONFIGS[type])
    assert isinstance(made["id"], int)
    defaults = (True, True, False, False, 30, False)
    names = ("sendRecovery", "sendFailure", "sendDegraded", "sslExpiry", "sslExpiryThreshold", "autoSubscribe")
    assert tuple(made[name] for name in names) == defaults
    assert (made["subscriptions"], made["updated_at"]) == ([], None)
    path = f"{PATH}/{made['id']}"
    assert checkly.get(path) == made
    assert checkly.ask("PUT", path, {"type": type, "config": CONFIGS[type]}) == made  # which changes nothing
    assert checkly.call("DELETE", path).status == 204
    assert checkly.refused("GET", path).status == 404
    assert checkly.refused("DELETE", path).status == 404


def test_what_a_change_does_not_say_stays(checkly: Checkly) -> None:
    made = make(checkly, "WEBHOOK", sendDegraded=True, sslExpiry=True, sslExpiryThreshold=7, autoSubscribe=True)
    path = f"{PATH}/{made['id']}"
    changed = checkly.ask("PUT", path, {"sendRecovery": False})
    assert changed == {**made, "sendRecovery": False, "updated_at": changed["updated_at"]}
    assert changed["updated_at"] is not None
    config = {"url": "https://hook.invalid/y"}
    assert checkly.ask("PUT", path, {"config": config})["config"] == {
        **config,
        "name": "",
        "method": "POST",
        "template": None,
        "headers": [],
        "queryParameters": [],
        "webhookSecret": None,
        "webhookType": None,
    }
    assert checkly.ask("PUT", path, {"type": "EMAIL", "config": CONFIGS["EMAIL"]})["config"] == CONFIGS["EMAIL"]


def test_the_bodies_of_the_go_sdk(checkly: Checkly) -> None:
    bodies = [one["body"] for one in fixture("go-sdk-heartbeat")["requests"] if one["path"] == PATH]
    assert len(bodies) == 2
    for body in bodies:
        body = {**body, "sendDegraded": None, "autoSubscribe": None}
        made = checkly.ask("POST", PATH, body, status=201)
        assert made["id"] > 0
        assert {name: made["config"][name] for name in body["config"]} == body["config"]


def test_many_change_one_at_once(checkly: Checkly) -> None:
    """Each another part of it: none is lost."""
    said = {"sendDegraded": True, "sslExpiry": True, "sslExpiryThreshold": 7, "sendRecovery": False}
    for _ in range(5):
        made = make(checkly)
        path = f"{PATH}/{made['id']}"
        checkly.put_apart(path, said)
        found = checkly.get(path)
        assert found == {**made, **said, "updated_at": found["updated_at"]}


def test_pages(checkly: Checkly) -> None:
    ids = [make(checkly)["id"] for _ in range(3)]
    answer = checkly.call("GET", f"{PATH}?limit=2&page=1")
    total = int(answer.headers["content-range"].partition("/")[2])
    assert total >= 3
    assert answer.headers["content-range"] == f"0-1/{total}"
    every = [one["id"] for page in range(1, total // 2 + 2) for one in checkly.get(f"{PATH}?limit=2&page={page}")]
    assert every == sorted(every)
    assert set(ids) <= set(every)
    for query in ("limit=0", "limit=101", "page=0", "limit=x"):
        assert checkly.refused("GET", f"{PATH}?{query}").status == 400


def test_secrets_are_for_keys_that_may_write(checkly: Checkly, server: Server) -> None:
    hook, pager = make(checkly, "WEBHOOK"), make(checkly, "PAGERDUTY")
    reader = Checkly(server, reader_key(server))
    shown = reader.get(f"{PATH}/{hook['id']}")["config"]
    assert (shown["webhookSecret"], shown["headers"][0]["value"]) == ("***", "***")
    assert reader.get(f"{PATH}/{pager['id']}")["config"]["serviceKey"] == "***"
    slack = make(checkly, "SLACK")
    assert reader.get(f"{PATH}/{slack['id']}")["config"] == {"url": "***", "channel": "#ops"}
    pairs = [{"key": "q", "value": "hush", "locked": True}, {"key": "r", "value": "open", "locked": False}]
    locked = make(checkly, "WEBHOOK", config={**CONFIGS["WEBHOOK"], "queryParameters": pairs})
    shown = [{**pairs[0], "value": "***"}, pairs[1]]
    assert reader.get(f"{PATH}/{locked['id']}")["config"]["queryParameters"] == shown
    said = [{"alertChannelId": one["id"], "activated": True} for one in (slack, locked)]
    check = checkly.create(name="with secrets", alertChannelSubscriptions=said)["id"]
    for who, url, parameters in ((checkly, CONFIGS["SLACK"]["url"], pairs), (reader, "***", shown)):
        found = who.get(f"/v1/checks/{check}")["alertChannels"]
        assert found["slack"] == [{"url": url}]
        assert found["webhook"][0]["queryParameters"] == parameters
    assert reader.refused("PUT", f"{PATH}/{hook['id']}", {}).status == 403
    assert reader.refused("POST", PATH, {"type": "EMAIL", "config": CONFIGS["EMAIL"]}).status == 403


def test_subscriptions(checkly: Checkly) -> None:
    channel = make(checkly)["id"]
    group = checkly.ask("POST", "/v1/check-groups?autoAssignAlerts=false", {"name": "g"}, status=201)["id"]
    path = f"{PATH}/{channel}/subscriptions"
    made = checkly.ask("PUT", path, {"groupId": group, "activated": True})
    assert made == {"id": made["id"], "checkId": None, "groupId": group, "activated": True}
    again = checkly.ask("PUT", path, {"groupId": group, "activated": False})
    assert again == {**made, "activated": False}
    assert checkly.get(f"{PATH}/{channel}")["subscriptions"] == [again]
    for body in (
        {"activated": True},
        {"groupId": group},
        {"groupId": group, "checkId": "d432cf89-010b-4b12-8150-958c8eb1d5ca", "activated": True},
        {"groupId": group + 1000, "activated": True},
        {"checkId": "d432cf89-010b-4b12-8150-958c8eb1d5ca", "activated": True},
        {"checkId": "x", "activated": True},
        {"groupId": group, "activated": "yes"},
    ):
        assert checkly.refused("PUT", path, body).status == 400
    assert checkly.refused("PUT", f"{PATH}/999999/subscriptions", {"groupId": group, "activated": True}).status == 404
    assert checkly.call("DELETE", f"{PATH}/{channel}").status == 204
    assert checkly.get(f"/v1/check-groups/{group}")["alertChannelSubscriptions"] == []


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "type"),
        ({"type": "PIGEON", "config": {}}, "type"),
        ({"type": "email", "config": {"address": "a@b"}}, "type"),
        ({"type": "EMAIL"}, "config"),
        ({"type": "EMAIL", "config": []}, "config"),
        ({"type": "EMAIL", "config": {}}, "config.address"),
        ({"type": "EMAIL", "config": {"address": "nobody"}}, "config.address"),
        ({"type": "SLACK", "config": {"url": "hooks"}}, "config.url"),
        ({"type": "SLACK_APP", "config": {"slackChannels": []}}, "config.slackChannels"),
        ({"type": "WEBHOOK", "config": {"name": "x"}}, "config.url"),
        ({"type": "WEBHOOK", "config": {"url": "ftp://x/"}}, "config.url"),
        ({"type": "WEBHOOK", "config": {"url": "https://x/", "method": "TRACE"}}, "config.method"),
        ({"type": "WEBHOOK", "config": {"url": "https://x/", "webhookType": "WEBHOOK_FAX"}}, "config.webhookType"),
        ({"type": "WEBHOOK", "config": {"url": "https://x/", "headers": [{"value": "b"}]}}, "config.headers[0].key"),
        ({"type": "WEBHOOK", "config": {"url": "https://x/", "headers": {"a": "b"}}}, "config.headers"),
        ({"type": "WEBHOOK", "config": {"url": "https://x/", "template": "{{#if"}}, "config.template"),
        ({"type": "WEBHOOK", "config": {"url": "https://x/{{"}}, "config.url"),
        (
            {"type": "WEBHOOK", "config": {"url": "https://x/", "queryParameters": [{"key": "{{", "value": ""}]}},
            "config.queryParameters[0].key",
        ),
        (
            {"type": "WEBHOOK", "config": {"url": "https://x/", "headers": [{"key": "Host", "value": "y"}]}},
            "config.headers[0].key",
        ),
        (
            {
                "type": "WEBHOOK",
                "config": {"url": "https://x/", "headers": [{"key": "A", "value": "***", "locked": True}]},
            },
            "config.headers[0].value",
        ),
        ({"type": "WEBHOOK", "config": {"url": "https://x/", "webhookSecret": "***"}}, "config.webhookSecret"),
        ({"type": "WEBHOOK", "config": {"url": "https://x/", "webhookSecret": "a\0b"}}, "config.webhookSecret"),
        ({"type": "PAGERDUTY", "config": {"serviceKey": "***"}}, "config.serviceKey"),
        ({"type": "OPSGENIE", "config": {"name": "x", "apiKey": "***"}}, "config.apiKey"),
        ({"type": "SLACK_APP", "config": {"slackChannels": ["a\0"]}}, "config.slackChannels[0]"),
        ({"type": "SMS", "config": {"number": "5550001111"}}, "config.number"),
        ({"type": "CALL", "config": {"name": "x"}}, "config.number"),
        ({"type": "PAGERDUTY", "config": {"account": "x"}}, "config.serviceKey"),
        ({"type": "OPSGENIE", "config": {"name": "x", "apiKey": "k", "region": "AP"}}, "config.region"),
        ({"type": "OPSGENIE", "config": {"name": "x", "apiKey": "k", "priority": "P9"}}, "config.priority"),
        ({"type": "EMAIL", "config": {"address": "a@b"}, "sendFailure": "no"}, "sendFailure"),
        ({"type": "EMAIL", "config": {"address": "a@b"}, "sslExpiryThreshold": 31}, "sslExpiryThreshold"),
        ({"type": "EMAIL", "config": {"address": "a@b"}, "sslExpiryThreshold": 1.5}, "sslExpiryThreshold"),
    ],
)
def test_what_is_refused_is_named(checkly: Checkly, body, named: str) -> None:
    answer = checkly.refused("POST", PATH, body)
    assert answer.status == 400
    assert answer.json["validation"] == {"source": "payload", "keys": [named]}
    assert named in answer.json["message"]
    assert "none of ," not in answer.json["message"]


def test_ids_that_are_none(checkly: Checkly) -> None:
    for bad in ("0", "-1", "x", "1.5", "9" * 30):
        assert checkly.refused("GET", f"{PATH}/{bad}").status == 400
    assert checkly.refused("PUT", f"{PATH}/99999", {"sendFailure": False}).status == 404
