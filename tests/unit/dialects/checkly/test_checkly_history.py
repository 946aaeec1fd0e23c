"""Events, availability and results of checks: shapes, windows, bounds, bad input."""

from xml.etree import ElementTree as ET

import pytest

from support.stores import NOW, track
from tocsin.dialects.checkly.ids import dashed
from tocsin.dialects.checkly.times import iso
from tocsin.domain.check_in import State
from tocsin.domain.instant import DAY, HOUR, MINUTE, SECOND
from tocsin.domain.track import Health, Verdict

GRACE = 10 * MINUTE
EVENTS = "/v1/checks/heartbeats/{}/events"


@pytest.fixture
def timeline(edge):
    """The vendor's: 13:05 GRACE, 14:12 GRACE, 15:01 EARLY, 16:11 FAILING, 16:13 EARLY; the last one now."""
    noon = NOW - 253 * MINUTE
    rows = [
        edge.ping(noon + 65 * MINUTE, expected=noon + 60 * MINUTE, host="https://ci.example", client="curl/8"),
        edge.ping(noon + 132 * MINUTE, expected=noon + 125 * MINUTE),
        edge.ping(noon + 181 * MINUTE, expected=noon + 192 * MINUTE),
        edge.miss(noon + 241 * MINUTE),
        edge.ping(noon + 253 * MINUTE, expected=noon + 311 * MINUTE),
    ]
    edge.add(*rows, edge.miss(NOW - 2 * HOUR, state=State.UNKNOWN))
    return rows


async def test_the_published_timeline(edge, timeline):
    (found,) = await edge.get(EVENTS.format(edge.path()))
    assert [event["state"] for event in found["events"]] == ["EARLY", "FAILING", "EARLY", "GRACE", "GRACE"]
    assert [event["id"] for event in found["events"]] == [dashed(row.id) for row in reversed(timeline)]
    assert found["events"][1]["timestamp"] == iso(NOW - 2 * MINUTE)  # the deadline, and not the slot
    assert found["events"][-1] == {
        "id": dashed(timeline[0].id),
        "state": "GRACE",
        "timestamp": iso(NOW - 188 * MINUTE),
        "source": "https://ci.example",
        "userAgent": "curl/8",
    }
    assert found["events"][0]["source"] is found["events"][0]["userAgent"] is None
    assert found["stats"] == {
        name: {"successRatio": {"previousPeriod": 0, "currentPeriod": 80}, "totalEntitiesCurrentPeriod": 5}
        for name in ("last24Hours", "last7Days")
    }


async def test_one_event(edge, timeline):
    found = await edge.get(f"{EVENTS.format(edge.path())}/{dashed(timeline[3].id)}")
    assert found["event"]["state"] == "FAILING"
    assert found.keys() == {"event", "stats"}
    for other in ("1" * 32, "0" * 32, dashed(edge.ping(NOW).id)):
        assert await edge.refused(f"{EVENTS.format(edge.path())}/{other}") == 404
    assert await edge.refused(f"{EVENTS.format(edge.path(2))}/{timeline[3].id}") == 404
    assert await edge.refused(f"{EVENTS.format(edge.path())}/x") == 400


async def test_what_is_no_event_is_not_shown(edge):
    open_run = edge.ping(NOW - 3, end_time=None)
    rows = [edge.miss(NOW - HOUR, state=state) for state in (State.UNKNOWN, State.NOTE, State.ABANDONED)]
    edge.add(*rows, edge.miss(NOW - HOUR, state=State.ERROR), edge.miss(NOW - HOUR, state=State.TIMED_OUT), open_run)
    (found,) = await edge.get(EVENTS.format(edge.path()))
    assert [event["state"] for event in found["events"]] == ["RECEIVED", "FAILING", "FAILING"]
    assert await edge.refused(f"{EVENTS.format(edge.path())}/{rows[0].id}") == 404


async def test_events_between_two_instants(edge):
    edge.add(*(edge.ping(NOW - hours * HOUR) for hours in range(40)))
    path = EVENTS.format(edge.path())
    (found,) = await edge.get(path)
    assert [event["timestamp"] for event in found["events"]] == [iso(NOW - hours * HOUR) for hours in range(10)]
    since, until = (NOW - 30 * HOUR) // SECOND, (NOW - 28 * HOUR) // SECOND
    for query in (f"startTime={since}&endTime={until}", f"startTime={since * 1000}&endTime={iso(until * 1000)}"):
        (found,) = await edge.get(f"{path}?{query}")
        assert [event["timestamp"] for event in found["events"]] == [iso(NOW - 29 * HOUR), iso(NOW - 30 * HOUR)]
    (found,) = await edge.get(f"{path}?endTime={until}&limit=1")
    assert [event["timestamp"] for event in found["events"]] == [iso(NOW - 29 * HOUR)]
    assert found["stats"]["last24Hours"]["totalEntitiesCurrentPeriod"] == 24  # whatever was asked for
    assert found["stats"]["last7Days"]["totalEntitiesCurrentPeriod"] == 40


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=11", "limit=x", "limit=-1", "limit=1.5", "startTime=x", "endTime=-1"),
        *("startTime=5&endTime=4", "startTime=99999999999999999", "startTime=NaN"),
    ],
)
async def test_bad_queries_of_events(edge, query):
    assert await edge.refused(f"{EVENTS.format(edge.path())}?{query}") == 400


PATHS = (
    *("/v1/checks/heartbeats/{}/events", "/v1/checks/heartbeats/{}/events/" + "1" * 32),
    *("/v1/checks/heartbeats/{}/availability", "/v2/check-results/{}", "/v1/check-results/{}"),
    *("/v1/check-results/{}/" + "1" * 32, "/v1/analytics/heartbeat-checks/{}", "/v1/error-groups/checks/{}"),
)


@pytest.mark.parametrize("path", PATHS)
async def test_who_may_not_and_what_is_not(edge, path):
    assert await edge.refused(path.format("x")) == 400
    assert await edge.refused(path.format("9" * 32)) == 404
    assert await edge.refused(path.format(edge.path(3))) == 404  # a job is no check
    assert await edge.refused(path.format(edge.path(4))) == 404  # another account's
    good = path.format(edge.path())
    assert await edge.refused(good, key="") == 401
    assert await edge.refused(good, key="f" * 32) == 401
    assert await edge.refused(good, key="b" * 32) == 403  # it may only send
    assert await edge.refused(good, headers=[("X-Checkly-Account", edge.other_account)]) == 403
    assert await edge.refused(good, "POST", {}) == 405


async def test_availability(edge):
    """37 of 41, as the vendor shows it: 90.244 %."""
    edge.add(*(edge.ping(NOW - HOUR - index) for index in range(37)))
    edge.add(*(edge.miss(NOW - 2 * HOUR - index) for index in range(4)))
    edge.add(edge.miss(NOW - DAY - GRACE + 1), edge.ping(NOW - 30 * HOUR), edge.ping(NOW - 31 * HOUR))
    path = f"/v1/checks/heartbeats/{edge.path()}/availability"
    found = await edge.get(path)
    assert found == {
        "successRatio": {"previousPeriod": 100, "currentPeriod": 88.095},  # the one a day ago was judged within it
        "totalEntitiesCurrentPeriod": 42,
    }
    found = await edge.get(f"{path}?startTime={(NOW - DAY) // SECOND + 1}&endTime={NOW // SECOND}")
    assert found["successRatio"]["currentPeriod"] == 90.244
    found = await edge.get(f"{path}?endTime={(NOW - DAY) // SECOND}")
    assert found["totalEntitiesCurrentPeriod"] == 2
    assert await edge.get(f"{path}?startTime={NOW // SECOND}") == {
        "successRatio": {"previousPeriod": 0, "currentPeriod": 0},
        "totalEntitiesCurrentPeriod": 0,
    }
    assert await edge.refused(f"{path}?startTime=5&endTime=4") == 400


async def test_a_grace_that_is_longer_than_the_window(edge):
    """A miss counts when it was called one, however long ago the ping was due."""
    edge.add(edge.miss(NOW - 9 * DAY), edge.miss(NOW - 9 * DAY, grace=9 * DAY - HOUR))
    found = await edge.get(f"/v1/checks/heartbeats/{edge.path()}/availability")
    assert found["totalEntitiesCurrentPeriod"] == 1


RESULT = {
    "name": "Backup", "hasErrors": False, "isDegraded": False, "runLocation": "", "responseTime": 0,
    "resultType": "FINAL",
}  # fmt: skip


async def test_results_page_by_page(edge, timeline):
    path = f"/v2/check-results/{edge.path()}"
    first = await edge.get(f"{path}?limit=3")
    assert first["length"] == 3
    second = await edge.get(f"{path}?limit=3&nextId={first['nextId']}")
    assert second["nextId"] is None
    entries = first["entries"] + second["entries"]
    assert [entry["id"] for entry in entries] == [dashed(row.id) for row in reversed(timeline)]
    assert [entry["hasFailures"] for entry in entries] == [False, True, False, False, False]
    assert entries[1].items() >= {**RESULT, "checkId": edge.path(), "startedAt": iso(NOW - 2 * MINUTE)}.items()
    whole = await edge.get(f"{path}?limit=5")
    assert (whole["length"], whole["nextId"]) == (5, None)


async def test_results_that_are_narrowed(edge, timeline):
    path = f"/v2/check-results/{edge.path()}"
    for query, count in (
        *(("hasFailures=true", 1), ("hasFailures=false", 4), ("resultType=FINAL", 5), ("resultType=ALL", 5)),
        *(("resultType=ATTEMPT", 0), (f"from={(NOW - 2 * HOUR) // SECOND}", 3), (f"to={NOW // SECOND}", 4)),
    ):
        assert (await edge.get(f"{path}?{query}"))["length"] == count, query
    fields = "id,startedAt,runLocation,hasErrors,hasFailures,isDegraded,responseTime"
    (entry,) = (await edge.get(f"{path}?limit=1&fields={fields}"))["entries"]
    assert list(entry) == ["id", "hasFailures", "hasErrors", "isDegraded", "runLocation", "startedAt", "responseTime"]
    assert await edge.get(f"/v2/check-results/{edge.path(2)}") == {"length": 0, "entries": [], "nextId": None}


async def test_results_of_the_first_version(edge, timeline):
    path = f"/v1/check-results/{edge.path()}"
    answer = await edge.call(f"{path}?limit=2&page=2")
    assert answer.headers["content-range"] == "2-3/5"
    assert [entry["id"] for entry in answer.json()] == [dashed(timeline[2].id), dashed(timeline[1].id)]
    answer = await edge.call(f"{path}?hasFailures=true")
    assert (answer.headers["content-range"], len(answer.json())) == ("0-0/1", 1)
    for query in ("page=9", "resultType=ATTEMPT", f"to={(NOW - 6 * HOUR) // SECOND}"):
        assert (await edge.call(f"{path}?{query}")).json() == []
    only_from = await edge.call(f"{path}?from={(NOW - 8 * HOUR) // SECOND}")
    assert len(only_from.json()) == 2  # for six hours from there
    assert (await edge.get(f"{path}/{timeline[3].id}"))["hasFailures"] is True


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "page=0", "page=x", "hasFailures=maybe", "resultType=NONE", "from=x"),
        *("from=1&to=30000", "from=5&to=4", "page=99999999999"),
    ],
)
async def test_bad_queries_of_results(edge, query):
    assert await edge.refused(f"/v1/check-results/{edge.path()}?{query}") == 400


@pytest.mark.parametrize("query", ["limit=101", "nextId=x", "nextId=-1", "nextId=99999999999999999999", "to=x"])
async def test_bad_queries_of_newer_results(edge, query):
    assert await edge.refused(f"/v2/check-results/{edge.path()}?{query}") == 400


async def test_badges(edge):
    edge.add(track(1, 1, verdict=Verdict.MISSED, health=Health.UNHEALTHY))
    path = "/v1/badges/checks/{}?style=flat&theme=dark"
    for number, text in ((1, "Backup: failing"), (2, "m-2: paused"), (4, "m-4: passing")):
        answer = await edge.call(path.format(edge.path(number)), key="")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert ET.fromstring(answer.text).attrib["aria-label"] == text
    for other in (edge.path(3), "9" * 32, "x"):
        assert await edge.refused(path.format(other), key="") == 404
