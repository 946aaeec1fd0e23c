"""Times and lengths across the border."""

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import NEVER
from tocsin.wire import time


@given(st.integers(0, time.LAST_INSTANT))
def test_instants_come_back(instant):
    assert time.to_instant(time.from_instant(instant), "t") == instant


@given(st.integers(-time.MAX_DURATION_SECONDS * 1000, time.MAX_DURATION_SECONDS * 1000))
def test_lengths_come_back(millis):
    message = time.from_millis(millis)
    assert message.ToJsonString()  # valid for protobuf too
    assert time.to_millis(message, "d", least=-(10**18)) == millis


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
def test_no_message_passes_unchecked(seconds, nanos):
    try:
        instant = time.to_instant(Timestamp(seconds=seconds, nanos=nanos), "t")
    except InvalidArgument as error:
        assert error.violations[0].field == "t"
    else:
        assert 0 <= instant <= time.LAST_INSTANT
        assert instant * 10**6 <= seconds * 10**9 + nanos < (instant + 1) * 10**6
    try:
        millis = time.to_millis(Duration(seconds=seconds, nanos=nanos), "d")
    except InvalidArgument as error:
        assert error.violations[0].field == "d"
    else:
        assert (millis - 1) * 10**6 < seconds * 10**9 + nanos <= millis * 10**6


def test_ends_of_time():
    assert time.from_optional(None) is None
    assert time.from_optional(NEVER) is None
    assert time.from_instant(NEVER - 1).ToJsonString() == "9999-12-31T23:59:59.999Z"
    assert time.from_optional(1769907600123).ToJsonString() == "2026-02-01T01:00:00.123Z"


def test_a_nanosecond_is_not_zero():
    assert time.to_millis(Duration(nanos=1), "d") == 1
    assert time.to_millis(Duration(seconds=-1, nanos=-1), "d", least=-5000) == -1000


def test_bounds_are_named_as_json_writes_them():
    with pytest.raises(InvalidArgument, match=r"a\.b: must be at most 90\.5s, not 100s"):
        time.to_millis(Duration(seconds=100), "a.b", most=90_500)
    with pytest.raises(InvalidArgument, match=r"must be at least 1s, not 0s"):
        time.to_millis(Duration(), "a.b", least=1000)
    with pytest.raises(InvalidArgument, match="must be at least 0s, not -1s"):
        time.to_millis(Duration(seconds=-1), "a.b")
