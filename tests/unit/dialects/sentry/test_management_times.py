"""Times, cursors, searches and owners of the management API."""

from types import SimpleNamespace

import pytest
from starlette.datastructures import QueryParams

from tocsin.dialects.sentry.management import paging, search, times
from tocsin.dialects.sentry.management.check_in_json import error_id, error_number, processing_error_json, stats_json
from tocsin.dialects.sentry.management.monitor_form import slug_from
from tocsin.dialects.sentry.management.monitor_json import owner_json
from tocsin.dialects.sentry.management.replies import Refused
from tocsin.domain.check_in import State
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.instant import DAY, HOUR, NEVER
from tocsin.store.browse_port import Count, Leaf, MonitorSearch, Sort, Standing, Turn

NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (None, None),
        (NEVER, None),
        (0, "1970-01-01T00:00:00Z"),
        (NOW + 5, "2027-01-15T08:00:00.005Z"),
        (NEVER - 1, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_iso(instant, text):
    assert times.iso(instant) == text


@pytest.mark.parametrize(
    ("text", "millis"),
    [("60", 60_000), ("60s", 60_000), ("5m", 300_000), ("24h", DAY), ("14d", 14 * DAY), ("2w", 14 * DAY)],
)
def test_lengths(text, millis):
    assert times.length_of(text, "x") == millis


@pytest.mark.parametrize("text", ["", "0", "0h", "-1h", "1.5h", "1y", "h", "9" * 30, "1h ago", "\u0661h"])
def test_lengths_that_are_none(text):
    with pytest.raises(Refused):
        times.length_of(text, "x")


def test_series_begin_at_whole_buckets():
    series = times.series_of(QueryParams(f"since={NOW // 1000 - 5000}&until={NOW // 1000}&resolution=1h"), NOW)
    assert series.since % HOUR == 0
    assert series.since <= NOW - 5_000_000 < series.since + HOUR
    assert list(series.starts())[-1] < NOW
    assert times.series_of(QueryParams(""), NOW).width == HOUR
    assert times.series_of(QueryParams("statsPeriod=90d"), NOW).width == DAY
    assert len(times.series_of(QueryParams(f"since={NOW // 1000}&until={NOW // 1000}"), NOW).starts()) == 1


@pytest.mark.parametrize(
    "query",
    ["since=0&resolution=1s", "since=9e9", "since=2030-01-01&until=2020-01-01", "since=x", "start=1", "until=nan"],
)
def test_series_that_are_none(query):
    with pytest.raises(Refused):
        times.series_of(QueryParams(query), NOW)


def test_a_link_names_both_pages():
    call = SimpleNamespace(query=QueryParams("per_page=2&key=secret&query=a b&cursor=t:0:0"), url="http://x/y/")
    link = paging.links(call, Leaf([1], "first", "last", more_before=True, more_after=False))["Link"]
    assert link == (
        '<http://x/y/?per_page=2&query=a+b&cursor=first:0:1>; rel="previous"; results="true"; cursor="first:0:1", '
        '<http://x/y/?per_page=2&query=a+b&cursor=last:0:0>; rel="next"; results="false"; cursor="last:0:0"'
    )


@pytest.mark.parametrize(
    ("cursor", "turn"),
    [("", Turn()), ("0:0:0", Turn()), ("0:0:1", Turn(back=True)), ("ab_-:0:1", Turn("ab_-", back=True))],
)
def test_cursors(cursor, turn):
    assert paging.turn_of(QueryParams({"cursor": cursor})) == turn


@pytest.mark.parametrize("cursor", ["x", "a:b:c", "a:0:2", "a:0:0:0", "ü:0:0", "a b:0:0"])
def test_cursors_that_are_none(cursor):
    with pytest.raises(Refused):
        paging.turn_of(QueryParams({"cursor": cursor}))


def test_searches():
    query = QueryParams(
        "query=status:error name:'two words' slug:db id:x nightly odd:thing&owner=unassigned&owner=user:1"
        "&environment=a&environment=b&sort=status&asc=0"
    )
    assert search.search_of(query) == MonitorSearch(
        environments=("a", "b"),
        owners=("", "user:1"),
        words=("nightly", "odd:thing"),
        ids=("x",),
        id_parts=("db",),
        name_parts=("two words",),
        standings=(Standing.UNHEALTHY,),
        sort=Sort.STANDING,
        descending=True,
    )
    assert search.search_of(QueryParams("query=it's")).words == ("it's",)
    with pytest.raises(Refused):
        search.search_of(QueryParams({"query": "x" * 2_000}))


@pytest.mark.parametrize(
    ("owner", "kind", "identity"),
    [
        ("user:1", "user", "1"),
        ("team:ops", "team", "ops"),
        ("ops", "team", "ops"),
        ("ann@example.com", "user", "ann@example.com"),
        ("pager:7", "team", "pager:7"),
        ("user:", "team", "user:"),
    ],
)
def test_owners(owner, kind, identity):
    shown = owner_json(owner)
    assert (shown["type"], shown["id"], shown["name"]) == (kind, identity, identity)
    assert ("email" in shown) == ("@" in owner)


def test_nobody():
    assert owner_json("") is None


@pytest.mark.parametrize(
    ("name", "slug"), [("My Job", "my-job"), ("2024", "monitor-2024"), ("日本", "monitor"), ("x" * 90, "x" * 50)]
)
def test_slugs_of_names(name, slug):
    assert slug_from(name) == slug


@pytest.mark.parametrize("number", [0, 1, 2**63 - 1])
def test_ids_of_errors_come_back(number):
    assert error_number(error_id(number)) == number


@pytest.mark.parametrize("text", ["", "1", "z" * 32, "f" * 32, "+" + "0" * 31, "0x" + "0" * 30])
def test_ids_that_are_none(text):
    assert error_number(text) is None


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ("", {"check_in_id": None, "monitor_slug": "job", "environment": None}),
        ('{"monitor_slug": "Job!", "status": 5}', {"monitor_slug": "Job!", "status": 5}),
        ('{"monitor_slug": "cut of', {"monitor_slug": "job"}),
        ("[" * 5_000, {"monitor_slug": "job"}),
        ("[1]", {"monitor_slug": "job"}),
    ],
)
def test_the_payload_of_an_error(payload, shown):
    refusal = CheckInRefused(
        1, "job", "CHECKIN_FINISHED", "late", NOW, "sentry", payload=payload, data={"a": "b"}, number=7
    )
    found = processing_error_json(refusal)
    assert shown.items() <= found["checkin"]["payload"].items()
    assert found["errors"] == [{"type": 1, "a": "b", "reason": "late"}]


def test_empty_buckets_are_shown_and_durations_averaged():
    series = times.Series(0, 3_000, 1_000)
    counts = [
        Count(1, "a", 0, State.OK, 2, 30, 1),
        Count(1, "b", 0, State.OK, 1, 10, 1),
        Count(1, "a", 0, State.IN_PROGRESS, 4, 0, 0),
        Count(1, "a", 2_000, State.TIMED_OUT, 1, 0, 0),
    ]
    nothing = {"ok": 0, "error": 0, "missed": 0, "timeout": 0, "unknown": 0, "duration": None}
    assert stats_json(counts, series) == [
        {**nothing, "ts": 0, "ok": 3, "duration": 20},
        {**nothing, "ts": 1},
        {**nothing, "ts": 2, "timeout": 1},
    ]
