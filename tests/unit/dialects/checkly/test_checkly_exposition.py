"""The exporter's text: the vendor's names and labels, values from tracks, what odd tags become."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families as parsed

from tocsin.dialects.checkly.exposition import V1, V2, Check, labels_of_tags, render, v1_line, v2_line, worst_by_labels
from tocsin.domain.track import Health, Track, Verdict
from tocsin.store.port import Brief

MANY = 10**6
UID = "0f8fad5bd9cb469fa16570867728950e"
LABELS = {
    "name": "Nightly backup", "check_id": "0f8fad5b-d9cb-469f-a165-70867728950e", "check_type": "heartbeat",
    "muted": "false", "activated": "true", "group": "", "tags": "",
}  # fmt: skip


def monitor(name="Nightly backup", tags=(), period=3_600_000, uid=UID):
    return Brief(1, "nightly", uid, name, "", tuple(tags), inactive=False, muted_until=None, period=period, track=None)


def track(**values):
    return Track(number=1, monitor=1, environment=1, next_track=0, **values)


def check(of=None, on=None, group="", *, muted=False, activated=True):
    brief = msgspec.structs.replace(of or monitor(), track=on, inactive=not activated)
    return Check(brief, group, muted)


def text_of(lines, families, most=MANY):
    return b"".join(render(lines, families, most=most)).decode()


def samples(*checks, parse_tags=True):
    """(family, sample name) → [(labels, value)]"""
    text = text_of([v2_line(one, parse_tags=parse_tags) for one in checks], V2)
    assert text.endswith("\n")
    found = {}
    for family in parsed(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def by_status(rows):
    return {labels["status"]: value for labels, value in rows}


def test_a_check_that_was_never_pinged():
    found = samples(check())
    assert by_status(found["checkly_check_status"]) == {"passing": 1, "failing": 0, "degraded": 0}
    assert by_status(found["checkly_check_result_total"]) == {"passing": 0, "failing": 0, "degraded": 0}
    assert found["checkly_heartbeat_last_success_timestamp_seconds"] == [(LABELS, 0)]
    assert found["checkly_heartbeat_expected_interval_seconds"] == [(LABELS, 3600)]
    assert all(LABELS.items() <= labels.items() for rows in found.values() for labels, _ in rows)
    assert len(found) == 4


def test_a_check_that_fails():
    on = track(
        verdict=Verdict.MISSED, health=Health.UNHEALTHY, ok_count=7, missed_count=2, error_count=1, timed_out_count=1,
        last_success=1_795_289_021_123,
    )  # fmt: skip
    found = samples(check(on=on, group='the "first"', muted=True, activated=False))
    assert by_status(found["checkly_check_status"]) == {"passing": 0, "failing": 1, "degraded": 0}
    assert by_status(found["checkly_check_result_total"]) == {"passing": 7, "failing": 4, "degraded": 0}
    ((labels, value),) = found["checkly_heartbeat_last_success_timestamp_seconds"]
    assert (labels["muted"], labels["activated"], labels["group"]) == ("true", "false", 'the "first"')
    assert value == 1_795_289_021.123


@pytest.mark.parametrize(
    ("health", "verdict", "failing"),
    [
        (Health.UNHEALTHY, Verdict.ERROR, 1),
        (Health.HEALTHY, Verdict.MISSED, 1),
        (Health.UNHEALTHY, Verdict.UNKNOWN, 1),
        (Health.HEALTHY, Verdict.UNKNOWN, 0),
        (Health.HEALTHY, Verdict.OK, 0),
        (Health.NEW, Verdict.NONE, 0),
    ],
)
def test_the_status_is_that_of_the_last_event(health, verdict, failing):
    found = samples(check(on=track(health=health, verdict=verdict)))
    assert by_status(found["checkly_check_status"])["failing"] == failing


def test_the_documented_rule_can_be_evaluated():
    """time() - last success > expected interval: both sides have the same labels."""
    found = samples(check(monitor(tags=["team:db"], period=90_500), track(last_success=1_000)))
    ((left, _),) = found["checkly_heartbeat_last_success_timestamp_seconds"]
    ((right, period),) = found["checkly_heartbeat_expected_interval_seconds"]
    assert left == right
    assert period == 90.5


@pytest.mark.parametrize(
    ("tags", "labels"),
    [
        (["team:db", "plain"], {"team": "db"}),
        (["a b:c:d", "ü:x"], {"a_b": "c:d"}),
        (["9lives:x"], {"_9lives": "x"}),
        (["name:x", "status:y", "region:z", "check_name:w"], {}),
        (["team:one", "team:two"], {"team": "one"}),
        (["a.b:1", "a-b:2"], {"a_b": "1"}),
        (["__name__:x", ":x", "x:", " : ", "::"], {}),
        (["a : b "], {"a": "b"}),
    ],
)
def test_tags_become_labels(tags, labels):
    assert labels_of_tags(tags) == labels
    found = samples(check(monitor(tags=tags)))
    ((told, _),) = found["checkly_heartbeat_expected_interval_seconds"]
    assert told == {**LABELS, "tags": ",".join(tags), **labels}
    ((told, _),) = samples(check(monitor(tags=tags)), parse_tags=False)["checkly_heartbeat_expected_interval_seconds"]
    assert told == {**LABELS, "tags": ",".join(tags)}


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)


@given(TEXT, TEXT, st.lists(TEXT, max_size=4))
def test_whatever_names_and_tags_are_it_can_be_read(name, group, tags):
    found = samples(check(monitor(name, tags), group=group), check(monitor(uid="1" * 32)))
    rows = found["checkly_heartbeat_expected_interval_seconds"]
    assert len(rows) == 2
    assert rows[0][0]["name"] == (name or "nightly")
    assert rows[0][0]["group"] == group
    assert rows[0][0]["tags"] == ",".join(tags)


def test_too_many_samples_are_cut_and_that_is_said():
    lines = [v2_line(check(monitor(uid=f"{number:032x}")), parse_tags=True) for number in range(10)]
    text = text_of(lines, V2, most=31)
    assert sum(not line.startswith("#") for line in text.splitlines()) == 31
    assert text.endswith("# cut at 31 samples, see telemetry.max_samples\n")
    list(parsed(text))
    assert "cut" not in text_of(lines, V2, most=80)


def test_a_family_is_whole_however_many_checks_there_are():
    lines = [v2_line(check(monitor(uid=f"{number:032x}")), parse_tags=True) for number in range(4_001)]
    text = text_of(lines, V2)
    assert [len(family.samples) for family in parsed(text)] == [12_003, 12_003, 4_001, 4_001]


def test_the_first_version():
    failing = track(verdict=Verdict.MISSED, health=Health.UNHEALTHY)
    checks = [check(), check(on=failing), check(monitor("other", ["a:b"])), check()]
    lines = worst_by_labels(map(v1_line, checks))
    found = {
        (family.name, sample.labels["check_name"]): (sample.labels, sample.value)
        for family in parsed(text_of(lines, V1))
        for sample in family.samples
    }
    labels = {"check_name": "other", "check_type": "heartbeat", "muted": "false", "activated": "true", "tags": "a:b"}
    assert found["checkly_check_status", "other"] == (labels, 1)
    assert found["checkly_check_status", "Nightly backup"][1] == 0  # labels have no id: one that fails is seen
    assert found["checkly_check_degraded_status", "Nightly backup"][1] == 1
    assert len(found) == 4
