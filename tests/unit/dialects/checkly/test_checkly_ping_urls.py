"""The ping URL: forms, methods, what is recorded, and what is said when nothing is."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ping_edge import NOW, ORPHAN, PROJECT, TOKEN, UNKNOWN, Edge

from tocsin.dialects.checkly.pings import BLOCKED
from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.errors import Unavailable
from tocsin.domain.facts import CheckInRefused
from tocsin.engine.singles import says_more

BARE = TOKEN.replace("-", "")
FORMS = (f"/{TOKEN}", f"/ping/{TOKEN}", f"/heartbeats/ping/{TOKEN}", f"/ping/{BARE}", f"/heartbeats/ping/{BARE}")


def refused(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    found = answer.json()
    assert found["statusCode"] == status
    assert found["error"]
    assert found["message"]
    return found


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("rest", ["", "/", "?state=fail&key=x", "/?a"])
async def test_every_form_counts(method, path, rest):
    edge = Edge()
    answer = await edge.send(path + rest, method)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.content == (b"" if method == "HEAD" else b"OK")
    (report,) = edge.reports
    assert report == Report(PROJECT, "job", ReportKind.OK, NOW, dialect="checkly", pair=False)


async def test_the_token_in_capitals():
    edge = Edge()
    assert (await edge.send(f"/ping/{TOKEN.upper()}")).status_code == 200
    assert len(edge.reports) == 1


@pytest.mark.parametrize(
    ("headers", "source"),
    [
        ([], ""),
        ([("Referer", "https://a.example/x?y")], "https://a.example/x?y"),
        ([("Origin", "https://b.example")], "https://b.example"),
        ([("Referer", "https://a.example"), ("Origin", "https://b.example")], "https://b.example"),
        ([("Referer", "https://a.example"), ("Origin", "")], "https://a.example"),
        ([("Origin", "x" * 1000)], "x" * 500),
    ],
)
async def test_what_is_known_of_the_sender(headers, source):
    edge = Edge()
    await edge.send(FORMS[0], headers=[("User-Agent", "a" * 300), *headers])
    (report,) = edge.reports
    assert (report.host, report.client) == (source, "a" * 200)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", FORMS)
async def test_other_methods_are_refused_and_not_counted(method, path):
    edge = Edge()
    answer = await edge.send(path, method, content=b"x")
    refused(answer, 405)
    assert answer.headers["allow"] == "GET, POST"
    assert edge.journal.commands == []


@pytest.mark.parametrize("bot", BLOCKED)
async def test_who_looks_at_links_is_no_job(bot):
    edge = Edge()
    answer = await edge.send(FORMS[1], headers=[("User-Agent", f"Mozilla/5.0 (compatible; {bot.upper()}/2.1)")])
    refused(answer, 403)
    assert edge.journal.commands == []
    assert edge.rejections == ["checkly:AGENT_BLOCKED"]


@pytest.mark.parametrize("token", [ORPHAN, UNKNOWN, UNKNOWN.replace("-", ""), f"{UNKNOWN.replace('-', '')}/"])
async def test_a_token_that_nobody_has(token):
    edge = Edge()
    refused(await edge.send(f"/ping/{token}"), 404)
    assert edge.journal.commands == []
    assert edge.rejections == ["checkly:PING_TOKEN_UNKNOWN"]


@pytest.mark.parametrize(
    "path", [f"/ping/{BARE}/job", f"/ping/{BARE}//", f"/ping/{BARE}0", f"/ping/{TOKEN}0", "/ping/key/job", "/ping/x/"]
)
async def test_what_is_no_token_is_somebody_elses(path):
    edge = Edge()
    assert (await edge.send(path)).text == "cronitor"
    assert edge.journal.commands == []


@pytest.mark.parametrize(
    "path", [f"/{TOKEN}/fail", f"/{TOKEN[:-1]}", f"/heartbeats/{TOKEN}", f"/x/{TOKEN}", "/heartbeats/ping/"]
)
async def test_what_is_nobodys_is_404(path):
    edge = Edge()
    assert (await edge.send(path)).status_code == 404
    assert edge.journal.commands == []


async def large(pieces: int) -> AsyncIterator[bytes]:
    for _ in range(pieces):
        yield b"x" * 65_536


@pytest.mark.parametrize("content", [b"{broken", b"\x00\xff" * 9, large(3), large(400)])
async def test_a_body_says_nothing(content):
    edge = Edge()
    headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")]
    answer = await edge.send(FORMS[2], "POST", content=content, headers=headers)
    assert (answer.status_code, answer.content) == (200, b"OK")
    assert len(edge.reports) == 1
    assert edge.reports[0].message == ""


async def test_a_ping_is_recorded_before_its_body_is_read():
    edge = Edge()
    seen = []

    async def watching() -> AsyncIterator[bytes]:
        seen.append(len(edge.reports))
        yield b"x"

    await edge.send(FORMS[0], "POST", content=watching(), headers=[("Transfer-Encoding", "chunked")])
    assert seen == [1]


async def test_who_hangs_up_while_it_sends_has_pinged():
    edge = Edge()
    scope = {
        "type": "http", "method": "POST", "path": FORMS[0], "raw_path": FORMS[0].encode(), "query_string": b"",
        "headers": [(b"content-length", b"9")], "root_path": "", "client": None,
    }  # fmt: skip
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await edge.app(scope, receive, send)
    assert len(edge.reports) == 1
    assert sent[0]["status"] == 200


async def test_what_may_not_be_stored_is_503():
    edge = Edge()
    edge.journal.trouble = Unavailable("try again", reason="QUEUE_FULL", retry_after_ms=1_500)
    answer = await edge.send(FORMS[0])
    refused(answer, 503)
    assert answer.headers["retry-after"] == "2"
    edge.journal.trouble, edge.tokens.trouble = None, Unavailable("no database", reason="STORE_UNAVAILABLE")
    refused(await edge.send(FORMS[0]), 503)
    assert edge.rejections == ["checkly:QUEUE_FULL", "checkly:STORE_UNAVAILABLE"]


@pytest.mark.parametrize("path", FORMS)
async def test_no_room_is_503_too(path):
    edge = Edge(room=0)
    refused(await edge.send(path), 503)
    assert edge.rejections == ["checkly:QUEUE_FULL"]


@pytest.mark.parametrize(
    ("reason", "status"),
    [("MONITOR_DISABLED", 200), ("MONITOR_NOT_FOUND", 404), ("MONITOR_ENVIRONMENT_RATELIMITED", 429)],
)
async def test_what_the_engine_does_not_honour(reason, status):
    edge = Edge()
    edge.journal.refused = CheckInRefused(PROJECT, "job", reason, "a detail", NOW, "checkly")
    answer = await edge.send(FORMS[0])
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == (status == 429)


@pytest.mark.parametrize(("headers", "more"), [([], False), ([("Referer", "https://a.example")], True)])
async def test_the_kernels_take_a_ping(headers, more):
    """Nothing of it asks for the rules, and columns hold all of it, unless it names where it comes from."""
    edge = Edge()
    await edge.send(FORMS[0], headers=[("User-Agent", "curl/8"), *headers])
    (report,) = edge.reports
    assert report.kind is ReportKind.OK
    assert (report.time, report.upsert, report.check_in_id, report.by_kind) == (None, None, None, False)
    assert says_more(report) is more


PART = st.sampled_from(
    ["ping", "heartbeats", TOKEN, TOKEN.upper(), UNKNOWN, TOKEN[:-1], "", "%00", "a%2Fb", "a b", "é"]
)
LATIN = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=30)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(PART, min_size=1, max_size=4).map(lambda parts: re.sub("/+", "/", "/" + "/".join(parts))),
    st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "BREW"]),
    LATIN,
    st.binary(max_size=30),
)
def test_whatever_is_sent_only_a_token_counts(path, method, agent, body):
    """Never a fault of ours, and nothing is recorded but by one of the three forms."""
    edge = Edge()
    headers = [("User-Agent", agent.encode("latin-1")), ("Referer", agent.encode("latin-1"))]
    answer = asyncio.run(edge.send(path, method, content=body, headers=headers))
    assert answer.status_code in (200, 403, 404, 405)
    counts = {form.lower() for form in FORMS} | {f"{form}/".lower() for form in FORMS}
    good = path.lower() in counts and method in ("GET", "POST", "HEAD")
    blocked = any(bot in agent.lower() for bot in BLOCKED)
    assert len(edge.reports) == (good and not blocked)
