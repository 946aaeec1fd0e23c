"""Reports in, check-ins, refusals, incidents and outages out."""

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain import ids
from tocsin.domain.check_in import MAX_DURATION, MAX_MESSAGE, CheckIn, ReportKind, State
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.incident import Cause, Incident, Outage
from tocsin.domain.refusals import RefusalReason
from tocsin.v1 import check_in_pb2 as pb
from tocsin.v1 import check_in_service_pb2 as service_pb
from tocsin.v1 import heartbeat_service_pb2 as heartbeat_pb
from tocsin.v1 import incident_pb2, refusal_pb2
from tocsin.wire.check_in import from_check_in, to_heartbeat, to_report, to_state, to_update
from tocsin.wire.incident import from_incident, from_outage
from tocsin.wire.refusal import from_refusal
from tocsin.wire.time import from_instant

NOW = 1_769_907_600_000
PARENT = "projects/7/monitors/backup"
Request = service_pb.CreateCheckInRequest
State_ = pb.CheckIn

instants = st.integers(0, NOW)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
check_ins = st.builds(
    CheckIn,
    number=st.integers(1, 2**62),
    id=st.just("ab" * 16),
    project=st.just(7),
    monitor=st.just(1),
    monitor_id=st.just("backup"),
    track=st.just(1),
    environment=st.just("production"),
    state=st.sampled_from(State),
    receive_time=instants,
    update_time=instants,
    start_time=st.none() | instants,
    end_time=st.none() | instants,
    duration_ms=st.none() | st.integers(0, MAX_DURATION),
    expected_time=st.none() | instants,
    timeout_time=st.none() | instants,
    late=st.booleans(),
    satisfies=st.none() | st.integers(1, 2**62),
    exit_code=st.none() | st.integers(-(2**31), 2**31 - 1),
    message=texts,
    release=texts,
    host=texts,
    trace_id=texts,
    metrics=st.dictionaries(texts.filter(bool), st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    series=texts,
)


def report(**fields):
    fields.setdefault("parent", PARENT)
    return to_report(Request(**fields), project=7, received=NOW)


@given(check_ins)
def test_every_part_of_a_check_in_is_shown(check_in):
    shown = from_check_in(check_in)
    assert shown.name == f"{PARENT}/checkIns/{check_in.id}"
    assert to_state(shown.state) is check_in.state
    for field in ("start_time", "end_time", "expected_time", "receive_time", "update_time", "timeout_time"):
        value = getattr(check_in, field)
        assert shown.HasField(field) == (value is not None)
        assert value is None or getattr(shown, field).ToMilliseconds() == value
    assert shown.HasField("duration") == (check_in.duration_ms is not None)
    assert shown.HasField("exit_code") == (check_in.exit_code is not None)
    for field in (
        "uid",
        "number",
        "environment",
        "late",
        "message",
        "release",
        "host",
        "trace_id",
        "series",
        "dialect",
        "client",
    ):
        assert getattr(shown, field) == getattr(check_in, "id" if field == "uid" else field)
    assert dict(shown.metrics) == check_in.metrics
    if check_in.satisfies is not None:
        assert ids.number_of(shown.satisfies.rpartition("/")[2]) == check_in.satisfies
    assert shown.IsInitialized()


@given(check_ins)
def test_what_a_client_may_say_survives_the_way_in(check_in):
    sent = from_check_in(check_in)
    sent.state = State_.STATE_ERROR
    sent.ClearField("start_time")
    got = to_report(Request(parent=PARENT, check_in=sent), project=7, received=NOW)
    assert got.kind is ReportKind.ERROR
    assert got.time == check_in.end_time
    for field in (
        "environment",
        "duration_ms",
        "exit_code",
        "message",
        "release",
        "host",
        "trace_id",
        "metrics",
        "series",
    ):
        assert getattr(got, field) == getattr(check_in, field)


@pytest.mark.parametrize(
    ("state", "kind", "expected"),
    [
        ("STATE_IN_PROGRESS", "KIND_UNSPECIFIED", ReportKind.START),
        ("STATE_OK", "KIND_UNSPECIFIED", ReportKind.OK),
        ("STATE_ERROR", "KIND_UNSPECIFIED", ReportKind.ERROR),
        ("STATE_NOTE", "KIND_UNSPECIFIED", ReportKind.NOTE),
        ("STATE_UNSPECIFIED", "KIND_BEAT", ReportKind.BEAT),
        ("STATE_IN_PROGRESS", "KIND_BEAT", ReportKind.BEAT),
        ("STATE_OK", "KIND_RESET", ReportKind.RESET),
    ],
)
def test_kinds(state, kind, expected):
    assert report(check_in=pb.CheckIn(state=state), kind=kind).kind is expected


WRONG = [
    ({"parent": "projects/7"}, "parent", "is not of the form"),
    ({"parent": "projects/7/monitors/-", "kind": "KIND_OK"}, "parent", "must name one monitor"),
    ({"parent": "projects/7/monitors/A B", "kind": "KIND_OK", "monitor": {}}, "parent", "'a-b' would do"),
    ({}, "check_in.state", "or set kind"),
    ({"check_in": pb.CheckIn(state="STATE_MISSED")}, "check_in.state", "must be STATE_IN_PROGRESS"),
    ({"check_in": pb.CheckIn(state=44)}, "check_in.state", "must be one of"),
    ({"check_in": pb.CheckIn(state="STATE_OK"), "kind": "KIND_ERROR"}, "kind", "contradict each other"),
    ({"kind": 44}, "kind", "must be one of KIND_START"),
    ({"kind": "KIND_OK", "check_in_id": "abc"}, "check_in_id", "is not a UUID"),
    ({"kind": "KIND_OK", "check_in": pb.CheckIn(environment="a/b")}, "check_in.environment", "without line breaks"),
    ({"kind": "KIND_OK", "check_in": pb.CheckIn(metrics={"a": float("nan")})}, "check_in.metrics['a']", "finite"),
    (
        {"kind": "KIND_OK", "check_in": pb.CheckIn(metrics={str(n): n for n in range(65)})},
        "check_in.metrics",
        "at most 64",
    ),
    ({"kind": "KIND_OK", "check_in": pb.CheckIn(host="x" * 201)}, "check_in.host", "at most 200"),
    ({"kind": "KIND_OK", "check_in": pb.CheckIn(duration=Duration(seconds=-1))}, "check_in.duration", "at least 0s"),
    (
        {"kind": "KIND_OK", "check_in": pb.CheckIn(duration=Duration(seconds=2147484))},
        "check_in.duration",
        "at most 2147483.647s",
    ),
    (
        {"kind": "KIND_OK", "check_in": pb.CheckIn(start_time=from_instant(NOW), end_time=from_instant(NOW - 1))},
        "check_in.end_time",
        "is before start_time",
    ),
    (
        {"kind": "KIND_OK", "monitor": {"tolerance": {"failure_threshold": 0}}},
        "monitor.tolerance.failure_threshold",
        "between",
    ),
]


@pytest.mark.parametrize(("fields", "field", "says"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_named(fields, field, says):
    with pytest.raises(InvalidArgument) as caught:
        report(**fields)
    assert caught.value.violations[0].field == field
    assert says in caught.value.message
    with pytest.raises(InvalidArgument) as caught:
        to_report(Request(**{"parent": PARENT, **fields}), project=7, received=NOW, field="requests[3]")
    assert caught.value.violations[0].field == f"requests[3].{field}"


def test_lengths_of_runs():
    start, end = from_instant(NOW - 5000), from_instant(NOW - 2000)
    assert report(kind="KIND_OK", check_in=pb.CheckIn(start_time=start, end_time=end)).duration_ms == 3000
    assert report(kind="KIND_OK", check_in=pb.CheckIn(start_time=start)).duration_ms == 5000
    assert (
        report(kind="KIND_OK", check_in=pb.CheckIn(start_time=start, duration=Duration(seconds=1))).duration_ms == 1000
    )
    started = report(kind="KIND_START", check_in=pb.CheckIn(start_time=start))
    assert (started.duration_ms, started.time) == (None, NOW - 5000)
    ahead = report(kind="KIND_OK", check_in=pb.CheckIn(start_time=from_instant(NOW + 5000)))
    assert ahead.duration_ms == 0


def test_ids_upserts_and_standing_alone():
    made = report(
        kind="KIND_OK", check_in_id="AAAAAAAA-0000-0000-0000-00000000000B", stand_alone=True, monitor={"owner": "me"}
    )
    assert made.check_in_id == "aaaaaaaa00000000000000000000000b"
    assert not made.pair
    assert made.upsert is not None
    assert made.upsert.owner == "me"
    assert report(kind="KIND_OK").upsert is None
    assert report(kind="KIND_OK").pair
    assert len(report(kind="KIND_OK", check_in=pb.CheckIn(message="x" * 20_000)).message) == MAX_MESSAGE


def test_parents_in_a_batch():
    def one(parent, monitor_id):
        return to_report(
            Request(parent=parent, kind="KIND_OK"), project=7, received=NOW, monitor_id=monitor_id, field="requests[0]"
        )

    assert one("", "backup").monitor_id == "backup"
    assert one(PARENT, "").monitor_id == "backup"
    assert one(PARENT, "backup").monitor_id == "backup"
    with pytest.raises(
        InvalidArgument, match=r"requests\[0\]\.parent: names monitor 'backup', and the batch is of 'other'"
    ):
        one(PARENT, "other")
    with pytest.raises(InvalidArgument, match=r"requests\[0\]\.parent"):
        one("", "")


def test_updates():
    def update(child, mask=(), **fields):
        check_in = pb.CheckIn(name=f"{PARENT}/checkIns/{child}", **fields)
        request = service_pb.UpdateCheckInRequest(check_in=check_in, update_mask=FieldMask(paths=mask))
        return to_update(request, project=7, received=NOW)

    beat = update("latest", state="STATE_IN_PROGRESS")
    assert (beat.kind, beat.check_in_id, beat.monitor_id) == (ReportKind.BEAT, None, "backup")
    end = update("AB" * 16, state="STATE_ERROR", exit_code=3, message="no")
    assert (end.kind, end.check_in_id, end.exit_code, end.message) == (ReportKind.ERROR, "ab" * 16, 3, "no")
    masked = update("ab" * 16, ["state", "message"], state="STATE_OK", exit_code=3, message="yes")
    assert (masked.exit_code, masked.message) == (None, "yes")
    assert update("ab" * 16, ["*"], state="STATE_OK", exit_code=3).exit_code == 3
    with pytest.raises(InvalidArgument, match=r"check_in\.state: must be"):
        update("ab" * 16)
    with pytest.raises(InvalidArgument, match=r"check_in\.state: must be"):
        update("ab" * 16, ["message"], state="STATE_OK")
    with pytest.raises(InvalidArgument, match="update_mask: 'late' is output only"):
        update("ab" * 16, ["late"], state="STATE_OK")
    with pytest.raises(InvalidArgument, match="update_mask: 'nonsense' is no field"):
        update("ab" * 16, ["nonsense"], state="STATE_OK")
    with pytest.raises(InvalidArgument, match=r"check_in\.name"):
        update("nonsense", state="STATE_OK")


def test_heartbeats():
    request = heartbeat_pb.SendHeartbeatRequest(
        name=PARENT, environment="eu", event_time=from_instant(NOW - 9), message="up"
    )
    made = to_heartbeat(request, project=7, received=NOW)
    assert (made.kind, made.pair, made.environment, made.time, made.message) == (
        ReportKind.OK,
        False,
        "eu",
        NOW - 9,
        "up",
    )
    with pytest.raises(InvalidArgument, match=r"requests\[1\]\.name"):
        to_heartbeat(heartbeat_pb.SendHeartbeatRequest(), project=7, received=NOW, field="requests[1]")


def test_incidents():
    incident = Incident(9, 7, 1, "backup", 1, "eu", Cause.TIMED_OUT, NOW, first_check_in="ab" * 16, failure_count=2)
    shown = from_incident(incident)
    assert shown.name == "projects/7/incidents/9"
    assert shown.monitor == PARENT
    assert shown.cause == incident_pb2.Incident.CAUSE_TIMED_OUT
    assert shown.first_check_in == f"{PARENT}/checkIns/{'ab' * 16}"
    assert (shown.resolving_check_in, shown.HasField("resolve_time"), shown.failure_count) == ("", False, 2)
    outage = from_outage(Outage(3, NOW, NOW + 1000, "restart", unknown_count=4))
    assert (outage.name, outage.reason, outage.unknown_count) == ("outages/3", "restart", 4)


@pytest.mark.parametrize("reason", RefusalReason)
def test_every_refusal_can_be_shown(reason):
    shown = from_refusal(CheckInRefused(7, "backup", reason.name, "why", NOW, "sentry"))
    assert refusal_pb2.Refusal.Reason.Name(shown.reason).startswith("REASON_")
    assert (shown.monitor, shown.detail, shown.dialect, shown.dropped) == (PARENT, "why", "sentry", True)
    assert from_refusal(CheckInRefused(7, "", reason.name, "", NOW, "sentry")).monitor == ""
