"""Spec section 1.8: the cron endpoint, over HTTP as far as the journal."""

import gzip
import json

import pytest
from sentry_edge import KEY, NOW, OTHER_KEY, Edge, slowly

from tocsin.domain.check_in import Report, ReportKind
from tocsin.domain.schedule import Cron

ID = "83a7c03ed0a04e1b97e2e3b18d38f244"
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
HOURLY = {"schedule": {"type": "crontab", "value": "0 * * * *"}}


@pytest.mark.parametrize(
    "path",
    [
        f"/api/42/cron/job/{KEY}/?status=ok",
        f"/api/42/cron/job/{KEY}?status=ok",
        f"/api/42/cron/job/?status=ok&sentry_key={KEY}",
        f"/api/42/cron/job?status=ok&sentry_key={KEY}",
        f"/api/42/cron/job/{KEY}?status=ok&sentry_key={KEY}",
        f"/api/42/cron/%6Aob/{KEY}?status=%6Fk",
        f"/api/42/cron/JOB!/{KEY}?status=ok&environment=&duration=&check_in_id=",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
async def test_paths(method, path):
    edge = Edge()
    answer = await edge.send(method, path)
    assert (answer.status_code, answer.content) == (202, b"")
    assert edge.reports == [Report(42, "job", ReportKind.OK, NOW, environment="production", dialect="sentry")]
    assert edge.items == [("check_in", 42)]
    assert edge.rejections == []


async def test_all_parameters():
    edge = Edge()
    query = "status=error&check_in_id=83A7C03E-d0a0-4e1b-97e2-e3b18d38f244&environment=dev&duration=3.5"
    assert (
        await edge.send("GET", f"/api/42/cron/job/{KEY}/?{query}", headers={"user-agent": "curl/8"})
    ).status_code == 202
    (report,) = edge.reports
    assert report == Report(
        42,
        "job",
        ReportKind.ERROR,
        NOW,
        environment="dev",
        check_in_id=ID,
        duration_ms=3_500,
        dialect="sentry",
        client="curl/8",
    )


@pytest.mark.parametrize(
    ("segment", "monitor_id"),
    [
        ("My%20Fancy%20Job!", "my-fancy-job"),
        ("a%2Fb", "ab"),
        ("a+b", "ab"),
        ("%25", ""),
        ("a%252Fb", "a2fb"),
        ("caf%C3%A9", "cafe"),
    ],
)
async def test_the_slug_is_percent_decoded_once(segment, monitor_id):
    edge = Edge()
    assert (await edge.send("GET", f"/api/42/cron/{segment}/{KEY}/?status=ok")).status_code == 202
    assert [report.monitor_id for report in edge.reports] == ([monitor_id] if monitor_id else [])
    assert edge.reasons == ([] if monitor_id else ["CHECKIN_VALIDATION_FAILED"])


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "status: required"),
        ("status=", "status: required"),
        ("status=ok&duration=soon", "is not a number of seconds"),
        ("status=ok&duration=nan", "is not a number of seconds"),
        ("status=ok&duration=inf", "is not a number of seconds"),
        ("status=ok&duration=1e999", "is not a number of seconds"),
        ("status=ok&duration=1_0", "is not a number of seconds"),
        ("status=ok&duration=\uff11", "is not a number of seconds"),
    ],
)
async def test_bad_queries_are_400(query, text):
    edge = Edge()
    answer = await edge.send("GET", f"/api/42/cron/job/{KEY}/?{query}")
    assert answer.status_code == 400
    assert text in answer.json()["detail"]
    assert edge.reports == []
    assert edge.rejections == []  # counted as the fact that follows
    assert edge.reasons == ["CHECKIN_VALIDATION_FAILED"]


async def test_a_bad_id_is_400_and_kept_as_what_it_is():
    edge = Edge()
    answer = await edge.send("GET", f"/api/42/cron/Job/{KEY}/?status=ok&check_in_id=nonsense&sentry_version=7")
    assert answer.status_code == 400
    assert "is not a UUID" in answer.json()["detail"]
    (refused,) = edge.refusals
    assert (refused.reason, refused.monitor_id) == ("CHECKIN_INVALID_GUID", "job")
    assert json.loads(refused.payload) == {"monitor_slug": "Job", "status": "ok", "check_in_id": "nonsense"}


@pytest.mark.parametrize(
    ("headers", "body", "kept"),
    [
        (JSON, b'{"status": 7}', '{"status": 7}'),
        (JSON, b"\xff{", "\ufffd{"),
        (FORM, b"duration=x", '{"monitor_slug":"job","duration":"x","body":"duration=x"}'),
        ({}, b"", '{"monitor_slug":"job","duration":"x"}'),
        (JSON, b"[" + b"1," * 9_000, "[" + "1," * 2047 + "1"),
    ],
)
async def test_what_was_sent_is_kept_without_the_key(headers, body, kept):
    edge = Edge()
    path = f"/api/42/cron/job/?sentry_key={KEY}&duration=x"
    assert (await edge.send("POST", path, content=body, headers=headers)).status_code == 400
    assert [refused.payload for refused in edge.refusals] == [kept]


async def test_what_was_sent_goes_on_with_the_report():
    edge = Edge()
    await edge.send("POST", f"/api/42/cron/job/{KEY}/?x=1", content=b'{"status":"ok"}', headers=JSON)
    await edge.send("GET", f"/api/42/cron/job/{KEY}/?status=ok")
    assert edge.journal.payloads == ['{"status":"ok"}', '{"monitor_slug":"job","status":"ok"}']


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("status=missed", "CHECKIN_VALIDATION_FAILED"),
        ("status=done", "CHECKIN_VALIDATION_FAILED"),
        ("status=ok&duration=-1", "CHECKIN_VALIDATION_FAILED"),
        ("status=ok&duration=9999999", "CHECKIN_VALIDATION_FAILED"),
        (f"status=ok&environment={'x' * 65}", "MONITOR_INVALID_ENVIRONMENT"),
        ("status=ok&environment=a/b", "MONITOR_INVALID_ENVIRONMENT"),
    ],
)
async def test_accepted_and_then_refused(query, reason):
    edge = Edge()
    answer = await edge.send("GET", f"/api/42/cron/job/{KEY}/?{query}")
    assert (answer.status_code, answer.content) == (202, b"")
    assert edge.reports == []
    assert [(refused.reason, refused.monitor_id) for refused in edge.refusals] == [(reason, "job")]


async def test_json_body():
    edge = Edge()
    body = json.dumps(
        {"status": "in_progress", "monitor_slug": "other", "environment": "dev", "monitor_config": HOURLY}
    ).encode()
    answer = await edge.send("POST", f"/api/42/cron/job/{KEY}/", content=body, headers=JSON)
    assert answer.status_code == 202
    (report,) = edge.reports
    assert (report.monitor_id, report.kind, report.environment) == ("job", ReportKind.START, "dev")
    assert report.upsert is not None
    assert report.upsert.policy["schedules"] == (Cron("0 * * * *", ""),)


async def test_the_body_wins_over_the_query():
    edge = Edge()
    query = f"status=error&environment=query&duration=1&check_in_id={'1' * 32}"
    body = json.dumps({"status": "ok", "environment": "body", "duration": 2.5, "check_in_id": ID}).encode()
    await edge.send("POST", f"/api/42/cron/job/{KEY}/?{query}", content=body, headers=JSON)
    (report,) = edge.reports
    assert (report.kind, report.environment, report.duration_ms, report.check_in_id) == (
        ReportKind.OK,
        "body",
        2_500,
        ID,
    )


async def test_the_query_fills_what_the_body_leaves_out():
    edge = Edge()
    body = json.dumps({"monitor_config": HOURLY, "status": None}).encode()
    path = f"/api/42/cron/job/{KEY}/?status=ok&environment=dev&duration=1&check_in_id={ID}"
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert (await edge.send("POST", path, content=body, headers=headers)).status_code == 202
    (report,) = edge.reports
    assert (report.kind, report.environment, report.duration_ms, report.check_in_id) == (
        ReportKind.OK,
        "dev",
        1_000,
        ID,
    )
    assert report.upsert is not None


async def test_form_body():
    edge = Edge()
    body = f"status=error&environment=a+b&duration=2&check_in_id={ID}".encode()
    assert (await edge.send("POST", f"/api/42/cron/job/{KEY}?status=ok", content=body, headers=FORM)).status_code == 202
    (report,) = edge.reports
    assert (report.kind, report.environment, report.duration_ms, report.check_in_id) == (
        ReportKind.ERROR,
        "a b",
        2_000,
        ID,
    )


@pytest.mark.parametrize("headers", [{}, {"content-type": "text/plain"}, {"content-type": "application/octet-stream"}])
async def test_other_bodies_are_not_read(headers):
    edge = Edge()
    path = f"/api/42/cron/job/{KEY}?status=ok"
    assert (await edge.send("POST", path, content=b'{"status":"error"', headers=headers)).status_code == 202
    assert [report.kind for report in edge.reports] == [ReportKind.OK]


async def test_an_empty_json_body_is_none():
    edge = Edge()
    assert (await edge.send("POST", f"/api/42/cron/job/{KEY}?status=ok", headers=JSON)).status_code == 202
    assert len(edge.reports) == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"{", "body: $: input data was truncated"),
        (b"[]", "body: $: expected `object`"),
        (b'{"status":5}', "body: $.status: expected"),
        (b'{"status":"ok","duration":"1"}', "body: $.duration: expected"),
        (b'{"status":"ok","duration":NaN}', "body: $: JSON is malformed"),
        (b'{"status":"ok","check_in_id":"x"}', "is not a UUID"),
        (b'{"status":"ok","environment":"\xff"}', "not valid UTF-8"),
        (b'{"status":"ok","else":"\xff"}', "not valid UTF-8"),
        (b'{"monitor_config":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    ],
)
async def test_bad_json_bodies_are_400(body, text):
    edge = Edge()
    answer = await edge.send("POST", f"/api/42/cron/job/{KEY}/?x=1", content=body, headers=JSON)
    assert answer.status_code == 400
    assert text.lower() in answer.json()["detail"].lower()
    (refused,) = edge.refusals
    assert (refused.monitor_id, refused.detail) == ("job", answer.json()["detail"])
    assert refused.reason == ("CHECKIN_INVALID_GUID" if "UUID" in text else "CHECKIN_VALIDATION_FAILED")
    field = text.partition(": ")[2].partition(":")[0]
    assert refused.data == ({"field": field} if text.startswith("body: ") else refused.data)


async def test_a_bad_config_keeps_the_run():
    edge = Edge()
    body = b'{"status":"ok","monitor_config":{"schedule":{"type":"crontab","value":"x"}}}'
    assert (await edge.send("POST", f"/api/42/cron/job/{KEY}/", content=body, headers=JSON)).status_code == 202
    assert "five fields" in edge.reports[0].upsert_error


async def test_compressed_and_chunked_bodies():
    edge = Edge()
    body = gzip.compress(b'{"status":"ok"}')
    headers = {**JSON, "content-encoding": "gzip"}
    assert (
        await edge.send("POST", f"/api/42/cron/job/{KEY}", content=slowly(body), headers=headers)
    ).status_code == 202
    assert len(edge.reports) == 1


async def test_a_body_of_more_than_1_mb_is_413():
    edge = Edge()
    body = b'{"status":"ok","x":"' + b"y" * 1_100_000 + b'"}'
    answer = await edge.send("POST", f"/api/42/cron/job/{KEY}/", content=body, headers=JSON)
    assert (answer.status_code, edge.reasons) == (413, ["CHECKIN_VALIDATION_FAILED"])


async def test_too_many_form_fields_are_400():
    edge = Edge()
    answer = await edge.send("POST", f"/api/42/cron/job/{KEY}/", content=b"a=1&" * 1_000, headers=FORM)
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/api/42/cron/", "/api/42/cron//x/", "/api/42/cron/a/b/c", "/api/42/cron/a/b/c/"])
async def test_other_shapes_are_404(path):
    answer = await Edge().send("GET", path)
    assert answer.status_code == 404
    assert "detail" in answer.json()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/42/cron/job?status=ok", 401),
        (f"/api/42/cron/job/{KEY}?status=ok&sentry_key={OTHER_KEY}", 401),
        (f"/api/42/cron/job/{'a' * 32}?status=ok", 403),
        (f"/api/7/cron/job/{KEY}?status=ok", 403),
        (f"/api/x/cron/job/{KEY}?status=ok", 400),
        (f"/api/42/cron/job?status=ok&sentry_key={KEY}&sentry_version=8", 400),
    ],
)
async def test_credentials(path, status):
    edge = Edge()
    answer = await edge.send("GET", path)
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]
    assert edge.journal.commands == []


async def test_an_admin_key_reports_too():
    edge = Edge()
    assert (await edge.send("GET", f"/api/7/cron/job/{OTHER_KEY}?status=ok")).status_code == 202
    assert edge.reports[0].project == 7


async def test_a_slug_of_a_megabyte():
    edge = Edge()
    sent = await edge.raw("GET", f"/api/42/cron/{'x' * 1_000_000}/{KEY}", "status=ok", [{"type": "http.request"}])
    assert sent[0]["status"] == 202
    assert edge.reports[0].monitor_id == "x" * 50


def multipart(*parts: tuple[str, bytes], boundary: str = "xYz", end: bytes = b"--") -> tuple[dict[str, str], bytes]:
    body = b"".join(b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary.encode(), head.encode(), data) for head, data in parts)
    return {"content-type": f"multipart/form-data; boundary={boundary}"}, body + b"--%s%s\r\n" % (
        boundary.encode(),
        end,
    )


def field(name: str) -> str:
    return f'Content-Disposition: form-data; name="{name}"'


async def test_multipart_form():
    edge = Edge()
    headers, body = multipart(
        (field("status"), b"error"),
        ("content-type: text/plain\r\n" + field("duration"), b"1.5"),
        (field("environment"), "d\u00e9v".encode()),
        (field("file") + '; filename="log.txt"', b"\x00" * 1_000),
        ("Content-Disposition: form-data", b"nameless"),
        (field("status"), b"ok"),
    )
    answer = await edge.send("POST", f"/api/42/cron/job/{KEY}/?status=error", content=body, headers=headers)
    assert answer.status_code == 202
    (report,) = edge.reports
    assert (report.kind, report.duration_ms, report.environment) == (ReportKind.OK, 1_500, "d\u00e9v")


@pytest.mark.parametrize(
    ("headers", "body", "text"),
    [
        ({"content-type": "multipart/form-data"}, b"", "boundary"),
        ({"content-type": "multipart/form-data; boundary=x"}, b"rubbish", "multipart"),
        ({"content-type": "multipart/form-data; boundary=x"}, b"", "last boundary"),
        (*multipart((field("status"), b"ok"), end=b""), "multipart"),
        (*multipart(*[(field("status"), b"ok")] * 101), "more than 100 parts"),
        (*multipart(("x" * 9_000 + ": y", b"ok")), "multipart"),
        (*multipart(("a: b\r\n" * 50 + field("status"), b"ok")), "multipart"),
        (*multipart((field("status"), b"ok"), boundary="b" * 900), "oundary"),
    ],
)
async def test_broken_multipart_forms_are_400(headers, body, text):
    edge = Edge()
    answer = await edge.send("POST", f"/api/42/cron/job/{KEY}/?status=ok", content=body, headers=headers)
    assert answer.status_code == 400
    assert "form body" in answer.json()["detail"]
    assert text in answer.json()["detail"]
    assert edge.reports == []
