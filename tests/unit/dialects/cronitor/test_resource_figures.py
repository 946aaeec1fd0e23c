"""Figures out of statistics, and events out of check-ins."""

import msgspec
import pytest

from support.stores import check_in, incident, monitor, track
from support.stores import check_in_number as number
from tocsin.dialects.cronitor.resources import events, figures, shown
from tocsin.domain.check_in import State
from tocsin.domain.incident import Cause
from tocsin.domain.instant import MINUTE
from tocsin.domain.monitor import Kind
from tocsin.store.browse_port import DURATION, Spread, Statistic

NOW = 1_800_000_000_000


def statistic(started=0, spreads=None, **states):
    return Statistic(
        1, "production", NOW, {State[name]: count for name, count in states.items()}, started, spreads or {}
    )


def test_what_runs_are_counted_as():
    found = figures.counts_of(
        statistic(started=30, OK=27, ERROR=1, TIMED_OUT=1, IN_PROGRESS=1, NOTE=5, MISSED=7, UNKNOWN=2), Kind.JOB
    )
    assert found == figures.Counts(run=30, complete=27, fail=2, tick=0, event=63, runs=30)
    assert found.success_rate == 93.1


def test_what_a_heartbeat_is_counted_as():
    found = figures.counts_of(statistic(OK=9, ERROR=1), Kind.HEARTBEAT)
    assert (found.tick, found.complete, found.fail, found.event) == (9, 0, 1, 10)
    assert found.success_rate == 90


def test_nothing_has_no_rate():
    assert figures.counts_of(statistic(IN_PROGRESS=1, MISSED=3), Kind.JOB).success_rate is None


def test_an_aggregate():
    spreads = {DURATION: Spread(2, 24_200, (12_000, 12_000, 15_000, 15_000)), "count": Spread(2, 7.0, (1, 1, 1, 1))}
    found = figures.aggregate_json(
        statistic(started=2, OK=2, spreads=spreads), Kind.JOB, alerts=3, downtime=90_500, length=100 * MINUTE
    )
    assert found == {
        "run_count": 2,
        "complete_count": 2,
        "fail_count": 0,
        "tick_count": 0,
        "event_count": 4,
        "alert_count": 3,
        "duration_mean": 12.1,
        "duration_p50": 12,
        "duration_p90": 15,
        "downtime_seconds": 90,
        "uptime": 98.49,
        "success_rate": 100,
        "count_sum": 7,
        "error_count_sum": 0,
        "total_runs": 2,
        "total_failures": 0,
    }


def test_uptime_of_no_time_is_not_known():
    assert figures.aggregate_json(statistic(), Kind.JOB, alerts=0, downtime=0, length=0)["uptime"] is None


def test_every_field_of_a_point_is_known():
    spread = Spread(4, 10.0, (1, 2, 3, 4))
    full = statistic(started=4, OK=4, spreads=dict.fromkeys(figures.MEASURES, spread))
    found = figures.point(full, Kind.JOB, 1, figures.FIELDS)
    assert found.keys() == set(figures.FIELDS)
    assert (found["length_p10"], found["length_p99"], found["length_mean"]) == (1, 4, 2.5)
    assert found["duration_p50"] == 0.002
    nothing = figures.point(statistic(), Kind.JOB, 0, figures.FIELDS)
    assert all(value in (0, None) for value in nothing.values())


def test_only_what_is_asked_is_measured():
    assert figures.measures_in(("success_rate", "run_count")) == ()
    assert figures.measures_in(("error_count_p50", "duration_mean", "duration_p99")) == ("error_count", DURATION)


# --- events


def words(row, kind=Kind.JOB):
    return [(event.at - NOW, event.event) for event in events.of_check_in(row, kind)]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"state": State.OK, "start_time": NOW + 1, "end_time": NOW + 9}, [(1, "run"), (9, "complete")]),
        ({"state": State.ERROR, "start_time": NOW + 1, "end_time": NOW + 9}, [(1, "run"), (9, "fail")]),
        ({"state": State.IN_PROGRESS, "start_time": NOW + 1}, [(1, "run")]),
        ({"state": State.TIMED_OUT, "start_time": NOW + 1, "end_time": NOW + 9}, [(1, "run")]),
        ({"state": State.OK, "end_time": NOW + 3}, [(3, "complete")]),
        ({"state": State.OK}, [(0, "complete")]),
        ({"state": State.NOTE}, [(0, "message")]),
        ({"state": State.MISSED}, []),
        ({"state": State.UNKNOWN}, []),
    ],
)
def test_the_events_of_a_run(fields, told):
    assert words(check_in(number(1, NOW), track(1, 1), **fields)) == told


def test_the_beat_of_a_heartbeat():
    assert words(check_in(number(1, NOW), track(1, 1), State.OK), Kind.HEARTBEAT) == [(0, "tick")]


def test_an_event_as_it_is_shown():
    row = check_in(
        number(1, NOW), track(1, 1), State.ERROR, start_time=NOW, end_time=NOW + 1500, duration_ms=1500,
        exit_code=3, message="boom", host="h-1", client="curl", environment="staging",
    )  # fmt: skip
    of = monitor(1, display_name="Nightly", extras={"cronitor": msgspec.Raw(b'{"key": "The Key"}')})
    begun, ended = (events.event_json(event, of, "a1b2c3") for event in events.of_check_in(row, Kind.JOB))
    assert ended == {
        "stamp": NOW / 1000 + 1.5,
        "monitor_name": "Nightly",
        "monitor_code": "a1b2c3",
        "description": "Failed",
        "from": "h-1",
        "message": "boom",
        "event": "fail",
        "status": 3,
        "duration": 1.5,
        "created": "2027-01-15T08:00:00Z",
        "env": "staging",
    }
    assert (begun["message"], begun["status"], begun["duration"]) == (None, None, None)


def test_alerts_and_the_newest_first():
    first = incident(1, track(1, 1), open_time=NOW, resolve_time=NOW + 5, cause=Cause.MISSED, note="mine")
    second = incident(2, track(1, 1), open_time=NOW + 5)
    known = [*events.of_incident(first), *events.of_incident(second)]
    assert [(event.at - NOW, event.event, event.message) for event in events.newest(known, 10)] == [
        (5, "alert", ""),
        (5, "recovery", ""),
        (0, "alert", "mine"),
    ]
    assert len(events.newest(known, 2)) == 2
    assert events.event_json(known[0], monitor(1), "")["description"] == "Did not run on schedule"


def test_the_key_is_shown_as_it_was_written():
    assert shown.key_of(monitor(1)) == "m-1"
    for known in (b'{"key": 7}', b"[]", b'{"other": 1}'):
        assert shown.key_of(monitor(1, extras={"cronitor": msgspec.Raw(known)})) == "m-1"
    assert shown.name_of(monitor(1, extras={"cronitor": msgspec.Raw(b'{"key": "My Job"}')})) == "My Job"
