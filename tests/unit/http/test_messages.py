"""Whatever is sent, reading it ends in a message or in a refusal that names a field; never in a surprise."""

import json
from contextlib import suppress

import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message_factory import GetMessageClass
from hypothesis import example, given
from hypothesis import strategies as st

from tocsin.domain import errors
from tocsin.domain.errors import InvalidArgument
from tocsin.http.json_in import Wrong, fill
from tocsin.http.json_out import to_dict, to_json
from tocsin.http.messages import get_field, read_binary, read_json, set_field
from tocsin.v1 import check_in_pb2, check_in_service_pb2, monitor_pb2, monitor_service_pb2
from tocsin.wire.services import SERVICES
from tocsin.wire.status import to_status

REQUESTS = [GetMessageClass(method.input_type) for service in SERVICES.values() for method in service.methods]
NAMES = sorted({field.json_name for request in REQUESTS for field in request.DESCRIPTOR.fields})
NAMES += [
    "schedules",
    "tolerance",
    "margin",
    "cron",
    "expression",
    "labels",
    "metrics",
    "state",
    "exitCode",
    "nonsense",
    "",
    "@type",
]

texts = st.text(max_size=8) | st.sampled_from(
    ["90s", "2026-02-01T01:00:00Z", "STATE_OK", "displayName", "1", "-1", "1e400", "NaN", ""]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | texts, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(NAMES) | texts, values, max_size=5)
requests = st.sampled_from(REQUESTS)


def refused(read, *arguments):
    try:
        read(*arguments)
    except InvalidArgument as error:
        assert error.violations[0].field
        assert error.reason in ("FIELD_INVALID", "BODY_MALFORMED")
        return error
    return None


@given(requests, objects)
def test_any_object(request_class, value):
    refused(read_json, json.dumps(value).encode(), request_class())


@given(requests, st.binary(max_size=60))
@example(check_in_service_pb2.CreateCheckInRequest, b'{"checkIn":{"message":"\\ud800"}}')
@example(check_in_service_pb2.CreateCheckInRequest, b'{"checkIn":' * 300 + b"1" + b"}" * 300)
@example(monitor_service_pb2.UpdateMonitorRequest, b'{"updateMask":"a__b"}')
@example(monitor_service_pb2.UpdateMonitorRequest, b'{"updateMask":5}')
@example(monitor_service_pb2.CreateMonitorRequest, b'{"monitor":{"pauseExpireTime":"9999999-01-01T00:00:00Z"}}')
@example(monitor_service_pb2.CreateMonitorRequest, b'{"monitor":{"schedules":[null]}}')
@example(monitor_service_pb2.CreateMonitorRequest, b'{"monitor":{"schedules":[{"cron":{},"daily":{}}]}}')
@example(monitor_service_pb2.PauseMonitorRequest, b'{"pauseDuration":"99999999999999s"}')
def test_any_bytes(request_class, data):
    refused(read_json, data, request_class())
    refused(read_binary, data, request_class())


@given(
    requests, st.lists(st.sampled_from(NAMES) | texts, min_size=1, max_size=3), st.lists(texts, min_size=1, max_size=3)
)
def test_any_query(request_class, path, given_values):
    refused(set_field, request_class(), ".".join(path), given_values)


@given(requests, objects)
def test_what_was_read_reads_the_same_again(request_class, value):
    message = request_class()
    if refused(read_json, json.dumps(value).encode(), message) is None:
        again = request_class()
        read_json(to_json(message), again)
        # what is written out may only add the defaults
        assert MessageToDict(again) == MessageToDict(message)


@given(requests, objects)
def test_the_library_reads_the_same(request_class, value):
    """What we take, it takes, and makes the same of; what it takes and we refuse is out of range or ambiguous."""
    ours, theirs = request_class(), request_class()
    try:
        fill(ours, value)
    except Wrong:
        return
    try:
        ParseDict(value, theirs)
    except ParseError as error:
        # two spellings of one field, and a null among the choices of a oneof, are told apart by the library alone;
        # the second spelling of masks is ours alone
        assert "multiple" in str(error) or 'must not contain "_"' in str(error), error
    else:
        assert ours == theirs


@given(requests, objects)
def test_the_library_writes_the_same(request_class, value):
    message = request_class()
    with suppress(Wrong):  # what was filled before is there all the same
        fill(message, value)
    assert to_dict(message) == MessageToDict(message, always_print_fields_with_no_presence=True)


RESPONSES = [
    check_in_pb2.CheckIn(
        state=77, metrics={"a": 0.1, "b": 3.0}, exit_code=0, number=2**62, duration={"nanos": 5_000_000}
    ),
    check_in_service_pb2.BatchCreateCheckInsResponse(
        failed_requests={3: to_status(errors.NotFound("a", reason="X", metadata={"b": "c"}))}, check_ins=[{}]
    ),
    monitor_service_pb2.WatchMonitorsResponse(
        monitor={"labels": {"a": "b"}, "environments": [{"counts": {"ok_count": 1}}]}
    ),
    monitor_service_pb2.WatchMonitorsResponse(),
    monitor_service_pb2.PreviewScheduleResponse(fire_times=[{"seconds": 5}], descriptions=["x"]),
    Empty(),
]


@pytest.mark.parametrize("message", RESPONSES, ids=range(len(RESPONSES)))
def test_answers_are_written_as_the_library_would(message):
    assert to_dict(message) == MessageToDict(message, always_print_fields_with_no_presence=True)
    assert json.loads(to_json(message)) == to_dict(message)


def test_numbers_without_a_number_are_text():
    message = check_in_pb2.CheckIn(metrics={"a": float("nan"), "b": float("inf"), "c": float("-inf")})
    assert to_dict(message)["metrics"] == {"a": "NaN", "b": "Infinity", "c": "-Infinity"}


def test_both_spellings():
    for name in ("display_name", "displayName"):
        message = monitor_pb2.Monitor()
        read_json(json.dumps({name: "x"}).encode(), message)
        assert message.display_name == "x"
    request = monitor_service_pb2.UpdateMonitorRequest()
    set_field(request, "monitor.miss_while_running", ["false"])
    assert request.monitor.HasField("miss_while_running")
    assert get_field(request, "monitor.miss_while_running") is False


def test_masks_in_both_spellings():
    for mask in (
        "displayName,tolerance.maxRuntime",
        "display_name,tolerance.max_runtime",
        "displayName,tolerance.max_runtime",
    ):
        for fill_in in (
            lambda request, mask=mask: read_json(json.dumps({"updateMask": mask}).encode(), request),
            lambda request, mask=mask: set_field(request, "updateMask", [mask]),
        ):
            request = monitor_service_pb2.UpdateMonitorRequest()
            fill_in(request)
            assert list(request.update_mask.paths) == ["display_name", "tolerance.max_runtime"]


@pytest.mark.parametrize("mask", ["a__b", "_a", "a_", "a_B"])
def test_masks_in_no_spelling(mask):
    with pytest.raises(InvalidArgument, match="field paths"):
        set_field(monitor_service_pb2.UpdateMonitorRequest(), "updateMask", [mask])


def test_two_of_a_choice_are_refused():
    with pytest.raises(InvalidArgument, match="oneof"):
        read_json(
            b'{"pauseDuration": "5s", "expireTime": "2030-01-01T00:00:00Z"}', monitor_service_pb2.PauseMonitorRequest()
        )
