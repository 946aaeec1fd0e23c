"""Each fact moves its counter, once, and no series appears from nowhere."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_open
from prometheus_client.parser import text_string_to_metric_families

from support.stores import NOW, check_in, check_in_number, incident, track
from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.facts import (
    Abandoned,
    CheckInRecorded,
    CheckInRefused,
    IncidentBroken,
    IncidentMuted,
    IncidentOpened,
    IncidentResolved,
    Missed,
    OutageRecorded,
    TimedOut,
    Unjudged,
)
from tocsin.domain.incident import Outage
from tocsin.engine.delta import Delta
from tocsin.telemetry.metrics import Metrics

HERE = track(1, 1)


def run(state=State.OK, **fields):
    return check_in(check_in_number(1), HERE, state, **fields)


@pytest.fixture
def metrics():
    made = Metrics(CollectorRegistry(), lambda number: "acme" if number == 1 else "")
    made.register_project("acme")
    return made


def values(metrics):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created"))
    }


def moved(metrics, *facts):
    """The series that these facts moved, and by how much."""
    before = values(metrics)
    metrics.observe(Delta(clock=NOW, facts=list(facts)))
    return {key: value - before.get(key, 0) for key, value in values(metrics).items() if value != before.get(key, 0)}


PROJECT = ("project", "acme")


def of(name, **labels):
    return (name, *sorted({"project": "acme", **labels}.items()))


CASES = {
    "an ok": (
        CheckInRecorded(run(), ReportKind.OK, True),
        {of("tocsin_checkins_total", dialect="native", status="ok"): 1},
    ),
    "an ok with a duration": (
        CheckInRecorded(run(duration_ms=1500), ReportKind.OK, True),
        {
            of("tocsin_checkins_total", dialect="native", status="ok"): 1,
            of("tocsin_run_duration_seconds_count"): 1,
            of("tocsin_run_duration_seconds_sum"): 1.5,
        },
    ),
    "a start": (
        CheckInRecorded(run(State.IN_PROGRESS, dialect="sentry"), ReportKind.START, False),
        {of("tocsin_checkins_total", dialect="sentry", status="in_progress"): 1},
    ),
    "a keep-alive": (
        CheckInRecorded(run(State.IN_PROGRESS, dialect="grpc"), ReportKind.BEAT, False),
        {of("tocsin_checkins_total", dialect="grpc", status="in_progress"): 1},
    ),
    "an error": (
        CheckInRecorded(run(State.ERROR), ReportKind.ERROR, True),
        {of("tocsin_checkins_total", dialect="native", status="error"): 1, of("tocsin_errors_total"): 1},
    ),
    "a note": (
        CheckInRecorded(run(State.NOTE), ReportKind.NOTE, False),
        {of("tocsin_checkins_total", dialect="native", status="note"): 1},
    ),
    "a refusal": (
        CheckInRefused(1, "m", "MONITOR_NOT_FOUND", "", NOW, "sentry"),
        {
            of("tocsin_refusals_total", dialect="sentry", reason="MONITOR_NOT_FOUND"): 1,
            ("tocsin_checkins_rejected_total", ("dialect", "sentry"), ("reason", "unknown_monitor")): 1,
        },
    ),
    "a remark on a report that counted": (
        CheckInRefused(1, "m", "MONITOR_INVALID_CONFIG", "", NOW, "sentry", dropped=False),
        {of("tocsin_refusals_total", dialect="sentry", reason="MONITOR_INVALID_CONFIG"): 1},
    ),
    "a miss": (
        Missed(run(State.MISSED), NOW, NOW + 250),
        {
            of("tocsin_missed_total"): 1,
            ("tocsin_detection_delay_seconds_count", ("kind", "missed")): 1,
            ("tocsin_detection_delay_seconds_sum", ("kind", "missed")): 0.25,
        },
    ),
    "a time-out": (
        TimedOut(run(State.TIMED_OUT), NOW, NOW + 500),
        {
            of("tocsin_timeouts_total"): 1,
            ("tocsin_detection_delay_seconds_count", ("kind", "timeout")): 1,
            ("tocsin_detection_delay_seconds_sum", ("kind", "timeout")): 0.5,
        },
    ),
    "an abandoned run": (Abandoned(run(State.ABANDONED)), {of("tocsin_abandoned_total"): 1}),
    "an unknown": (Unjudged(run(State.UNKNOWN)), {of("tocsin_unknown_total"): 1}),
    "a recovery": (IncidentResolved(incident(1, HERE)), {of("tocsin_recoveries_total"): 1}),
    "a broken incident": (IncidentBroken(incident(1, HERE)), {of("tocsin_broken_incidents_total"): 1}),
    "its muting, which is a state and no counter": (IncidentMuted(incident(1, HERE)), {}),
    "an outage": (
        OutageRecorded(Outage(1, NOW, NOW + 4_000, "stall", 0, False), 4_000),
        {("tocsin_dark_seconds_total",): 4.0, ("tocsin_outages_total", ("reason", "stall")): 1},
    ),
    "an incident, which is a state and no counter": (IncidentOpened(incident(1, HERE)), {}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fact_moves_its_counters_and_no_other(metrics, case):
    fact, expected = CASES[case]
    assert moved(metrics, fact) == expected


def test_series_of_a_project_are_there_before_their_first_event(metrics):
    found = values(metrics)
    for name in ("missed", "timeouts", "errors", "unknown", "recoveries", "broken_incidents"):
        assert found[of(f"tocsin_{name}_total")] == 0
    assert found[of("tocsin_checkins_total", dialect="sentry", status="in_progress")] == 0


def test_commits_are_counted_by_how_they_ended(metrics):
    metrics.observe_commit(0.002, True)
    metrics.observe_commit(5.0, False)
    found = values(metrics)
    assert found["tocsin_store_writes_total", ("backend", "sqlite")] == 1
    assert found["tocsin_store_write_errors_total", ("backend", "sqlite")] == 1
    assert found["tocsin_log_fsync_duration_seconds_count",] == 1


def test_the_trace_of_a_bad_run_is_its_exemplar(metrics):
    metrics.observe(Delta(facts=[CheckInRecorded(run(State.ERROR, trace_id="ab" * 16), ReportKind.ERROR, True)]))
    assert f'trace_id="{"ab" * 16}"' in generate_open(metrics.registry).decode()


def test_a_trace_too_long_for_the_format_is_left_out(metrics):
    long = run(State.ERROR, trace_id="x" * 200, duration_ms=5)
    metrics.observe(Delta(facts=[CheckInRecorded(long, ReportKind.ERROR, True), TimedOut(long, NOW, NOW)]))
    assert values(metrics)[of("tocsin_errors_total")] == 1


def test_two_servers_in_one_process_do_not_share_counters(metrics):
    other = Metrics(CollectorRegistry(), lambda _number: "acme")
    metrics.reject("native", "auth")
    assert ("tocsin_checkins_rejected_total", ("dialect", "native"), ("reason", "auth")) not in values(other)
