"""Attributes → a monitor → attributes: what was said is read back, and saying it again changes nothing."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.dialects.cronitor import exporting, mapping, reading, schema, yaml_text
from tocsin.dialects.cronitor.birth import newborn
from tocsin.dialects.cronitor.bodies import Form, Sent, batch, single
from tocsin.dialects.cronitor.mapping import DIALECT, meaning_of, merged
from tocsin.dialects.cronitor.names import monitor_id_of
from tocsin.dialects.cronitor.problems import Invalid, Problems, Refused
from tocsin.domain.instant import NEVER
from tocsin.domain.monitor import Kind, Monitor, MonitorChange
from tocsin.domain.schedule import Cron, Daily, Interval, OnCalendar, Rolling, RRule, Unit

NOW = 1_764_547_200_000
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
SCHEDULES = st.sampled_from(
    ["0 0 * * *", "@daily", "every 5 minutes", "every 1.5 s", "at 9:00", "14:30", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"]
)
SAID = st.fixed_dictionaries(
    {"type": st.sampled_from(["job", "heartbeat"])},
    optional={
        "name": TEXTS,
        "defaultName": TEXTS,
        "note": TEXTS,
        "schedules": st.lists(SCHEDULES, min_size=1, max_size=4),
        "timezone": st.sampled_from(["UTC", "Europe/Vienna"]),
        "assertions": st.lists(st.sampled_from(["metric.count > 1", "metric.duration < 5 min"]), min_size=1),
        "grace_seconds": st.integers(0, 1_000),
        "schedule_tolerance": st.integers(0, 700),
        "failure_tolerance": st.integers(0, 700),
        "realert_interval": st.sampled_from([3, "2 days", "every 90 minutes"]),
        "consecutive_alert_threshold": st.integers(1, 1_000),
        "notify": st.sampled_from([["default"], ["slack:#x", "email:a@example.org, sms:+1"], {"events": True}]),
        "group": TEXTS,
        "tags": st.lists(TEXTS, min_size=1, max_size=4),
        "metadata": st.dictionaries(TEXTS, st.integers() | TEXTS | st.none(), min_size=1),
        "platform": TEXTS,
    },
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def made(body: dict[str, Any], key: str = "Some Key") -> Monitor:
    problems = Problems(key)
    said = merged({"key": key}, schema.read(body, problems))
    meaning = meaning_of(said, "UTC", problems, anchor=NOW)
    assert problems.found == []
    blank = Monitor(number=0, project=1, id=monitor_id_of(key), uid="")
    return msgspec.structs.replace(mapping.creation(said, meaning).apply(blank, NOW), number=7, create_time=NOW)


@given(SAID)
def test_what_was_said_is_read_back_and_said_again_changes_nothing(body: dict[str, Any]) -> None:
    monitor = made(body)
    said, meaning = reading.said_of(monitor, "UTC")
    sent = schema.read(body, Problems())
    assert {name: said[name] for name in sent} == sent
    again = mapping.alteration(monitor, meaning, merged(said, sent), meaning_of(merged(said, sent), "UTC", Problems()))
    assert reading.said_of(monitor, "UTC") == (said, meaning)
    assert again.named() - {"schedules"} == set()  # a rule without a start counts from a monitor's making


@given(st.lists(SAID, max_size=4))
def test_an_export_is_read_as_what_it_was_made_of(bodies: list[dict[str, Any]]) -> None:
    monitors = [made(body, f"Key {index}") for index, body in enumerate(bodies)]
    text = exporting.yaml_of(monitors, "UTC", NOW)
    read = batch(text.encode(), yaml=False)
    assert read.form is Form.YAML
    found = {body["key"]: schema.read(body, Problems()) for body in read.monitors}
    for monitor in monitors:
        said, _ = reading.said_of(monitor, "UTC")
        key = said.pop("key")
        assert found[key] == said


@given(JSON)
def test_no_body_surprises_the_reader(body: Any) -> None:
    for name in (*schema.ATTRIBUTES, "key", "paused"):
        problems = Problems("x")
        said = schema.read({name: body}, problems)
        schema.key_of({"key": body}, problems)
        schema.paused_of({"paused": body}, problems)
        if not problems.found:
            for kind in schema.TYPES.values():
                meaning_of(merged({"key": "k", "type": kind}, {**said, "type": kind}), "UTC", Problems())


@given(st.binary(max_size=60) | st.text("jobs:\n -{}[]&*!a'\"#|>%@,?\t", max_size=40).map(str.encode))
def test_no_text_surprises_the_reader(data: bytes) -> None:
    for yaml in (True, False):
        with contextlib.suppress(Refused, Invalid):
            assert isinstance(batch(data, yaml=yaml), Sent)
    with contextlib.suppress(Refused):
        single(data)


@given(JSON.filter(lambda value: isinstance(value, dict | list)))
def test_yaml_is_read_as_it_was_written(value: Any) -> None:
    assert yaml_text.plain(yaml_text.load(yaml_text.dump(value).encode())) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("No", "No"),
        ("true", True),
        ("TRUE", True),
        ("14:30", "14:30"),
        ("190:20:30", "190:20:30"),
        ("0o14", 12),
        ("0x1F", 31),
        ("010", 10),
        ("+7", 7),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1_000", "1_000"),
        ("2026-01-01", "2026-01-01"),
        ("~", None),
        ("", None),
        ("'~'", "~"),
        ("! 12", "12"),
        ("!!str 12", "12"),
        ("<<", "<<"),
    ],
)
def test_scalars_are_those_of_the_core_schema(text: str, value: Any) -> None:
    assert yaml_text.plain(yaml_text.load(f"x: {text}".encode())) == {"x": value}


def test_a_monitor_that_an_event_made_is_one_of_this_api() -> None:
    for kind in (Kind.JOB, Kind.HEARTBEAT):
        for key in ("plain", "With Blanks"):
            blank = Monitor(number=0, project=1, id=monitor_id_of(key), uid="")
            monitor = newborn(key, blank.id, kind).apply(blank, NOW)
            assert reading.said_of(monitor, "UTC")[0] == {"key": key, "type": kind.value}


NATIVE = [
    (Cron("0 9 * * MON", "Asia/Tokyo"), ["0 9 * * MON"]),
    (Interval(1, Unit.WEEK), ["every week"]),
    (Interval(3, Unit.DAY), ["every 3 days"]),
    (Daily(("09:00", "17:30")), ["at 09:00", "at 17:30"]),
    (Rolling(90_000), ["every 90 seconds"]),
    (RRule("DTSTART:20260101T090000\nFREQ=DAILY"), ["FREQ=DAILY"]),
    (OnCalendar("Mon *-*-* 08:00"), ["at 08:00 on Monday"]),
]


@pytest.mark.parametrize(("schedule", "words"), NATIVE)
def test_a_native_monitor_is_put_into_words_and_left_alone(schedule: Any, words: list[str]) -> None:
    blank = Monitor(number=3, project=1, id="native", uid="")
    change = MonitorChange(policy={"schedules": (schedule,)}, tolerance={"margin_ms": 5_000, "failure_threshold": 4})
    monitor = change.apply(blank, NOW)
    said, meaning = reading.said_of(monitor, "UTC")
    assert said["schedules"] == words
    assert (said["grace_seconds"], said["failure_tolerance"], said["schedule_tolerance"]) == (5, 3, 3)
    after = merged(said, {"note": "n"})
    altered = mapping.alteration(
        monitor, meaning, after, meaning_of(after, reading.zone_of(monitor, "UTC"), Problems())
    )
    changed = altered.apply(monitor, NOW)
    assert changed.policy == monitor.policy
    assert msgspec.json.decode(changed.extras[DIALECT])["note"] == "n"


def test_a_pause_has_no_end_until_it_is_ended() -> None:
    change = MonitorChange()
    assert mapping.paused(change, True, None, NOW).muted_until == NEVER
    assert mapping.paused(change, False, None, NOW).muted_until is None
    assert mapping.paused(change, None, None, NOW) is change
    known = Monitor(1, 1, "a", "", muted_until=NOW)
    assert mapping.paused(change, True, known, NOW).muted_until == NEVER
    assert mapping.paused(change, True, known, NOW - 1) is change
    assert mapping.paused(change, False, known, NOW - 1).muted_until is None
