"""Spec sections 2.1 and 2.2: which report a check-in becomes, and which refusal."""

import json

import pytest
from sentry_edge import NOW, PROJECT, check_in

from tocsin.dialects.sentry.mapping import from_json, monitor_id_of
from tocsin.dialects.sentry.refusals import Arrival
from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.schedule import Cron

ARRIVAL = Arrival(PROJECT, NOW, "sentry.python/2.75.0")
ID = "83a7c03ed0a04e1b97e2e3b18d38f244"
TRACE = "8f431b7aa08441bbbd5a0100fd91f9fe"
HOURLY = {"schedule": {"type": "crontab", "value": "0 * * * *"}}


def _report(**fields: object) -> Report:
    outcome = from_json(check_in(**fields), ARRIVAL)
    assert outcome.report is not None, outcome.refusals
    assert outcome.refusals == ()
    return outcome.report


def _refused(payload: bytes):
    outcome = from_json(payload, ARRIVAL)
    assert outcome.report is None
    (refused,) = outcome.refusals
    assert (refused.project, refused.at, refused.dialect, refused.dropped) == (PROJECT, NOW, "sentry", True)
    return refused


def test_the_least():
    assert from_json(b'{"monitor_slug":"job","status":"ok"}', ARRIVAL).report == Report(
        PROJECT,
        "job",
        ReportKind.OK,
        NOW,
        environment="production",
        dialect="sentry",
        client="sentry.python/2.75.0",
        payload='{"monitor_slug":"job","status":"ok"}',
    )


def test_everything():
    report = _report(
        status="in_progress",
        duration=10.0,
        release="1.0.0",
        environment="staging",
        monitor_config=HOURLY,
        contexts={"trace": {"trace_id": TRACE, "span_id": "x", "op": "y"}, "os": {}},
        sdk={"name": "sentry.python.flask", "version": "2.75.0", "packages": []},
        server_name="host-1",
        type="check_in",
        timestamp="yesterday",
        platform="python",
        event_id="nonsense",
    )
    assert report.upsert is not None
    assert report.upsert.policy["schedules"] == (Cron("0 * * * *", ""),)
    assert report == Report(
        PROJECT,
        "job",
        ReportKind.START,
        NOW,
        environment="staging",
        check_in_id=ID,
        duration_ms=10_000,
        release="1.0.0",
        host="host-1",
        trace_id=TRACE,
        dialect="sentry",
        client="sentry.python.flask/2.75.0",
        upsert=report.upsert,
        payload=report.payload,
    )
    assert (report.time, report.retry_safe, report.pair) == (None, False, True)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (..., None),
        (None, None),
        ("0" * 32, None),
        ("00000000-0000-0000-0000-000000000000", None),
        (ID, ID),
        (ID.upper(), ID),
        ("83a7c03e-d0a0-4e1b-97e2-e3b18d38f244", ID),
        ("83A7C03E-D0A0-4E1B-97E2-E3B18D38F244", ID),
    ],
)
def test_check_in_id(sent, kept):
    assert _report(check_in_id=sent).check_in_id == kept


@pytest.mark.parametrize("sent", ["", "x", ID[:-1], ID + "0", "g" * 32, "{" + ID + "}", "\uff18" * 32])
def test_a_bad_id(sent):
    refused = _refused(check_in(check_in_id=sent))
    assert refused.reason == "CHECKIN_INVALID_GUID"
    assert (refused.monitor_id, refused.environment) == ("job", "production")
    assert refused.detail.startswith("$.check_in_id: ")


@pytest.mark.parametrize(
    ("sent", "kind"), [("in_progress", ReportKind.START), ("ok", ReportKind.OK), ("error", ReportKind.ERROR)]
)
def test_status(sent, kind):
    assert _report(status=sent).kind is kind


@pytest.mark.parametrize("sent", ["missed", "timeout", "unknown", "OK", " ok", "success", "", None, ..., 5, ["ok"]])
def test_a_bad_status(sent):
    refused = _refused(check_in(status=sent))
    assert (refused.reason, refused.monitor_id) == ("CHECKIN_VALIDATION_FAILED", "job")
    assert refused.detail.startswith("$.status: ")


@pytest.mark.parametrize(
    ("sent", "millis"),
    [
        (..., None),
        (None, None),
        (0, 0),
        (0.0, 0),
        (10, 10_000),
        (12.5, 12_500),
        (0.0009, 0),
        (0.0019, 1),
        (1.001, 1_001),
        (2147483.647, 2_147_483_647),
    ],
)
@pytest.mark.parametrize("status", ["in_progress", "ok", "error"])
def test_duration(sent, millis, status):
    assert _report(duration=sent, status=status).duration_ms == millis


@pytest.mark.parametrize("sent", [-1, -0.001, 2147483.648, 1e300, 10**25, "5", True, [1]])
def test_a_bad_duration(sent):
    refused = _refused(check_in(duration=sent))
    assert refused.reason == "CHECKIN_VALIDATION_FAILED"
    assert refused.detail.startswith("$.duration: ")


@pytest.mark.parametrize("text", [b"NaN", b"Infinity", b"1e400", b"-1e400", b"9" * 500, b"0x10", b"01"])
def test_numbers_that_are_none(text):
    refused = _refused(b'{"monitor_slug":"job","status":"ok","duration":' + text + b"}")
    assert refused.reason == "CHECKIN_VALIDATION_FAILED"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (..., "production"),
        (None, "production"),
        ("", "production"),
        ("Production", "Production"),
        ("ä b", "ä b"),
        ("x" * 64, "x" * 64),
    ],
)
def test_environment(sent, kept):
    assert _report(environment=sent).environment == kept


@pytest.mark.parametrize("sent", ["x" * 65, "a/b", "a\nb", "a\rb", "a\fb"])
def test_a_bad_environment(sent):
    refused = _refused(check_in(environment=sent))
    assert refused.reason == "MONITOR_INVALID_ENVIRONMENT"
    assert (refused.monitor_id, refused.environment) == ("job", sent[:64])
    assert refused.check_in_id == ID


@pytest.mark.parametrize(
    ("slug", "monitor_id"),
    [
        ("job", "job"),
        ("My Fancy Job!", "my-fancy-job"),
        ("a_b", "a_b"),
        ("--x--", "x"),
        ("_x_", "x"),
        ("12345", "12345"),
        ("a  -  b", "a-b"),
        ("Ünïcode", "unicode"),
        ("x" * 50, "x" * 50),
        ("x" * 51, "x" * 50),
        ("x" * 49 + "-yz", "x" * 49),
        ("ä" * 60, "a" * 50),
        (" " * 50 + "x", ""),
        ("日本", ""),
        ("日本-x", "x"),
        ("x" * 1_000_000, "x" * 50),
    ],
)
def test_slug(slug, monitor_id):
    assert monitor_id_of(slug) == monitor_id


def test_a_slug_is_normalised_in_the_report():
    assert _report(monitor_slug="My Fancy Job!").monitor_id == "my-fancy-job"


@pytest.mark.parametrize("slug", [..., None, "", "日本", "---", " ", 5, {}])
def test_a_bad_slug(slug):
    refused = _refused(check_in(monitor_slug=slug))
    assert (refused.reason, refused.monitor_id) == ("CHECKIN_VALIDATION_FAILED", "")
    assert refused.detail.startswith("$.monitor_slug: ")


@pytest.mark.parametrize(
    "contexts",
    [
        None,
        5,
        "x",
        [],
        {},
        {"trace": None},
        {"trace": 5},
        {"trace": {}},
        {"trace": {"trace_id": 5}},
        {"trace": {"trace_id": "x"}},
        {"trace": {"trace_id": "0" * 32}},
    ],
)
def test_a_bad_trace_costs_only_the_trace(contexts):
    assert _report(contexts=contexts).trace_id == ""


def test_a_dashed_trace_id():
    sent = "8F431B7A-A084-41BB-BD5A-0100FD91F9FE"
    assert _report(contexts={"trace": {"trace_id": sent}}).trace_id == TRACE


@pytest.mark.parametrize("sent", [None, 5, {}, [], ""])
def test_what_is_only_told_may_be_anything(sent):
    report = _report(release=sent, server_name=sent, sdk=sent)
    assert (report.release, report.host, report.client) == ("", "", "sentry.python/2.75.0")


def test_texts_are_cut():
    report = _report(release="r" * 1_000, server_name="h" * 1_000, sdk={"name": "n" * 1_000})
    assert (len(report.release), len(report.host), len(report.client)) == (250, 255, 128)


@pytest.mark.parametrize(
    "config", [{}, [], "x", 5, {"schedule": {"type": "crontab"}}, {"schedule": HOURLY["schedule"], "max_runtime": -1}]
)
def test_a_bad_config_never_costs_the_run(config):
    report = _report(monitor_config=config)
    assert report.upsert is None
    assert report.upsert_error.startswith("$.monitor_config")


def test_no_config():
    for config in (..., None):
        report = _report(monitor_config=config)
        assert (report.upsert, report.upsert_error) == (None, "")


def test_a_good_config_with_remarks():
    outcome = from_json(check_in(monitor_config={**HOURLY, "owner": "nobody", "name": "x"}), ARRIVAL)
    assert outcome.report is not None
    assert isinstance(outcome.report.upsert, MonitorChange)
    assert outcome.report.upsert_error == ""
    assert [(one.reason, one.dropped, one.monitor_id, one.check_in_id) for one in outcome.refusals] == [
        ("CHECKIN_VALIDATION_FAILED", False, "job", ID),
        ("MONITOR_INVALID_CONFIG", False, "job", ID),
    ]
    assert "$.monitor_config.name" in outcome.refusals[1].detail


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"", "truncated"),
        (b"hello", "malformed"),
        (b"[]", "expected `object`, got `array`"),
        (b"null", "expected `object`"),
        (b'{"monitor_slug":"job"', "truncated"),
        (b'{"monitor_slug":"job","status":"ok"} x', "trailing characters"),
        (b'{"monitor_slug":"j\xff","status":"ok"}', "UTF-8"),
        (b'{"monitor_slug":"\\ud800","status":"ok"}', ""),
        (b'{"x":' + b"[" * 40_000 + b"]" * 40_000 + b"}", "nested too deeply"),
        (b'{"monitor_config":' + b'{"a":' * 15_000 + b"1" + b"}" * 15_000 + b"}", "nested too deeply"),
        (b'{"status":{"a":1},"monitor_slug":"job"}', "$.status: expected `str | null`, got `object`"),
    ],
)
def test_json_that_is_none(payload, text):
    refused = _refused(payload)
    assert refused.reason == "CHECKIN_VALIDATION_FAILED"
    assert text in refused.detail
    assert refused.detail.startswith("$")


def test_a_refusal_is_filed_under_its_monitor_if_that_can_be_read():
    assert _refused(b'{"status":5,"monitor_slug":"My Job"}').monitor_id == "my-job"


def test_of_a_key_that_comes_twice_the_last_holds():
    outcome = from_json(b'{"monitor_slug":"a","status":"error","status":"ok","monitor_slug":"b"}', ARRIVAL)
    assert outcome.report is not None
    assert (outcome.report.monitor_id, outcome.report.kind) == ("b", ReportKind.OK)


def test_lone_surrogates_and_control_characters_stay_harmless():
    payload = json.dumps({"monitor_slug": "a\u0000b", "status": "ok", "environment": "x\u0001"}).encode()
    outcome = from_json(payload, ARRIVAL)
    assert outcome.report is not None
    assert (outcome.report.monitor_id, outcome.report.environment) == ("ab", "x\u0001")
    assert outcome.report.environment.encode()


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        (b'{"monitor_slug":"job"}', '{"monitor_slug":"job"}'),
        (check_in(monitor_config={**HOURLY, "owner": "nobody"}), None),
        (b"\xff\xfe\x00", "\ufffd\ufffd\x00"),
        (b"[" * 100_000, "[" * 4096),
    ],
)
def test_what_was_sent_is_kept_with_a_refusal_or_remark(payload, kept):
    (refused,) = from_json(payload, ARRIVAL).refusals
    assert refused.payload == (payload.decode() if kept is None else kept)
    assert refused.data["field"].startswith("$")
