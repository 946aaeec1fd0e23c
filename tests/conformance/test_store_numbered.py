"""Pages of monitors by their number, and the newest check-in and incident of each track, judged by sorting in Python."""

import random

import msgspec
import pytest

from support.stores import NOW, check_in, commit, delta, drain, incident, monitor, track
from support.stores import check_in_number as number
from tocsin.domain.check_in import State
from tocsin.domain.instant import DAY, NEVER
from tocsin.domain.monitor import Kind, Policy
from tocsin.domain.schedule import Cron, Interval, Rolling, Unit
from tocsin.domain.track import Health, Verdict
from tocsin.store.browse import SqlBrowse
from tocsin.store.browse_port import Condition, Selection

SPOKEN = "vendor"
ENVIRONMENTS = {1: "production", 2: "staging"}


@pytest.fixture
def browse(store):
    return SqlBrowse(store.database)


@pytest.fixture
def fleet(store):
    """Monitors of every kind with what their extras say."""
    chosen = random.Random(11)
    monitors, tracks = [], []
    for one in range(1, 41):
        kept = chosen.choice(["job", "check", "heartbeat"])
        extras = {SPOKEN: msgspec.Raw(msgspec.json.encode({"key": f"Key {one} Ünï", "type": kept}))}
        monitors.append(
            monitor(
                one,
                id=f"id-{one * 7 % 41:02}",
                display_name=chosen.choice(["", "Zebra", "apple", "100%_sure"]),
                policy=Policy(kind=Kind.JOB if kept == "job" else Kind.HEARTBEAT),
                inactive=kept == "check" and chosen.random() < 0.8,
                group=chosen.choice(["", "g1", "g2"]),
                tags=tuple(chosen.sample(["red", "Blue", "dark blue"], chosen.randrange(3))),
                muted_until=chosen.choice([None, NOW - 1, NEVER]),
                extras=extras if one % 5 else {},
            )
        )
        health = chosen.choice([Health.NEW, Health.HEALTHY, Health.UNHEALTHY])
        tracks.append(track(one, one, health=health))
        if chosen.random() < 0.5:
            other = chosen.choice([Health.HEALTHY, Health.UNHEALTHY])
            tracks.append(track(100 + one, one, 2, health=other))
    policies = {1: Policy(), 2: Policy(kind=Kind.HEARTBEAT)}
    drain(store.load())
    commit(store, delta(*monitors, *tracks, policies=policies, environments=ENVIRONMENTS))
    return monitors, tracks


def kept_of(one):
    return msgspec.json.decode(one.extras[SPOKEN]) if SPOKEN in one.extras else {}


def type_of(one):
    return kept_of(one).get("type", one.policy.kind.value) if one.inactive else one.policy.kind.value


def numbers(browse, only, size=1_000, offset=0):
    found = browse.numbered(1, only, now=NOW, size=size, offset=offset)
    return [row.monitor.number for row in found.rows], found.total


def test_what_is_selected_is_what_python_selects(browse, fleet):
    monitors, tracks = fleet
    health = {(one.monitor, ENVIRONMENTS[one.environment]): one.health for one in tracks}

    def condition(one, environment="production"):
        if (one.muted_until or 0) > NOW:
            return Condition.MUTED
        unhealthy = health.get((one.number, environment)) == Health.UNHEALTHY
        return Condition.FAILING if unhealthy else Condition.PASSING

    def searched(one, word):
        return any(word in text.lower() for text in (kept_of(one).get("key", one.id), one.display_name))

    cases = [
        (Selection(SPOKEN), lambda one: True),
        (Selection(SPOKEN, types=("check",)), lambda one: type_of(one) == "check"),
        (Selection(SPOKEN, types=("job", "heartbeat")), lambda one: type_of(one) != "check"),
        (Selection(SPOKEN, groups=("g1",)), lambda one: one.group == "g1"),
        (Selection(SPOKEN, groups=("", "g2")), lambda one: one.group != "g1"),
        (Selection(SPOKEN, tags=("BLUE",)), lambda one: "Blue" in one.tags),
        (Selection(SPOKEN, tags=("red", "dark blue")), lambda one: {"red", "dark blue"} & {*one.tags}),
        (Selection(SPOKEN, words=("key 1",)), lambda one: searched(one, "key 1")),
        (Selection(SPOKEN, words=("Zeb",)), lambda one: searched(one, "zeb")),
        (Selection(SPOKEN, words=("%_s",)), lambda one: searched(one, "%_s")),
        (Selection(SPOKEN, words=("id-0",)), lambda one: searched(one, "id-0")),
        (Selection(SPOKEN, environment="staging"), lambda one: (one.number, "staging") in health),
        (Selection(SPOKEN, environment="nowhere"), lambda one: False),
        *((Selection(SPOKEN, conditions=(state,)), lambda one, s=state: condition(one) is s) for state in Condition),
        (
            Selection(SPOKEN, conditions=(Condition.FAILING,), environment="staging"),
            lambda one: condition(one, "staging") is Condition.FAILING,
        ),
    ]
    for only, holds in cases:
        wanted = [one.number for one in monitors if holds(one)]
        assert numbers(browse, only) == (wanted, len(wanted)), only


def test_an_inactive_monitor_is_of_the_type_that_is_kept(browse, fleet):
    monitors, _ = fleet
    found, _ = numbers(browse, Selection(SPOKEN, types=("check",)))
    assert found
    assert all(one.inactive for one in monitors if one.number in found)


def test_pages_are_the_sorted_list_cut(browse, fleet):
    monitors, _ = fleet

    def name(one):
        return (one.display_name or one.id).lower()

    orders = {
        Selection(SPOKEN): sorted(monitors, key=lambda one: one.number),
        Selection(SPOKEN, descending=True): sorted(monitors, key=lambda one: -one.number),
        Selection(SPOKEN, by_name=True): sorted(monitors, key=lambda one: (name(one), one.number)),
        Selection(SPOKEN, by_name=True, descending=True): sorted(
            monitors, key=lambda one: (name(one), one.number), reverse=True
        ),
    }
    for only, wanted in orders.items():
        for offset in range(0, 56, 7):
            page, total = numbers(browse, only, size=7, offset=offset)
            assert total == 40
            assert page == [one.number for one in wanted[offset : offset + 7]]


def test_the_newest_of_each_track(browse, store):
    """Over weeks, beside states that nobody reported, and of tracks that have none."""
    chosen = random.Random(3)
    tracks = [track(10 * one + place, one, place) for one in range(1, 9) for place in (1, 2)]
    made = []
    for one in tracks[:-1]:
        for _ in range(chosen.randrange(6)):
            at = NOW - chosen.randrange(40 * DAY)
            state = chosen.choice([State.OK, State.ERROR, State.MISSED, State.NOTE])
            made.append(check_in(number(len(made), at), one, state))
    drain(store.load())
    monitors = [monitor(one) for one in range(1, 9)]
    commit(store, delta(*monitors, *tracks, *made, policies={1: Policy()}, environments=ENVIRONMENTS))
    states = {State.OK, State.ERROR, State.NOTE}
    wanted = {row.track: row.number for row in sorted(made, key=lambda row: row.number) if row.state in states}
    assert wanted
    last = {row.track: row.receive_time for row in sorted(made, key=lambda row: row.number) if row.state in states}
    reported = [(one.monitor, one.number, last.get(one.number, NOW)) for one in tracks]
    assert {place: row.number for place, row in browse.newest(reported, states).items()} == wanted
    assert browse.newest([], states) == {}


def test_the_newest_incident_of_each_track(browse, store):
    tracks = [track(11, 1), track(12, 1, 2), track(21, 2)]
    first, second, _ = tracks
    incidents = [incident(5, first, resolve_time=NOW), incident(7, first), incident(6, second, resolve_time=NOW)]
    drain(store.load())
    monitors = [monitor(one) for one in (1, 2)]
    commit(store, delta(*monitors, *tracks, *incidents, policies={1: Policy()}, environments=ENVIRONMENTS))
    found = browse.newest_incidents([(one.monitor, one.number) for one in tracks])
    assert {place: one.number for place, one in found.items()} == {11: 7, 12: 6}


def test_those_with_one_rolling_schedule(browse, store):
    """Whatever stands in the texts beside it."""
    rolling, cron = Rolling(60_000), Cron("* * * * *")
    odd = 'metric.x == \'"schedules":[{"type":"rolling",\'},{"type":'
    shapes = [
        ((rolling,), (), True),
        ((rolling,), (odd,), True),
        ((), (odd,), False),
        ((rolling, rolling), (), False),
        ((rolling, cron), (), False),
        ((cron, rolling), (), False),
        ((cron,), (), False),
        ((Interval(1, Unit.HOUR),), (), False),
    ]
    policies = {
        number: Policy(schedules=schedules, assertions=assertions)
        for number, (schedules, assertions, _) in enumerate(shapes, 1)
    }
    drain(store.load())
    made = delta(policies=policies)
    made.monitors |= {number: (monitor(number, policy=policy), number) for number, policy in policies.items()}
    commit(store, made)
    wanted = [number for number, (_, _, lone) in enumerate(shapes, 1) if lone]
    assert numbers(browse, Selection(SPOKEN, rolling=True)) == (wanted, len(wanted))


def test_by_name_by_the_last_verdict_and_after_one(browse, store):
    chosen = random.Random(5)
    names = ["", "Nightly 100%", "nightly 1000", "Ünï"]
    monitors = [monitor(one, id=f"nightly-{one}", display_name=chosen.choice(names)) for one in range(1, 31)]
    tracks = [
        track(one, one, verdict=chosen.choice(list(Verdict)), health=chosen.choice(list(Health)))
        for one in range(1, 29)
    ]
    drain(store.load())
    commit(store, delta(*monitors, *tracks, policies={1: Policy()}, environments=ENVIRONMENTS))
    failed = {
        one.monitor
        for one in tracks
        if one.verdict in (Verdict.ERROR, Verdict.MISSED, Verdict.TIMED_OUT)
        or (one.verdict == Verdict.UNKNOWN and one.health == Health.UNHEALTHY)
    }
    every = {one.number for one in monitors}
    for only, wanted in (
        (Selection(SPOKEN, failed=True), failed),
        (Selection(SPOKEN, failed=False), every - failed),
        (Selection(SPOKEN, after=12), every - set(range(13))),
        (Selection(SPOKEN, after=12, failed=True), {one for one in failed if one > 12}),
        *(
            (
                Selection(SPOKEN, name_parts=(part,)),
                {one.number for one in monitors if part.lower() in (one.display_name or one.id).lower()},
            )
            for part in ("100%", "NIGHTLY", "ly-2", "_")
        ),
    ):
        assert numbers(browse, only) == (sorted(wanted), len(wanted)), only
