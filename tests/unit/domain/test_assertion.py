"""Assertions, read and judged: every form of the grammar, every wrong one with its position."""

import math
import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain import assertion, errors
from tocsin.domain.instant import DAY, HOUR, MINUTE, SECOND
from tocsin.domain.lengths import parse_length


@pytest.mark.parametrize(
    ("text", "family", "name", "sign", "value"),
    [
        ("metric.duration < 5 min", "metric", "duration", "<", 5 * MINUTE),
        ("metric.duration < 15min", "metric", "duration", "<", 15 * MINUTE),
        ("metric.duration <15min", "metric", "duration", "<", 15 * MINUTE),
        ("metric.duration<30s", "metric", "duration", "<", 30 * SECOND),
        ("metric.duration < 3600", "metric", "duration", "<", HOUR),
        ("metric.duration < .5", "metric", "duration", "<", 500),
        ("metric.duration >= 2 minutes", "metric", "duration", ">=", 2 * MINUTE),
        ("metric.duration <= 1 hour and 30 minutes", "metric", "duration", "<=", 90 * MINUTE),
        ("METRIC.Duration > 250 MS", "metric", "duration", ">", 250),
        ("metric.count > 0", "metric", "count", ">", 0),
        ("metric.count = 10", "metric", "count", "=", 10),
        ("metric.error_count != -1", "metric", "error_count", "!=", -1),
        ("metric.error_rate < 0.05", "metric", "error_rate", "<", 0.05),
        ("metric.error_rate <= 5%", "metric", "error_rate", "<=", 0.05),
        ("metric.error_rate<2.5 %", "metric", "error_rate", "<", 0.025),
        ("metric.length > 100", "metric", "length", ">", 100.0),
        ("metric.Rows-Copied_2 >= -1.5", "metric", "rows-copied_2", ">=", -1.5),
        ("response.time < 1.2s", "response", "time", "<", 1200),
        ("response.time < 2", "response", "time", "<", 2 * SECOND),
        ("response.code = 200", "response", "code", "=", 200),
        ("response.code<400", "response", "code", "<", 400),
        ("response.body contains Welcome, friend", "response", "body", "contains", "Welcome, friend"),
        ('response.body !contains "  error  "', "response", "body", "!contains", "  error  "),
        ('response.body = ""', "response", "body", "=", ""),
        ("response.body != contains x", "response", "body", "!=", "contains x"),
        ("response.body CONTAINS Ok", "response", "body", "contains", "Ok"),
        ("resource.last_modified < 1 day", "resource", "last_modified", "<", DAY),
        ("resource.item_count >= 3", "resource", "item_count", ">=", 3),
        ("resource.public = FALSE", "resource", "public", "=", False),
        ("ssl_certificate.expires_in = 30 days", "ssl_certificate", "expires_in", "=", 30 * DAY),
        ("ssl_certificate.expires_in > 2 weeks", "ssl_certificate", "expires_in", ">", 14 * DAY),
    ],
)
def test_an_assertion_is_read(text: str, family: str, name: str, sign: str, value: object) -> None:
    found = assertion.parse(text)
    assert (found.family, found.name, found.operator, found.value, found.key) == (family, name, sign, value, "")
    assert type(found.value) is type(value)
    assert found.text == text


@pytest.mark.parametrize(
    ("text", "name", "key", "sign", "value"),
    [
        ("response.json new_user.count > 10", "json", "new_user.count", ">", 10),
        ("response.json new_user.count>10", "json", "new_user.count", ">", 10),
        ("response.json items[0].name = ada", "json", "items[0].name", "=", "ada"),
        ("response.json 0.tags[12][1] contains x", "json", "0.tags[12][1]", "contains", "x"),
        ("response.json ok = true", "json", "ok", "=", True),
        ("response.json ok = True", "json", "ok", "=", "True"),
        ("response.json error = null", "json", "error", "=", None),
        ('response.json id != "10"', "json", "id", "!=", "10"),
        ('response.json text = "a\\"\\n"', "json", "text", "=", 'a"\n'),
        ("response.json pi <= 3.5e0", "json", "pi", "<=", 3.5),
        ("response.json big = 0123", "json", "big", "=", "0123"),
        ("response.json who = NaN", "json", "who", "=", "NaN"),
        ("response.json list !contains 3", "json", "list", "!contains", 3),
        ("response.header X-App-Version = 1.2.3", "header", "X-App-Version", "=", "1.2.3"),
        ("response.header content-type contains json", "header", "content-type", "contains", "json"),
        ("response.header Age<60", "header", "Age", "<", "60"),
    ],
)
def test_json_and_headers_have_a_key(text: str, name: str, key: str, sign: str, value: object) -> None:
    found = assertion.parse(text)
    assert (found.family, found.name, found.key, found.operator, found.value) == ("response", name, key, sign, value)
    assert type(found.value) is type(value)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 1),
        ("duration < 5 min", 1),
        ("metrics.duration < 5 min", 1),
        ("  response.size > 5", 3),
        ("ssl_certificate.issuer = x", 1),
        (f"metric.{'x' * 64} > 1", 1),
        ("metric.duration", 16),
        ("metric.duration <", 18),
        ("metric.duration 5 min", 17),
        ("metric.duration ~ 5 min", 17),
        ("metric.duration contains 5", 17),
        ("metric.duration < 5 parsecs", 21),
        ("metric.duration < five", 19),
        ("metric.duration < 0 s", 19),
        ("metric.duration < -5 s", 19),
        ("metric.duration == 5 s", 18),
        ("metric.count > 1.5", 16),
        ("metric.count > 1e3", 16),
        ("metric.count > many", 16),
        ("metric.error_rate < 5 %%", 21),
        ("metric.error_rate < %", 21),
        ("metric.rows > nan", 15),
        ("metric.rows > inf", 15),
        (f"metric.rows > {'9' * 400}", 15),
        ("metric.rows > 10 items", 15),
        ("response.code = OK", 17),
        ("response.code contains 200", 15),
        ("response.bodycontains x", 1),
        ("response.body containsx", 15),
        ("response.body < x", 15),
        ('response.body = "x', 19),
        ("response.body contains", 23),
        ("response.json > 10", 15),
        ("response.json", 14),
        ("response.json a..b = 1", 16),
        ("response.json a[x] = 1", 16),
        ("response.json a[0 = 1", 16),
        ("response.json a = 1e400", 19),
        ('response.json a = "x', 21),
        ("response.header = 1", 17),
        ("resource.public = yes", 19),
        ("resource.public != true", 17),
        ("resource.item_count contains 3", 21),
        ("metric.count > 1\nmetric.count > 2", 17),
        ("response.body = " + "x" * 1000, 1001),
    ],
)
def test_an_error_names_field_text_and_position(text: str, position: int) -> None:
    with pytest.raises(errors.InvalidArgument) as caught:
        assertion.parse(text, "assertions[3]")
    assert caught.value.metadata["field"] == "assertions[3]"
    assert caught.value.metadata["position"] == str(position)
    assert text.startswith(caught.value.metadata["assertion"].removesuffix("..."))
    assert [violation.field for violation in caught.value.violations] == ["assertions[3]"]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("metric.duration < 5 min", ("job", "heartbeat")),
        ("metric.anything > 5", ("job", "heartbeat")),
        ("response.code = 200", ("check",)),
        ("response.json a = 1", ("check",)),
        ("resource.item_count > 1", ("check",)),
        ("ssl_certificate.expires_in = 30 days", ("check",)),
    ],
)
@pytest.mark.parametrize("kind", ["job", "heartbeat", "check"])
def test_each_family_is_for_some_kinds_of_monitors(text: str, kinds: tuple[str, ...], kind: str) -> None:
    if kind in kinds:
        assert assertion.check(text, kind) == assertion.parse(text)
        return
    with pytest.raises(errors.InvalidArgument, match=r"is for .* monitors, and this is a") as caught:
        assertion.check_all(("  " + text, text), kind)
    assert caught.value.metadata == {"field": "assertions[0]", "assertion": "  " + text, "position": "3"}


def test_a_monitor_has_only_so_many() -> None:
    with pytest.raises(errors.InvalidArgument, match="at most 100"):
        assertion.check_all(["metric.count > 1"] * 101, "job")


@pytest.mark.parametrize(
    ("text", "metrics", "duration", "holds"),
    [
        ("metric.duration < 5 s", {}, 4999, True),
        ("metric.duration < 5 s", {}, 5000, False),
        ("metric.duration <= 5 s", {}, 5000, True),
        ("metric.duration > 5 s", {}, None, None),
        ("metric.duration > 5 s", {"duration": 9.0}, None, None),
        ("metric.count > 0", {}, 5, None),
        ("metric.count > 0", {"count": 0.0}, None, False),
        ("metric.count = 3", {"count": 3.0}, None, True),
        ("metric.rows != 3", {"rows": 3.5, "count": 3.0}, None, True),
        ("metric.error_rate < 10%", {"count": 100.0, "error_count": 9.0}, None, True),
        ("metric.error_rate < 10%", {"count": 100.0, "error_count": 10.0}, None, False),
        ("metric.error_rate < 10%", {"count": 100.0}, None, None),
        ("metric.error_rate < 10%", {"count": 0.0, "error_count": 1.0}, None, False),
        ("metric.error_rate < 10%", {"count": 0.0, "error_count": 0.0}, None, None),
        ("metric.error_rate < 10%", {"error_count": 2.0}, None, False),
        ("metric.error_rate < 10%", {"error_count": 0.0}, None, None),
        ("metric.error_rate = 1", {"error_count": 2.0}, None, True),
        ("metric.error_rate < 10%", {"error_rate": 0.5}, None, None),
        ("response.code = 200", {"code": 200.0}, None, None),
    ],
)
def test_what_was_measured_holds_or_does_not(
    text: str, metrics: dict[str, float], duration: int | None, holds: bool | None
) -> None:
    assert assertion.parse(text).holds(metrics, duration) is holds


@pytest.mark.parametrize(
    ("text", "longest"),
    [
        ("metric.duration < 5 s", 5000),
        ("metric.duration <= 5 s", 5000),
        ("metric.duration = 5 s", None),
        ("metric.duration > 5 s", None),
        ("metric.count < 5", None),
        ("response.time < 5", None),
    ],
)
def test_an_upper_bound_of_the_duration_is_a_time_limit(text: str, longest: int | None) -> None:
    assert assertion.parse(text).longest == longest


_SIGNS = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}
_gaps = st.sampled_from(["", " ", "\t "])
_numbers = st.one_of(
    st.integers(-(10**6), 10**6).map(str), st.decimals(-1000, 1000, places=2).map(lambda number: f"{number:f}")
)


@given(
    st.from_regex(r"[a-zA-Z0-9_-]{1,63}", fullmatch=True),
    st.sampled_from(sorted(_SIGNS)),
    _numbers,
    _gaps,
    _gaps,
    st.floats(-2000, 2000),
)
def test_a_metric_is_compared(name: str, sign: str, number: str, left: str, right: str, measured: float) -> None:
    known = name.lower() in ("duration", "count", "error_count", "error_rate")
    name = f"x{name}"[:63] if known else name
    found = assertion.parse(f"metric.{name}{left}{sign}{right}{number}")
    assert (found.name, found.operator, found.value) == (name.lower(), sign, float(number))
    assert found.holds({name.lower(): measured}, None) is _SIGNS[sign](measured, float(number))
    assert found.holds({}, 5) is None


@given(st.sampled_from(sorted(_SIGNS)), st.sampled_from(["5 min", "1.5h", "every 2 days and 3 ms", "90"]), _gaps)
def test_lengths_are_those_of_schedules(sign: str, length: str, gap: str) -> None:
    for name in ("metric.duration", "response.time", "resource.last_modified", "ssl_certificate.expires_in"):
        found = assertion.parse(f"{name}{gap}{sign}{gap}{length}")
        assert found.value == parse_length(length, milliseconds=True, bare_seconds=True)


_SCRAPS = st.sampled_from(
    ["metric.", "response.", "duration", "json", "header", "body", " ", "<", "=", "!", "contains", '"', "5", "min", "["]
)


@given(st.one_of(st.text(max_size=40), st.lists(_SCRAPS, max_size=12).map("".join)))
def test_any_text_is_an_assertion_or_an_error_with_a_position_in_it(text: str) -> None:
    try:
        found = assertion.parse(text)
    except errors.InvalidArgument as error:
        assert 1 <= int(error.metadata["position"]) <= len(text) + 1
    else:
        assert found.text == text
        value: Any = found.value
        assert not isinstance(value, float) or math.isfinite(value)
