"""Requests with many reports: most of their rows are of the usual kind, some say more, and some are wrong."""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import strategies as st

from tocsin.domain.check_in import MAX_DURATION
from tocsin.v1 import check_in_pb2, monitor_pb2
from tocsin.v1.check_in_service_pb2 import BatchCreateCheckInsRequest, CreateCheckInRequest, StreamCheckInsRequest
from tocsin.v1.heartbeat_service_pb2 import BatchSendHeartbeatsRequest, SendHeartbeatRequest, StreamHeartbeatsRequest

OWN = ("7", "shop", "-")  # how the project is written

projects = st.sampled_from((*OWN, *OWN, *OWN, "8"))
monitors = st.sampled_from(
    ("backup", "backup", "etl-1_x", "a" * 128, "a" * 129, "-", "", "x y", "ümlaut", "a/b", "A.b")
)
names = st.builds(
    lambda project, monitor: f"projects/{project}/monitors/{monitor}", projects, monitors
) | st.sampled_from(
    ("", "", "projects/7", "projects//monitors/a", "outages/3", "projects/7/monitors/backup/checkIns/1")
)
parents = names | st.sampled_from(("projects/7/monitors/-", "projects/-/monitors/backup"))
environments = st.sampled_from(
    ("", "production", "staging", "a/b", "a\nb", "a\rb", "a\fb", "x" * 64, "x" * 65)
) | st.text(st.characters(codec="utf-8"), max_size=66)
durations = st.builds(
    Duration,
    seconds=st.integers(0, 100) | st.sampled_from((MAX_DURATION // 1000, MAX_DURATION // 1000 + 1, -1, 2**62)),
    nanos=st.integers(0, 999_999_999) | st.sampled_from((647_000_000, 647_000_001, 1_000_000_000, -1, -(2**31))),
)
times = st.builds(Timestamp, seconds=st.integers(0, 2**40))
said = st.text(st.characters(codec="utf-8"), max_size=5)
often = {
    "state": st.sampled_from((0, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8, -1, 2**31 - 1)),
    "environment": environments,
    "duration": st.none() | durations,
}
seldom = {
    **dict.fromkeys(("name", "uid", "message", "release", "host", "trace_id", "series", "satisfies"), said),
    **dict.fromkeys(("start_time", "end_time", "receive_time"), times),
    "exit_code": st.integers(-(2**31), 2**31 - 1),
    "metrics": st.dictionaries(said, st.floats(), max_size=2),
    "number": st.integers(-(2**63), 2**63 - 1),
    "late": st.booleans(),
    "trace_error": st.builds(check_in_pb2.TraceError, level=said),
}


def messages(kind, usual, unusual):
    """Messages of which most have only the usual fields."""
    one_more = st.one_of(*(st.fixed_dictionaries({name: values}) for name, values in unusual.items()))
    more = st.one_of(st.just({}), st.just({}), one_more)
    return st.builds(lambda a, b: kind(**a, **b), st.fixed_dictionaries({}, optional=usual), more)


check_in_rows = messages(
    CreateCheckInRequest,
    {
        "parent": names,
        "check_in": messages(check_in_pb2.CheckIn, often, seldom),
        "kind": st.sampled_from((0, 0, 1, 2, 3, 4, 5, 6, 7, -1)),
        "stand_alone": st.booleans(),
    },
    {"check_in_id": said, "monitor": st.builds(monitor_pb2.Monitor, name=said)},
)
heartbeat_rows = messages(
    SendHeartbeatRequest,
    {"name": names, "environment": environments},
    {"event_time": times, "message": said, "check_in_id": said},
)
batches = st.builds(
    BatchCreateCheckInsRequest,
    parent=parents,
    requests=st.lists(check_in_rows, max_size=4),
    return_partial_success=st.booleans(),
)
streams = st.builds(
    StreamCheckInsRequest,
    parent=parents,
    requests=st.lists(check_in_rows, max_size=4),
    sequence=st.integers(-(2**63), 2**63 - 1),
)
heartbeat_batches = st.builds(BatchSendHeartbeatsRequest, parent=names, requests=st.lists(heartbeat_rows, max_size=4))
heartbeat_streams = st.builds(
    StreamHeartbeatsRequest, parent=names, requests=st.lists(heartbeat_rows, max_size=4), sequence=st.integers(0, 9)
)
requests = st.one_of(batches, streams, heartbeat_batches, heartbeat_streams)
