"""Spec 1.3 and 1.6: what an event means, whose it is, and what monitor it makes."""

import msgspec
import pytest

from tocsin.dialects.cronitor.names import monitor_id_of
from tocsin.dialects.cronitor.telemetry.mapping import Event, to_report
from tocsin.domain.check_in import ReportKind
from tocsin.domain.monitor import Kind

NOW = 1_795_289_021_123


def outcome(place: str, *query: tuple[str, str], create: bool = True):
    return to_report(Event(42, NOW, place, query, "curl", "192.0.2.7", place), lambda _text: None, create=create)


def report(place: str, *query: tuple[str, str]):
    found = outcome(place, *query)
    assert found.refusals == ()
    assert found.report is not None
    return found.report


@pytest.mark.parametrize(
    ("state", "kind", "by_kind", "made"),
    [
        ("", ReportKind.NOTE, True, Kind.HEARTBEAT),
        ("tick", ReportKind.NOTE, True, Kind.HEARTBEAT),
        ("run", ReportKind.START, True, Kind.JOB),
        ("complete", ReportKind.OK, True, Kind.JOB),
        ("fail", ReportKind.ERROR, True, Kind.JOB),
        ("ok", ReportKind.RESET, False, Kind.HEARTBEAT),
        ("logs", ReportKind.NOTE, False, Kind.HEARTBEAT),
        ("deployed", ReportKind.NOTE, False, Kind.HEARTBEAT),
    ],
)
@pytest.mark.parametrize("in_path", [True, False])
def test_states(state, kind, by_kind, made, in_path):
    found = report(f"job/{state}") if in_path else report("job", ("state", state))
    assert (found.kind, found.by_kind, found.event) == (kind, by_kind, state)
    assert found.upsert.policy["kind"] is made
    assert found.upsert_new_only


def test_a_state_in_the_path_wins():
    assert report("job/fail", ("state", "run")).kind is ReportKind.ERROR
    assert report("job/RUN").event == "run"
    assert report("job/", ("state", "run")).event == "run"


@pytest.mark.parametrize(
    ("off", "believed"), [(0, True), (-600_000, True), (-600_001, False), (-3_600_000, False), (600_000, True)]
)
def test_a_clients_clock_counts_within_ten_minutes_of_receipt(off: int, believed: bool):
    """What is ahead has a closer bound, the same for every dialect."""
    sent = NOW + off
    assert report("job", ("stamp", f"{sent / 1000:.3f}")).time == (sent if believed else None)


@pytest.mark.parametrize(
    "key", ["job", "Cronitor Homepage", "a+b", "100%", "日本", "a&b=c", "a.b:c", "3f0c2a52-2c55-4a4e-9f62-3a3f6a0c9d11"]
)
def test_keys(key):
    found = report(f"{key}/run")
    assert found.monitor_id == monitor_id_of(key)
    assert msgspec.json.decode(found.upsert.extras["cronitor"]) == {"key": key, "type": "job"}


@pytest.mark.parametrize("place", ["", "/", "a/b/c", "/run", "a\tb", "x" * 256, "\ufffd", "a/b//"])
def test_what_is_no_key_is_refused(place):
    found = outcome(place)
    if place == "a/b//":
        assert found.report.event == "b"
        return
    assert found.report is None
    (refused,) = found.refusals
    assert (refused.project, refused.reason, refused.dropped) == (42, "CHECKIN_VALIDATION_FAILED", True)
    assert (refused.dialect, refused.at, refused.payload) == ("cronitor", NOW, place)


@pytest.mark.parametrize(("env", "environment"), [("", "production"), ("staging", "staging"), ("Ünter 1", "Ünter 1")])
def test_environments(env, environment):
    assert report("job", ("env", env)).environment == environment


@pytest.mark.parametrize("env", ["a/b", "x" * 65, "a\nb"])
def test_what_is_no_environment_is_refused(env):
    (refused,) = outcome("job", ("env", env)).refusals
    assert (refused.monitor_id, refused.reason) == ("job", "MONITOR_INVALID_ENVIRONMENT")


def test_all_that_an_event_says():
    pairs = [("state", "complete"), ("msg", "done"), ("series", "s-1"), ("metric", "count:100"), ("duration", "12.5")]
    found = report("job", *pairs, ("status_code", "0"), ("host", "web-1"), ("stamp", "1795289020.5"), ("env", "e"))
    assert (found.project, found.received, found.dialect, found.payload) == (42, NOW, "cronitor", "job")
    assert (found.client, found.address) == ("curl", "192.0.2.7")
    assert (found.message, found.series, found.host, found.environment) == ("done", "s-1", "web-1", "e")
    assert (found.metrics, found.duration_ms, found.exit_code) == ({"count": 100.0}, 12_500, 0)
    assert found.time == 1_795_289_020_500


def test_a_bad_exit_code_does_not_fail_a_run():
    assert report("job/complete", ("status_code", "3")).kind is ReportKind.OK


def test_what_could_not_be_read_is_a_remark_on_a_report_that_counts():
    found = outcome("job/run", ("metric", "count:many"), ("duration", "x"))
    assert found.report.kind is ReportKind.START
    assert [(one.dropped, one.monitor_id, one.detail.partition(":")[0]) for one in found.refusals] == [
        (False, "job", "duration"),
        (False, "job", "metric"),
    ]


def test_without_creation_no_monitor_comes_along():
    found = outcome("job", create=False).report
    assert (found.upsert, found.upsert_new_only) == (None, False)


@pytest.mark.parametrize(("state", "grace", "margin"), [("run", 60_000, 60_000), ("", 0, 0)])
def test_the_tolerance_of_a_monitor_that_telemetry_makes(state, grace, margin):
    upsert = report(f"job/{state}").upsert
    assert upsert.origin == "cronitor"
    assert upsert.tolerance["alert_delay_ms"] == grace
    assert upsert.tolerance["margin_ms"] == margin
    assert upsert.tolerance["max_runtime_ms"] == 0
    assert upsert.policy["schedules"] == ()


def test_a_code_stands_for_a_number_beside_the_key():
    found = to_report(Event(42, NOW, "a1b2c3", ()), lambda text: 77 if text == "a1b2c3" else None, create=True)
    assert (found.report.monitor_id, found.report.monitor_number) == ("a1b2c3", 77)
