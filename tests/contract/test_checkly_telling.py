"""Alert settings of checks, groups and the account, from Checkly's API to what a receiver of webhooks hears."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.checkly import Checkly
from support.receiver import Receiver
from support.server import Server

SETTINGS = {"TOCSIN_OUTGOING__ALLOWED_NETWORKS": "127.0.0.0/8"}
# A period of Checkly's is half a minute at least: tests do not wait so long.
TICKS = {"schedules": [{"rolling": {"period": "1s"}}], "tolerance": {"margin": "1s"}}
RUNS: dict[str, Any] = {"escalationType": "RUN_BASED", "runBasedEscalation": {"failedRunThreshold": 2}}
MINUTES: dict[str, Any] = {"escalationType": "TIME_BASED", "timeBasedEscalation": {"minutesFailingThreshold": 30}}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    made.start()
    yield made
    made.die()


@pytest.fixture
def checkly(new_server: Callable[..., Server]) -> Checkly:
    server = new_server(environment=SETTINGS)
    server.start()
    return Checkly(server)


def channel(checkly: Checkly, receiver: Receiver, **fields: Any) -> dict[str, Any]:
    """A subscription to a webhook."""
    config = {"name": "hook", "url": receiver.destination.partition(":")[2], "method": "POST"}
    made = checkly.ask("POST", "/v1/alert-channels", {"type": "WEBHOOK", "config": config, **fields}, status=201)
    return {"alertChannelId": made["id"], "activated": True}


def dead(checkly: Checkly, name: str, **fields: Any) -> dict[str, Any]:
    """A check that was pinged once and fails every two seconds."""
    made = checkly.create(name=name, **fields)
    checkly.server.call("PATCH", f"{checkly.server.monitor_path(name)}?updateMask=schedules,tolerance.margin", TICKS)
    ping(checkly, made)
    return made


def ping(checkly: Checkly, check: dict[str, Any]) -> None:
    assert checkly.server.request("GET", f"/ping/{check['heartbeat']['pingToken']}", key="")[0] == 200


def said(receiver: Receiver) -> list[tuple[str, str]]:
    return [(one["CHECK_NAME"], one["ALERT_TYPE"]) for one in receiver.notices]


def test_the_second_failure_is_told_and_the_recovery(checkly: Checkly, receiver: Receiver) -> None:
    mine = [channel(checkly, receiver)]
    own = {"useGlobalAlertSettings": False, "alertChannelSubscriptions": mine}
    check = dead(checkly, "runs", alertSettings=RUNS, **own)
    dead(checkly, "minutes", alertSettings=MINUTES, **own)
    receiver.wait(1)
    ping(checkly, check)
    receiver.wait(2)
    assert said(receiver) == [("runs", "ALERT_FAILURE_REMAIN"), ("runs", "ALERT_RECOVERY")]
    alerts = checkly.get("/v1/check-alerts")
    assert [row["alertType"] for row in alerts] == ["ALERT_RECOVERY", "ALERT_FAILURE_REMAIN"]
    assert {row["checkId"] for row in alerts} == {check["id"]}


def test_a_group_decides_and_its_channels_hear_once(checkly: Checkly, receiver: Receiver) -> None:
    mine = [channel(checkly, receiver)]
    path = "/v1/check-groups?autoAssignAlerts=false"
    body = {"name": "g", "alertChannelSubscriptions": mine, "useGlobalAlertSettings": False, "alertSettings": MINUTES}
    patient = checkly.ask("POST", path, body, status=201)["id"]
    eager = checkly.ask("POST", path, {**body, "name": "e", "alertSettings": {}}, status=201)["id"]
    own = {"useGlobalAlertSettings": False, "alertChannelSubscriptions": mine}
    dead(checkly, "patient", groupId=patient, alertSettings={}, **own)
    check = dead(checkly, "eager", groupId=eager, alertSettings=MINUTES, **own)
    receiver.wait(1)
    ping(checkly, check)
    receiver.wait(2)
    assert said(receiver) == [("eager", "ALERT_FAILURE"), ("eager", "ALERT_RECOVERY")]


def test_the_account_decides_for_those_that_leave_it_to_it(checkly: Checkly, receiver: Receiver) -> None:
    mine = [channel(checkly, receiver)]
    body = {"escalation": {"failureThreshold": 1, "delay": "1800s"}}
    checkly.server.call("PATCH", "/v1/projects/-/settings", body)
    dead(checkly, "account", useGlobalAlertSettings=True, alertSettings={}, alertChannelSubscriptions=mine)
    dead(checkly, "own", useGlobalAlertSettings=False, alertSettings={}, alertChannelSubscriptions=mine)
    receiver.wait(1)
    assert said(receiver) == [("own", "ALERT_FAILURE")]
    checkly.server.call("PATCH", "/v1/projects/-/settings?updateMask=escalation", {})
    receiver.wait(2)
    assert said(receiver)[1:] == [("account", "ALERT_FAILURE")]


def test_a_check_that_is_switched_off_or_muted_is_not_told(checkly: Checkly, receiver: Receiver) -> None:
    mine = {"alertChannelSubscriptions": [channel(checkly, receiver)], "useGlobalAlertSettings": False}
    off = dead(checkly, "off", **mine)
    receiver.wait(1)
    checkly.ask("PUT", f"/v1/checks/heartbeat/{off['id']}", {"activated": False})
    muted = dead(checkly, "muted", muted=True, **mine)
    other = dead(checkly, "other", **mine)
    receiver.wait(2)
    checkly.ask("PUT", f"/v1/checks/heartbeat/{muted['id']}", {"muted": False})
    for check in (muted, other):
        ping(checkly, check)
    receiver.wait(3)
    assert said(receiver) == [("off", "ALERT_FAILURE"), ("other", "ALERT_FAILURE"), ("other", "ALERT_RECOVERY")]


def test_channels_hear_what_they_want(checkly: Checkly, receiver: Receiver) -> None:
    bad, good = channel(checkly, receiver, sendRecovery=False), channel(checkly, receiver, sendFailure=False)
    check = dead(checkly, "job", alertChannelSubscriptions=[bad, good], useGlobalAlertSettings=False)
    receiver.wait(1)
    ping(checkly, check)
    receiver.wait(2)
    assert said(receiver) == [("job", "ALERT_FAILURE"), ("job", "ALERT_RECOVERY")]
    logged = checkly.get("/v1/alert-notifications")
    assert [row["alertChannelId"] for row in logged] == [good["alertChannelId"], bad["alertChannelId"]]
