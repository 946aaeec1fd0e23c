"""PostgreSQL and the server killed under load: what was acknowledged is there once, and no miss is made of an absence."""

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import grpc
import pytest
from test_kill import (
    FEW,
    Batches,
    Fleet,
    Load,
    Pings,
    create_monitors_of,
    health,
    instant,
    judge_load,
    now,
    report,
    wait_until,
)

from support.postgresql import Postgres
from support.server import Server
from tocsin.client import Client, ClientError, Retry

ROUNDS = 8
PATIENT = {"TOCSIN_STORE__BUSY_TIMEOUT_MS": "2000"}
IMPATIENT = {"TOCSIN_ENGINE__ANSWER_WITHIN_MS": "700", "TOCSIN_ENGINE__QUEUE_LIMIT": "5"}
EVERY_TWO = [{"interval": {"count": 2, "unit": "UNIT_SECOND"}}]


@pytest.fixture(scope="module")
def mortal() -> Iterator[Postgres]:
    """As it comes: fsync and all. It is killed, so no other test has it."""
    made = Postgres(settings=())
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def on_postgresql(mortal: Postgres, new_server: Callable[..., Server]) -> Iterator[Callable[..., Server]]:
    """A server on a new database, which it makes its own tables in."""
    urls: list[str] = []

    def make(**environment: str) -> Server:
        urls.append(mortal.new_database(empty=True))
        return new_server(environment={"TOCSIN_STORE__URL": urls[-1], **FEW, **environment})

    yield make
    for url in urls:
        mortal.drop(url)


class Steady(threading.Thread):
    """Reports ten times a second, whether what it reported before was answered or not: each report is a thread."""

    def __init__(self, server: Server, monitor: str) -> None:
        super().__init__()
        self.server, self.monitor = server, monitor
        self.stop = threading.Event()
        self._sent: list[threading.Thread] = []

    def run(self) -> None:
        while not self.stop.wait(0.1):
            self._sent.append(threading.Thread(target=self._report))
            self._sent[-1].start()
        for one in self._sent:
            one.join()

    def _report(self) -> None:
        self.server.request(
            "POST", f"/report/{self.monitor}?key={self.server.ingest_key}&run={uuid.uuid4().hex}", key=""
        )


def begin(server: Server) -> list[Load]:
    """Four senders at work."""
    if server.process is None:
        server.start()
    loads: list[Load] = [Pings(server, server.ingest_key, f"load-{number}") for number in range(3)]
    loads += [Batches(server, server.ingest_key, "load-grpc"), Fleet(server, server.ingest_key, "fleet")]
    for load in loads:
        create_monitors_of(server, load)
    server.create_monitor("yearly", schedules=[{"interval": {"count": 1, "unit": "UNIT_YEAR"}}])
    report(server, "yearly")
    for load in loads:
        load.start()
    return loads


def end(loads: list[Load]) -> None:
    for load in loads:
        load.stop.set()
    for load in loads:
        load.join()


def chance() -> random.Random:
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)
    return random.Random(seed)


def disturbed(server: Server, disturb: Callable[[random.Random], None]) -> None:
    """The whole story: load, so many disturbances at random moments, and what is there then."""
    loads = begin(server)
    luck = chance()
    before = health(server, "yearly")["deadlineTime"]
    try:
        for _ in range(ROUNDS):
            counts = [len(load.acknowledged) for load in loads]
            wait_until(
                lambda counts=counts: all(len(one.acknowledged) > n for one, n in zip(loads, counts, strict=True))
            )
            time.sleep(luck.uniform(0.02, 0.3))  # a random moment is the point
            disturb(luck)
        counts = [len(load.acknowledged) for load in loads]
        wait_until(lambda: all(len(one.acknowledged) > n + 20 for one, n in zip(loads, counts, strict=True)), 60)
    finally:
        end(loads)
    assert health(server, "yearly")["deadlineTime"] == before
    for load in loads:
        judge_load(server, load)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_server_loses_nothing_on_postgresql(on_postgresql: Callable[..., Server]) -> None:
    server = on_postgresql()

    def disturb(_luck: random.Random) -> None:
        server.kill()
        server.start()

    disturbed(server, disturb)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_database_loses_nothing_and_no_miss_is_made_of_it(
    on_postgresql: Callable[..., Server], mortal: Postgres
) -> None:
    server = on_postgresql(**PATIENT)
    server.start()
    assert server.process is not None
    pid = server.process.pid
    server.create_monitor("steady", schedules=EVERY_TWO, tolerance={"margin": "0s", "maxRuntime": "0s"})
    steady = Steady(server, "steady")
    absences = iter((0.0, 0.3, 2.5) * ROUNDS)

    def disturb(luck: random.Random) -> None:
        if luck.random() < 0.5:
            mortal.kill()
        else:
            mortal.stop(immediately=True)
        time.sleep(next(absences))  # how long it is away is the point
        mortal.start()

    steady.start()
    try:
        disturbed(server, disturb)
    finally:
        stopped = now()
        steady.stop.set()
        steady.join()
    assert server.process.pid == pid, "the server lived through all of it"
    lapsed = [run for run in server.check_ins("steady") if run["state"] in ("STATE_MISSED", "STATE_UNKNOWN")]
    assert not [run for run in lapsed if instant(run["expectedTime"]) < stopped - 2000]
    # The lock is looked at every few seconds, so perhaps not in between.
    wait_until(lambda: "was lost with its session" in server.log.read_text(), 60)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_both_killed_at_once_lose_nothing(on_postgresql: Callable[..., Server], mortal: Postgres) -> None:
    server = on_postgresql()

    def disturb(luck: random.Random) -> None:
        for kill in luck.sample((server.kill, mortal.kill), 2):
            kill()
        for start in luck.sample((server.start, mortal.start), 2):
            start(wait=False)
        mortal.wait_ready()
        server.wait_ready()

    disturbed(server, disturb)


def test_a_database_that_is_away_is_told_and_waited_for(on_postgresql: Callable[..., Server], mortal: Postgres) -> None:
    server = on_postgresql(**IMPATIENT)
    server.start()
    server.create_monitor("due", schedules=EVERY_TWO, tolerance={"margin": "0s", "maxRuntime": "0s"})
    server.create_monitor("job", tolerance={"maxRuntime": "0s"})
    report(server, "due")
    mortal.stop(immediately=True)
    away = time.time()
    try:
        wait_until(lambda: server.request("GET", "/readyz")[0] == 503)
        _, _, said = server.request("GET", "/readyz")
        assert b"the database cannot be reached" in said
        assert str(mortal.port).encode() not in said
        assert server.request("GET", "/healthz")[0] == 200
        status, _headers, body = server.request("GET", server.monitor_path("job"))
        assert (status, b"cannot be reached" in body, str(mortal.port).encode() in body) == (503, True, False)
        answers = [server.request("POST", f"/report/job?key={server.ingest_key}", key="") for _ in range(9)]
        assert {status for status, _, _ in answers} == {503}
        assert all(
            int({name.lower(): value for name, value in one.items()}["retry-after"]) >= 1 for _, one, _ in answers
        )
        with (
            Client(server.grpc_address, server.ingest_key) as client,
            pytest.raises(ClientError) as refused,
        ):
            client.with_retry(Retry(total=0.5)).check_in("job", "ok")
        assert refused.value.code is grpc.StatusCode.UNAVAILABLE
    finally:
        mortal.start()
    wait_until(lambda: server.request("GET", "/readyz")[0] == 200)
    back = time.time()
    report(server, "job")
    outages = server.get("/v1/outages?showShort=true").get("outages", [])
    assert any(outage["reason"] == "overload" for outage in outages)
    assert away < back
    assert server.stop() == 0
