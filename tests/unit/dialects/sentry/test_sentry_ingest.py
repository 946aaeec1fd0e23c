"""Spec sections 1.1, 1.2, 1.5 and 1.7 over HTTP as far as the journal: what is answered, reported, refused, counted."""

import asyncio
import gzip
import json
import tracemalloc
import zlib

import brotli
import httpx
import pytest
import zstandard
from sentry_edge import KEY, NOW, OTHER_KEY, READ_KEY, Edge, check_in, envelope, item, slowly
from starlette.applications import Starlette
from starlette.routing import Mount

from tocsin.dialects.sentry.limits import Limits
from tocsin.domain.check_in import ReportKind
from tocsin.domain.commands import RecordRefusals, ReportCheckIn
from tocsin.domain.errors import ResourceExhausted, Unavailable, invalid

EVENT = "b4978d7c81d1470c9332f21d2cfafbeb"
DSN = f"http://{KEY}@localhost:9/42"
GOOD = envelope(item(check_in()))
KEYED = f"/api/42/envelope/?sentry_key={KEY}"
BARE = "/api/42/envelope/"


# --- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        ({}, {}),
        ({"event_id": EVENT}, {"id": EVENT}),
        ({"event_id": "B4978D7C-81D1-470C-9332-F21D2CFAFBEB"}, {"id": EVENT}),
        ({"event_id": None}, {}),
        ({"event_id": 5}, {}),
        ({"event_id": "nonsense"}, {}),
    ],
)
async def test_the_answer_names_the_event(header, answer):
    edge = Edge()
    got = await edge.envelope(envelope(item(check_in()), header=header))
    assert (got.status_code, got.json()) == (200, answer)
    assert got.headers["content-type"] == "application/json"
    assert len(edge.reports) == 1


@pytest.mark.parametrize("path", ["/api/42/envelope/", "/api/42/envelope"])
@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/x-sentry-envelope",
        "text/plain",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "nonsense",
    ],
)
async def test_any_content_type(path, content_type):
    edge = Edge()
    headers = {"content-type": content_type} if content_type else {}
    assert (await edge.envelope(GOOD, target=f"{path}?sentry_key={KEY}", **headers)).status_code == 200
    assert len(edge.reports) == 1


async def test_chunked_without_length_and_type():
    edge = Edge()
    assert (await edge.envelope(slowly(GOOD, 1))).status_code == 200
    assert len(edge.reports) == 1


@pytest.mark.parametrize("body", [b"{}", b"{}\n", b'{"event_id":null}\n\n\n'])
async def test_no_items(body):
    edge = Edge()
    assert (await edge.envelope(body)).status_code == 200
    assert edge.journal.commands == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\n\n", 400),
        (b"hello", 400),
        (b'{}\n{"type":"check_in","length":5}\nabc', 400),
        (b'{}\n{"type":"check_in","length":1}\nabc', 400),
        (envelope(item(b"x" * 102_401)), 413),
        (envelope(*[item(check_in())] * 1_001), 413),
        (envelope(*[item(b"{}")] * 100_000), 413),
        (b'{"x":"' + b"y" * 70_000 + b'"}', 413),
    ],
)
async def test_a_malformed_envelope_is_refused_whole_and_visibly(body, status):
    edge = Edge()
    answer = await edge.envelope(body)
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]
    assert edge.reports == []
    assert edge.rejections == []  # counted as the fact that follows
    (refused,) = edge.refusals
    assert (refused.project, refused.monitor_id, refused.reason) == (42, "", "CHECKIN_VALIDATION_FAILED")
    assert refused.detail == answer.json()["detail"]


async def test_a_good_check_in_before_a_malformed_item_is_not_reported():
    edge = Edge()
    assert (await edge.envelope(GOOD + b"rubbish\n")).status_code == 400
    assert edge.reports == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
@pytest.mark.parametrize("path", [BARE, "/api/42/store/", "/api/store/"])
async def test_other_methods_are_405(method, path):
    edge = Edge()
    answer = await edge.send(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST, OPTIONS"
    assert edge.rejections == ["sentry:invalid"]


@pytest.mark.parametrize(
    "path", [BARE, "/api/42/envelope", "/api/42/store/", "/api/store/", "/api/42/cron/job/", f"/api/42/cron/job/{KEY}"]
)
async def test_preflight(path):
    headers = {"origin": "https://app.example", "access-control-request-method": "POST"}
    answer = await Edge().send("OPTIONS", path, headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    allowed = answer.headers["access-control-allow-headers"]
    for name in ("x-sentry-auth", "content-type", "content-encoding", "authorization", "sentry-trace", "baggage"):
        assert name in allowed
    assert "POST" in answer.headers["access-control-allow-methods"]


async def test_every_answer_may_be_read_by_a_browser():
    for answer in (await Edge().envelope(GOOD), await Edge().envelope(b""), await Edge().envelope(GOOD, target=BARE)):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "retry-after" in answer.headers["access-control-expose-headers"]


# --- credentials -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "headers", "header"),
    [
        (BARE, {"x-sentry-auth": f"Sentry sentry_key={KEY}, sentry_version=7, sentry_client=a/1"}, {}),
        (BARE, {"authorization": f"Sentry sentry_key={KEY}, sentry_version=7"}, {}),
        (BARE, {"authorization": "Basic MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY6"}, {}),
        (BARE, {"authorization": f"Bearer {KEY}"}, {}),
        (f"{BARE}?sentry_version=7&sentry_key={KEY}&sentry_client=a%2F1", {}, {}),
        (BARE, {}, {"dsn": DSN}),
        (KEYED, {"authorization": f"Bearer {KEY}"}, {"dsn": DSN}),
    ],
)
async def test_ways_to_name_a_key(target, headers, header):
    edge = Edge()
    assert (
        await edge.send("POST", target, content=envelope(item(check_in()), header=header), headers=headers)
    ).status_code == 200
    assert len(edge.reports) == 1


@pytest.mark.parametrize(
    ("target", "headers", "header", "status"),
    [
        (BARE, {}, {}, 401),
        (f"{BARE}?sentry_version=7", {}, {}, 401),
        (KEYED, {"authorization": f"Bearer {OTHER_KEY}"}, {}, 401),
        (f"{BARE}?sentry_key={'a' * 32}", {}, {}, 403),
        (f"{BARE}?sentry_key={OTHER_KEY}", {}, {}, 403),
        (f"{BARE}?sentry_key={READ_KEY}", {}, {}, 403),
        (f"/api/9/envelope/?sentry_key={KEY}", {}, {}, 403),
        (BARE, {}, {"dsn": f"http://{'a' * 32}@localhost/42"}, 403),
        (BARE, {}, {"dsn": f"http://{KEY}@localhost/7"}, 400),
        (KEYED, {}, {"dsn": f"http://{KEY}@localhost/7"}, 400),
        (KEYED, {}, {"dsn": f"http://{OTHER_KEY}@localhost/42"}, 400),
        (KEYED, {}, {"dsn": "nonsense"}, 400),
        (f"{KEYED}&sentry_version=8", {}, {}, 400),
        (f"/api/abc/envelope/?sentry_key={KEY}", {}, {}, 400),
    ],
)
async def test_refused_credentials(target, headers, header, status):
    edge = Edge()
    answer = await edge.send("POST", target, content=envelope(item(check_in()), header=header), headers=headers)
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]
    assert edge.reports == []
    assert len(edge.rejections) + len(edge.refusals) == 1


async def test_a_bad_key_leaves_no_refusal_in_the_project():
    edge = Edge()
    await edge.envelope(b"rubbish", target=f"{BARE}?sentry_key={OTHER_KEY}")
    assert edge.journal.commands == []
    assert edge.rejections == ["sentry:auth"]


async def test_a_nameless_request_is_refused_before_its_items_are_read():
    edge = Edge()

    async def body():
        yield b"{}\n"
        pytest.fail("read on without credentials")

    assert (await edge.envelope(body(), target=BARE)).status_code == 401


# --- reports ---------------------------------------------------------------------------------------------------------


async def test_several_check_ins_are_reported_in_order():
    edge = Edge()
    items = [item(check_in(monitor_slug=f"job-{number}", check_in_id=...)) for number in range(5)]
    assert (await edge.envelope(envelope(*items))).status_code == 200
    assert [report.monitor_id for report in edge.reports] == [f"job-{number}" for number in range(5)]
    assert {report.received for report in edge.reports} == {NOW}


async def test_a_refused_one_does_not_cost_the_others():
    edge = Edge()
    body = envelope(
        item(check_in(monitor_slug="a")), item(b"{"), item(check_in(status="missed")), item(check_in(monitor_slug="b"))
    )
    assert (await edge.envelope(body)).status_code == 200
    assert [report.monitor_id for report in edge.reports] == ["a", "b"]
    assert [(one.reason, one.monitor_id) for one in edge.refusals] == [
        ("CHECKIN_VALIDATION_FAILED", ""),
        ("CHECKIN_VALIDATION_FAILED", "job"),
    ]
    assert [type(command) for command in edge.journal.commands] == [ReportCheckIn, ReportCheckIn, RecordRefusals]


@pytest.mark.parametrize(
    ("target", "headers", "header", "sdk", "client"),
    [
        (KEYED, {}, {}, None, ""),
        (KEYED, {"user-agent": "curl/8"}, {}, None, "curl/8"),
        (f"{KEYED}&sentry_client=a%2F1", {"user-agent": "x"}, {}, None, "a/1"),
        (f"{KEYED}&sentry_client=a%2F1", {}, {"sdk": {"name": "b", "version": "2"}}, None, "b/2"),
        (KEYED, {}, {"sdk": {"name": "b", "version": "2"}}, {"name": "c", "version": "3"}, "c/3"),
        (KEYED, {"user-agent": "x"}, {"sdk": "nonsense"}, 5, "x"),
    ],
)
async def test_who_sent_it(target, headers, header, sdk, client):
    edge = Edge()
    await edge.send("POST", target, content=envelope(item(check_in(sdk=sdk)), header=header), headers=headers)
    assert edge.reports[0].client == client


async def test_trouble_with_one_report_is_a_refusal():
    edge = Edge()
    edge.journal.errors[0] = invalid("monitor_config", "no")
    assert (await edge.envelope(GOOD)).status_code == 200
    assert [(one.reason, one.monitor_id, one.dropped) for one in edge.refusals] == [
        ("CHECKIN_VALIDATION_FAILED", "job", True)
    ]


async def test_trouble_with_one_of_several_is_a_refusal_of_that_one():
    edge = Edge()
    edge.journal.errors[1] = ResourceExhausted("too many", reason="RATE")
    body = envelope(*[item(check_in(monitor_slug=slug)) for slug in ("a", "b", "c")])
    assert (await edge.envelope(body)).status_code == 200  # never 429: the client would stop sending
    assert [(one.reason, one.monitor_id) for one in edge.refusals] == [("MONITOR_ENVIRONMENT_RATELIMITED", "b")]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("wait", "header"), [(None, "1"), (1, "1"), (2_500, "3")])
async def test_overload_is_503(count, wait, header):
    edge = Edge()
    edge.journal.trouble = Unavailable("full", reason="OVERLOAD", retry_after_ms=wait)
    answer = await edge.envelope(envelope(*[item(check_in())] * count))
    assert (answer.status_code, answer.json()) == (503, {"detail": "full"})
    assert answer.headers["retry-after"] == header
    assert edge.rejections == ["sentry:overload"]


async def test_overload_found_in_a_receipt_is_503_too():
    edge = Edge()
    edge.journal.errors[1] = Unavailable("full", reason="OVERLOAD")
    assert (await edge.envelope(envelope(*[item(check_in())] * 2))).status_code == 503


async def test_overload_while_a_refusal_is_kept_is_503():
    edge = Edge()
    edge.journal.trouble = Unavailable("full", reason="OVERLOAD")
    assert (await edge.envelope(b"rubbish")).status_code == 503


async def test_overload_on_the_cron_endpoint_is_503():
    edge = Edge()
    edge.journal.trouble = Unavailable("full", reason="OVERLOAD")
    answer = await edge.send("GET", f"/api/42/cron/job/{KEY}?status=ok")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


# --- other items -----------------------------------------------------------------------------------------------------

FOREIGN = [
    "event", "transaction", "span", "attachment", "profile", "profile_chunk", "replay_event", "replay_recording", "user_report",
    "feedback", "session", "sessions", "log", "trace_metric", "statsd", "metric_buckets",
]  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
async def test_foreign_items_are_counted_and_dropped(kind):
    edge = Edge()
    body = envelope(item(b"\x00\xff\n{", kind), item(check_in()), item(b"[]", kind, sized=False))
    assert (await edge.envelope(body)).status_code == 200
    assert sorted(edge.items) == sorted([(kind, 42), ("check_in", 42), (kind, 42)])
    assert len(edge.journal.commands) == 1


async def test_unknown_types_are_counted_as_one():
    edge = Edge()
    assert (await edge.envelope(envelope(item(b"1", "a"), item(b"1", "b")))).status_code == 200
    assert edge.items == [("other", 42), ("other", 42)]


async def test_an_oversized_foreign_item_does_not_cost_the_check_in():
    edge = Edge()
    assert (await edge.envelope(envelope(item(b"x" * 5_000_000, "attachment"), item(check_in())))).status_code == 200
    assert len(edge.reports) == 1


async def test_client_reports_are_read():
    edge = Edge()
    lines = [
        {"reason": "ratelimit_backoff", "category": "monitor", "quantity": 3},
        {"reason": "queue_overflow", "category": "error", "quantity": 9},
        {"reason": "network_error", "category": "monitor", "quantity": 10**18},
        {"reason": "x", "category": "monitor", "quantity": -1},
        {"reason": "a client's own", "category": "monitor", "quantity": 2},
    ]
    report = json.dumps({"timestamp": 1.5, "discarded_events": lines}).encode()
    assert (await edge.envelope(envelope(item(report, "client_report")))).status_code == 200
    assert edge.losses == [("ratelimit_backoff", 42, 3), ("network_error", 42, 1_000_000), ("other", 42, 2)]
    assert edge.items == [("client_report", 42)]


@pytest.mark.parametrize(
    "payload", [b"", b"x", b"[]", b'{"discarded_events":5}', b'{"discarded_events":[5]}', b"x" * 200_000]
)
async def test_a_bad_client_report_is_ignored(payload):
    edge = Edge()
    assert (await edge.envelope(envelope(item(payload, "client_report"), item(check_in())))).status_code == 200
    assert (edge.losses, len(edge.reports)) == ([], 1)


# --- encodings and bombs ---------------------------------------------------------------------------------------------

ENCODE = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("encoding", ENCODE)
async def test_encodings(encoding):
    edge = Edge()
    assert (await edge.envelope(slowly(ENCODE[encoding](GOOD)), content_encoding=encoding)).status_code == 200
    assert len(edge.reports) == 1


@pytest.mark.parametrize("encoding", ["", "identity"])
async def test_no_encoding(encoding):
    edge = Edge()
    assert (await edge.envelope(GOOD, content_encoding=encoding)).status_code == 200


@pytest.mark.parametrize("path", [KEYED, f"/api/42/cron/job/{KEY}?status=ok", f"/api/42/store/?sentry_key={KEY}"])
async def test_an_unknown_encoding_is_415(path):
    edge = Edge()
    answer = await edge.send("POST", path, content=b"x", headers={"content-encoding": "lzma"})
    assert (answer.status_code, edge.rejections, edge.reasons) == (415, [], ["CHECKIN_VALIDATION_FAILED"])
    assert "lzma" in answer.json()["detail"]


@pytest.mark.parametrize("encoding", ENCODE)
@pytest.mark.parametrize("damage", ["cut", "rubbish"])
async def test_damaged_bodies_are_400(encoding, damage):
    edge = Edge()
    body = ENCODE[encoding](GOOD)[:-3] if damage == "cut" else b"\xff\xffrubbish" * 9
    answer = await edge.envelope(body, content_encoding=encoding)
    assert answer.status_code == 400
    assert f"{encoding}: " in answer.json()["detail"]
    assert edge.reports == []


async def test_an_empty_body_needs_no_encoding():
    edge = Edge()
    path = f"/api/42/cron/job/{KEY}?status=ok"
    assert (await edge.send("POST", path, headers={"content-encoding": "gzip"})).status_code == 202


BOMBS = {
    "blank": b"{}\n" + b"\n" * 150_000_000,
    "attachment": b'{}\n{"type":"attachment"}\n' + bytes(150_000_000),
    "check_in": b'{}\n{"type":"check_in"}\n' + bytes(150_000_000),
    "header": b'{"x":"' + b"y" * 150_000_000,
}


@pytest.mark.parametrize("encoding", ENCODE)
@pytest.mark.parametrize("kind", BOMBS)
async def test_bombs_cost_no_memory(encoding, kind):
    edge = Edge()
    bomb = ENCODE[encoding](BOMBS[kind])
    assert len(bomb) < 1_000_000
    tracemalloc.start()
    answer = await edge.envelope(bomb, content_encoding=encoding)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (answer.status_code, edge.reasons) == (413, ["CHECKIN_VALIDATION_FAILED"])
    assert peak < 16_000_000


async def test_a_bomb_lets_others_run():
    edge = Edge()
    turns = 0

    async def bystander():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(bystander())
    await edge.envelope(gzip.compress(BOMBS["attachment"]), content_encoding="gzip")
    task.cancel()
    assert turns >= 90  # about one for every MiB


async def test_a_compressed_body_has_its_own_cap():
    edge = Edge(limits=Limits(compressed=100))
    body = gzip.compress(envelope(item(check_in(release="".join(map(chr, range(33, 120)))))))
    assert (await edge.envelope(slowly(body), content_encoding="gzip")).status_code == 413
    assert (await edge.envelope(body, content_encoding="gzip")).status_code == 413  # by its Content-Length


async def test_an_announced_length_past_the_cap_is_refused_unread():
    edge = Edge(limits=Limits(expanded=100, lingering=100))

    async def body():
        pytest.fail("read although too long")
        yield b""

    assert (await edge.send("POST", KEYED, content=body(), headers={"content-length": "101"})).status_code == 413


# --- store -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/42/store/", "/api/42/store", "/api/store/", "/api/store"])
async def test_store_counts_and_drops(path):
    edge = Edge()
    body = gzip.compress(json.dumps({"event_id": EVENT, "message": "hello"}).encode())
    headers = {"content-encoding": "gzip", "x-sentry-auth": f"Sentry sentry_key={KEY}, sentry_version=7"}
    answer = await edge.send("POST", path, content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"id": EVENT})
    assert edge.items == [("event", 42)]
    assert edge.journal.commands == []


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"event_id":5}', b'{"x":"' + b"y" * 3_000_000 + b'"}'])
async def test_store_makes_an_id_when_there_is_none(body):
    answer = await Edge().send("POST", f"/api/42/store/?sentry_key={KEY}", content=body)
    assert answer.status_code == 200
    assert len(bytes.fromhex(answer.json()["id"])) == 16


@pytest.mark.parametrize(
    ("path", "status"), [("/api/42/store/", 401), ("/api/store/", 401), (f"/api/7/store/?sentry_key={KEY}", 403)]
)
async def test_store_wants_a_key(path, status):
    assert (await Edge().send("POST", path, content=b"{}")).status_code == status


# --- paths -----------------------------------------------------------------------------------------------------------

CASES = [
    ("POST", f"/api/42/envelope/?sentry_key={KEY}", 200),
    ("POST", f"/api/42/envelope?sentry_key={KEY}", 200),
    ("GET", f"/api/42/cron/My%20Job/{KEY}/?status=ok", 202),
    ("POST", f"/api/42/store/?sentry_key={KEY}", 200),
    ("POST", f"/api/store/?sentry_key={KEY}", 200),
]


@pytest.mark.parametrize(("method", "path", "status"), CASES)
async def test_a_path_prefix(method, path, status):
    edge = Edge(path_prefix="/tools/sentry/")
    assert (await edge.send(method, f"/tools/sentry{path}", content=GOOD)).status_code == status
    assert (await edge.send(method, path, content=GOOD)).status_code == 404
    header = {"dsn": f"http://{KEY}@localhost/tools/sentry/42"}
    body = envelope(item(check_in()), header=header)
    assert (await edge.send("POST", "/tools/sentry/api/42/envelope/", content=body)).status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), CASES)
async def test_mounted_by_the_application(method, path, status):
    edge = Edge()
    edge.app = Starlette(routes=[Mount("/sub", app=edge.app)])
    assert (await edge.send(method, f"/sub{path}", content=GOOD)).status_code == status


async def test_a_client_that_leaves_gets_nothing():
    edge = Edge()
    assert await edge.raw("POST", "/api/42/envelope/", f"sentry_key={KEY}") == []
    half = [{"type": "http.request", "body": GOOD[:20], "more_body": True}]
    assert await edge.raw("POST", "/api/42/envelope/", f"sentry_key={KEY}", half) == []
    assert edge.journal.commands == []


async def test_other_products_are_404():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=Edge().app), base_url="http://x") as client:
        for path in ("security", "csp-report", "nel", "minidump"):
            assert (await client.post(f"/api/42/{path}/")).status_code == 404


async def test_kinds_survive_the_way():
    edge = Edge()
    for status in ("in_progress", "ok", "error"):
        await edge.envelope(envelope(item(check_in(status=status))))
    assert [report.kind for report in edge.reports] == [ReportKind.START, ReportKind.OK, ReportKind.ERROR]


@pytest.mark.parametrize(("size", "read"), [(5_000, 5_000), (90_000, 20_000)])
async def test_a_known_client_that_is_refused_may_finish_its_sentence(size, read):
    """Else its connection is reset while it writes, and it never sees why."""
    edge = Edge(limits=Limits(check_in=100, lingering=19_000))
    taken = 0

    async def body():
        nonlocal taken
        for piece in [GOOD[:3] + item(b"x" * 200), *[b"y" * 1_000] * (size // 1_000)]:
            taken += len(piece) if piece[:1] == b"y" else 0
            yield piece

    assert (await edge.envelope(body())).status_code == 413
    assert taken == read
    expecting = await edge.envelope(body(), expect="100-continue")
    assert expecting.status_code == 413
