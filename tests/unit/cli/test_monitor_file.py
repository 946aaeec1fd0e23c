"""A file of monitors: YAML 1.2, three short forms of schedules, lengths; errors name the entry and the key."""

import json

import pytest

from tocsin.cli.monitor_file import FileError, read
from tocsin.domain.errors import TocsinError


def monitor(text):
    [request] = read(text)
    assert request["allowMissing"] is True
    return request["monitor"]


def entry(**fields):
    return json.dumps([{"id": "a", **fields}])  # JSON is YAML


def test_the_example_of_the_documentation():
    from tocsin.cli import monitor_file

    lines = monitor_file.__doc__.splitlines()
    example = "\n".join(line[4:] for line in lines if line.startswith("    "))
    assert monitor(example) == {
        "name": "projects/-/monitors/nightly-backup",
        "schedules": [{"cron": {"expression": "30 2 * * *"}, "time_zone": "Europe/Vienna"}],
        "tolerance": {"margin": "300s", "max_runtime": "7200s", "failure_threshold": 2},
        "labels": {"team": "storage"},
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("14:30", "14:30"),
        ("190:20:30", "190:20:30"),
        ("on", "on"),
        ("no", "no"),
        ("Off", "Off"),
        ("2026-01-31", "2026-01-31"),
        ("1_000", "1_000"),
        ("=", "="),
        ("0b1", "0b1"),
        ("010", 10),
        ("08", 8),
        ("0o14", 12),
        ("0x1F", 31),
        ("-7", -7),
        ("1.5e3", 1500.0),
        ("true", True),
        ("null", None),
        ("~", None),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text, value):
    assert monitor(f"- id: a\n  labels: {{x: {text}}}\n")["labels"]["x"] == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", "0s"),
        ("90s", "90s"),
        ("5m", "300s"),
        ("1.5h", "5400s"),
        ("12d", "1036800s"),
        ("4w", "2419200s"),
        ("28 d", "2419200s"),
        ("250ms", "0.250s"),
        ("1234567s", "1234567s"),
        ("0.1s", "0.100s"),
    ],
)
def test_lengths_become_whole_seconds_and_milliseconds(text, expected):
    assert monitor(entry(margin=text))["tolerance"] == {"margin": expected}


@pytest.mark.parametrize("text", ["5", "5 minutes", "-5m", "m", "", "1h30m", 5, None, True])
def test_what_is_no_length_is_named(text):
    with pytest.raises(FileError, match=r"monitors\[0\].margin"):
        read(entry(margin=text))


@pytest.mark.parametrize(
    ("fields", "schedule"),
    [
        ({"cron": "*/5 * * * *"}, {"cron": {"expression": "*/5 * * * *"}}),
        ({"every": "5 minutes"}, {"interval": {"count": 5, "unit": "UNIT_MINUTE"}}),
        ({"every": "hour"}, {"interval": {"count": 1, "unit": "UNIT_HOUR"}}),
        ({"daily": ["02:30", "14:30"]}, {"daily": {"times_of_day": ["02:30", "14:30"]}}),
        ({"daily": "02:30"}, {"daily": {"times_of_day": ["02:30"]}}),
    ],
)
def test_schedules_have_short_forms(fields, schedule):
    assert monitor(entry(**fields))["schedules"] == [schedule]
    assert monitor(entry(**fields, time_zone="UTC"))["schedules"] == [schedule | {"time_zone": "UTC"}]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("monitors: 5", "list of monitors"),
        ("", "list of monitors"),
        ("- 5", r"monitors\[0\]"),
        ("- {cron: '* * * * *'}", r"monitors\[0\].*id"),
        ("- {id: 7}", r"monitors\[0\].*id"),
        ("- {id: a}\n- {id: b, cron: x, every: hour}", r"monitors\[1\].*cron and every"),
        ("- {id: a, every: 5 parsecs}", r"monitors\[0\].every"),
        ("- {id: a, time_zone: UTC}", r"monitors\[0\].time_zone"),
        ("- {id: a", "line 1"),
        ("- &x {id: a}\n- *x\n", "line 2: aliases"),
        ("- id: a\n  labels: &l {x: y}\n- id: b\n  labels: *l\n", "line 4: aliases"),
        ("- !!python/object:os.system {id: a}", "python"),
        ("- {id: a, labels: {x: !!int ten}}", "ten"),
    ],
)
def test_what_cannot_be_used_is_named(text, where):
    with pytest.raises(FileError, match=where):
        read(text)


def test_an_id_that_is_none_is_named():
    with pytest.raises(TocsinError, match=r"monitors\[0\].id"):
        read(entry(id="Not An Id!"))


def test_other_fields_are_passed_on():
    assert monitor(entry(display_name="A", owner="me"))["display_name"] == "A"
