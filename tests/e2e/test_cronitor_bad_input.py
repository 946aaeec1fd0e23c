"""What nobody should send to the telemetry paths, against the real server, and more of it than anybody should.

Each answer is one that the dialect's README promises; the server lives on and serves others meanwhile, its memory stays
bounded, and what was acknowledged is stored once.
"""

import asyncio
import http.client
import socket
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pytest

from support.bounded import MIB, bounded_by
from support.server import Server

EACH, CONNECTIONS = 150, 20


@pytest.fixture
def bounded(server: Server) -> Iterator[None]:
    """The server is the same process afterwards, takes an event, and has not grown by much."""
    with bounded_by(server, lambda: send(server, f"fine-{uuid.uuid4().hex}") == (200, b"ok")):
        yield


pytestmark = pytest.mark.usefixtures("bounded")


def send(server: Server, place: str, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=30)
    try:
        connection.request(method, f"/p/{server.ingest_key}/{place}", body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def raw(server: Server, content: bytes, *, leave: bool = False) -> bytes:
    """All that is answered on one connection to these bytes, until it is closed; `leave`: nothing more will come."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as connection:
        try:
            connection.sendall(content)
            if leave:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65_536):
                answer += piece
        except (BrokenPipeError, ConnectionResetError):
            pass  # cut off while it was still talking
    return answer


def unique() -> str:
    return f"job-{uuid.uuid4().hex[:12]}"


# --- one event


@pytest.mark.parametrize("value", ["NaN", "nan", "inf", "-Infinity", "1e400", "", "%00", "1_0", "0x1", "1,5", "--1"])
def test_a_metric_without_a_number_does_not_cost_the_event(server: Server, value: str) -> None:
    job = unique()
    assert send(server, f"{job}/complete?metric=good:1&metric=bad:{value}") == (200, b"ok")
    [run] = server.check_ins(job)
    assert run["metrics"]["good"] == 1
    assert "bad" not in run["metrics"] or value == "1,5"
    remarks = server.get(f"{server.monitor_path(job)}/refusals")["refusals"]
    assert all(not remark.get("dropped") for remark in remarks)


@pytest.mark.parametrize("name", ["duration", "stamp", "try", "status_code", "schedule"])
@pytest.mark.parametrize("value", ["NaN", "1e400", "-1e400", "99999999999999999999", "%F0%9F%92%A5", "1;2", "-1"])
def test_a_number_that_is_none_does_not_cost_the_event(server: Server, name: str, value: str) -> None:
    job = unique()
    assert send(server, f"{job}/complete?{name}={value}") == (200, b"ok")
    assert [run["state"] for run in server.check_ins(job)] == ["STATE_OK"]


@pytest.mark.parametrize(
    "place",
    [
        "%2F",
        "%2e%2e%2Fx",
        "a%00b",
        "a%0Ab",
        "%FF%FE",
        "x" * 256,
        "%20",
        "%E2%80%AE",
        "a/b/c/d",
        "a//b",
        "..",
        "%25%32%46",
    ],
)
def test_an_odd_key_is_answered(server: Server, place: str) -> None:
    assert send(server, place)[0] in (200, 404)


def test_a_query_of_any_size_that_fits_a_head(server: Server) -> None:
    job = unique()
    assert send(server, f"{job}/run?message={'m' * 60_000}") == (200, b"ok")
    assert len(server.check_ins(job)[0]["message"]) == 2_000
    assert send(server, f"{job}/run?message={'m' * 70_000}")[0] in (400, 431)
    assert send(server, f"{job}/complete?{'&'.join(['metric=a:1'] * 5_000)}") == (200, b"ok")


def test_ten_thousand_metrics_of_one_event(server: Server) -> None:
    job = unique()
    pairs = ",".join(f"m{number}:{number}" for number in range(6_000))
    assert send(server, f"{job}/complete?metric={pairs}") == (200, b"ok")
    assert len(server.check_ins(job)[0]["metrics"]) == 64
    assert len(server.get(f"{server.monitor_path(job)}/refusals")["refusals"]) <= 10


def test_a_body_of_any_size_is_not_held(server: Server) -> None:
    job = unique()
    head = f"POST /p/{server.ingest_key}/{job}?state=run HTTP/1.1\r\nHost: x\r\nContent-Length: {200 * MIB}\r\n\r\n"
    answer = raw(server, head.encode() + b"x" * 30 * MIB, leave=True)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 200")
    assert send(server, f"{job}?state=complete", "POST", b"y" * 5 * MIB) == (200, b"ok")


@pytest.mark.parametrize(
    "content",
    [
        b"GET /p/%s/\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /p/%s/a b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /p/%s/a?msg=\x00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"BREW /p/%s/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET //p/%s/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET http://cronitor.link/p/%s/a HTTP/1.1\r\nHost: cronitor.link\r\nConnection: close\r\n\r\n",
    ],
)
def test_requests_that_are_none(server: Server, content: bytes) -> None:
    answer = raw(server, content % server.ingest_key.encode())
    assert not answer.startswith(b"HTTP/1.1 5")


def test_any_host_is_ours(server: Server) -> None:
    """DNS of the vendor's names may point here: the path alone decides."""
    job = unique()
    for host in "cronitor.link", "cronitor.io", "eu.cronitor.link:443", "":
        line = f"GET /ping/{server.ingest_key}/{job}?state=complete&series={uuid.uuid4()} HTTP/1.1\r\nHost: {host}\r\n"
        assert b" 200 " in raw(server, f"{line}Connection: close\r\n\r\n".encode())
    assert len(server.check_ins(job)) == 4


# --- many events


async def _ask(port: int, targets: Sequence[str]) -> list[int]:
    """On one connection that is kept, one after the other: the statuses."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    statuses = []
    for target in targets:
        writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        statuses.append(int(head[9:12]))
    writer.close()
    await writer.wait_closed()
    return statuses


def flood(server: Server, target: Callable[[int], str]) -> Counter[int]:
    """Statuses of `EACH` requests on each of so many connections at once."""

    async def run() -> list[list[int]]:
        return await asyncio.gather(
            *(
                _ask(server.http_port, [target(first * EACH + number) for number in range(EACH)])
                for first in range(CONNECTIONS)
            )
        )

    return Counter(status for statuses in asyncio.run(run()) for status in statuses)


def test_a_flood_on_one_key_is_stored_event_by_event(server: Server) -> None:
    job = unique()
    told = flood(server, lambda number: f"/p/{server.ingest_key}/{job}?state=complete&series={number}")
    assert told == {200: EACH * CONNECTIONS}
    assert sorted(int(run["series"]) for run in server.check_ins(job)) == list(range(EACH * CONNECTIONS))


def test_a_flood_of_runs_that_overlap_pairs_each_of_them(server: Server) -> None:
    job = unique()

    def target(number: int) -> str:
        connection, place = divmod(number, EACH)
        state = "complete" if place % 2 else "run"
        return f"/p/{server.ingest_key}/{job}?state={state}&series={connection}-{place // 2}"

    assert flood(server, target) == {200: EACH * CONNECTIONS}
    runs = server.check_ins(job)
    assert len(runs) == EACH * CONNECTIONS // 2
    assert all(run["state"] == "STATE_OK" and run["startTime"] for run in runs)


def test_a_flood_of_bad_events_is_answered_and_keeps_the_newest(server: Server) -> None:
    job = unique()
    told = flood(server, lambda number: f"/p/{server.ingest_key}/{job}?env=a/b&msg={number}")
    assert told == {200: EACH * CONNECTIONS}
    assert len(server.get(f"{server.monitor_path(job)}/refusals")["refusals"]) <= 10


def test_a_flood_of_strangers_is_counted(server: Server) -> None:
    assert flood(server, lambda number: f"/p/{number:032}/job") == {200: EACH * CONNECTIONS}
    assert server.metric('tocsin_checkins_rejected_total{dialect="cronitor",reason="auth"}') >= EACH * CONNECTIONS


def test_a_flood_beyond_the_limit_is_told_to_wait(new_server) -> None:
    limited = new_server(
        environment={
            "TOCSIN_DIALECTS__CRONITOR_MONITOR_RATE": "5",
            "TOCSIN_DIALECTS__CRONITOR_MONITOR_BURST": "10",
            "TOCSIN_DIALECTS__CRONITOR_ADDRESS_RATE": "0",
        }
    )
    limited.start()
    told = flood(limited, lambda number: f"/p/{limited.ingest_key}/job?state=complete&series={number}")
    assert set(told) == {200, 429}
    assert 10 <= told[200] < EACH * CONNECTIONS / 4
    assert len(limited.check_ins("job")) == told[200]
    assert limited.metric('tocsin_checkins_rejected_total{dialect="cronitor",reason="rate_limited"}') == told[429]
