"""Server and receiver are killed again and again: each incident is told, none of its notices left out, each by its key."""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.receiver import Receiver
from support.server import Server

ROUNDS = 12
MONITORS = 6
QUICK = {
    "TOCSIN_OUTGOING__ALLOWED_NETWORKS": "127.0.0.0/8",
    "TOCSIN_NOTIFY__BACKOFF_SECONDS": "0.02",
    "TOCSIN_NOTIFY__BACKOFF_MAX_SECONDS": "0.2",
    "TOCSIN_NOTIFY__RETRIES": "1000",
    "TOCSIN_NOTIFY__GROUP_FROM": "5",
}
PATIENCE_S = 60.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    made.start()
    yield made
    made.die()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_incident_is_told_whoever_dies(new_server: Callable[..., Server], receiver: Receiver) -> None:
    server = new_server(environment=QUICK)
    server.start()
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    server.call("PATCH", "/v1/projects/-/notificationLists/default", {"destinations": [receiver.destination]})
    monitors = [f"job-{number}" for number in range(MONITORS)]
    for monitor in monitors:
        server.create_monitor(monitor, tolerance={"maxRuntime": "0s"})
    for number in range(ROUNDS):
        for monitor in chance.sample(monitors, k=chance.randint(1, MONITORS)):
            report(server, f"{monitor}/fail")
            if chance.random() < 0.7:
                report(server, monitor)
        receiver.statuses += chance.choices([200, 503, 429], k=2)
        time.sleep(chance.uniform(0, 0.15))  # a random moment is the point
        if number % 3 == 1:
            receiver.die()
        server.kill()
        if number % 3 == 2:
            receiver.start()
        server.start()
    receiver.die()
    receiver.start()
    for monitor in monitors:
        report(server, monitor)
    incidents = all_of(server, "/v1/projects/-/incidents?", "incidents")
    assert len(incidents) > ROUNDS
    wanted = {(incident["name"], sequence) for incident in incidents for sequence in (1, 2)}
    wait_until(lambda: wanted <= {(one["incident"], one["sequence"]) for one in receiver.notices})
    wait_until(lambda: not server.get("/v1/projects/-/notices?states=STATE_PENDING")["notices"])
    judge(receiver.notices, wanted)
    stored = all_of(server, "/v1/projects/-/notices?", "notices")
    assert {(one["incident"], one["sequence"]) for one in stored} == wanted
    assert len(stored) == len(wanted), "a notice is stored twice"
    assert {one["state"] for one in stored} == {"STATE_SENT"}
    print(len(receiver.notices), "notices came of", len(wanted), "in", len(receiver.requests), "requests")


def judge(notices: list[dict[str, Any]], wanted: set[tuple[str, int]]) -> None:
    keys: dict[tuple[str, int], set[str]] = defaultdict(set)
    first: dict[str, list[int]] = defaultdict(list)
    for one in notices:
        keys[one["incident"], one["sequence"]].add(one["idempotency_key"])
        assert one["type"] == {1: "ALERT", 2: "RECOVERY"}[one["sequence"]]
        if one["sequence"] not in first[one["incident"]]:
            first[one["incident"]].append(one["sequence"])
    assert set(keys) == wanted
    assert all(len(found) == 1 for found in keys.values()), "one notice has two keys"
    assert len(set.union(*keys.values())) == len(keys), "two notices share a key"
    assert all(order == [1, 2] for order in first.values()), "a recovery came before its alert"


def report(server: Server, path: str) -> None:
    status, _, content = server.request("POST", f"/report/{path}", key=server.ingest_key)
    assert status == 200, content


def all_of(server: Server, path: str, field: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        page = server.get(f"{path}pageSize=1000&pageToken={token}")
        found += page[field]
        token = page["nextPageToken"]
        if not token:
            return found


def wait_until(reached: Callable[[], bool]) -> None:
    """Looks again and again, in short steps and not for ever."""
    end = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)
