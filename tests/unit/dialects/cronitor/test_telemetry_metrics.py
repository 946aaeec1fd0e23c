"""Spec 1.5: how metrics are written, and what is no metric."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.dialects.cronitor.telemetry.metrics import NAME_MAX, number, read
from tocsin.domain.check_in import MAX_METRICS


@pytest.mark.parametrize(
    ("sent", "values"),
    [
        ([], {}),
        (["count:3"], {"count": 3}),
        (["count=3"], {"count": 3}),
        (["count:3", "error_count:1"], {"count": 3, "error_count": 1}),
        (["count:3,error_count=1"], {"count": 3, "error_count": 1}),
        (["count:processed:100"], {"processed": 100}),
        (["gauge=Heap-Size=1.5"], {"heap-size": 1.5}),
        ([" Rows : 7 "], {"rows": 7}),
        (["count:1", "count:2"], {"count": 2}),
        (["latency:-0.5"], {"latency": -0.5}),
        (["length:0"], {"length": 0}),
        (["x:+1e3", "y:.5", "z:5."], {"x": 1000, "y": 0.5, "z": 5}),
        (["", ",", " , "], {}),
        (["a:1,,b:2,"], {"a": 1, "b": 2}),
        (["x" * NAME_MAX + ":1"], {"x" * NAME_MAX: 1}),
    ],
)
def test_what_is_read(sent, values):
    assert read(sent) == (values, [])


@pytest.mark.parametrize(
    "text",
    ["count", "count:", ":3", "count:three", "count:nan", "count:NaN", "count:inf", "count:-Infinity", "count:1e400",
     "count:1_000", "count:0x10", "count:٣", "a b:1", "größe:1", "a:b:c:1", "x" * (NAME_MAX + 1) + ":1", "count::3", "count:1\x1e", "count:1\u2028"],
)  # fmt: skip
def test_what_is_skipped_is_said_and_spoils_nothing(text):
    values, remarks = read([f"good:1,{text}", "better:2"])
    assert values == {"good": 1, "better": 2}
    assert len(remarks) == 1
    assert remarks[0].startswith("metric: ")


def test_there_are_as_many_as_an_event_may_have():
    values, remarks = read([f"m{number}:1" for number in range(MAX_METRICS + 2)] + ["m0:5"])
    assert len(values) == MAX_METRICS
    assert values["m0"] == 5
    assert len(remarks) == 2


@pytest.mark.parametrize("text", ["1" * 60_000 + "x", " " * 60_000 + "x", "1" * 60_000 + "e" + "1" * 60_000 + "x"])
def test_a_long_text_that_is_no_number_takes_no_time(text):
    """A pattern that goes back over digits would take minutes: this returns at all."""
    assert number(text) is None


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("0123456789.+-eE \x1c\x1e_"), max_size=40))
def test_a_number_is_a_finite_decimal_or_none(text):
    found = number(text)
    assert found is None or math.isfinite(found)
    if found is not None:
        assert found == float(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_python_and_javascript_write_is_read(value):
    assert number(repr(value)) == value


@given(st.lists(st.text(max_size=30), max_size=5))
def test_nothing_is_an_error(sent):
    values, remarks = read(sent)
    assert all(map(math.isfinite, values.values()))
    assert len(values) + len(remarks) <= sum(len(text.split(",")) for text in sent)
