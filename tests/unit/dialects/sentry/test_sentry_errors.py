"""Spec section 2.4: each processing error that can occur here, from the bytes of a request to what is kept of it."""

import json

import pytest
from sentry_edge import KEY, PROJECT, envelope, item
from sentry_world import SentryWorld

from support.engines import T0
from tocsin.domain.instant import DAY
from tocsin.domain.refusals import RefusalReason

A = "a" * 32
CRON = {"schedule": {"type": "crontab", "value": "0 * * * *"}}


async def edge() -> SentryWorld:
    made = SentryWorld()
    assert await made.check_in(check_in_id="0" * 32, monitor_config=CRON) == []
    return made.at("01:00")


def of(refusals):
    """Numbers of Sentry with the particulars; all were dropped."""
    assert all(refused.dropped and refused.payload and refused.monitor_id == "job" for refused in refusals)
    return [(RefusalReason[refused.reason].value, refused.data) for refused in refusals]


async def test_0_environment_mismatch():
    sentry = await edge()
    await sentry.check_in(check_in_id=A, status="in_progress", environment="staging")
    assert of(await sentry.check_in(check_in_id=A)) == [(0, {"existingEnvironment": "staging"})]


async def test_1_finished():
    sentry = await edge()
    await sentry.check_in(check_in_id=A, status="error")
    assert of(await sentry.check_in(check_in_id=A)) == [(1, {"guid": A, "state": "error"})]


async def test_2_guid_of_another_monitor():
    sentry = await edge()
    await sentry.check_in(check_in_id=A, monitor_slug="other", monitor_config=CRON)
    assert of(await sentry.check_in(check_in_id=A)) == [(2, {"guid": A})]


async def test_3_a_computed_duration_out_of_range():
    sentry = await edge()
    sentry.put("job", tolerance={"max_runtime_ms": 0})
    await sentry.check_in(check_in_id=A, status="in_progress")
    found = of(await sentry.at(T0 + 26 * DAY).check_in(check_in_id=A))
    assert found == [(3, {"guid": A, "duration": str(26 * DAY - 60_000)})]


async def test_4_no_guid():
    sentry = await edge()
    assert of(await sentry.check_in(check_in_id="nonsense")) == [(4, {"field": "$.check_in_id"})]
    answer, found = await sentry.cron("status=ok&check_in_id=nonsense")
    assert (answer.status_code, [number for number, _ in of(found)]) == (400, [4])


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"status": "missed"}, "$.status"),
        ({"status": ...}, "$.status"),
        ({"duration": -1}, "$.duration"),
        ({"duration": 2147483.648}, "$.duration"),
        ({"duration": "1"}, "$.duration"),
        ({"environment": ["x"]}, "$.environment"),
    ],
)
async def test_5_validation(fields, place):
    assert of(await (await edge()).check_in(**fields)) == [(5, {"field": place})]


async def test_5_is_also_a_remark_on_an_owner():
    sentry = await edge()
    (remark,) = await sentry.check_in(monitor_config={**CRON, "owner": "nobody"})
    assert (remark.reason, remark.dropped, remark.data) == (
        "CHECKIN_VALIDATION_FAILED",
        False,
        {"field": "$.monitor_config.owner"},
    )
    assert len(sentry.world.kept.check_ins) == 2


async def test_6_disabled():
    sentry = await edge()
    sentry.put("job", disabled=True)
    assert of(await sentry.check_in()) == [(6, {})]


@pytest.mark.parametrize(
    "config", [{}, [], "x", {"schedule": {"type": "crontab", "value": "61 * * * *"}}, {**CRON, "timezone": "Moon/Sea"}]
)
async def test_8_and_11_a_bad_configuration_and_no_monitor(config):
    sentry = SentryWorld()
    bad, unknown = await sentry.check_in(monitor_config=config)
    assert (bad.reason, bad.dropped) == ("MONITOR_INVALID_CONFIG", True)
    assert (unknown.reason, unknown.data) == ("MONITOR_NOT_FOUND", {"configuration": bad.detail})
    assert bad.payload == unknown.payload != ""
    assert sentry.monitor() is None


@pytest.mark.parametrize("environment", ["x" * 65, "a/b", "a\nb"])
async def test_9_environment(environment):
    assert of(await (await edge()).check_in(environment=environment)) == [(9, {"field": "$.environment"})]


async def test_11_no_monitor():
    assert of(await SentryWorld().check_in()) == [(11, {})]


@pytest.mark.parametrize(
    "body", [b"", b"rubbish", b'{}\n{"type":"check_in","length":9}\n{}', envelope(item(b"{}" * 99_999))]
)
async def test_a_rejection_of_the_wire_is_one_of_them(body):
    sentry = await edge()
    answer = await sentry.envelope(body)
    assert answer.status_code in (400, 413)
    refused = sentry.refusals[-1]
    assert (refused.project, refused.reason, refused.detail) == (
        PROJECT,
        "CHECKIN_VALIDATION_FAILED",
        answer.json()["detail"],
    )


async def test_what_was_sent_is_kept_without_the_key():
    sentry = await edge()
    sentry.put("job", disabled=True)
    _, (refused,) = await sentry.cron("status=ok&environment=dev")
    assert json.loads(refused.payload) == {"monitor_slug": "job", "status": "ok", "environment": "dev"}
    assert KEY not in refused.payload
