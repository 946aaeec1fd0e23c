"""Spec 1.1: paths, methods and answers of telemetry, through the front and its lanes."""

import asyncio

import pytest
import structlog
from telemetry_edge import CODE, KEY, NOW, NUMBER, READ_KEY, Edge

from tocsin.dialects.cronitor.telemetry.intake import Options
from tocsin.dialects.cronitor.telemetry.limits import Limits
from tocsin.domain.check_in import ReportKind
from tocsin.domain.errors import ResourceExhausted, Unavailable, invalid
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.project_settings import ProjectSettings
from tocsin.service.rates import Rate

STRICT = Options(strict=True)


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize("prefix", ["p", "ping"])
@pytest.mark.parametrize("place", ["job", "job/", "job/run", "job/run/", "job?state=run", "job/?state=run"])
async def test_every_form_of_a_path_is_answered_ok(method, prefix, place):
    edge = Edge()
    answer = await edge.send(f"/{prefix}/{KEY}/{place}", method)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.content == (b"" if method == "HEAD" else b"ok")
    assert edge.report.monitor_id == "job"
    assert edge.report.event == ("run" if "run" in place else "")
    assert edge.report.received == NOW


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize("path", ["/ping", "/ping/", "/ping?x=1"])
async def test_a_bare_ping_is_alive(method, path):
    edge = Edge()
    answer = await edge.send(path, method)
    assert (answer.status_code, answer.content) == (200, b"" if method == "HEAD" else b"ok")
    assert edge.journal.commands == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", [f"/p/{KEY}/job", f"/ping/{KEY}/job/run", f"/p/{KEY}/a%20b", "/ping", "/ping/"])
async def test_other_methods_are_405(method, path):
    edge = Edge()
    answer = await edge.send(path, method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert edge.journal.commands == []


@pytest.mark.parametrize("path", ["/p", "/p/", "/pings/a/b"])
async def test_what_names_no_key_is_not_here(path):
    assert (await Edge().send(path)).status_code == 404


@pytest.mark.parametrize("path", [f"/p/{KEY}", f"/ping/{KEY}", f"/p/{KEY}/", f"/ping/{KEY}//"])
async def test_what_names_no_monitor_is_refused_and_never_sent_elsewhere(path):
    edge = Edge()
    assert (await edge.send(path)).text == "ok"
    assert [one.detail.partition(":")[0] for one in edge.refusals] == ["key"]
    assert (await Edge(STRICT).send(path)).status_code == 400


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("a%20b", "a b"),
        ("a+b", "a+b"),
        ("100%25", "100%"),
        ("100%2525", "100%25"),
        ("%E6%97%A5", "日"),
        ("a%3Fb%23c", "a?b#c"),
        ("Backup", "Backup"),
        ("%6Aob", "job"),
    ],
)
async def test_a_key_is_decoded_once(written, key):
    edge = Edge()
    await edge.send(f"/p/{KEY}/{written}/run")
    assert bytes(edge.report.upsert.extras["cronitor"]) == b'{"key":"%s","type":"job"}' % key.encode()
    assert edge.report.kind is ReportKind.START


async def test_what_follows_a_slash_is_a_state_however_it_was_written():
    edge = Edge()
    await edge.send(f"/p/{KEY}/job%2Ffail")
    assert (edge.report.monitor_id, edge.report.kind) == ("job", ReportKind.ERROR)


@pytest.mark.parametrize("place", ["a/b/c", "", "%FF", "a%00b"])
async def test_what_is_no_key_is_ok_all_the_same_and_kept(place):
    edge = Edge()
    assert (await edge.send(f"/p/{KEY}/{place}?msg=hello")).text == "ok"
    assert edge.reports == []
    (refused,) = edge.refusals
    assert (refused.project, refused.dropped) == (42, True)
    assert refused.payload.endswith("?msg=hello")


async def test_a_body_is_let_go():
    edge = Edge()
    answer = await edge.send(f"/p/{KEY}/job?state=run", "POST", content=b'{"state": "fail"}' * 100_000)
    assert answer.text == "ok"
    assert edge.report.event == "run"


async def test_text_that_is_not_encoded_is_read_as_it_is_meant():
    edge = Edge()
    await edge.send(f"/p/{KEY}/job?msg=100%&env=Z\u00fcrich&series=a b")
    assert (edge.report.message, edge.report.environment, edge.report.series) == ("100%", "Zürich", "a b")


async def test_who_sends():
    edge = Edge()
    await edge.send(f"/p/{KEY}/job", headers=[("user-agent", "curl/8.5")])
    assert (edge.report.client, edge.report.address) == ("curl", "192.0.2.7")


async def test_who_sends_through_a_proxy():
    edge = Edge()
    await edge.send(f"/p/{KEY}/job", headers=[("x-forwarded-for", "198.51.100.9")], address="127.0.0.1")
    await edge.send(f"/p/{KEY}/job", headers=[("x-forwarded-for", "198.51.100.9")], address="192.0.2.7")
    assert [report.address for report in edge.reports] == ["198.51.100.9", "192.0.2.7"]


async def test_a_code_is_a_key():
    edge = Edge()
    assert (await edge.ping("", CODE)).monitor_number == NUMBER
    assert (await edge.ping("", "other1")).monitor_number == 0


async def test_no_api_key_is_kept():
    edge = Edge()
    await edge.send(f"/p/{KEY}/job?auth_key={KEY}&state=run&key={KEY}&monkey=1")
    assert edge.report.payload == "job?state=run&monkey=1"


# --- what is dropped


@pytest.mark.parametrize("key", ["nobody", "f" * 32, "%C3%A4"])
async def test_an_unknown_key_is_ok_and_counted(key):
    edge = Edge()
    assert (await edge.send(f"/p/{key}/job")).text == "ok"
    assert edge.journal.commands == []
    assert edge.rejections == ["cronitor:auth"]
    answer = await Edge(STRICT).send(f"/p/{key}/job")
    assert (answer.status_code, "unknown" in answer.text) == (403, True)


async def test_an_unknown_key_is_logged_once_a_minute_and_never_whole():
    edge = Edge()
    with structlog.testing.capture_logs() as logs:
        for second in 0, 1, 59, 60, 61:
            edge.journal.now = NOW + second * 1000
            await edge.send(f"/p/{'0' * 28}abcd/job/run")
    assert [(line["key"], line["path"], line["address"]) for line in logs] == [("...abcd", "job/run", "192.0.2.7")] * 2


async def test_a_key_that_may_only_read_is_told_to_its_project():
    edge = Edge()
    assert (await edge.send(f"/p/{READ_KEY}/job")).text == "ok"
    assert edge.reports == []
    assert "scope" in edge.refusals[0].detail
    assert (await Edge(STRICT).send(f"/p/{READ_KEY}/job")).status_code == 403


@pytest.mark.parametrize(
    ("reason", "status"),
    [("MONITOR_NOT_FOUND", 404), ("MONITOR_DISABLED", 403), ("CHECKIN_FINISHED", 400), ("INTERNAL", 500)],
)
async def test_what_the_engine_refuses(reason, status):
    for options, expected in (Options(), 200), (STRICT, status):
        edge = Edge(options)
        edge.journal.refused = CheckInRefused(42, "job", reason, "because", NOW, "cronitor")
        answer = await edge.send(f"/p/{KEY}/job/run")
        assert answer.status_code == expected
        assert answer.text == ("ok" if expected == 200 else f"{reason}: because\n")
        assert edge.refusals == []  # it is kept already


async def test_a_project_may_be_strict_for_itself():
    edge = Edge(settings=ProjectSettings(strict=True))
    assert (await edge.send(f"/p/{KEY}/a/b/c")).status_code == 400
    assert (await edge.send("/p/stranger/job")).text == "ok"


async def test_an_event_that_was_sent_before_is_ok_and_counted():
    edge = Edge(STRICT)
    edge.journal.duplicate = True
    assert (await edge.send(f"/p/{KEY}/job/run")).text == "ok"
    assert (edge.rejections, edge.refusals) == (["cronitor:duplicate"], [])


async def test_strict_tells_of_bad_keys_and_not_of_remarks():
    assert (await Edge(STRICT).send(f"/p/{KEY}/a/b/c")).status_code == 400
    edge = Edge(STRICT)
    assert (await edge.send(f"/p/{KEY}/job/run?metric=x")).text == "ok"
    assert [one.dropped for one in edge.refusals] == [False]


@pytest.mark.parametrize("problem", [ResourceExhausted("full", reason="QUOTA_EXCEEDED"), invalid("message", "is bad")])
async def test_what_the_use_case_cannot_take_is_kept(problem):
    edge = Edge()
    edge.journal.error = problem
    assert (await edge.send(f"/p/{KEY}/job")).text == "ok"
    assert [one.dropped for one in edge.refusals] == [True]


async def test_what_is_not_durable_is_never_called_ok():
    edge = Edge()
    edge.journal.trouble = Unavailable("the queue is full", reason="QUEUE_FULL", retry_after_ms=1_500)
    answer = await edge.send(f"/p/{KEY}/job")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert edge.rejections == ["cronitor:overload"]


# --- settings


async def test_creation_may_be_off_for_all_or_for_a_key():
    for options in Options(create=False), Options(creating_not=(1,)):
        edge = Edge(options)
        await edge.ping()
        assert edge.report.upsert is None
    edge = Edge(Options(creating_not=(2,)))
    await edge.ping()
    assert edge.report.upsert is not None


async def test_a_monitor_may_be_limited():
    edge = Edge(limits=Limits(monitor=Rate(5, 2)))
    answers = [await edge.send(f"/p/{KEY}/job{state}") for state in ("", "/run", "?state=run")]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "1"
    assert edge.rejections == ["cronitor:rate_limited"]
    assert (await edge.send(f"/p/{KEY}/other")).status_code == 200
    edge.journal.now += 200
    assert (await edge.send(f"/p/{KEY}/job")).status_code == 200


async def test_an_address_may_be_limited_whatever_its_keys():
    edge = Edge(limits=Limits(address=Rate(1, 1)))
    statuses = [(await edge.send(path)).status_code for path in (f"/p/{KEY}/a", f"/p/{KEY}/b", "/p/guess/b", "/ping")]
    assert statuses == [200, 429, 429, 200]
    assert (await edge.send(f"/p/{KEY}/b", address="192.0.2.8")).status_code == 200


async def test_many_at_once():
    edge = Edge()
    answers = await asyncio.gather(*(edge.send(f"/p/{KEY}/job-{number}") for number in range(9)))
    assert {answer.text for answer in answers} == {"ok"}
    assert len(edge.reports) == 9


async def test_without_room_it_is_no_ok_either():
    edge = Edge()
    edge.app._room.requests = 0
    for path in f"/p/{KEY}/job", f"/ping/{KEY}/job", "/ping":
        answer = await edge.send(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert edge.rejections == ["cronitor:QUEUE_FULL"] * 3
