"""Spec 1.2, row by row."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.dialects.cronitor.telemetry.parameters import Parameters, read


def of(query: str) -> Parameters:
    return read(parse_qsl(query, keep_blank_values=True))


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ("state=run", "state", "run"),
        ("state=RUN", "state", "run"),
        ("state=", "state", ""),
        ("state=run&state=fail", "state", "fail"),
        ("state=" + "x" * 100, "state", "x" * 64),
        ("message=done+%26+dusted", "message", "done & dusted"),
        ("msg=hello", "message", "hello"),
        ("msg=short&message=long", "message", "long"),
        ("msg=short&message=", "message", "short"),
        ("message=" + "m" * 2_001, "message", "m" * 2_000),
        ("message=%E6%97%A5%0A", "message", "日\n"),
        ("series=1700000000.123", "series", "1700000000.123"),
        ("series=" + "s" * 300, "series", "s" * 255),
        ("host=web-1", "host", "web-1"),
        ("host=" + "h" * 300, "host", "h" * 255),
        ("env=staging", "environment", "staging"),
        ("stamp=1700000000.123", "stamp", 1_700_000_000_123),
        ("stamp=1700000000", "stamp", 1_700_000_000_000),
        ("stamp=1.7e9", "stamp", 1_700_000_000_000),
        ("stamp=0", "stamp", 0),
        ("stamp=", "stamp", None),
        ("try=2", "attempt", 2),
        ("schedule=1700003600", "next_time", 1_700_003_600_000),
        ("duration=5.333", "duration_ms", 5_333),
        ("duration=0", "duration_ms", 0),
        ("duration=2147483.647", "duration_ms", 2**31 - 1),
        ("metric=duration:12.5", "duration_ms", 12_500),
        ("metric=duration%3A12.5&duration=1", "duration_ms", 1_000),
        ("metric=duration:12.5&metric=count:1", "metrics", {"count": 1.0}),
        ("metric=count:1,error_count:0", "metrics", {"count": 1.0, "error_count": 0.0}),
        ("status_code=3", "exit_code", 3),
        ("exit_code=137", "exit_code", 137),
        ("status_code=&exit_code=4", "exit_code", 4),
        ("status_code=1&exit_code=4", "exit_code", 1),
        ("status_code=-1", "exit_code", -1),
        ("status_code=3221225786", "exit_code", 3221225786 - 2**32),
        ("utm=x&=y", "state", ""),
    ],
)
def test_what_is_read(query, field, value):
    found = of(query)
    assert getattr(found, field) == value
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("stamp=yesterday", "stamp"),
        ("stamp=-1", "stamp"),
        ("stamp=nan", "stamp"),
        ("stamp=1700000000123000", "stamp"),
        ("stamp=1e400", "stamp"),
        ("schedule=soon", "schedule"),
        ("try=one", "try"),
        ("try=1.5", "try"),
        ("duration=-1", "duration"),
        ("duration=2147483.648", "duration"),
        ("duration=1e300", "duration"),
        ("duration=fast", "duration"),
        ("metric=duration:-1", "metric"),
        ("metric=count:many", "metric"),
        ("status_code=SIGKILL", "status_code"),
        ("status_code=1.5", "status_code"),
        ("status_code=99999999999", "status_code"),
        ("exit_code=x", "exit_code"),
    ],
)
def test_what_cannot_be_read_is_left_out_and_said(query, field):
    found = of(query + "&state=run&message=m")
    assert (found.state, found.message) == ("run", "m")
    assert (found.stamp, found.attempt, found.next_time, found.duration_ms, found.exit_code) == (
        None,
        0,
        None,
        None,
        None,
    )
    assert found.metrics == {}
    (remark,) = found.remarks
    assert remark.startswith(f"{field}: ")


def test_no_query_says_nothing():
    assert of("") == Parameters()


NAMES = st.sampled_from(
    ["state", "message", "msg", "series", "metric", "duration", "status_code", "stamp", "try", "env"]
)


@given(st.lists(st.tuples(NAMES, st.text(max_size=20)), max_size=8))
def test_nothing_is_an_error(pairs):
    found = read(pairs)
    assert found.duration_ms is None or 0 <= found.duration_ms < 2**31
    assert found.exit_code is None or -(2**31) <= found.exit_code < 2**31
