"""Spec section 1.7, its end: the error that an event names is remembered with its trace, and nothing else of it."""

import json

import pytest
from sentry_edge import KEY, NOW, OTHER_KEY, PROJECT, Edge, check_in, envelope, item

from tocsin.dialects.sentry.events import PER_SECOND, Allowance, read
from tocsin.dialects.sentry.limits import Limits
from tocsin.domain.commands import RecordTraceErrors, ReportCheckIn
from tocsin.domain.errors import Unavailable
from tocsin.domain.trace_error import TraceError

TRACE = "8f431b7aa08441bbbd5a0100fd91f9fe"
CONTEXTS = {"trace": {"trace_id": TRACE, "span_id": "x"}}
RAISED = {"values": [{"type": "KeyError", "value": "'a'"}, {"type": "ValueError", "value": "no"}]}


def event(**fields: object) -> bytes:
    return json.dumps({"event_id": "e" * 32, "contexts": CONTEXTS, **fields}).encode()


def named(**fields: object) -> tuple[str, str, str] | None:
    found = read(event(**fields), PROJECT, NOW)
    if found is None:
        return None
    assert (found.project, found.trace_id, found.at) == (PROJECT, TRACE, NOW)
    return found.level, found.type, found.value


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"exception": RAISED, "level": "error"}, ("error", "ValueError", "no")),
        ({"exception": RAISED, "level": "warning"}, ("warning", "ValueError", "no")),
        ({"exception": RAISED["values"], "level": "fatal"}, ("fatal", "ValueError", "no")),
        ({"exception": {"type": "E", "value": "v"}}, ("error", "E", "v")),
        ({"exception": {"values": [{"type": "E"}, None]}}, ("error", "E", "")),
        ({"exception": {"values": [{"type": 5, "value": ["x"]}]}}, ("error", "", "")),
        ({"exception": {"values": []}, "message": "m"}, ("error", "", "m")),
        ({"exception": "rubbish", "message": "m"}, ("error", "", "m")),
        ({"level": "error", "message": "m"}, ("error", "", "m")),
        ({"level": "fatal", "message": {"message": "m", "params": []}}, ("fatal", "", "m")),
        ({"level": "error", "logentry": {"message": "%s", "formatted": "m"}}, ("error", "", "m")),
        ({"level": "error", "logentry": None, "message": {"formatted": "m"}}, ("error", "", "m")),
        ({"level": 7}, ("error", "", "")),
        ({"exception": {"values": [{"type": "t" * 999, "value": "v" * 9_999}]}}, ("error", "t" * 250, "v" * 1_000)),
        ({"level": "info", "message": "m"}, None),
        ({"level": "warning"}, None),
        ({"exception": RAISED, "contexts": None}, None),
        ({"exception": RAISED, "contexts": {"trace": None}}, None),
        ({"exception": RAISED, "contexts": {"trace": {"trace_id": "x"}}}, None),
        ({"exception": RAISED, "contexts": {"trace": {"trace_id": "0" * 32}}}, None),
        ({"exception": RAISED, "contexts": [1]}, None),
    ],
)
def test_what_an_event_says(fields, expected):
    assert named(**fields) == expected


@pytest.mark.parametrize("payload", [b"", b"x", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"contexts":' + b"[" * 100_000])
def test_rubbish_names_nothing(payload):
    assert read(payload, PROJECT, NOW) is None


def remembered(edge: Edge) -> list[TraceError]:
    return [
        error for command in edge.journal.commands if isinstance(command, RecordTraceErrors) for error in command.errors
    ]


async def test_events_of_an_envelope_are_one_command_beside_its_check_ins():
    edge = Edge()
    body = envelope(
        item(event(exception=RAISED), "event"),
        item(check_in(contexts=CONTEXTS)),
        item(event(level="info"), "event"),
        item(event(exception=RAISED), "transaction"),
        item(event(message="later"), "event"),
    )
    assert (await edge.envelope(body)).status_code == 200
    assert [(error.type, error.value) for error in remembered(edge)] == [("ValueError", "no"), ("", "later")]
    assert len(edge.journal.commands) == 2
    assert isinstance(edge.journal.commands[0], ReportCheckIn)
    assert edge.items == [("event", 42)] * 3 + [("check_in", 42), ("transaction", 42)]


@pytest.mark.parametrize("path", [f"/api/7/store/?sentry_key={OTHER_KEY}", f"/api/store/?sentry_key={OTHER_KEY}"])
async def test_an_event_of_an_old_client(path):
    edge = Edge()
    answer = await edge.send("POST", path, content=event(exception=RAISED))
    assert (answer.status_code, answer.json()) == (200, {"id": "e" * 32})
    (error,) = remembered(edge)
    assert (error.project, error.type) == (7, "ValueError")


async def test_a_long_event_is_let_go():
    edge = Edge(limits=Limits(event=1_000))
    long = event(exception=RAISED, extra="x" * 1_000)
    assert (await edge.envelope(envelope(item(long, "event"), item(long, "event", sized=False)))).status_code == 200
    path = f"/api/42/store/?sentry_key={KEY}"
    assert (await edge.send("POST", path, content=long)).status_code == 200
    assert edge.journal.commands == []
    assert edge.items == [("event", 42)] * 3


async def test_many_events_are_let_go_and_cost_no_check_in():
    one = event(exception=RAISED)
    edge = Edge(limits=Limits(aside=3 * len(one)))
    body = envelope(*[item(one, "event")] * 50, item(check_in()), *[item(b"x" * 90_000, "client_report")] * 50)
    assert (await edge.envelope(body)).status_code == 200
    assert (len(edge.reports), len(remembered(edge))) == (1, 3)
    edge = Edge(limits=Limits(events=4))
    assert (await edge.envelope(envelope(*[item(one, "event")] * 50))).status_code == 200
    assert len(remembered(edge)) == 4


async def test_a_flood_of_events_is_not_written_down():
    edge = Edge()
    for _ in range(3):
        await edge.envelope(envelope(*[item(event(exception=RAISED), "event")] * (PER_SECOND - 40)))
    assert len(remembered(edge)) == PER_SECOND


def test_the_allowance_is_of_a_project_and_a_second():
    allowance = Allowance(5)
    assert [allowance.take(project, NOW, 3) for project in (1, 1, 1, 2)] == [3, 2, 0, 3]
    assert allowance.take(1, NOW + 1_000, 9) == 5


async def test_trouble_with_an_event_is_nobodys():
    edge = Edge()
    edge.journal.trouble = Unavailable("later", reason="QUEUE_FULL")
    assert (await edge.envelope(envelope(item(event(exception=RAISED), "event")))).status_code == 200
    answer = await edge.envelope(envelope(item(event(exception=RAISED), "event"), item(check_in())))
    assert answer.status_code == 503
