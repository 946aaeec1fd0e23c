"""kill -9 under load, again and again: nothing acknowledged is lost or doubled, nothing is judged twice, no miss invented."""

import http.client
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime

import pytest

from support.server import Server

ROUNDS = 50
SPOOLERS = 4


class Load(threading.Thread):
    """Sends check-ins with ids of its own and remembers which were acknowledged, until told to stop."""

    def __init__(self, server: Server, key: str, number: int) -> None:
        super().__init__()
        self.server, self.key, self.number = server, key, number
        self.acknowledged: list[str] = []
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                self._send_until_broken()
            except (OSError, http.client.HTTPException):
                self.stop.wait(0.01)  # the server is being killed

    def _send_until_broken(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.http_port, timeout=20)
        try:
            while not self.stop.is_set():
                run = uuid.uuid4().hex
                connection.request("POST", f"/report/load-{self.number}?run={run}", headers={"X-API-Key": self.key})
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    self.acknowledged.append(run)
        finally:
            connection.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_kills_lose_nothing_and_invent_nothing(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    admin, ingest = server.admin_key, server.ingest_key
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    for number in range(SPOOLERS):
        server.create_monitor(f"load-{number}", tolerance={"maxRuntime": "0s"})
    # Far from any deadline, and with a deadline every two seconds: the one must not move, the other not turn into a miss.
    server.create_monitor("yearly", schedules=[{"interval": {"count": 1, "unit": "UNIT_YEAR"}}])
    server.create_monitor(
        "busy",
        schedules=[{"interval": {"count": 2, "unit": "UNIT_SECOND"}}],
        tolerance={"margin": "0s", "maxRuntime": "0s"},
    )
    server.request("POST", f"/report/yearly?key={ingest}", key="")
    deadline_before = health(server, "yearly")["deadlineTime"]
    loads = [Load(server, ingest, number) for number in range(SPOOLERS)]
    for load in loads:
        load.start()
    try:
        for _ in range(ROUNDS):
            server.request("POST", f"/report/busy?key={ingest}", key="")
            time.sleep(chance.uniform(0.02, 0.4))  # a random moment is the point
            server.kill()
            server.start()
            assert server.admin_key == admin
    finally:
        for load in loads:
            load.stop.set()
        for load in loads:
            load.join()
    assert health(server, "yearly")["deadlineTime"] == deadline_before
    for load in loads:
        stored = Counter(run["uid"] for run in server.check_ins(f"load-{load.number}"))
        assert stored and max(stored.values()) == 1, "a check-in is stored twice"
        lost = set(load.acknowledged) - set(stored)
        assert not lost, f"{len(lost)} acknowledged check-ins are lost"
    sent = sum(len(load.acknowledged) for load in loads)
    assert sent > ROUNDS
    judge_busy(server)
    print(f"{sent} acknowledged check-ins over {ROUNDS} kills")


def judge_busy(server: Server) -> None:
    """Each slot was judged at most once, and none was called missed whose window overlaps an outage."""
    outages = [
        (seconds(outage["startTime"]), seconds(outage["endTime"]))
        for outage in pages(server, "/v1/outages?showShort=true", "outages")
    ]
    assert len(outages) >= ROUNDS
    runs = server.check_ins("busy")
    slots = Counter(run["expectedTime"] for run in runs if run["state"] in ("STATE_MISSED", "STATE_UNKNOWN"))
    assert not slots or max(slots.values()) == 1, "a slot was judged twice"
    for run in runs:
        if run["state"] == "STATE_MISSED":
            slot, deadline = seconds(run["expectedTime"]), seconds(run["updateTime"])
            deaf = [gap for gap in outages if gap[0] < deadline and gap[1] > slot]
            assert not deaf, f"the slot {run['expectedTime']} was called missed although nobody listened in {deaf}"


def pages(server: Server, path: str, field: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    token = ""
    while True:
        page = server.get(f"{path}&pageSize=1000&pageToken={token}")
        found += page.get(field, [])
        token = page.get("nextPageToken", "")
        if not token:
            return found


def health(server: Server, monitor: str) -> dict[str, str]:
    found: dict[str, str] = server.get(server.monitor_path(monitor))["environments"][0]
    return found


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
