"""The times that a query names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from tocsin.dialects.cronitor.problems import Invalid
from tocsin.dialects.cronitor.resources import query as queries
from tocsin.dialects.cronitor.resources.periods import LENGTHS, NAMES, POINTS, period_of
from tocsin.domain.instant import DAY, HOUR, MINUTE

NOW = 1_800_000_000_000  # 2027-01-15T08:00:00Z
MIDNIGHT = NOW - 8 * HOUR


def period(now=NOW, **said):
    return period_of(QueryParams(said), now)


@pytest.mark.parametrize("name", LENGTHS)
def test_a_name_is_the_time_up_to_now(name):
    found = period(time=name)
    assert (found.since, found.until) == (NOW - LENGTHS[name], NOW)


def test_days_are_those_of_utc():
    assert period(time="today")[:2] == (MIDNIGHT, NOW)
    assert period(time="yesterday")[:2] == (MIDNIGHT - DAY, MIDNIGHT)
    assert period(now=MIDNIGHT, time="today")[:2] == (MIDNIGHT, MIDNIGHT + 1)


def test_nothing_said_is_the_last_day():
    assert period() == period(time="24h") == period(time="")


def test_start_and_end_win():
    assert period(time="90d", start=str(NOW // 1000 - 60), end=str(NOW // 1000))[:2] == (NOW - MINUTE, NOW)
    assert period(start="2027-01-15T06:00:00Z", end="2027-01-15T08:30:00+01:00")[:2] == (
        NOW - 2 * HOUR,
        NOW - HOUR // 2,
    )
    assert period(start="2027-01-15")[:2] == (MIDNIGHT, NOW)
    assert period(end="2027-01-14T08:00:00")[:2] == (NOW - 2 * DAY, NOW - DAY)
    assert period(start="1799999999.5", end="9999999999")[:2] == (NOW - 500, NOW), "nothing is known of what is to come"


@pytest.mark.parametrize(
    "said",
    [
        {"time": "2h"},
        {"time": "-1d"},
        {"start": "soon"},
        {"end": "1e3"},
        {"start": "1800000001"},
        {"start": "1700000000", "end": "1700000000"},
        {"start": "0"},
        {"start": "2027-01-15T25:00:00Z"},
        {"end": "9999-12-31T23:59:59-05:00"},
    ],
)
def test_what_is_no_time_is_refused(said):
    with pytest.raises(Invalid) as invalid:
        period(**said)
    assert invalid.value.problems[0].field in said


@given(st.integers(0, 4_000_000_000_000), st.integers(1, 1_000 * DAY))
def test_pieces_cover_the_time_and_are_few(now, length):
    now = max(now, length)
    found = period(now=now + DAY, start=str((now - length) / 1000), end=str(now / 1000)) if length > 1000 else None
    if found is None:
        return
    starts = found.starts()
    assert len(starts) <= POINTS + 1
    assert all(start % found.width == 0 for start in starts)
    assert starts[0] <= found.since < starts[0] + found.width
    assert starts[-1] < found.until <= starts[-1] + found.width


def test_every_name_has_few_pieces():
    assert {name: len(period(time=name).starts()) for name in NAMES} == {
        "1h": 60,
        "6h": 72,
        "12h": 144,
        "24h": 144,
        "3d": 144,
        "7d": 168,
        "14d": 168,
        "30d": 121,
        "90d": 181,
        "180d": 181,
        "365d": 53,
        "today": 96,
        "yesterday": 144,
    }


# --- parameters


def test_lists_are_repeated_or_joined():
    query = QueryParams("monitor=a,b&monitor=b&monitor= c d ,,&other=x")
    assert queries.many(query, "monitor") == ("a", "b", "c d")
    assert queries.many(query, "none") == ()
    with pytest.raises(Invalid, match="at most"):
        queries.many(QueryParams("k=" + ",".join(map(str, range(1_001)))), "k")


def test_a_value_must_be_known():
    assert queries.one_of(QueryParams("s=a,b"), "s", ("a", "b")) == ("a", "b")
    with pytest.raises(Invalid, match=r"s: 'c' is none of a, b"):
        queries.one_of(QueryParams("s=a,c"), "s", ("a", "b"))


@pytest.mark.parametrize(("text", "flag"), [("true", True), ("1", True), ("", False), ("False", False), ("0", False)])
def test_flags(text, flag):
    assert queries.flag(QueryParams({"x": text}), "x") is flag
    with pytest.raises(Invalid, match="neither"):
        queries.flag(QueryParams({"x": "maybe"}), "x")


def test_pages():
    assert queries.paging(QueryParams("")) == (1, 50)
    assert queries.paging(QueryParams("page=3&pageSize=100")) == (3, 100)
    assert queries.paging(QueryParams("page=2&page_size=5000")) == (2, 1000)
    assert queries.paging(QueryParams("page=2&pageSize=2")).cut("abcde") == "cd"
    assert queries.paging(QueryParams("page=9&pageSize=2")).cut("abcde") == ""
    for text in ("page=0", "page=-1", "page=x", "pageSize=0", "pageSize=1.5", "page=\u0661"):
        with pytest.raises(Invalid, match="whole number"):
            queries.paging(QueryParams(text))
