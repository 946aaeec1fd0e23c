"""A real server tells a real receiver: what, in which order, when it is muted, and many things at once."""

from collections.abc import Callable, Iterator

import pytest

from support.receiver import Receiver
from support.server import Server

SETTINGS = {"TOCSIN_OUTGOING__ALLOWED_NETWORKS": "127.0.0.0/8", "TOCSIN_NOTIFY__BACKOFF_SECONDS": "0.05"}
FACTS = ("type", "id", "rule", "sequence")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    made.start()
    yield made
    made.die()


@pytest.fixture
def telling(new_server: Callable[..., Server], receiver: Receiver) -> Server:
    server = new_server(environment=SETTINGS)
    server.start()
    server.call("POST", "/v1/projects/-/channels?channelId=ops", {"url": receiver.destination.partition(":")[2]})
    server.call("PATCH", "/v1/projects/-/notificationLists/default", {"destinations": ["webhook:ops"]})
    return server


def said(receiver: Receiver) -> list[tuple[object, ...]]:
    return [tuple(one[name] for name in FACTS) for one in receiver.notices]


def report(server: Server, path: str) -> None:
    assert server.request("POST", f"/report/{path}", key=server.ingest_key)[0] == 200


def test_alert_recovery_and_events(telling: Server, receiver: Receiver) -> None:
    policy = {"channels": ["default"], "events": ["EVENT_RUN", "EVENT_FAIL"]}
    telling.create_monitor("backup", displayName="Backup", alertPolicy=policy)
    report(telling, "backup/start")
    receiver.wait(1)
    report(telling, "backup/fail")
    receiver.wait(3)
    report(telling, "backup")
    receiver.wait(4)
    found = said(receiver)
    assert found[0] == ("EVENT", "backup", "run", 1)
    assert sorted(found[1:3]) == [("ALERT", "backup", "fail", 1), ("EVENT", "backup", "fail", 3)]
    assert found[3] == ("RECOVERY", "backup", "fail", 2)
    assert all(key == body["idempotency_key"] for key, body in receiver.requests)
    alert = next(one for one in receiver.notices if one["type"] == "ALERT")
    assert telling.request("GET", alert["issue_url"].removeprefix(telling.http_url))[0] == 200
    assert telling.request("GET", alert["monitor_url"].removeprefix(telling.http_url))[0] == 200


def test_causes_that_are_kept_apart_are_told_apart(telling: Server, receiver: Receiver) -> None:
    policy = {"separateCauses": True, "assertions": ["metric.rows > 3"], "tolerance": {"alertDelay": "1s"}}
    telling.create_monitor("job", **policy)
    reports = f"{telling.monitor_path('job')}/checkIns:report"
    for kind, rows, count in (("ERROR", 5, 1), ("ERROR", 1, 2), ("OK", 1, 2), ("OK", 9, 3)):
        telling.call("POST", reports, {"kind": f"KIND_{kind}", "checkIn": {"metrics": {"rows": rows}}})
        receiver.wait(count)
    assert said(receiver) == [
        ("ALERT", "job", "fail", 1),
        ("ALERT", "job", "metric.rows > 3", 2),
        ("RECOVERY", "job", "metric.rows > 3", 3),
    ]
    assert receiver.notices[1]["rules"] == ["fail", "metric.rows > 3"]


def test_a_miss_of_many_is_one_request(telling: Server, receiver: Receiver) -> None:
    many = 40
    for number in range(many):
        telling.create_monitor(
            f"m-{number}",
            schedules=[{"interval": {"count": 2, "unit": "UNIT_SECOND"}}],
            tolerance={"margin": "0s"},
            expectFrom="EXPECT_FROM_CREATION",
        )
    notices = receiver.wait(many)
    assert {one["rule"] for one in notices} == {"every 2 seconds"}
    assert len(receiver.requests) < many
    assert any(body.get("grouped") and body["count"] >= 10 for _, body in receiver.requests)


def test_muted_and_unmuted_across_a_restart(telling: Server, receiver: Receiver) -> None:
    telling.create_monitor("job")
    path = telling.monitor_path("job")
    telling.call("POST", f"{path}:mute", {})
    report(telling, "job/fail")
    telling.stop()
    telling.start()
    telling.create_monitor("other")
    report(telling, "other/fail")
    receiver.wait(1)
    telling.call("POST", f"{path}:unmute", {})
    receiver.wait(2)
    assert said(receiver) == [("ALERT", "other", "fail", 1), ("ALERT", "job", "fail", 1)]


def test_what_a_dead_receiver_missed_is_told_when_asked(telling: Server, receiver: Receiver) -> None:
    receiver.die()
    telling.create_monitor("job")
    report(telling, "job/fail")
    (dead,) = telling.until("/v1/projects/-/notices?states=STATE_DEAD", "notices")
    assert dead["attemptCount"] == 4
    receiver.start()
    assert telling.call("POST", "/v1/projects/-/notices:retry", {"names": [dead["name"]]}) == {"retriedCount": 1}
    receiver.wait(1)
    assert receiver.requests[0][0] == dead["idempotencyKey"]
