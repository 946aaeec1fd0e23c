"""Spec sections 2.4 and 10, pain 8: a strict project is told at once that a check-in was not honoured."""

import json

import pytest
from sentry_edge import KEY, NOW, PROJECT, Edge, check_in, envelope, item

from tocsin.domain.errors import ResourceExhausted, TocsinError, Unavailable
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.project_settings import DEFAULTS, ProjectSettings

STRICT = ProjectSettings(strict=True).over(DEFAULTS)
PATH = f"/api/42/cron/job/{KEY}/"


def refused(reason: str, **fields: object) -> CheckInRefused:
    return CheckInRefused(PROJECT, "job", reason, "because", NOW, "sentry", **fields)  # type: ignore[arg-type]


async def answer(settings: ProjectSettings, **journal: object) -> tuple[int, dict]:
    edge = Edge(settings=settings)
    for name, value in journal.items():
        setattr(edge.journal, name, {0: value})
    got = await edge.send("GET", f"{PATH}?status=ok")
    return got.status_code, json.loads(got.content or b"{}")


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("MONITOR_NOT_FOUND", 404),
        ("MONITOR_DISABLED", 403),
        ("CHECKIN_FINISHED", 400),
        ("CHECKIN_ENVIRONMENT_MISMATCH", 400),
        ("MONITOR_LIMIT_EXCEEDED", 400),
        ("MONITOR_ENVIRONMENT_LIMIT_EXCEEDED", 400),
        ("MONITOR_ENVIRONMENT_RATELIMITED", 400),  # never 429
        ("INTERNAL", 500),
    ],
)
async def test_what_the_engine_refuses(reason, status):
    assert await answer(STRICT, refused=refused(reason)) == (
        status,
        {"detail": f"{reason}: because", "causes": [f"{reason}: because"]},
    )
    assert await answer(DEFAULTS, refused=refused(reason)) == (202, {})


async def test_a_configuration_that_made_no_monitor_is_a_cause():
    data = {"configuration": "$.monitor_config.schedule: required"}
    _, body = await answer(STRICT, refused=refused("MONITOR_NOT_FOUND", data=data))
    assert body["causes"] == [
        "MONITOR_NOT_FOUND: because",
        "MONITOR_INVALID_CONFIG: $.monitor_config.schedule: required",
    ]


async def test_trouble_with_the_report():
    error = ResourceExhausted("too many", reason="X")
    status, body = await answer(STRICT, errors=error)
    assert (status, body["detail"]) == (400, "MONITOR_ENVIRONMENT_RATELIMITED: too many")
    status, _ = await answer(STRICT, errors=TocsinError("bug", reason="X"))
    assert status == 500
    status, _ = await answer(STRICT, errors=Unavailable("later", reason="QUEUE_FULL"))
    assert status == 503


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("status=done", "CHECKIN_VALIDATION_FAILED"),
        ("status=ok&duration=-1", "CHECKIN_VALIDATION_FAILED"),
        ("status=ok&environment=a/b", "MONITOR_INVALID_ENVIRONMENT"),
    ],
)
async def test_what_never_became_a_report(query, reason):
    edge = Edge(settings=STRICT)
    got = await edge.send("GET", f"{PATH}?{query}")
    assert got.status_code == 400
    assert got.json()["detail"].startswith(f"{reason}: $.")
    assert got.headers["access-control-allow-origin"] == "*"
    assert edge.reasons == [reason]


async def test_a_remark_is_no_refusal():
    edge = Edge(settings=STRICT)
    body = check_in(monitor_config={"schedule": {"type": "crontab", "value": "0 * * * *"}, "colour": "red"})
    got = await edge.send("POST", PATH, content=body, headers={"content-type": "application/json"})
    assert (got.status_code, edge.reasons) == (202, ["MONITOR_INVALID_CONFIG"])


async def test_an_envelope_is_answered_as_ever():
    edge = Edge(settings=STRICT)
    edge.journal.refused[0] = refused("MONITOR_NOT_FOUND")
    assert (await edge.envelope(envelope(item(check_in()), item(check_in(status="x"))))).status_code == 200
