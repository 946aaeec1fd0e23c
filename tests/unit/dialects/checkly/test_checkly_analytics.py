"""Analytics, reports and scrapes of an account: shapes, periods by name, bounds, who may."""

import gzip
import json

import pytest
from history_edge import EMPTY, Edge
from prometheus_client.parser import text_string_to_metric_families as parsed

from support.stores import NOW, monitor, open_sqlite, track
from tocsin.dialects.checkly.history.figures import Tally, percent
from tocsin.dialects.checkly.history.periods import QUICK, quick
from tocsin.dialects.checkly.prometheus import takes_gzip
from tocsin.dialects.checkly.times import iso, parse_time
from tocsin.domain.instant import DAY, HOUR
from tocsin.domain.track import Health, Verdict

ONE = "/v1/analytics/heartbeat-checks/{}"
MANY = "/v1/analytics/checks"


async def test_one_check(edge):
    edge.add(*(edge.ping(NOW - index * HOUR) for index in range(1, 8)), edge.miss(NOW - HOUR))
    found = await edge.get(ONE.format(edge.path()) + "?metrics=availability&quickRange=last24Hours")
    assert found == {
        "checkId": edge.path(),
        "name": "Backup",
        "checkType": "HEARTBEAT",
        "activated": True,
        "muted": False,
        "frequency": None,
        "from": iso(NOW - DAY),
        "to": iso(NOW),
        "tags": ["team:db", "nightly"],
        "series": [{"data": [{"availability": 87.5}]}],
        "pagination": {"page": 1, "limit": 10},
        "metadata": {"availability": {"unit": "percentage", "label": "Availability", "aggregation": "avg"}},
    }


async def test_what_is_measured(edge):
    path = ONE.format(edge.path(2))
    for query in (
        "metrics=availability,retries",
        "metrics=availability&metrics=retries",
        "metrics[]=availability,retries",
    ):
        found = await edge.get(f"{path}?{query}&limit=5&page=2")
        assert found["series"] == [{"data": [{"availability": None, "retries": 0}]}]  # nothing happened
        assert found["metadata"].keys() == {"availability", "retries"}
        assert (found["pagination"], found["activated"]) == ({"page": 2, "limit": 5}, False)
    assert (await edge.get(path))["metadata"].keys() == {"availability"}


async def test_a_period_by_its_ends(edge):
    edge.add(*(edge.ping(NOW - days * DAY) for days in range(1, 20)))
    found = await edge.get(
        ONE.format(edge.path()) + f"?from={iso(NOW - 10 * DAY)}&to={iso(NOW - 5 * DAY)}&quickRange=thisWeek"
    )
    assert (found["from"], found["to"]) == (iso(NOW - 10 * DAY), iso(NOW - 5 * DAY))
    assert found["series"] == [{"data": [{"availability": 100}]}]


@pytest.mark.parametrize(
    "query",
    ["metrics=wait", "quickRange=today", "limit=0", "page=0", "from=9&to=8", "from=x", "metrics=availability,x"],
)
async def test_bad_queries(edge, query):
    assert await edge.refused(f"{ONE.format(edge.path())}?{query}") == 400


async def test_many_checks(edge):
    edge.add(edge.ping(NOW - HOUR), edge.miss(NOW - HOUR))
    asked = [edge.path(2), edge.path(9), edge.path(1).upper(), edge.path(3), edge.path(4), edge.path(1)]
    answer = await edge.call(f"{MANY}?quickRange=last7Days", "POST", {"checkIds": asked})
    assert answer.status_code == 200  # a key that only reads may
    about = {"checkType": "HEARTBEAT"}
    assert answer.json() == [
        {**about, "checkId": edge.path(2), "name": "m-2", "availability": None},
        {**about, "checkId": edge.path(1), "name": "Backup", "availability": 50},
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"checkIds": []},
        {"checkIds": ["x"]},
        {"checkIds": [1]},
        {"checkIds": "x"},
        [],
        {"checkIds": ["1" * 32] * 101},
    ],
)
async def test_bad_bodies(edge, body):
    assert await edge.refused(MANY, "POST", body) == 400


async def test_who_may_ask_of_many(edge):
    body = {"checkIds": [edge.path()]}
    assert await edge.refused(MANY, "POST", body, key="b" * 32) == 403
    assert await edge.refused(MANY, "POST", body, key="") == 401
    assert await edge.refused(f"{MANY}?quickRange=x", "POST", body) == 400
    assert await edge.refused(MANY) == 405


async def test_metrics(edge):
    found = await edge.get("/v1/analytics/metrics?checkType=HEARTBEAT")
    assert [metric["name"] for metric in found] == ["availability", "retries"]
    assert all(metric.keys() == {"name", "unit", "label", "type", "aggregated"} for metric in found)
    assert await edge.get("/v1/analytics/metrics?checkType=BROWSER") == []
    assert await edge.refused("/v1/analytics/metrics?checkType=TEAPOT") == 400


async def test_a_report(edge):
    edge.add(edge.ping(NOW - HOUR), edge.miss(NOW - HOUR), edge.ping(NOW - 20 * DAY), edge.ping(NOW - HOUR, of=4))
    found = await edge.get("/v1/reporting")
    assert found == [
        {
            "name": "Backup",
            "checkId": edge.path(),
            "checkType": "HEARTBEAT",
            "deactivated": False,
            "tags": ["team:db", "nightly"],
            "aggregate": {"successRatio": 50, "avg": 0, "p95": 0, "p99": 0},
        },
        {
            "name": "m-2",
            "checkId": edge.path(2),
            "checkType": "HEARTBEAT",
            "deactivated": True,
            "tags": [],
            "aggregate": {"successRatio": 0, "avg": 0, "p95": 0, "p99": 0},
        },
    ]
    for query, names in (
        *(("deactivated=true", ["m-2"]), ("deactivated=false", ["Backup"])),
        *(("filterByTags=nightly,x", ["Backup"]), ("filterByTags[]=x", [])),
    ):
        assert [row["name"] for row in await edge.get(f"/v1/reporting?{query}")] == names
    (row, _) = await edge.get("/v1/reporting?quickRange=last30Days&granularity=daily&timezone=UTC")
    assert row["aggregate"]["successRatio"] == 66.667
    for query in ("quickRange=x", "deactivated=x", "from=2&to=1"):
        assert await edge.refused(f"/v1/reporting?{query}") == 400


async def test_an_account_without_checks(edge):
    for path in ("/v1/reporting", "/v1/reporting?quickRange=lastMonth&filterByTags=x"):
        answer = await edge.call(path, key=EMPTY)
        assert (answer.status_code, answer.json()) == (200, [])
    answer = await edge.call(MANY, "POST", {"checkIds": [edge.path()]}, key=EMPTY)
    assert (answer.status_code, answer.json()) == (200, [])
    for version in ("/v2", ""):
        answer = await edge.call(f"/accounts/{edge.empty_account}{version}/prometheus/metrics", key=EMPTY)
        assert (answer.status_code, values(answer.text)) == (200, {})


async def test_a_body_that_is_too_long_for_what_is_asked(edge):
    """Anything is decoded before it is looked at, and takes many times its length: so who only reads sends little."""
    junk = gzip.compress(json.dumps({"checkIds": [edge.path()], "junk": [{}] * 1_000_000}).encode())
    assert len(junk) < 10_000
    for headers in ([("Content-Encoding", "gzip")], [("Content-Encoding", "gzip"), ("Content-Type", "text/plain")]):
        assert await edge.refused(MANY, "POST", junk, headers=headers) == 413
    answer = await edge.call(MANY, "POST", {"checkIds": [edge.path()] * 100})
    assert (answer.status_code, len(answer.json())) == (200, 1)


async def test_there_are_no_error_groups(edge):
    assert await edge.get(f"/v1/error-groups/checks/{edge.path()}") == []


WEDNESDAY = parse_time("2026-11-25T10:30:00Z")


@pytest.mark.parametrize(
    ("name", "since", "until"),
    [
        ("last24Hours", "2026-11-24T10:30:00Z", "2026-11-25T10:30:00Z"),
        ("last7Days", "2026-11-18T10:30:00Z", "2026-11-25T10:30:00Z"),
        ("last30Days", "2026-10-26T10:30:00Z", "2026-11-25T10:30:00Z"),
        ("thisWeek", "2026-11-23", "2026-11-25T10:30:00Z"),
        ("lastWeek", "2026-11-16", "2026-11-23"),
        ("thisMonth", "2026-11-01", "2026-11-25T10:30:00Z"),
        ("lastMonth", "2026-10-01", "2026-11-01"),
    ],
)
def test_periods_by_name(name, since, until):
    assert name in QUICK
    assert quick(name, WEDNESDAY) == (parse_time(since), parse_time(until))


@pytest.mark.parametrize(
    ("passed", "failed", "told"),
    [(37, 4, 90.244), (1, 0, 100), (0, 3, 0), (0, 0, None), (2, 1, 66.667), (999_999, 1, 100)],
)
def test_percent(passed, failed, told):
    found = percent(Tally(passed, failed))
    assert found == told
    assert type(found) is type(told)


# --- scrapes


def values(text):
    return {
        (sample.name, sample.labels.get("name", sample.labels.get("check_name")), sample.labels.get("status")): sample
        for family in parsed(text)
        for sample in family.samples
    }


async def test_a_scrape(edge):
    on = track(
        1, 1, verdict=Verdict.MISSED, health=Health.UNHEALTHY, ok_count=5, missed_count=2, last_success=NOW - 500
    )
    edge.add(on)
    answer = await edge.call(f"/accounts/{edge.account}/v2/prometheus/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = values(answer.text)
    assert found["checkly_check_status", "Backup", "failing"].value == 1
    assert found["checkly_check_result_total", "Backup", "passing"].value == 5
    last = found["checkly_heartbeat_last_success_timestamp_seconds", "Backup", None]
    assert last.value == (NOW - 500) / 1000
    assert last.labels == {
        "name": "Backup", "check_id": edge.path(), "check_type": "heartbeat", "muted": "false", "activated": "true",
        "group": "", "tags": "team:db,nightly", "team": "db",
    }  # fmt: skip
    assert found["checkly_heartbeat_expected_interval_seconds", "m-2", None].labels["activated"] == "false"
    assert {name for _, name, _ in found} == {"Backup", "m-2"}  # neither jobs nor another account's
    answer = await edge.call(f"/accounts/{edge.account}/v2/prometheus/metrics?disableTagParsing=true")
    assert "team" not in values(answer.text)["checkly_check_status", "Backup", "failing"].labels
    plain = f"/accounts/{edge.account}/v2/prometheus/metrics?locationLabelEnabled=true&includeRetryAttempts=true"
    assert "location" not in (await edge.call(plain)).text
    found = values((await edge.call(f"/accounts/{edge.account}/prometheus/metrics")).text)
    assert found["checkly_check_status", "Backup", None].value == 0
    assert found["checkly_check_status", "m-2", None].value == 1


async def test_a_scrape_is_packed_on_request(edge):
    path = f"/accounts/{edge.account}/v2/prometheus/metrics"
    plain = await edge.call(path, headers=[("Accept-Encoding", "identity")])
    assert "content-encoding" not in plain.headers
    answer = await edge.call(path, headers=[("Accept-Encoding", "deflate, gzip;q=0.5")])
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert answer.content == plain.content  # the client unpacks it
    assert len(gzip.compress(plain.content)) < len(plain.content)


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP;q=1", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("br", False),
        ("x-gzip", False),
    ],
)
def test_who_takes_gzip(header, takes):
    assert takes_gzip(header) is takes


async def test_who_may_scrape(edge):
    for version in ("/v2", ""):
        path = f"/accounts/{edge.account}{version}/prometheus/metrics"
        assert await edge.refused(path, key="") == 401
        assert await edge.refused(path, key="b" * 32) == 403
        assert await edge.refused(path, "POST", {}) == 405
        for account in (edge.other_account, "x", "1" * 32):
            assert await edge.refused(f"/accounts/{account}{version}/prometheus/metrics") == 403
    assert await edge.refused(f"/accounts/{edge.account}/v2/prometheus/metrics?disableTagParsing=x") == 400
    assert await edge.refused(f"/accounts/{edge.account}/v3/prometheus/metrics") == 404


async def test_a_scrape_of_more_checks_than_a_page(tmp_path):
    store = open_sqlite(tmp_path)
    edge = Edge(store, max_samples=2_500)
    policy = edge.checks[0].policy
    edge.add(*(monitor(number, policy=policy, project=edge.checks[0].project) for number in range(10, 2_200)))
    text = (await edge.call(f"/accounts/{edge.account}/v2/prometheus/metrics")).text
    assert sum(not line.startswith("#") for line in text.splitlines()) == 2_500
    assert text.endswith("# cut at 2500 samples, see telemetry.max_samples\n")
    report = await edge.get("/v1/reporting")
    assert len(report) == 2_192
    store.close()
