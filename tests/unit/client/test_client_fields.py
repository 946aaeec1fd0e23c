"""Python values → requests: schedules, configuration, ids, instants; mistakes are told where they are made."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tocsin.client import Client, Tls, cron, daily, every, monitor, report, rolling
from tocsin.client.fields import monitor_message, monitor_name
from tocsin.client.options import resolve
from tocsin.client.report_calls import create
from tocsin.v1.check_in_service_pb2 import CreateCheckInRequest
from tocsin.v1.monitor_pb2 import Monitor
from tocsin.v1.schedule_pb2 import IntervalSchedule, Schedule


def test_schedules_may_be_written_short() -> None:
    made = monitor_message({"schedule": ["@daily", timedelta(minutes=5), daily("02:30")], "time_zone": "Asia/Tokyo"})
    assert made.schedules[0] == cron("@daily", "Asia/Tokyo")
    assert made.schedules[1] == every(300, "second", "Asia/Tokyo")
    assert made.schedules[2] == daily("02:30", time_zone="Asia/Tokyo")
    assert rolling(timedelta(hours=1)).rolling.period.seconds == 3600
    assert every(5, "minute").interval.unit == IntervalSchedule.UNIT_MINUTE


def test_a_schedule_that_names_its_zone_keeps_it() -> None:
    given = Schedule(time_zone="UTC")
    assert monitor_message({"schedule": given, "time_zone": "Asia/Tokyo"}).schedules[0].time_zone == "UTC"


def test_configuration_by_keywords() -> None:
    made = monitor_message(
        {
            "margin": 90,
            "max_runtime": timedelta(hours=2),
            "failure_threshold": 3,
            "labels": {"team": "data"},
            "kind": "heartbeat",
            "expect_from": "creation",
            "miss_while_running": False,
        },
        "projects/-/monitors/a",
    )
    assert made.tolerance.margin.seconds == 90
    assert made.tolerance.max_runtime.seconds == 7200
    assert made.tolerance.failure_threshold == 3
    assert not made.tolerance.HasField("early")
    assert made.labels == {"team": "data"}
    assert made.kind == Monitor.KIND_HEARTBEAT
    assert made.expect_from == Monitor.EXPECT_FROM_CREATION
    assert made.HasField("miss_while_running")


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"schedul": "* * * * *"}, TypeError, "has no schedul"),
        ({"time_zone": "UTC"}, TypeError, "belongs to a schedule"),
        ({"schedule": 5}, TypeError, "not iterable"),
        ({"schedule": [5]}, TypeError, "no cron expression"),
        ({"schedule": timedelta(milliseconds=1500)}, ValueError, "whole number of seconds"),
        ({"schedule": timedelta()}, ValueError, "whole number of seconds"),
        ({"kind": "cron"}, ValueError, "none of job, heartbeat"),
        ({"expect_from": "now"}, ValueError, "none of first_check_in, creation"),
    ],
)
def test_mistakes_in_a_configuration(fields: dict[str, object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        monitor_message(fields)
    with pytest.raises(error, match=words):  # when the job is written, not when it runs
        monitor("a", **fields)  # type: ignore[arg-type]


def test_names_may_be_short_or_whole() -> None:
    assert monitor_name("backup") == "projects/-/monitors/backup"
    assert monitor_name("projects/7/monitors/backup") == "projects/7/monitors/backup"


def test_what_can_be_repeated_has_an_id() -> None:
    assert create(report("a", "in_progress")).repeatable
    assert create(report("a", "ok", check_in_id=uuid.uuid4())).repeatable
    assert create(report("a", "error", stand_alone=True)).repeatable
    assert create(report("a", "note")).repeatable
    assert create(report("a", "reset")).repeatable
    assert not create(report("a", "ok")).repeatable  # which run it would close the second time, nobody knows
    assert not create(report("a", "beat")).repeatable


def test_a_report_carries_what_is_said() -> None:
    made = report("a", "error", duration=1.5, exit_code=0, metrics={"rows": 3.0}, schedule="@daily")
    assert made.kind == CreateCheckInRequest.KIND_ERROR
    assert made.check_in.duration.ToMilliseconds() == 1500
    assert made.check_in.HasField("exit_code")
    assert made.check_in.metrics == {"rows": 3.0}
    assert made.monitor.schedules[0].cron.expression == "@daily"
    assert not report("a", "ok").HasField("monitor")


def test_times_need_a_zone() -> None:
    assert report("a", "ok", end_time=datetime(2026, 1, 1, tzinfo=UTC)).check_in.end_time.seconds == 1_767_225_600
    with pytest.raises(ValueError, match="no time zone"):
        report("a", "ok", end_time=datetime(2026, 1, 1))


def test_unknown_words_are_refused() -> None:
    with pytest.raises(ValueError, match="status: 'done'"):
        report("a", "done")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="has no durtion"):
        report("a", "ok", durtion=1)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="unit: 'fortnight'"):
        every(1, "fortnight")  # type: ignore[arg-type]


def test_where_and_who_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_GRPC", "grpcs://tocsin.example:443")
    monkeypatch.setenv("TOCSIN_KEY", "k" * 32)
    found = resolve(None, None, None)
    assert found.target == "tocsin.example:443"
    assert found.metadata == (("authorization", f"Bearer {'k' * 32}"),)
    assert found.credentials is not None
    assert resolve("localhost:1", "", None).metadata == ()
    monkeypatch.delenv("TOCSIN_GRPC")
    assert resolve(None, None, None).target == "127.0.0.1:50051"


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(ValueError, match="belong together"):
        Client("localhost:1", "", tls=Tls(certificate=b"x"))


def test_methods_document_themselves() -> None:
    with Client("localhost:1", "") as client:
        assert "newest open run" in (client.check_in.__doc__ or "")
        assert client.check_in.__name__ == "check_in"
