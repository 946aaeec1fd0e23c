"""What nobody should send to Sentry's endpoints, against the real server.

Each case has a clear status and a `detail`; the server lives on and serves others meanwhile, its memory stays bounded,
and good parts of a bad whole are not lost.
"""

import gzip
import json
import socket
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterator

import brotli
import pytest
import zstandard

from support.bounded import MIB, bounded_by
from support.server import Server

JSON = {"Content-Type": "application/json"}
HOURLY = {"schedule": {"type": "crontab", "value": "0 * * * *"}}


@pytest.fixture
def bounded(server: Server) -> Iterator[None]:
    """The server is the same process afterwards, serves a check-in, and has not grown by much."""
    with bounded_by(server, lambda: exists(server, good(server))):
        yield


def good(server: Server) -> str:
    """A check-in that is fine; the id of its new monitor."""
    slug = f"fine-{uuid.uuid4().hex[:8]}"
    status, answer = send(server, whole(check_in(slug)))
    assert (status, answer) == (200, {})
    return slug


def exists(server: Server, slug: str) -> bool:
    return server.request("GET", server.monitor_path(slug))[0] == 200


def check_in(slug: str, **fields: object) -> bytes:
    return json.dumps({"monitor_slug": slug, "status": "ok", "monitor_config": HOURLY, **fields}).encode()


def whole(*payloads: bytes, kind: str = "check_in") -> bytes:
    return b"{}\n" + b"".join(b'{"type":"%s"}\n%s\n' % (kind.encode(), payload) for payload in payloads)


def path(server: Server) -> str:
    return f"/api/{server.project_id}/envelope/?sentry_key={server.ingest_key}"


def cron(server: Server, slug: str, query: str = "") -> str:
    return f"/api/{server.project_id}/cron/{slug}/{server.ingest_key}/?{query}"


def send(server: Server, body: bytes, encoding: str = "", *, to: str = "") -> tuple[int, dict]:
    headers = {"Content-Encoding": encoding} if encoding else {}
    status, _, content = server.request("POST", to or path(server), body, key="", headers=headers)
    return status, json.loads(content or b"{}")


def refusals(server: Server, slug: str) -> list[dict]:
    return server.get(f"{server.monitor_path(slug)}/refusals").get("refusals", [])


def raw(server: Server, *parts: bytes, leave: bool = False) -> bytes:
    """All that is answered on one connection to these bytes; `leave`: nothing more will come."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            if leave:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65_536):
                answer += piece
        except (BrokenPipeError, ConnectionResetError):
            pass  # cut off while it was still talking
    return answer


pytestmark = pytest.mark.usefixtures("bounded")


# --- sizes


def test_a_slug_of_a_megabyte(server: Server) -> None:
    slug = f"fine-{uuid.uuid4().hex}"
    long = slug + "x" * MIB
    status, answer = send(server, whole(check_in(long)))
    assert status == 413
    assert "longer than" in answer["detail"]
    send(server, whole(check_in(slug + "y" * 50_000)))
    assert exists(server, (slug + "y" * 50)[:50])  # cut, as Sentry cuts
    status, _, content = server.request("POST", cron(server, long, "status=ok"), b"", key="")
    assert status in (202, 400, 414, 431), content


def test_a_hundred_thousand_items(server: Server) -> None:
    status, answer = send(server, whole(*[b'{"monitor_slug":"x","status":"ok"}'] * 100_000))
    assert status == 413
    assert "check_in" in answer["detail"]
    slug = f"fine-{uuid.uuid4().hex[:8]}"
    body = whole(*[b"{}"] * 100_000, kind="session") + whole(check_in(slug))[3:]
    assert send(server, body) == (200, {})
    assert exists(server, slug)


def test_a_thousand_check_ins_that_are_all_wrong_stall_nobody(server: Server) -> None:
    config = {"schedule": {"type": "crontab", "value": "0 * * * *", "timezone": "x"}}
    payloads = [check_in(f"wrong-{n}", monitor_config={**config, "timezone": f"Europe/Vienn{n}"}) for n in range(1_000)]
    answered: list[tuple[int, dict]] = []
    sender = threading.Thread(target=lambda: answered.append(send(server, whole(*payloads))))
    sender.start()
    slowest = 0.0
    while sender.is_alive():
        begun = time.monotonic()
        assert server.request("GET", "/healthz", key="")[0] == 200
        slowest = max(slowest, time.monotonic() - begun)
    sender.join()
    assert answered == [(200, {})]
    assert slowest < 2  # one stall of all of them would be five seconds
    kept = server.get(f"/v1/projects/{server.project_id}/monitors/-/refusals?pageSize=1000")["refusals"]
    for dropped in (True, False):  # each lost its run, and each had a configuration to remark on
        assert sum("/wrong-" in one["monitor"] and one["dropped"] is dropped for one in kept) <= 10


def test_a_long_item_beside_a_good_one(server: Server) -> None:
    slug = f"fine-{uuid.uuid4().hex[:8]}"
    body = whole(b"x" * (30 * MIB), kind="attachment") + whole(check_in(slug))[3:]
    assert send(server, body) == (200, {})
    assert exists(server, slug)


@pytest.mark.parametrize("kind", ["event", "client_report"])
def test_many_long_items_that_are_read_as_a_courtesy(server: Server, kind: str) -> None:
    slug = f"fine-{uuid.uuid4().hex[:8]}"
    body = whole(*[b'{"x":"' + b"y" * 90_000 + b'"}'] * 100, kind=kind) + whole(check_in(slug))[3:]
    assert send(server, body) == (200, {})
    assert exists(server, slug)


# --- lies


@pytest.mark.parametrize("length", [1, 9_999_999, -1, 10**30, 1.5, "7", True])
def test_a_length_that_lies(server: Server, length: object) -> None:
    header = json.dumps({"type": "check_in", "length": length}).encode()
    status, answer = send(server, b"{}\n" + header + b"\n" + check_in("never") + b"\n")
    assert status in (400, 413)
    assert "byte" in answer["detail"] or "length" in answer["detail"]
    assert not exists(server, "never")


@pytest.mark.parametrize("body", [b"", b"\n\n", b"[]\n", b"hello", b"{}\n[1]\n{}", b"{}\n{}\n{}", b'{"dsn":5}\n'])
def test_what_is_no_envelope(server: Server, body: bytes) -> None:
    status, answer = send(server, body)
    assert status == 400
    assert answer["detail"]


# --- JSON


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nested_without_end(server: Server, opening: bytes) -> None:
    slug = f"fine-{uuid.uuid4().hex[:8]}"
    bomb = opening * (90_000 // len(opening))
    send(server, whole(check_in(slug)))
    kept = b'{"monitor_slug":"%s","status":"error","monitor_config":%s}' % (slug.encode(), bomb)
    assert send(server, whole(kept, check_in(slug, status="error"))) == (200, {})
    assert [run["state"] for run in server.check_ins(slug)] == ["STATE_ERROR", "STATE_OK"]  # the good one beside it
    status, _, content = server.request("POST", cron(server, slug), bomb * 10, key="", headers=JSON)
    assert status == 400
    assert b"detail" in content
    assert send(server, b'{"sdk":' + bomb[:60_000] + b"\n" + whole(check_in(slug)))[0] == 400


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        (b'"status":"\xff\xfe"', "UTF-8"),
        (b'"status":"ok","duration":NaN', "malformed"),
        (b'"status":"ok","duration":-Infinity', "malformed"),
        (b'"status":"ok","duration":1e999', "$.duration"),
        (b'"status":"ok","duration":99999999999999999999999999', "$.duration"),
        (b'"status":9223372036854775808', "$.status"),
        (b'"status":"ok","status":"nonsense"', "$.status"),
        (b'"status":"\\ud800"', "$"),
    ],
)
def test_values_that_are_none(server: Server, fields: bytes, place: str) -> None:
    slug = good(server)
    payload = b'{"monitor_slug":"%s",%s}' % (slug.encode(), fields)
    assert send(server, whole(payload, check_in(slug, status="error"))) == (200, {})
    assert [run["state"] for run in server.check_ins(slug)] == ["STATE_ERROR", "STATE_OK"]
    told = server.get(f"/v1/projects/{server.project_id}/monitors/-/refusals?pageSize=1000")["refusals"]
    newest = told[0]
    assert newest["reason"] == "REASON_CHECK_IN_VALIDATION_FAILED"
    assert place.lower() in newest["detail"].lower(), newest
    assert newest["payload"]


@pytest.mark.parametrize(
    "config",
    [
        b'{"schedule":{"type":"interval","value":9223372036854775808,"unit":"day"}}',
        b'{"schedule":{"type":"interval","value":1e308,"unit":"day"}}',
        b'{"schedule":{"type":"crontab","value":"0 0 31 4 *"}}',
        b'{"schedule":{"type":"crontab","value":"' + b"*," * 20_000 + b'* * * * *"}}',
        b'{"schedule":{"type":"crontab","value":"0 * * * *"},"max_runtime":99999999999999999999}',
        b'{"schedule":{"type":"crontab","value":"0 * * * *"},"timezone":"../../etc/passwd"}',
        b'{"schedule":{"type":"crontab","value":"0 * * * *"},"timezone":"\\u0000"}',
    ],
)
def test_a_bad_configuration_never_costs_the_run(server: Server, config: bytes) -> None:
    slug = good(server)
    payload = b'{"monitor_slug":"%s","status":"error","monitor_config":%s}' % (slug.encode(), config)
    assert send(server, whole(payload)) == (200, {})
    assert [run["state"] for run in server.check_ins(slug)] == ["STATE_ERROR", "STATE_OK"]
    if b"max_runtime" not in config:  # which is clamped
        assert [one["reason"] for one in refusals(server, slug)] == ["REASON_MONITOR_INVALID_CONFIG"]


# --- encodings


def bomb(encoding: str) -> bytes:
    zeros = b"\0" * (200 * MIB)
    make: dict[str, Callable[[bytes], bytes]] = {
        "gzip": lambda data: gzip.compress(data, 9),
        "deflate": lambda data: zlib.compress(data, 9),
        "br": lambda data: brotli.compress(data, quality=5, lgwin=24),
        "zstd": lambda data: zstandard.compress(data, 3),
    }
    return make[encoding](zeros)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb(server: Server, encoding: str) -> None:
    packed = bomb(encoding)
    status, answer = send(server, packed, encoding)
    assert status in (400, 413)
    assert answer["detail"]
    status, answer = send(server, packed, encoding, to=cron(server, "job", "status=ok"))
    assert (status, "1048576" in answer["detail"]) == (413, True)
    inner = gzip.compress(packed) if encoding == "gzip" else packed
    assert send(server, inner, "gzip")[0] in (400, 413)


@pytest.mark.parametrize("encoding", ["lzma", "gzip, gzip", "br;q=1", "x" * 5_000])
def test_an_encoding_that_is_not_known(server: Server, encoding: str) -> None:
    status, answer = send(server, whole(check_in("never")), encoding)
    assert status == 415
    assert "encoding" in answer["detail"]


# --- HTTP


def head(server: Server, target: str, *lines: str, version: str = "1.1") -> bytes:
    return "\r\n".join((f"POST {target} HTTP/{version}", "Host: x", "Connection: close", *lines, "", "")).encode()


def test_a_chunked_body_byte_by_byte(server: Server) -> None:
    slug = f"fine-{uuid.uuid4().hex[:8]}"
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in whole(check_in(slug)))
    answer = raw(server, head(server, path(server), "Transfer-Encoding: chunked"), chunks + b"0\r\n\r\n")
    assert b" 200 " in answer.split(b"\r\n")[0]
    assert exists(server, slug)


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"ffffffffffffffffff\r\n", b"-1\r\n", b"5\r\nabc"])
def test_chunks_that_are_none(server: Server, chunk: bytes) -> None:
    answer = raw(server, head(server, path(server), "Transfer-Encoding: chunked"), chunk, leave=True)
    assert answer == b"" or b" 400 " in answer.split(b"\r\n")[0]


def test_http_1_0(server: Server) -> None:
    slug = f"fine-{uuid.uuid4().hex[:8]}"
    body = whole(check_in(slug))
    answer = raw(server, head(server, path(server), f"Content-Length: {len(body)}", version="1.0"), body)
    assert b" 200 " in answer.split(b"\r\n")[0]
    assert exists(server, slug)


def test_a_flood_of_headers(server: Server) -> None:
    line = "X-Sentry-Auth: Sentry sentry_key=" + "f" * 4_000
    answer = raw(server, head(server, path(server), *[line] * 2_000))
    assert answer == b"" or b" 431 " in answer.split(b"\r\n")[0]
    few = [f"X-Sentry-Auth: Sentry sentry_key={server.ingest_key}"] * 200
    body = whole(b"{}", kind="session")
    answer = raw(server, head(server, path(server), *few, f"Content-Length: {len(body)}"), body)
    assert b" 200 " in answer.split(b"\r\n")[0]


def test_a_query_without_end(server: Server) -> None:
    query = "&".join(f"status=ok&x{number}=1" for number in range(3_000))
    status, _, content = server.request("GET", cron(server, "job", query), key="")
    assert status in (202, 414, 431), content


def test_below_a_path_prefix(new_server: Callable[..., Server]) -> None:
    """Keys of a prefix's DSN work below it, and rubbish there is told as well."""
    served = new_server(environment={"TOCSIN_LISTEN__PATH_PREFIX": "/tools"})
    served.start(wait=True)
    status, answer = send(served, whole(check_in("fine-1")), to=f"/tools{path(served)}")
    assert (status, answer) == (200, {})
    status, answer = send(served, b"rubbish", to=f"/tools{path(served)}")
    assert status == 400
    assert answer["detail"]
    assert send(served, whole(check_in("fine-1")), to="/tools//api/x/envelope/")[0] in (400, 401, 404)


def test_a_strict_server_says_so_at_once(new_server: Callable[..., Server]) -> None:
    served = new_server(environment={"TOCSIN_PROJECTS__STRICT": "true"})
    served.start(wait=True)
    status, answer = send(served, b"", to=cron(served, "nobody", "status=ok"))
    assert (status, answer["detail"][:18]) == (404, "MONITOR_NOT_FOUND:")
    served.create_monitor("off", disabled=True)
    status, answer = send(served, b"", to=cron(served, "off", "status=ok"))
    assert (status, answer["causes"][0][:17]) == (403, "MONITOR_DISABLED:")
    assert send(served, b"", to=cron(served, "off", "status=done"))[0] == 400
    assert [one["payload"] for one in refusals(served, "nobody")] == ['{"monitor_slug":"nobody","status":"ok"}']
    served.call("POST", f"{served.monitor_path('nobody')}/refusals:dismiss", {"reasons": ["REASON_MONITOR_NOT_FOUND"]})
    assert refusals(served, "nobody") == []
    assert len(refusals(served, "off")) == 2
