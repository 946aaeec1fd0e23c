"""What a webhook carries, alone and in groups, and what an answer means."""

import msgspec
import pytest

from support.answering import answering, status
from tocsin.domain.instant import SECOND
from tocsin.domain.notice import Content, Notice, NoticeKind, NoticeState
from tocsin.notify.webhook import Outcome, description, outcome_of, payload, retry_after_ms, send
from tocsin.outgoing import Answer, Client, Guard
from tocsin.outgoing.guard import networks

T0 = 1_774_000_800_000  # 2026-03-20T10:00:00Z
URL = "https://tocsin.example.org"


def notice(number=1, kind=NoticeKind.ALERT, sequence=1, monitor=1, subject=5, **content) -> Notice:
    says = {"monitor_id": "backup", "name": "Backup", "rule": "error", "environment": "production"}
    return Notice(
        number=number,
        project=1,
        monitor=monitor,
        subject=subject,
        kind=kind,
        sequence=sequence,
        destination="webhook:https://example.org/",
        state=NoticeState.PENDING,
        attempts=0,
        create_time=T0,
        next_time=T0,
        end_time=None,
        error="",
        content=Content(**{**says, "at": T0 + 1500, "since": T0, "causes": ("error",), **content}),
    )


@pytest.mark.parametrize(("schedule", "rule"), [("0 0 * * *", "0 0 * * *"), ("", "schedule")])
def test_the_rule_of_a_miss_is_the_schedule(schedule, rule):
    made = payload(notice(rule="missed", causes=("missed", "metric.count > 3"), schedule=schedule), URL)
    assert (made["rule"], made["rules"]) == (rule, [rule, "metric.count > 3"])


def test_an_alert():
    one = notice(group="Night jobs")
    assert payload(one, URL) == {
        "id": "backup",
        "monitor": "Backup",
        "description": "Backup in production failed; since 2026-03-20T10:00:00Z",
        "type": "ALERT",
        "rule": "fail",
        "environment": "production",
        "group": "Night jobs",
        "issue_url": f"{URL}/v1/projects/1/incidents/5",
        "monitor_url": f"{URL}/v1/projects/1/monitors/backup",
        "incident": "projects/1/incidents/5",
        "sequence": 1,
        "reminder": False,
        "rules": ["fail"],
        "since": "2026-03-20T10:00:00Z",
        "time": "2026-03-20T10:00:01.500Z",
        "message": None,
        "idempotency_key": one.idempotency_key,
    }


def test_an_event_has_no_incident():
    found = payload(notice(kind=NoticeKind.EVENT, rule="fail", message="exit 3", causes=()), URL)
    assert (found["type"], found["rule"], found["incident"], found["issue_url"]) == ("EVENT", "fail", None, None)
    assert found["description"] == "Backup in production has failed: exit 3"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"rule": "missed"}, "did not run in time; since"),
        ({"rule": "timeout"}, "ran too long; since"),
        ({"rule": "metric.count < 3"}, "broke the rule metric.count < 3; since"),
        ({"reminder": True}, "is still not well: it failed; since"),
        ({"kind": NoticeKind.RECOVERY}, "is well again; it was not since"),
        ({"kind": NoticeKind.EVENT, "rule": "run"}, "has begun"),
    ],
)
def test_descriptions(fields, text):
    assert f"Backup in production {text}" in description(notice(**fields))


def test_a_name_that_is_no_id_leads_to_the_monitor_all_the_same():
    found = payload(notice(monitor_id="My Job", resource_id="my-job-0123"), URL)
    assert (found["id"], found["monitor_url"]) == ("My Job", f"{URL}/v1/projects/1/monitors/my-job-0123")


def test_keys_are_of_one_notice_alone():
    several = [
        notice(),
        notice(sequence=2),
        notice(kind=NoticeKind.RECOVERY),
        notice(subject=6),
        msgspec.structs.replace(notice(), destination="webhook:https://example.org/2"),
        msgspec.structs.replace(notice(), project=2),
    ]
    assert len({one.idempotency_key for one in several}) == len(several)
    assert notice(number=7, message="x").idempotency_key == notice().idempotency_key


async def test_one_and_many_in_a_request():
    async with answering(hook=status(200)) as server, Client(Guard(networks(["127.0.0.1"])), "tocsin/test") as client:
        assert await send(client, server.url("/hook"), [notice()], URL, T0) == Outcome(sent=True)
        some = [notice(), notice(subject=6, monitor=2, monitor_id="web", name="Web"), notice(subject=7, monitor=2)]
        assert (await send(client, server.url("/hook"), some, URL, T0)).sent
        mixed = [notice(), notice(kind=NoticeKind.RECOVERY, sequence=2)]
        await send(client, server.url("/hook"), mixed, URL, T0)
    alone, grouped, third = (msgspec.json.decode(asked.body) for asked in server.asked)
    assert alone == payload(notice(), URL)
    assert [asked.headers["idempotency-key"] for asked in server.asked] == [
        body["idempotency_key"] for body in (alone, grouped, third)
    ]
    assert server.asked[0].headers["content-type"] == "application/json"
    assert (grouped["grouped"], grouped["count"], grouped["type"]) == (True, 3, "ALERT")
    assert (grouped["rule"], grouped["id"], grouped["environment"]) == ("fail", None, "production")
    assert grouped["description"] == "3 notices of 2 monitors at once: 3 ALERT"
    assert grouped["notices"] == [payload(one, URL) for one in some]
    assert third["description"] == "2 notices of 1 monitors at once: 1 ALERT, 1 RECOVERY"
    assert (third["type"], third["id"]) == ("ALERT", "backup")
    assert len({alone["idempotency_key"], grouped["idempotency_key"], third["idempotency_key"]}) == 3


@pytest.mark.parametrize(
    ("code", "sent", "again"),
    [
        (200, True, False),
        (204, True, False),
        (301, False, False),
        (400, False, False),
        (404, False, False),
        (408, False, True),
        (410, False, False),
        (425, False, True),
        (429, False, True),
        (500, False, True),
        (503, False, True),
    ],
)
def test_what_an_answer_means(code, sent, again):
    found = outcome_of(Answer(code, {}, b"", "http://x/"), T0)
    assert (found.sent, found.again) == (sent, again)
    assert sent or str(code) in found.error


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("120", 120 * SECOND),
        ("0", 0),
        ("Fri, 20 Mar 2026 10:01:00 GMT", 60 * SECOND),
        ("Fri, 20 Mar 2026 09:00:00 GMT", 0),
        ("soon", 0),
        ("", 0),
        ("9" * 40, 0),
        ("-5", 0),
    ],
)
def test_when_to_come_again(text, wait):
    assert retry_after_ms({"retry-after": text}, T0) == wait


async def test_where_nobody_answers_and_where_nobody_may_ask():
    async with answering() as server, Client(Guard(), "tocsin/test") as client:
        refused = await send(client, server.url("/"), [notice()], URL, T0)
        assert (refused.sent, refused.again, server.asked) == (False, False, [])
    async with Client(Guard(networks(["127.0.0.1"])), "tocsin/test") as client:
        found = await send(client, server.url("/"), [notice()], URL, T0)  # it has gone
        assert (found.sent, found.again) == (False, True)
