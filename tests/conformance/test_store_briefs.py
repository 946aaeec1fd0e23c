"""Briefs say what whole monitors say, of those with one rolling schedule and of no others."""

import random

import msgspec
import pytest

from support.stores import NOW, commit, delta, drain, monitor, track
from tocsin.domain.instant import HOUR, NEVER
from tocsin.domain.monitor import Policy
from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.domain.schedule import Cron, Rolling
from tocsin.domain.track import Health, Track, Verdict
from tocsin.store.browse import SqlBrowse
from tocsin.store.browse_port import Selection
from tocsin.store.port import Brief

POLICIES = {
    1: Policy((Rolling(HOUR),)),
    2: Policy((Rolling(2 * HOUR),)),
    3: Policy((Cron("* * * * *"),)),
    4: Policy((Rolling(HOUR), Rolling(2 * HOUR))),
    5: Policy(),
}
ENVIRONMENTS = {1: "staging", 2: "production", 3: "alpha"}
COUNTS = ("ok_count", "error_count", "missed_count", "timed_out_count")
SHOWN = ("number", "monitor", "environment", "health", "verdict", *COUNTS, "last_success")


@pytest.fixture
def browse(store):
    return SqlBrowse(store.database)


@pytest.fixture
def fleet(store):
    chosen = random.Random(3)
    drain(store.load())
    rows = delta(policies=POLICIES, environments=ENVIRONMENTS)
    for one in range(1, 1_201):
        policy = chosen.choice([1, 1, 2, 3, 4, 5])
        made = monitor(
            one,
            project=chosen.choice([1, 1, 1, 2]),
            id=f"id-{one * 7 % 1_201:04}",
            policy=POLICIES[policy],
            display_name=chosen.choice(["", 'A "name"', "Ünï"]),
            group=chosen.choice(["", "g1"]),
            tags=tuple(chosen.sample(["red", "a:b", "ü"], chosen.randrange(3))),
            inactive=chosen.random() < 0.3,
            muted_until=chosen.choice([None, NOW, NEVER]),
        )
        rows.monitors[one] = made, policy
        for environment in chosen.choice([(), (1,), (2,), (1, 2), (3, 1), (1, 3), (2, 3, 1)]):
            rows.tracks[one * 10 + environment] = track(
                one * 10 + environment,
                one,
                environment,
                health=chosen.choice(list(Health)),
                verdict=chosen.choice(list(Verdict)),
                last_success=chosen.choice([NEVER, NOW]),
                unknown_count=7,
                **{name: chosen.randrange(100) for name in COUNTS},
            )
    commit(store, rows)
    return rows


def brief_of(row):
    one, tracks = row.monitor, dict(row.tracks)
    found = tracks.get(DEFAULT_ENVIRONMENT) or next(iter(tracks.values()), None)
    (schedule,) = one.policy.schedules
    on = Track(next_track=0, **{name: getattr(found, name) for name in SHOWN}) if found is not None else None
    return Brief(
        one.project, one.id, one.uid, one.display_name, one.group, one.tags, one.inactive, one.muted_until,
        schedule.period_ms, on,
    )  # fmt: skip


def test_a_brief_says_what_the_monitor_says(browse, fleet):
    for project in (1, 2, 3):
        whole = browse.numbered(project, Selection("", rolling=True), now=NOW, size=2_000, offset=0).rows
        numbers = browse.rolling(project)
        assert numbers == [row.monitor.number for row in whole]
        found = browse.briefs(project, numbers)
        assert found == [brief_of(row) for row in whole]
        assert all(type(brief.inactive) is bool for brief in found)
    assert browse.rolling(3) == []


def test_they_come_in_the_order_that_is_asked_for(browse, fleet):
    numbers = browse.rolling(1)
    random.Random(1).shuffle(numbers)
    assert [brief.uid for brief in browse.briefs(1, numbers)] == [f"{number:032x}" for number in numbers]
    assert browse.briefs(1, []) == []


def test_what_is_no_such_monitor_is_left_out(browse, fleet):
    """Of another project, of another kind by now, deleted meanwhile."""
    assert [brief.uid for brief in browse.briefs(1, range(1, 3_000))] == [
        f"{number:032x}" for number in browse.rolling(1)
    ]


def test_what_memory_has_newer_is_put_over(store, browse, fleet):
    seen = []

    def overlay(found):
        for brief in found:
            if brief.track is not None:
                seen.append(brief.id)
                brief.track = msgspec.structs.replace(brief.track, ok_count=10**6)

    store.database.overlay_briefs = overlay
    found = browse.briefs(1, browse.rolling(1))
    assert seen
    assert {brief.track.ok_count for brief in found if brief.track is not None} == {10**6}
