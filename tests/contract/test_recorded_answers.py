"""Answers of the hot paths, byte for byte as they were recorded: pings, Sentry's cron and envelope endpoints.

The recording is `fixtures/http_answers.json`. A change of an answer is a decision: run this module as a program with a
server's folder free to use, `python tests/contract/test_recorded_answers.py`, and look at the difference before it is kept.
"""

import base64
import contextlib
import gzip
import json
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from support.server import Server

RECORDING = Path(__file__).parent / "fixtures" / "http_answers.json"
PREFIX = "/below"  # the server is behind a proxy that passes a prefix on, and is asked with and without it
RUN = "0123456789abcdef0123456789abcdef"
KEY = b"Authorization: Bearer {ingest}\r\n"
AUTH = b"X-Sentry-Auth: Sentry sentry_key={ingest}, sentry_version=7, sentry_client=sentry.python/2.75.0\r\n"
CONFIG = b'"monitor_config":{"schedule":{"type":"crontab","value":"0 * * * *"}}'
ITEM = (
    b'{"type":"check_in"}\n{"check_in_id":"' + RUN.encode() + b'","monitor_slug":"sent","status":"ok",' + CONFIG + b"}"
)


def plain(line: str, headers: bytes = b"", body: bytes | None = None, *, close: bool = True) -> bytes:
    length = b"" if body is None else b"Content-Length: %d\r\n" % len(body)
    last = b"Connection: close\r\n" if close else b""
    return line.encode("latin-1") + b" HTTP/1.1\r\nHost: x\r\n" + headers + length + last + b"\r\n" + (body or b"")


def chunked(line: str, headers: bytes, *pieces: bytes) -> bytes:
    head = (
        line.encode()
        + b" HTTP/1.1\r\nHost: x\r\n"
        + headers
        + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def pings() -> Iterator[tuple[str, bytes]]:
    basic = base64.b64encode(b"{ingest}:")  # filled in by `sent`, which knows that it is encoded
    for method in ("GET", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "PATCH"):
        for path in ("/report/job", "/report/job/", "/report/job/ok", "/report/nobody", f"{PREFIX}/report/job"):
            yield f"{method} {path}", plain(f"{method} {path}?run={RUN}", KEY)
    for path in (
        "/report", "/report/", "/report//", "/report//ok", "/report/job//", "/report/job/ok/", "/report/job/ok/x",
        "/report/job/start", "/report/job/fail", "/report/job/log", "/report/job/0", "/report/job/7", "/report/job/255",
        "/report/job/256", "/report/job/00", "/report/job/0007", "/report/job/-1", "/report/job/OK", "/report/job/wrong",
        "/report/job/%6fk", "/report/j%6Fb", "/report/job%2Fok", "/report/job%2fok", "/report/job/%C2%B2", "/report/%ff",
        "/report/job%0A", "/report/job/%0A", "/report/job/ok%0A", "/report/a%20b", "/report/%00", "/report/job%3Fx",
        "/report/" + "x" * 300, "/report/JOB", "/report/job;v=1", "/report/job:pause", "/Report/job", "//report/job",
        "/reports/job", "/below", "/below/", "/below/report", f"{PREFIX}/report/job/fail", f"{PREFIX}/report/nobody",
        f"{PREFIX}{PREFIX}/report/job", "/belowreport/job", "/report/off", "/report/job/%E2%91%A0", "/report/job/%",
    ):  # fmt: skip
        yield f"path {path[:60]}", plain(f"GET {path}?run={RUN}", KEY)
    for query in (
        "", "run=latest", "run=short", "rid=" + RUN, "run=&rid=" + RUN, f"run={RUN.upper()}", f"run={RUN}&run=twice",
        "environment=staging", "environment=", "environment=a/b", "environment=" + "e" * 70, "duration=1.5", "duration=",
        "duration=-1", "duration=nan", "duration=inf", "duration=x", "duration=1e9", "duration=2147483.648", "message=hello",
        "message=a+b%20c&host=h", "host=" + "h" * 300, "message=%ff", "a;b&c", "=x", "%72un=" + RUN, "run=" + RUN + "&&",
        "key={ingest}", "key=wrong",
    ):  # fmt: skip
        yield f"query {query[:60]}", plain(f"GET /report/job?{query}", KEY)
    for name, headers in {
        "none": b"",
        "query": b"",
        "wrong": b"Authorization: Bearer nothing\r\n",
        "not ascii": b"Authorization: Bearer \xe4\r\n",
        "empty": b"Authorization: \r\n",
        "bearer alone": b"Authorization: Bearer\r\n",
        "bearer, small": b"authorization: bearer   {ingest}  \r\n",
        "other scheme": b"Authorization: Digest {ingest}\r\n",
        "other scheme and header": b"Authorization: Digest x\r\nX-Api-Key: {ingest}\r\n",
        "header": b"X-API-Key: {ingest}\r\n",
        "header, empty": b"X-API-Key: \r\n",
        "basic": b"Authorization: Basic " + basic + b"\r\n",
        "basic, bad": b"Authorization: Basic ???\r\n",
        "two, first bad": b"Authorization: Bearer nothing\r\nAuthorization: Bearer {ingest}\r\n",
        "two, first good": b"Authorization: Bearer {ingest}\r\nAuthorization: Bearer nothing\r\n",
        "admin": b"Authorization: Bearer {admin}\r\n",
        "reader": b"Authorization: Bearer {reader}\r\n",
        "sentry": AUTH,
    }.items():
        path = f"/report/job?run={RUN}" + ("&key={ingest}" if name == "query" else "")
        yield f"key {name}", plain(f"GET {path}", headers)
    yield "body", plain(f"POST /report/job?run={RUN}", KEY, b"what came out")
    yield "body, empty", plain(f"POST /report/job?run={RUN}", KEY, b"")
    yield "body, not UTF-8", plain(f"POST /report/job?run={RUN}", KEY, b"\xff\xfe")
    yield "body, long", plain(f"POST /report/job?run={RUN}", KEY, b"x" * 100_000)
    yield "body, too long", plain(f"POST /report/job?run={RUN}", KEY, b"x" * (10 * 1024 * 1024 + 1))
    yield "body, chunked", chunked(f"POST /report/job?run={RUN}", KEY, b"what", b" came", b" out")
    yield "body of a stranger", plain("POST /report/job", b"", b"x" * 100_000)
    yield "expect", plain(f"POST /report/job?run={RUN}", KEY + b"Expect: 100-continue\r\n", b"x")
    yield "HTTP/1.0", b"GET /report/job?run=" + RUN.encode() + b" HTTP/1.0\r\n" + KEY + b"\r\n"
    yield "absolute", plain(f"GET http://x/report/job?run={RUN}", KEY)
    yield (
        "pipelined",
        plain(f"GET /report/job?run={RUN}", KEY, close=False)
        + plain("GET /report/nobody", KEY, close=False)
        + plain(f"HEAD /report/job?run={RUN}", KEY, close=False)
        + plain("GET /healthz", close=False)
        + plain(f"POST /report/job?run={RUN}", KEY, b"x", close=True),
    )


def envelopes() -> Iterator[tuple[str, bytes]]:
    body = b'{"event_id":"%s","sdk":{"name":"sentry.python","version":"2.75.0"}}\n%s' % (RUN.encode(), ITEM)
    here = "/api/{project}/envelope/"
    for method in ("POST", "GET", "HEAD", "PUT", "OPTIONS", "DELETE"):
        for path in (here, here[:-1], f"{PREFIX}{here}"):
            yield f"{method} {path}", plain(f"{method} {path}", AUTH, body)
    for path in (
        "/api/7/envelope/", "/api/x/envelope/", "/api/0/envelope/", "/api//envelope/", "/api/{project}/envelope//",
        "/api/{project}/envelope/x", "/api/{project}/other/", "/api/%31/envelope/", "/api/{project}%2Fenvelope/",
        "/api/" + "9" * 30 + "/envelope/", "/api/{project}/envelope%0A", "/api/{project}/security/", "/api/²/envelope/",
    ):  # fmt: skip
        yield f"path {path}", plain(f"POST {path}".replace("²", "%C2%B2"), AUTH, body)
    for query in (
        "sentry_key={ingest}",
        "sentry_key={ingest}&sentry_version=7",
        "sentry_key=no",
        "sentry_version=9",
        "x=1",
    ):
        yield f"query {query}", plain(f"POST {here}?{query}", b"", body)
        yield f"query {query}, and header", plain(f"POST {here}?{query}", AUTH, body)
    for name, headers in {
        "none": b"",
        "bearer": KEY,
        "reader": b"X-Sentry-Auth: Sentry sentry_key={reader}\r\n",
        "two": AUTH + b"X-Sentry-Auth: Sentry sentry_key=other\r\n",
        "two that agree": AUTH + KEY,
        "two that do not": AUTH + b"Authorization: Bearer other\r\n",
        "flags": b"X-Sentry-Auth: Sentry sentry_key={ingest}.x\r\n",
        "version": b"X-Sentry-Auth: Sentry sentry_key={ingest}, sentry_version=8\r\n",
        "user agent": AUTH + b"User-Agent: curl\r\n",
        "deflate": AUTH + b"Content-Encoding: deflate\r\n",
        "unknown encoding": AUTH + b"Content-Encoding: rot13\r\n",
        "identity": AUTH + b"Content-Encoding: identity\r\nContent-Type: text/plain\r\nOrigin: http://a\r\n",
    }.items():
        yield f"key {name}", plain(f"POST {here}", headers, body)
    dsn = b'{"dsn":"http://{ingest}@x/{project}"}\n' + ITEM
    yield "dsn", plain(f"POST {here}", b"", dsn.replace(b"\n", b"\n"), close=True)
    yield "dsn of another", plain(f"POST {here}", AUTH, b'{"dsn":"http://other@x/1"}\n' + ITEM)
    yield "dsn that is none", plain(f"POST {here}", AUTH, b'{"dsn":"x"}\n' + ITEM)
    yield "gzip", plain(f"POST {here}", AUTH + b"Content-Encoding: gzip\r\n", gzip.compress(body, mtime=0))
    yield "gzip, chunked", chunked(f"POST {here}", AUTH + b"Content-Encoding: gzip\r\n", gzip.compress(body, mtime=0))
    yield "gzip that is none", plain(f"POST {here}", AUTH + b"Content-Encoding: gzip\r\n", body)
    yield "gzip, cut", plain(f"POST {here}", AUTH + b"Content-Encoding: gzip\r\n", gzip.compress(body, mtime=0)[:-5])
    yield "chunked", chunked(f"POST {here}", AUTH, body[:10], body[10:50], body[50:])
    for name, sent in {
        "empty": b"",
        "no items": b"{}",
        "not JSON": b"nonsense\n",
        "not UTF-8": b'{"x":"\xff"}\n',
        "bad item": b"{}\n{}\n{}",
        "short": b'{}\n{"type":"check_in","length":100}\n{}',
        "a bad check-in": b'{}\n{"type":"check_in"}\n{"status":"wrong"}',
        "an event": b'{"event_id":"' + RUN.encode() + b'"}\n{"type":"event"}\n{"message":"x"}',
        "a check-in too large": b'{}\n{"type":"check_in"}\n{"monitor_slug":"' + b"x" * 200_000 + b'"}',
        "a header too large": b'{"x":"' + b"x" * 100_000 + b'"}\n',
    }.items():
        yield f"body {name}", plain(f"POST {here}", AUTH, sent)
    yield "announced too long", plain(f"POST {here}", AUTH + b"Content-Length: 999999999\r\nExpect: 100-continue\r\n")


def crons() -> Iterator[tuple[str, bytes]]:
    here = "/api/{project}/cron/job/{ingest}/"
    asked = f"status=ok&check_in_id={RUN}"
    for method in ("GET", "POST", "HEAD", "PUT", "OPTIONS"):
        for path in (here, here[:-1], "/api/{project}/cron/job/", "/api/{project}/cron/job", f"{PREFIX}{here}"):
            yield f"{method} {path}", plain(f"{method} {path}?{asked}", b"" if "ingest" in path else AUTH)
    for path in (
        "/api/{project}/cron/", "/api/{project}/cron", "/api/{project}/cron//", "/api/7/cron/job/{ingest}/",
        "/api/x/cron/job/{ingest}", "/api/{project}/cron/job/{ingest}/more", "/api/{project}/cron/j%2Fob/{ingest}/",
        "/api/{project}/cron/j%6Fb/{ingest}/", "/api/{project}/cron/job/wrong/", "/api/{project}/cron/%C3%A4/{ingest}",
        "/api/{project}/cron/job//{ingest}", "/api/%31/cron/job/{ingest}/", "/api/{project}/cron/job%0A/{ingest}/",
        "/api/{project}/cron/job/{ingest}/%0A", "/api/{project}/cron/job%2F{ingest}", "/api/{project}/cron/job/{ingest}//",
    ):  # fmt: skip
        yield f"path {path}", plain(f"GET {path}?{asked}")
    for query in (
        "", "status=", "status=wrong", "status=in_progress", "status=error&duration=2.5", "status=ok&duration=x",
        "status=ok&check_in_id=no", "status=ok&environment=staging", "status=ok&environment=a/b", "status=ok&status=error",
        "status=ok&sentry_key=other",
    ):  # fmt: skip
        yield f"query {query}", plain(f"GET {here}?{query}")
    ours = b'{"status":"ok",' + CONFIG + b"}"
    yield "json", plain(f"POST {here}", b"Content-Type: application/json\r\n", ours)
    yield "json, bad", plain(f"POST {here}", b"Content-Type: application/json\r\n", b'{"status":')
    yield "json, wrong", plain(f"POST {here}", b"Content-Type: application/json\r\n", b'{"status":7}')
    yield "json, untyped", plain(f"POST {here}?status=ok", b"", ours)
    yield "form", plain(f"POST {here}", b"Content-Type: application/x-www-form-urlencoded\r\n", b"status=ok&duration=3")
    yield "form, bad", plain(f"POST {here}", b"Content-Type: multipart/form-data\r\n", b"x")
    yield "long", plain(f"POST {here}?status=ok", b"", b"x" * 2_000_000)


CASES = {
    f"{kind.__name__}: {name}": request for kind in (pings, envelopes, crons) for name, request in kind()
}  # a name twice is a mistake that the count below finds


def sent(server: Server, reader: str, request: bytes) -> str:
    """The whole answer, until the server closes; what differs from server to server by name."""
    ingest = server.ingest_key.encode()
    words = {
        b"{ingest}": ingest,
        b"{admin}": server.admin_key.encode(),
        b"{reader}": reader.encode(),
        b"{project}": str(server.project_id).encode(),
        base64.b64encode(b"{ingest}:"): base64.b64encode(ingest + b":"),
    }
    for word, value in words.items():
        request = request.replace(word, value)
    if (length := re.search(rb"Content-Length: (\d+)", request)) and int(length[1]) < 1_000_000:
        head, _, body = request.partition(b"\r\n\r\n")
        if b"HTTP/1.1" not in body:  # a pipelined request has no word in its body
            head = head.replace(length[0], b"Content-Length: %d" % len(body))
        request = head + b"\r\n\r\n" + body
    answer = bytearray()
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=30) as connection:
        with contextlib.suppress(OSError):  # it said enough already
            connection.sendall(request)
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionResetError:
            answer += b"(reset)"
    for word, value in words.items():
        answer = answer.replace(value, word) if len(value) > 10 else answer
    text = re.sub(r"(?m)^date: .*\r$", "date: (now)\r", answer.decode("latin-1"))
    text = re.sub(r'"metadata":(\{[^{}]*\})', _sorted, text)  # a map has no order
    return re.sub(rf"\b(?!{RUN})[0-9a-f]{{32}}\b", "(id)", text)


def _sorted(metadata: re.Match[str]) -> str:
    return f'"metadata":{json.dumps(json.loads(metadata[1]), sort_keys=True)}'


def reader_key(server: Server) -> str:
    where = ("--data", str(server.data), "--project", str(server.project_id))
    command = [sys.executable, "-m", "tocsin", "keys", "create", *where, "--scope", "read", "--json"]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    return str(json.loads(found.stdout)["key"])


def prepared(server: Server) -> str:
    """Starts it, with the monitors that are asked for; the key of a reader."""
    server.start()
    hourly = [{"cron": {"expression": "0 * * * *"}}]
    for monitor in ("job", "sent", "off"):
        server.create_monitor(monitor, schedules=hourly)
    server.call("POST", f"{server.monitor_path('off')}:pause", {})
    key = reader_key(server)
    while server.request("GET", "/v1/projects/-/monitors", key=key)[0] != 200:
        pass  # the server reads new keys once a second
    return key


def recorded(folder: Path) -> dict[str, str]:
    server = Server(folder, environment={"TOCSIN_LISTEN__PATH_PREFIX": PREFIX})
    try:
        reader = prepared(server)
        return {name: sent(server, reader, request) for name, request in CASES.items()}
    finally:
        server.close()


def test_no_case_hides_another() -> None:
    assert len(CASES) == sum(1 for kind in (pings, envelopes, crons) for _ in kind())


def test_answers_are_as_recorded(tmp_path: Path) -> None:
    now, then = recorded(tmp_path), json.loads(RECORDING.read_text())
    assert now.keys() == then.keys()
    for name, answer in now.items():
        assert answer == then[name], name


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        RECORDING.write_text(json.dumps(recorded(Path(place)), indent=1, sort_keys=True) + "\n")
