"""Every captured request of a real client, byte for byte, and the report it must become."""

import json

import pytest
from sentry_edge import NOW, Edge, slowly

from contract.fixtures.sentry.captures import Capture, load
from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.monitor import Kind, MonitorChange
from tocsin.domain.schedule import Cron, Interval, Unit

CAPTURES = {f"{capture.client}/{capture.name}": capture for capture in load()}
KINDS = {"in_progress": ReportKind.START, "ok": ReportKind.OK, "error": ReportKind.ERROR}
POLICY = {"kind": Kind.JOB, "round_to_minute": True}


async def _replay(capture: Capture) -> tuple[Edge, object]:
    edge = Edge()
    content = slowly(capture.wire, 100) if capture.chunked else capture.wire
    answer = await edge.send(capture.method, capture.target, content=content, headers=capture.sent_headers())
    assert edge.rejections == []
    assert edge.refusals == []
    return edge, answer


def _payloads(capture: Capture) -> list[dict[str, object]]:
    """The check-ins of an envelope; the captured ones hold no line feed inside a payload."""
    lines = capture.body.splitlines()
    return [
        json.loads(payload)
        for header, payload in zip(lines[1::2], lines[2::2], strict=False)
        if json.loads(header)["type"] == "check_in"
    ]


def test_all_clients_are_there():
    assert len(CAPTURES) == 49
    assert {capture.client for capture in CAPTURES.values()} == {
        "curl",
        "node-sdk-11.12.0",
        "node-sdk-8.55.2",
        "python-sdk-1.45.1",
        "python-sdk-2.75.0",
        "sentry-cli-3.8.0",
        "sentry-new-cli-0.49.0",
    }


@pytest.mark.parametrize("name", [name for name, capture in CAPTURES.items() if "/envelope/" in capture.target])
async def test_envelopes(name):
    capture = CAPTURES[name]
    edge, answer = await _replay(capture)
    assert answer.status_code == 200
    event_id = json.loads(capture.body.splitlines()[0]).get("event_id")
    assert answer.json() == ({"id": event_id} if event_id else {})
    sent = _payloads(capture)
    assert len(edge.reports) == len(sent)
    for report, payload in zip(edge.reports, sent, strict=True):
        identifier, trace = payload.get("check_in_id"), payload.get("contexts", {}).get("trace", {})
        assert report.monitor_id == payload["monitor_slug"]
        assert report.kind is KINDS[payload["status"]]
        assert report.environment == (payload.get("environment") or "production")
        assert report.check_in_id == (None if identifier == "0" * 32 else identifier)
        assert report.duration_ms == (None if payload.get("duration") is None else int(payload["duration"] * 1000))
        assert report.release == (payload.get("release") or "")
        assert report.host == payload.get("server_name", "")
        assert report.trace_id == trace.get("trace_id", "")
        assert (report.project, report.received, report.dialect) == (42, NOW, "sentry")
        assert (report.upsert is not None) == ("monitor_config" in payload)
        assert report.upsert_error == ""


@pytest.mark.parametrize(
    ("name", "client"),
    [
        ("python-sdk-2.75.0/decorator_open_upsert", "sentry.python/2.75.0"),
        ("python-sdk-1.45.1/decorator_open", "sentry.python/1.45.1"),
        ("node-sdk-11.12.0/manual_open_upsert", "sentry.javascript.node/11.12.0"),
        ("node-sdk-8.55.2/tunnel_dsn_in_envelope_header", "sentry.javascript.node/8.55.2"),
        ("sentry-cli-3.8.0/run_ok_open", "sentry-cli/x86_64"),
        ("sentry-new-cli-0.49.0/run_upsert_open", "sentry-cli/dev"),
        ("curl/cron_get_open", "curl/7.88.1"),
    ],
)
async def test_clients(name, client):
    edge, _ = await _replay(CAPTURES[name])
    assert edge.reports[0].client == client


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (
            "python-sdk-2.75.0/decorator_open_upsert",
            MonitorChange(
                {"schedules": (Cron("*/5 * * * *", "Europe/Vienna"),), **POLICY},
                {"margin_ms": 120_000, "max_runtime_ms": 600_000, "failure_threshold": 3, "recovery_threshold": 2},
                owner="team:ops",
                origin="sentry",
            ),
        ),
        (
            "node-sdk-11.12.0/manual_open_upsert",
            MonitorChange(
                {"schedules": (Cron("0 * * * *", "America/Los_Angeles"),), **POLICY},
                {"margin_ms": 120_000, "max_runtime_ms": 600_000, "failure_threshold": 2, "recovery_threshold": 3},
                origin="sentry",
            ),
        ),
        (
            "node-sdk-11.12.0/withMonitor_open_interval",
            MonitorChange(
                {"schedules": (Interval(2, Unit.DAY, "", truncate_to_minute=True),), **POLICY}, origin="sentry"
            ),
        ),
        (
            "sentry-new-cli-0.49.0/run_upsert_open",
            MonitorChange(
                {"schedules": (Cron("0 0 * * *"),), **POLICY}, {"max_runtime_ms": 1_800_000}, origin="sentry"
            ),
        ),
        (
            "curl/cron_post_json_upsert",
            MonitorChange(
                {"schedules": (Cron("0 * * * *", "Europe/Vienna"),), **POLICY},
                {"margin_ms": 300_000, "max_runtime_ms": 1_800_000},
                origin="sentry",
            ),
        ),
    ],
)
async def test_upserts(name, change):
    edge, _ = await _replay(CAPTURES[name])
    assert edge.reports[0].upsert == change


def _cron(slug: str, kind: ReportKind, **fields: object) -> Report:
    known = {"environment": "production", "dialect": "sentry", "client": "curl/7.88.1", **fields}
    return Report(42, slug, kind, NOW, **known)


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("cron_get_open", _cron("curl-job", ReportKind.START)),
        ("cron_get_close", _cron("curl-job", ReportKind.OK, environment="dev", duration_ms=3_500)),
        ("cron_post_query_id", _cron("curl-job", ReportKind.ERROR, check_in_id="83a7c03ed0a04e1b97e2e3b18d38f244")),
        ("cron_post_basic_auth", _cron("curl-basic", ReportKind.OK)),
        ("cron_post_form", _cron("curl-form", ReportKind.OK)),
    ],
)
async def test_cron_requests(name, report):
    edge, answer = await _replay(CAPTURES[f"curl/{name}"])
    assert (answer.status_code, answer.content) == (202, b"")
    assert edge.reports == [report]


async def test_cron_request_with_config_in_the_body_and_status_in_the_query():
    edge, answer = await _replay(CAPTURES["curl/cron_post_json_body_status_in_query"])
    assert answer.status_code == 202
    (report,) = edge.reports
    assert (report.monitor_id, report.kind) == ("curl-upsert", ReportKind.OK)
    assert report.upsert is not None
    assert report.upsert.policy["schedules"] == (Cron("0 * * * *", ""),)


async def test_legacy_event():
    edge, answer = await _replay(CAPTURES["python-sdk-1.45.1/event_via_store"])
    assert (answer.status_code, answer.json()) == (200, {"id": "61568b11fd0e4ab7bba0ad1b161fdc3a"})
    assert (edge.items, edge.journal.commands) == ([("event", 42)], [])


async def test_client_report():
    edge, _ = await _replay(CAPTURES["python-sdk-2.75.0/client_report"])
    assert [(reason, project) for reason, project, _ in edge.losses] == [("ratelimit_backoff", 42)]


@pytest.mark.parametrize("name", CAPTURES)
async def test_requests_made_over_to_another_project(name):
    """What the contract tests rely on: the same request for other credentials is still whole."""
    capture = CAPTURES[name].for_project(7, "f" * 32)
    edge, answer = await _replay(capture)
    assert answer.status_code in (200, 202)
    assert {report.project for report in edge.reports} <= {7}
