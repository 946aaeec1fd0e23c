"""What Checkly's API tells of alerts: one row for each, and one notification for each channel."""

import time
from collections.abc import Callable, Iterator

import pytest

from support.checkly import Checkly
from support.receiver import Receiver
from support.server import Server

SETTINGS = {"TOCSIN_OUTGOING__ALLOWED_NETWORKS": "127.0.0.0/8"}
ALERT = {
    *("id", "name", "checkId", "alertType", "checkType", "runLocation", "responseTime", "error", "statusCode"),
    *("created_at", "startedAt"),
}
NOTIFICATION = {
    *("id", "type", "status", "alertConfig", "notificationResult", "timestamp", "checkType", "checkId"),
    *("checkAlertId", "alertChannelId", "checkResultId"),
}


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


def report(checkly: Checkly, path: str) -> None:
    assert checkly.server.request("POST", f"/report/{path}", key=checkly.server.ingest_key)[0] == 200


def email(checkly: Checkly, **fields) -> int:
    """A channel that nothing here delivers to: what it is told is in the log at once."""
    body = {"type": "EMAIL", "config": {"address": "ops@example.invalid"}, **fields}
    return checkly.ask("POST", "/v1/alert-channels", body, status=201)["id"]


def told(checkly: Checkly, count: int) -> list[tuple[str, str]]:
    """Name and kind of all alerts, oldest first, once there are so many."""
    until = time.monotonic() + 20
    while len(found := checkly.get("/v1/check-alerts?limit=100")) < count:
        assert time.monotonic() < until, found
    return [(one["name"], one["alertType"]) for one in reversed(found)]


def test_a_group_that_is_muted_and_a_window_that_silences_its_tags(telling: Checkly) -> None:
    mine = [{"alertChannelId": email(telling), "activated": True}]

    def group(**fields) -> int:
        path = "/v1/check-groups?autoAssignAlerts=false"
        body = {"name": "g", "alertChannelSubscriptions": mine, **fields}
        return telling.ask("POST", path, body, status=201)["id"]

    now = time.time()
    window = {
        "name": "now",
        "startsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 60)),
        "endsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 3600)),
        "silenceAlertsTags": ["hush"],
    }
    telling.ask("POST", "/v1/maintenance-windows", window, status=201)
    muted, silent, heard = group(muted=True), group(tags=["hush"]), group()
    for name, number in (("muted", muted), ("silent", silent), ("heard", heard)):
        telling.create(name=name, groupId=number)
        report(telling, f"{name}/fail")
    assert told(telling, 1) == [("heard", "ALERT_FAILURE")]
    telling.ask("PUT", f"/v1/check-groups/{muted}", {"muted": False})
    for name in ("muted", "silent", "heard"):
        report(telling, name)
    assert ("heard", "ALERT_RECOVERY") in told(telling, 2)
    assert {name for name, _ in told(telling, 2)} == {
        "heard"
    }  # of an outage that nobody was told of, nobody hears the end


def test_what_a_channel_wants_to_hear(telling: Checkly) -> None:
    wants = {"both": {}, "ends": {"sendFailure": False}, "begins": {"sendRecovery": False}}
    numbers = {name: email(telling, **flags) for name, flags in wants.items()}
    mine = [{"alertChannelId": number, "activated": True} for number in numbers.values()]
    telling.create(name="job", alertChannelSubscriptions=mine)
    report(telling, "job/fail")
    told(telling, 1)
    report(telling, "job")
    told(telling, 2)
    log = telling.get("/v1/alert-notifications")
    alerts = {one["id"]: one["alertType"] for one in telling.get("/v1/check-alerts")}
    heard = {
        name: {alerts[one["checkAlertId"]] for one in log if one["alertChannelId"] == number}
        for name, number in numbers.items()
    }
    assert heard == {
        "both": {"ALERT_FAILURE", "ALERT_RECOVERY"},
        "ends": {"ALERT_RECOVERY"},
        "begins": {"ALERT_FAILURE"},
    }


def test_an_outage_and_its_end(telling: Checkly, receiver: Receiver) -> None:
    url = receiver.destination.partition(":")[2]
    hook = telling.ask(
        "POST",
        "/v1/alert-channels",
        {"type": "WEBHOOK", "config": {"name": "hook", "url": url, "webhookSecret": "s3cret"}},
        status=201,
    )["id"]
    sms = telling.ask("POST", "/v1/alert-channels", {"type": "SMS", "config": {"number": "+15550001111"}}, status=201)[
        "id"
    ]
    told = [{"alertChannelId": hook, "activated": True}, {"alertChannelId": sms, "activated": True}]
    check = telling.create(name="nightly", alertChannelSubscriptions=told)
    quiet = telling.create(name="quiet")
    report(telling, "nightly/fail")
    until = time.monotonic() + 20
    while len(telling.get("/v1/alert-notifications")) < 2 and time.monotonic() < until:
        pass
    report(telling, "nightly")
    while len(found := telling.get("/v1/alert-notifications")) < 4 or any(
        one["status"] == "IN_PROGRESS" for one in found
    ):
        assert time.monotonic() < until, found
    alerts = telling.get("/v1/check-alerts")
    assert [one["alertType"] for one in alerts] == ["ALERT_RECOVERY", "ALERT_FAILURE"]
    for one in alerts:
        assert one.keys() == ALERT
        assert (one["checkId"], one["name"], one["checkType"]) == (check["id"], "nightly", "HEARTBEAT")
        assert (one["runLocation"], one["responseTime"], one["error"], one["statusCode"]) == ("", 0, None, None)
    assert telling.get(f"/v1/check-alerts/{check['id']}") == alerts
    assert telling.get(f"/v1/check-alerts/{quiet['id']}") == []
    for one in found:
        assert one.keys() == NOTIFICATION
        assert one["checkAlertId"] in {alert["id"] for alert in alerts}
    by_channel = {number: [one for one in found if one["alertChannelId"] == number] for number in (hook, sms)}
    assert [one["status"] for one in by_channel[hook]] == ["SUCCESS", "SUCCESS"]
    assert by_channel[hook][0]["alertConfig"]["webhookSecret"] == "***"
    assert [(one["type"], one["status"]) for one in by_channel[sms]] == [("SMS", "FAILURE")] * 2
    assert by_channel[sms][0]["notificationResult"]
    only = telling.get(f"/v1/alert-notifications?alertChannelId={sms}")
    assert only == by_channel[sms]
    assert telling.get("/v1/alert-notifications?hasFailures=true") == by_channel[sms]
    assert telling.get("/v1/alert-notifications?hasFailures=false") == by_channel[hook]
    page = telling.call("GET", "/v1/alert-notifications?limit=3&page=2")
    assert (page.headers["content-range"], page.json) == ("3-3/4", found[3:])
    now = int(time.time())
    assert telling.get(f"/v1/check-alerts?to={now - 60}") == []
    assert telling.get(f"/v1/check-alerts?from={now - 3600}&to={now + 3600}") == alerts
    assert telling.get(f"/v1/check-alerts?from={now + 60}") == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("check-alerts", "from=0&to=21601"),
        ("check-alerts", "from=100&to=50"),
        ("check-alerts", "from=x"),
        ("check-alerts", "limit=101"),
        ("check-alerts/x", ""),
        ("alert-notifications", "from=0&to=86401"),
        ("alert-notifications", "alertChannelId=x"),
        ("alert-notifications", "hasFailures=perhaps"),
        ("alert-notifications", "page=0"),
    ],
)
def test_what_is_refused(server: Server, path: str, query: str) -> None:
    assert Checkly(server).refused("GET", f"/v1/{path}?{query}").status == 400


def test_a_check_that_is_not_there(server: Server) -> None:
    path = "/v1/check-alerts/d432cf89-010b-4b12-8150-958c8eb1d5ca"
    assert Checkly(server).refused("GET", path).status == 404
