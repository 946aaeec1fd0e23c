"""kill -9 under load, again and again: nothing acknowledged is lost or doubled, nothing is judged twice, no miss invented."""

import http.client
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import grpc
import pytest

from support.server import Server
from tocsin.client import Client, Retry
from tocsin.v1 import check_in_pb2
from tocsin.v1 import check_in_service_pb2 as pb
from tocsin.v1.check_in_service_pb2_grpc import CheckInServiceStub

ROUNDS = 50
LONG_DEATHS = frozenset(range(7, ROUNDS, 12))  # rounds in which the server stays down until deadlines have passed
LONG_LIVES = frozenset(range(1, ROUNDS, 12))  # rounds in which it lives until a run has timed out
PINGERS = 4
SECOND = 1000
RUNTIME = SECOND  # longest time of a run, in ms
FEW = {"TOCSIN_ENGINE__FLUSH_TRACKS": "1"}  # so that tracks in the database lag far behind the check-ins


class Load(threading.Thread):
    """Sends check-ins with ids of its own and remembers which were acknowledged, until told to stop."""

    def __init__(self, server: Server, key: str, monitor: str) -> None:
        super().__init__()
        self.server, self.key, self.monitor = server, key, monitor
        self.acknowledged: list[str] = []
        self.stop = threading.Event()


class Pings(Load):
    """Over HTTP, one by one, and never again."""

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
                connection.request("POST", f"/report/{self.monitor}?run={run}", headers={"X-API-Key": self.key})
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    self.acknowledged.append(run)
        finally:
            connection.close()


class Batches(Load):
    """BatchCreateCheckIns over gRPC. What was not answered is sent again with the same ids, so nothing may be missing."""

    SIZE = 50

    def run(self) -> None:
        patient = Retry(total=60, attempt=5, first=0.05, most=0.2)
        with (
            Client(self.server.grpc_address, self.key) as client,
            client.batch(size=self.SIZE, linger=0.01, retry=patient) as batcher,
        ):
            while not self.stop.is_set():
                sent = [uuid.uuid4().hex for _ in range(self.SIZE)]
                futures = [batcher.check_in(self.monitor, "ok", check_in_id=one) for one in sent]
                for one, future in zip(sent, futures, strict=True):
                    assert future.result(timeout=90).uid == one
                    self.acknowledged.append(one)


class Fleet(Load):
    """BatchCreateCheckIns over gRPC without ids: whole batches that go from the wire to the disk in columns.

    Of many monitors, so that tracks in the database lag behind what was acknowledged when the server dies.
    """

    SIZE = 60

    def __init__(self, server: Server, key: str, monitor: str) -> None:
        """`monitor` is what the names of the monitors begin with."""
        super().__init__(server, key, monitor)
        self.monitors = [f"{monitor}-{number}" for number in range(self.SIZE)]
        self.of: dict[str, list[str]] = {name: [] for name in self.monitors}

    def run(self) -> None:
        parent = f"projects/{self.server.project_id}/monitors"
        request = pb.BatchCreateCheckInsRequest(parent=f"{parent}/-")
        for name in self.monitors:
            one = request.requests.add(parent=f"{parent}/{name}")
            one.check_in.state = check_in_pb2.CheckIn.STATE_OK
        while not self.stop.is_set():
            try:
                self._send_until_broken(request)
            except grpc.RpcError:
                self.stop.wait(0.01)  # the server is being killed

    def _send_until_broken(self, request: pb.BatchCreateCheckInsRequest) -> None:
        with grpc.insecure_channel(self.server.grpc_address) as channel:
            call = CheckInServiceStub(channel).BatchCreateCheckIns
            while not self.stop.is_set():
                answer = call(request, timeout=20, metadata=(("authorization", f"Bearer {self.key}"),))
                assert not answer.failed_requests
                for name, made in zip(self.monitors, answer.check_ins, strict=True):
                    self.of[name].append(made.uid)
                    self.acknowledged.append(made.uid)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_kills_lose_nothing_and_invent_nothing(new_server: Callable[..., Server]) -> None:
    server = new_server(environment=FEW)
    server.start()
    admin, ingest = server.admin_key, server.ingest_key
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    loads: list[Load] = [Pings(server, ingest, f"load-{number}") for number in range(PINGERS)]
    loads += [Batches(server, ingest, "load-grpc"), Fleet(server, ingest, "fleet")]
    for load in loads:
        create_monitors_of(server, load)
    # Far from any deadline, and with a deadline every two seconds: the one must not move, the other not turn into a miss.
    server.create_monitor("yearly", schedules=[{"interval": {"count": 1, "unit": "UNIT_YEAR"}}])
    server.create_monitor(
        "busy",
        schedules=[{"interval": {"count": 2, "unit": "UNIT_SECOND"}}],
        tolerance={"margin": "0s", "maxRuntime": "0s"},
    )
    server.create_monitor("runs", tolerance={"maxRuntime": f"{RUNTIME // SECOND}s"})
    report(server, "yearly")
    deadline_before = health(server, "yearly")["deadlineTime"]
    runs: list[str] = []  # opened, never ended by us
    for load in loads:
        load.start()
    try:
        for number in range(ROUNDS):
            report(server, "busy")
            runs.append(uuid.uuid4().hex)
            report(server, f"runs/start?run={runs[-1]}")
            if number in LONG_LIVES:
                wait_until(lambda: state_of(server, runs[-1]) != "STATE_IN_PROGRESS")
            passed = max(instant(health(server, "busy")["deadlineTime"]), now() + RUNTIME + SECOND)
            time.sleep(chance.uniform(0.02, 0.4))  # a random moment is the point
            server.kill()
            if number in LONG_DEATHS:
                # Nothing happens at a deadline while the server is dead: there is only the clock to look at.
                while now() <= passed:
                    time.sleep(0.02)
            server.start()
            assert server.admin_key == admin
    finally:
        for load in loads:
            load.stop.set()
        for load in loads:
            load.join()
    assert health(server, "yearly")["deadlineTime"] == deadline_before
    for load in loads:
        judge_load(server, load)
    outages = [
        (instant(outage["startTime"]), instant(outage["endTime"]))
        for outage in pages(server, "/v1/outages?showShort=true", "outages")
    ]
    assert len(outages) >= ROUNDS
    print(Counter(load.monitor for load in loads for _ in load.acknowledged), f"over {ROUNDS} kills")
    judge_busy(server, outages)
    judge_runs(server, outages, runs)


def create_monitors_of(server: Server, load: Load) -> None:
    for monitor in load.monitors if isinstance(load, Fleet) else [load.monitor]:
        server.create_monitor(monitor, tolerance={"maxRuntime": "0s"})


def judge_fleet(server: Server, fleet: Fleet) -> None:
    """As `judge_load`; and what each monitor looks like says the same as its check-ins, whatever came between."""
    assert len(fleet.acknowledged) > ROUNDS
    for monitor, acknowledged in fleet.of.items():
        runs = server.check_ins(monitor)
        stored = [run["uid"] for run in runs]
        assert len(stored) == len(set(stored)), "a check-in is stored twice"
        assert not set(acknowledged) - set(stored), "acknowledged check-ins are lost"
        assert {run["state"] for run in runs} == {"STATE_OK"}
        assert counted(server, monitor, "checkins_total", ',status="ok"') == len(stored)
        assert health(server, monitor)["lastCheckInTime"] == runs[0]["receiveTime"]


def judge_load(server: Server, load: Load) -> None:
    """What was acknowledged is there, all that is there is there once, and it was counted once."""
    if isinstance(load, Fleet):
        judge_fleet(server, load)
        return
    assert len(load.acknowledged) > ROUNDS
    stored = Counter(run["uid"] for run in server.check_ins(load.monitor))
    assert max(stored.values()) == 1, "a check-in is stored twice"
    lost = set(load.acknowledged) - set(stored)
    assert not lost, f"{len(lost)} acknowledged check-ins are lost"
    assert counted(server, load.monitor, "checkins_total", ',status="ok"') == len(stored)
    if isinstance(load, Batches):
        assert len(stored) == len(load.acknowledged), "all that was sent was acknowledged in the end"


def judge_busy(server: Server, outages: list[tuple[int, int]]) -> None:
    """Each slot was judged at most once; none was called missed whose window overlaps an outage, or unknown without."""
    lapsed = [run for run in server.check_ins("busy") if run["state"] in ("STATE_MISSED", "STATE_UNKNOWN")]
    print("slots", Counter(run["state"] for run in lapsed))
    assert max(Counter(run["expectedTime"] for run in lapsed).values()) == 1, "a slot was judged twice"
    swallowed = 0
    for run in lapsed:
        slot, judged = instant(run["expectedTime"]), instant(run["updateTime"])
        if run["state"] == "STATE_MISSED":
            deaf = [gap for gap in outages if gap[0] < judged and gap[1] > slot]
            assert not deaf, f"the slot {run['expectedTime']} was called missed although nobody listened in {deaf}"
        else:
            deadline = ceil_second(slot)
            assert touching(outages, slot, deadline), f"the slot {run['expectedTime']} is unknown without an outage"
            swallowed += inside(outages, deadline)
    assert swallowed, "no slot fell due while the server was down"
    judge_counts(server, "busy", "missed_total", "STATE_MISSED", lapsed)


def judge_runs(server: Server, outages: list[tuple[int, int]], opened: list[str]) -> None:
    """Each run has one final state: timed out, or unknown if and only if nobody listened before its limit."""
    wait_until(lambda: not any(run["state"] == "STATE_IN_PROGRESS" for run in server.check_ins("runs")))
    found = server.check_ins("runs")
    print("runs", Counter(run["state"] for run in found))
    assert sorted(run["uid"] for run in found) == sorted(opened), "a run is lost, doubled or invented"
    swallowed = 0
    for run in found:
        received, ended = instant(run["receiveTime"]), instant(run["updateTime"])
        limit = ceil_second(received + RUNTIME)
        if deaf := touching(outages, received, limit):
            assert run["state"] == "STATE_UNKNOWN", f"{run} was judged although nobody listened in {deaf}"
            assert ended >= limit
            swallowed += inside(outages, limit)
        else:
            assert run["state"] == "STATE_TIMED_OUT", f"{run} is unknown without an outage"
            assert ended == limit, f"the limit of {run} moved"
    assert swallowed, "no run fell due while the server was down"
    judge_counts(server, "runs", "timeouts_total", "STATE_TIMED_OUT", found)


def judge_counts(server: Server, monitor: str, family: str, state: str, found: list[dict[str, Any]]) -> None:
    """The totals, which outlive the server, count each verdict once, and there is at least one of either kind."""
    states = Counter(run["state"] for run in found)
    assert counted(server, monitor, family) == states[state]
    assert counted(server, monitor, "unknown_total") == states["STATE_UNKNOWN"] > 0


def touching(outages: list[tuple[int, int]], since: int, until: int) -> list[tuple[int, int]]:
    return [gap for gap in outages if gap[0] <= until and gap[1] > since]


def inside(outages: list[tuple[int, int]], at: int) -> bool:
    return any(since <= at <= until for since, until in outages)


def report(server: Server, path: str) -> None:
    status, _, content = server.request("POST", f"/report/{path}", key=server.ingest_key)
    assert status == 200, content


def state_of(server: Server, run: str) -> str:
    return str(server.get(f"{server.monitor_path('runs')}/checkIns/{run}")["state"])


def counted(server: Server, monitor: str, family: str, more: str = "") -> int:
    _, _, text = server.request("GET", f"/metrics/monitors?family={family}")
    wanted = f'tocsin_monitor_{family}{{project="default",monitor="{monitor}",environment="production"{more}}} '
    [line] = [line for line in text.decode().splitlines() if line.startswith(wanted)]
    return int(line.removeprefix(wanted))


def wait_until(reached: Callable[[], bool], patience_s: float = 20.0) -> None:
    """Looks again and again, in short steps and not for ever."""
    end = time.monotonic() + patience_s
    while not reached():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


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


def instant(text: str) -> int:
    """Milliseconds."""
    return round(datetime.fromisoformat(text).timestamp() * SECOND)


def now() -> int:
    return round(time.time() * SECOND)


def ceil_second(at: int) -> int:
    return -(-at // SECOND) * SECOND
