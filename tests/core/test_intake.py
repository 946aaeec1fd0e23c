"""Batches read from wire bytes are what the generated classes read, row by row; what those refuse is refused."""

import math

import msgspec
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st

from support.batches import OWN, requests
from support.odd_wire import GROUP, GROUP_END, VARINT, damaged, odd, tag, unknown, varint
from tocsin._core import intake
from tocsin._core.batch import KINDS, Batch
from tocsin.domain import errors
from tocsin.domain.commands import ReportBatch
from tocsin.domain.names import check_environment
from tocsin.engine.plain import report_of
from tocsin.v1 import check_in_pb2
from tocsin.v1.check_in_service_pb2 import BatchCreateCheckInsRequest, CreateCheckInRequest, StreamCheckInsRequest
from tocsin.v1.heartbeat_service_pb2 import BatchSendHeartbeatsRequest, SendHeartbeatRequest, StreamHeartbeatsRequest
from tocsin.wire.batches import read_check_ins, read_heartbeats
from tocsin.wire.check_in import to_heartbeat, to_report

NOW = 1_795_289_021_123
LIMIT = 1_000

KINDS_OF_REQUESTS = (
    BatchCreateCheckInsRequest,
    StreamCheckInsRequest,
    BatchSendHeartbeatsRequest,
    StreamHeartbeatsRequest,
)


def read(kind, data: bytes):
    reads = read_check_ins if kind in (BatchCreateCheckInsRequest, StreamCheckInsRequest) else read_heartbeats
    return reads(data, OWN, LIMIT, stream=kind in (StreamCheckInsRequest, StreamHeartbeatsRequest))


def judge(kind, data: bytes) -> None:
    """Ours and the generated class's reading of some bytes are one."""
    try:
        meant = kind.FromString(data)
    except DecodeError:
        with pytest.raises(errors.InvalidArgument) as refused:
            read(kind, data)
        assert refused.value.reason == "BODY_MALFORMED"
        assert 1 <= int(refused.value.metadata["position"]) <= len(data)
        return
    found = read(kind, data)
    assert found.parent == meant.parent
    assert found.sequence == getattr(meant, "sequence", 0)
    assert found.partial == getattr(meant, "return_partial_success", False)
    assert found.count == len(found.batch) == len(meant.requests)
    assert list(found.rest) == found.batch.rest()
    command = ReportBatch(7, found.batch, NOW, {}, "grpc", "tests/1")
    for row, message in enumerate(meant.requests):
        begin, end = found.batch.span(row)
        assert found.batch.request(row) == data[begin:end]
        assert message == type(message).FromString(data[begin:end])
        if row in found.rest:
            assert found.rest[row].SerializeToString(deterministic=True) == message.SerializeToString(
                deterministic=True
            )
        else:
            assert report_of(command, row) == report(meant.parent, message)


def report(parent: str, message):
    """As the rules read it, by way of the generated class. Raises when there is anything wrong with it."""
    where = {"project": 7, "received": NOW, "client": "tests/1"}

    def own(project: str) -> None:
        assert project in OWN

    if isinstance(message, SendHeartbeatRequest):
        own(message.name.split("/")[1])
        return msgspec.structs.replace(to_heartbeat(message, **where), dialect="grpc", retry_safe=True)
    if parent:
        own(parent.split("/")[1])
    whole = "" if parent.endswith("/-") else parent.rpartition("/")[2]
    return to_report(message, **where, monitor_id=whole, dialect="grpc", retry_safe=True, own_project=own)


@given(requests)
def test_what_libraries_write_is_read_as_they_read_it(request_):
    judge(type(request_), request_.SerializeToString())


@given(st.data(), requests)
def test_odd_but_legal_bytes_are_read_as_libraries_read_them(data, request_):
    judge(type(request_), data.draw(odd(request_)))


@given(st.data(), requests)
def test_damaged_bytes_are_refused_when_libraries_refuse_them(data, request_):
    judge(type(request_), data.draw(odd(request_).flatmap(damaged)))


@given(st.sampled_from(KINDS_OF_REQUESTS), st.binary(max_size=60))
def test_noise_is_refused_when_libraries_refuse_it(kind, data):
    judge(kind, data)


wire_soup = st.lists(
    st.one_of(
        st.builds(tag, st.integers(0, 26), st.integers(0, 7), st.sampled_from((0, 0, 0, 1, 4))),
        st.integers(0, 2**64 - 1).map(varint),
        st.sampled_from((b"\0", b"\1", b"\2", b"\3", b"\x04", b"\xff" * 9 + b"\x01", b"\x80" * 10 + b"\0", b"\x7f")),
        st.binary(max_size=3),
    ),
    max_size=12,
).map(b"".join)


@given(st.sampled_from(KINDS_OF_REQUESTS), wire_soup, st.integers(0, 3))
def test_soup_is_refused_when_libraries_refuse_it(kind, soup, depth):
    for number in (2, 3, 2, 3)[:depth]:
        soup = tag(number, 2) + varint(len(soup)) + soup
    judge(kind, soup)


@given(st.lists(unknown(), max_size=5))
def test_what_nobody_knows_is_passed_over(fields):
    row = CreateCheckInRequest(parent="projects/7/monitors/backup", kind="KIND_OK").SerializeToString()
    row += b"".join(field for field in fields)
    data = b"".join(fields) + tag(2, 2) + varint(len(row)) + row + b"".join(fields)
    judge(BatchCreateCheckInsRequest, data)


@pytest.mark.parametrize("depth", (1, 97, 98, 99, 100, 101, 1_000))
@pytest.mark.parametrize("around", (0, 1, 2, 3))
def test_groups_inside_one_another_are_read_as_deep_as_libraries_do(depth, around):
    data = tag(50, GROUP) * depth + tag(50, GROUP_END) * depth
    for number in (8, 2, 2)[3 - around :]:
        data = tag(number, 2) + varint(len(data)) + data
    judge(BatchCreateCheckInsRequest, data)


@pytest.mark.parametrize(
    "data",
    (
        *(b"\x00\x00", b"\x0e", b"\x0f", b"\x0c", b"\x0b\x14", b"\x0b", b"\x0b\x0c", b"\x03\x04", b"\x0b\x00\x00\x0c"),
        *(b"\x8a\x80\x80\x80\x00\x01a", b"\x8a\x80\x80\x80\x80\x00\x01a", b"\x8a\x80\x80\x80\x10\x01a"),
        *(b"\x0a\x81\x80\x80\x80\x00a", b"\x0a\x81\x80\x80\x80\x80\x00a", b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x05a"),
        *(b"\x18" + b"\x80" * 9 + b"\x02", b"\x18" + b"\x80" * 10 + b"\x01", b"\x18\x80", b"\x1d\x01\x02", b"\x19\x01"),
        *(
            b"\x0a\x03\xed\xa0\x80",
            b"\x0a\x02\xc0\x80",
            b"\x0a\x04\xf4\x90\x80\x80",
            b"\x0a\x03\xef\xbf\xbf",
            b"\x0a\x01\xff",
        ),
        *(b"\x12\x02\x0a\x05", b"\x12\x04\x12\x02\x2a\x05", b"\x12\x05\x12\x03\x2a\x01\xff", b"\x12\x03\x0a\x01\xff"),
    ),
)
def test_what_is_just_legal_and_just_not(data):
    for kind in KINDS_OF_REQUESTS:
        judge(kind, data)


@given(st.binary(max_size=6))
@example(b"\0")
@example(b"a/b\n")
@example(b"\xed\x9f\xbf")
@example(b"\xf0\x90\x80\x80")
@example(b"\xf4\x8f\xbf\xbf")
@example(b"\xf4\x90\x80\x80")
@example(b"\xe0\x9f\xbf")
def test_text_is_utf_8_or_nothing(text):
    judge(BatchCreateCheckInsRequest, tag(1, 2) + varint(len(text)) + text)
    run = tag(4, VARINT) + b"\2" + tag(5, 2) + varint(len(text)) + text
    row = tag(1, 2) + varint(26) + b"projects/7/monitors/backup" + tag(2, 2) + varint(len(run)) + run
    judge(BatchCreateCheckInsRequest, tag(2, 2) + varint(len(row)) + row)


def simple(**fields):
    return CreateCheckInRequest(parent="projects/7/monitors/backup", **fields)


@pytest.mark.parametrize("state", ("STATE_IN_PROGRESS", "STATE_OK", "STATE_ERROR", "STATE_NOTE"))
@pytest.mark.parametrize("environment", ("", "staging", "x" * 64, "ü" * 64, "𐍈" * 64))
@pytest.mark.parametrize(
    "duration", (None, Duration(), Duration(seconds=2_147_483, nanos=647_000_000), Duration(nanos=1))
)
def test_the_usual_is_simple(state, environment, duration):
    """Otherwise all could be left to the rules, and no test would fail."""
    run = check_in_pb2.CheckIn(state=state, environment=environment, duration=duration)
    request = BatchCreateCheckInsRequest(requests=[simple(check_in=run), simple(check_in=run, stand_alone=True)])
    found = read(BatchCreateCheckInsRequest, request.SerializeToString())
    assert not found.rest
    kind = {"IN_PROGRESS": "START"}.get(state.removeprefix("STATE_"), state.removeprefix("STATE_"))
    millis = -1 if duration is None else duration.seconds * 1000 + math.ceil(duration.nanos / 1e6)
    assert found.batch.row(0) == ("backup", KINDS.index(kind), environment, millis, False, False)
    assert found.batch.row(1) == ("backup", KINDS.index(kind), environment, millis, True, False)


@pytest.mark.parametrize("kind", range(1, 7))
def test_a_kind_alone_is_simple(kind):
    request = BatchCreateCheckInsRequest(
        parent="projects/shop/monitors/backup", requests=[CreateCheckInRequest(kind=kind)]
    )
    found = read(BatchCreateCheckInsRequest, request.SerializeToString())
    assert found.batch.row(0) == ("backup", kind - 1, "", -1, False, False)


def test_a_heartbeat_is_simple():
    request = BatchSendHeartbeatsRequest(
        parent="projects/7", requests=[SendHeartbeatRequest(name="projects/-/monitors/a", environment="b")]
    )
    found = read(BatchSendHeartbeatsRequest, request.SerializeToString())
    assert found.batch.row(0) == ("a", KINDS.index("OK"), "b", -1, True, False)


def test_rows_beyond_the_limit_are_counted_and_not_kept():
    request = BatchCreateCheckInsRequest(requests=[simple(kind=3)] * 5)
    found = intake.check_ins(request.SerializeToString(), OWN, 3)
    assert (found.count, len(found.batch)) == (5, 3)


@pytest.mark.parametrize("parent", ("projects/7/monitors/backup", "projects/7/monitors/-"))
def test_the_parent_of_the_batch_before_holds_where_a_stream_names_none(parent):
    rows = [CreateCheckInRequest(kind=3), simple(kind=4)]
    said = StreamCheckInsRequest(sequence=3, requests=rows).SerializeToString()
    found = read_check_ins(said, OWN, LIMIT, stream=True, before=parent)
    assert (found.parent, found.sequence, list(found.rest)) == (parent, 3, [0] if parent.endswith("-") else [])
    other = StreamCheckInsRequest(parent="projects/7/monitors/etl", requests=rows).SerializeToString()
    found = read_check_ins(other, OWN, LIMIT, stream=True, before=parent)
    assert (found.parent, list(found.rest), found.batch.row(0)[0]) == ("projects/7/monitors/etl", [1], "etl")


def test_the_offset_is_where_it_goes_wrong():
    whole = BatchCreateCheckInsRequest(requests=[simple(kind=3)] * 3).SerializeToString()
    for data, position in ((whole + b"\x00", len(whole) + 1), (whole + b"\x12\x02\x0a\x05" + whole, len(whole) + 3)):
        with pytest.raises(errors.InvalidArgument, match=f"at byte {position}$") as refused:
            read_check_ins(data, OWN, LIMIT, before="projects/7/monitors/-")
        assert refused.value.metadata["position"] == str(position)


def test_the_contract_has_no_fields_that_intake_takes_for_unknown():
    for message in (CreateCheckInRequest, check_in_pb2.CheckIn, SendHeartbeatRequest):
        fields = message.DESCRIPTOR.fields
        assert intake.FIELDS[message.DESCRIPTOR.full_name] == max(field.number for field in fields)


def test_rows_that_are_dropped_leave_the_others_in_order():
    request = BatchCreateCheckInsRequest(requests=[simple(kind=kind) for kind in (1, 2, 3, 4, 5)])
    batch = intake.check_ins(request.SerializeToString(), OWN, LIMIT).batch
    with pytest.raises(IndexError):
        batch.drop([0, 5])
    batch.drop([1, 3])
    assert [batch.row(row)[1] for row in range(len(batch))] == [0, 2, 4]


def test_a_part_is_rows_of_the_same_request():
    request = BatchCreateCheckInsRequest(requests=[simple(kind=kind) for kind in (1, 2, 3, 4, 5)])
    batch = intake.check_ins(request.SerializeToString(), OWN, LIMIT).batch
    part = batch.part(1, 4)
    assert [part.row(row) for row in range(len(part))] == [batch.row(row) for row in (1, 2, 3)]
    assert part.span(0) == batch.span(1)
    assert len(batch.part(5, 5)) == 0
    for begin, end in ((-1, 2), (2, 1), (0, 6)):
        with pytest.raises(IndexError, match=f"no reports {begin} to {end}"):
            batch.part(begin, end)
    with pytest.raises(TypeError):
        Batch().part(0, 0)


def test_the_lids():
    with pytest.raises(ValueError, match="5 ways"):
        intake.check_ins(b"", ("1",) * 5, LIMIT)
    with pytest.raises(ValueError, match="a limit of -1"):
        intake.check_ins(b"\x12\x00", OWN, -1)
    with pytest.raises(TypeError):
        intake.check_ins(b"", (1,), LIMIT)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not read from a request"):
        intake.rest(Batch())
    batch = intake.check_ins(b"\x12\x00", OWN, LIMIT).batch
    with pytest.raises(IndexError):
        intake.rest(batch, [1])
    with pytest.raises(IndexError):
        batch.span(1)
    with pytest.raises(TypeError, match="takes no more"):
        batch.append("backup", 0)
    assert intake.check_ins(b"", OWN, LIMIT).count == 0


@pytest.mark.parametrize("character", [*map(chr, range(0x100)), "\u2028", "\x85", "\ufeff"])
def test_every_character_of_an_environment_is_judged_as_by_the_names(character):
    run = check_in_pb2.CheckIn(state="STATE_OK", environment=f"a{character}b")
    data = BatchCreateCheckInsRequest(requests=[simple(check_in=run)]).SerializeToString()
    try:
        check_environment(run.environment)
    except errors.InvalidArgument:
        assert read(BatchCreateCheckInsRequest, data).batch.rest() == [0]
    else:
        judge(BatchCreateCheckInsRequest, data)
        assert not read(BatchCreateCheckInsRequest, data).rest
