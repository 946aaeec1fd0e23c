"""A real server and a job that is dead: told after so many misses or so much time, reminded, and of its recovery."""

from collections.abc import Callable, Iterator

import pytest

from support.receiver import Receiver
from support.server import Server

SETTINGS = {"TOCSIN_OUTGOING__ALLOWED_NETWORKS": "127.0.0.0/8"}
TICKS = {"schedules": [{"rolling": {"period": "1s"}}], "tolerance": {"margin": "1s"}, "kind": "KIND_HEARTBEAT"}


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
    server.call("PATCH", "/v1/projects/-/notificationLists/default", {"destinations": [receiver.destination]})
    return server


def beat(server: Server, monitor: str) -> None:
    assert server.request("POST", f"/report/{monitor}", key=server.ingest_key)[0] == 200


def incidents(server: Server, monitor: str) -> str:
    """Where those of a monitor are listed, newest first."""
    return f"/v1/projects/-/incidents?monitor={server.monitor_path(monitor).removeprefix('/v1/')}"


def said(receiver: Receiver) -> list[tuple[str, int, bool]]:
    return [(one["type"], one["sequence"], one["reminder"]) for one in receiver.notices]


def test_after_so_many_misses_and_once(telling: Server, receiver: Receiver) -> None:
    telling.create_monitor("dead", **TICKS, alertPolicy={"escalation": {"failureThreshold": 3}})
    beat(telling, "dead")
    receiver.wait(1)
    assert telling.get(incidents(telling, "dead"))["incidents"][0]["failureCount"] >= 3
    telling.until(f"{telling.monitor_path('dead')}/checkIns?states=STATE_MISSED", "checkIns", 5)
    beat(telling, "dead")
    receiver.wait(2)
    assert said(receiver) == [("ALERT", 1, False), ("RECOVERY", 2, False)]


def test_what_recovers_in_time_is_never_told(telling: Server, receiver: Receiver) -> None:
    telling.create_monitor("late", **TICKS, alertPolicy={"escalation": {"failureThreshold": 50}})
    telling.create_monitor("dead", **TICKS)
    beat(telling, "late")
    telling.until(incidents(telling, "late"), "incidents")
    beat(telling, "late")
    beat(telling, "dead")
    receiver.wait(1)
    assert [one["id"] for one in receiver.notices] == ["dead"]


def test_after_a_while_and_again(telling: Server, receiver: Receiver) -> None:
    escalation = {"delay": "2s", "repeatInterval": "1s", "repeatLimit": 3}
    telling.create_monitor("dead", **TICKS, alertPolicy={"escalation": escalation})
    beat(telling, "dead")
    receiver.wait(3)
    telling.until("/v1/projects/-/notices?states=STATE_SENT", "notices", 3)  # what was not written down is sent again
    telling.kill()
    telling.start()
    beat(telling, "dead")
    receiver.wait(4)
    assert said(receiver) == [
        *(("ALERT", 1, False), ("ALERT", 2, True), ("ALERT", 3, True)),
        ("RECOVERY", 4, False),
    ]
