"""Whatever happens, when the engine ticks, restarts or commits changes nothing: random histories, played in two ways."""

from collections import Counter

import hypothesis.strategies as st
import msgspec
from hypothesis import HealthCheck, given, settings

from support.engines import T0, Kept, World, findable
from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.commands import (
    ChangeEnvironment,
    Command,
    Deaf,
    DeleteEnvironment,
    DeleteMaintenanceWindow,
    DeleteMonitor,
    PutMaintenanceWindow,
    PutMonitor,
    PutProjectSettings,
    Tick,
)
from tocsin.domain.facts import IncidentOpened
from tocsin.domain.instant import HOUR, MINUTE, NEVER, SECOND, ceil_second
from tocsin.domain.maintenance import FIELDS, MaintenanceWindow
from tocsin.domain.monitor import ExpectFrom, MonitorChange
from tocsin.domain.project_settings import ProjectSettings
from tocsin.domain.schedule import Anchor, Cron, Daily, Interval, Rolling, Unit
from tocsin.domain.track import Health

History = list[tuple[int, Command]]
IDS = [None, "a" * 32, "b" * 32, "c" * 32]
SCHEDULES = [
    (),
    (Cron("* * * * *"),),
    (Cron("*/10 * * * *"),),
    (Interval(5, Unit.MINUTE),),
    (Interval(90, Unit.SECOND, anchor=Anchor.RUN_START),),
    (Interval(2, Unit.MINUTE, truncate_to_minute=True),),
    (Rolling(3 * MINUTE),),
    (Cron("*/15 * * * *"), Interval(20, Unit.MINUTE)),
    (Daily(("10:30", "11:00")),),
]
EXAMPLES = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
gaps = st.one_of(st.integers(0, 2 * SECOND), st.integers(0, 4 * MINUTE), st.integers(0, 20 * MINUTE))


@st.composite
def changes(draw: st.DrawFn, at: int) -> MonitorChange:
    """A change of one or two things."""
    until = st.sampled_from([None, NEVER, at + 1500, at + 5 * MINUTE, at - MINUTE])
    named = draw(
        st.dictionaries(
            st.sampled_from(["disabled", "inactive", "paused_until", "muted_until", "owner"]), st.none(), max_size=1
        )
    )
    values = {"owner": st.sampled_from("xy"), "paused_until": until, "muted_until": until}
    fields = {name: draw(values.get(name, st.booleans())) for name in named}
    policy = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "schedules": st.sampled_from(SCHEDULES),
                "expect_from": st.sampled_from(ExpectFrom),
                "miss_while_running": st.booleans(),
                "separate_causes": st.booleans(),
                "abandon_runs": st.booleans(),
                "assertions": st.sampled_from([(), ("metric.duration < 2 min", "metric.count < 3")]),
            },
        )
    )
    tolerance = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "margin_ms": st.sampled_from([0, 1000, 90_500, 10 * MINUTE]),
                "max_runtime_ms": st.sampled_from([0, 30_000, 10 * MINUTE]),
                "failure_threshold": st.integers(1, 3),
                "miss_threshold": st.integers(0, 2),
                "recovery_threshold": st.integers(1, 2),
            },
        )
    )
    return MonitorChange(policy=policy, tolerance=tolerance, **fields)


DECISIONS = st.fixed_dictionaries(
    {},
    optional={
        "ok_after_error": st.sampled_from([None, True]),
        "margin_ms": st.sampled_from([None, 90_000]),
        "max_runtime_ms": st.sampled_from([None, 3 * MINUTE]),
        "create_from_check_in": st.sampled_from([None, True]),
    },
)


@st.composite
def windows(draw: st.DrawFn, at: int) -> Command:
    """A window made, changed or removed, one of two."""
    name = draw(st.sampled_from(["w", "v"]))
    if draw(st.integers(0, 2)) == 0:
        return DeleteMaintenanceWindow(1, name)
    start = at + draw(st.integers(-30 * MINUTE, 30 * MINUTE))
    fields: dict[str, object] = {"start_time": start, "end_time": start + draw(st.integers(1, 2 * HOUR))}
    if draw(st.booleans()):
        fields = {"recurrence": Cron("*/20 * * * *"), "duration_ms": draw(st.sampled_from([MINUTE, 7 * MINUTE]))}
    fields["monitors"] = draw(st.sampled_from([(), ("job-0",), ("*-1", "x")]))
    fields["environments"] = draw(st.sampled_from([(), ("stag*",)]))
    fields["pause"] = draw(st.sampled_from([True, True, False]))
    return PutMaintenanceWindow(1, name, MaintenanceWindow(0, 1, name, **fields), FIELDS)  # type: ignore[arg-type]


@st.composite
def histories(draw: st.DrawFn, *, ticks: bool = True, deletes: bool = True, monitors: int = 2) -> History:
    """Commands at growing times; two monitors, two environments, four ids."""
    at, world = T0, World()
    names = [f"job-{number}" for number in range(monitors)]
    history: History = []
    for name in names:
        change = MonitorChange(policy={"schedules": draw(st.sampled_from(SCHEDULES))})
        history.append((at, PutMonitor(1, name, change)))
    what = ["report"] * 8 + ["put", "deaf", "environment", "window", "decide"] + ["delete"] * deletes + ["tick"] * ticks
    fields: dict[str, object]
    taken: set[int] = set()
    for place in range(draw(st.integers(1, 25))):  # no two have the same time: those would be sent twice
        at += draw(gaps)
        name = draw(st.sampled_from(names))
        match draw(st.sampled_from(what)):
            case "tick":
                history.append((at, Tick()))
            case "deaf":
                since, at = at, at + draw(gaps) + 1
                history.append((at, Deaf(since, at, "test")))
            case "delete":
                history.append((at, DeleteMonitor(1, name)))
            case "environment":
                environment = draw(st.sampled_from(["production", "staging"]))
                command = draw(st.sampled_from(["mute", "unmute", *["delete"] * deletes]))
                if command == "delete":
                    history.append((at, DeleteEnvironment(1, name, environment)))
                else:
                    history.append((at, ChangeEnvironment(1, name, environment, command == "mute")))
            case "window":
                history.append((at, draw(windows(at))))
            case "decide":
                fields = draw(DECISIONS)
                history.append((at, PutProjectSettings(1, ProjectSettings(**fields), tuple(fields))))
            case "put":
                history.append((at, PutMonitor(1, name, draw(changes(at)))))
            case _:
                times = [unused(at - 3 * MINUTE - place, taken), unused(at + SECOND + place, taken)]
                fields = {
                    "environment": draw(st.sampled_from(["", "production", "staging"])),
                    "check_in_id": draw(st.sampled_from(IDS)),
                    "series": draw(st.sampled_from(["", "", "s"])),
                    "pair": draw(st.sampled_from([True, True, False])),
                    "retry_safe": draw(st.booleans()),
                    "time": draw(st.sampled_from([None, None, None, *times])),
                    "duration_ms": draw(st.sampled_from([None, None, 1000, 3 * MINUTE])),
                    "metrics": draw(st.sampled_from([{}, {}, {"count": 2.0}])),
                    "host": draw(st.sampled_from(["", "north"])),
                    "upsert": draw(st.one_of(st.none(), st.none(), st.none(), changes(at))),
                }
                history.append((at, world.command(draw(st.sampled_from(ReportKind)), at, name, **fields)))
    history.append((at + HOUR, Tick()))
    return history


def unused(at: int, taken: set[int]) -> int:
    """The time, or the first before it that no other report has."""
    while at in taken:
        at -= 1
    taken.add(at)
    return at


def play(history: History) -> World:
    world = World()
    for entry in history:
        world.step(*entry)
    return world


@given(histories())
@EXAMPLES
def test_the_same_history_gives_the_same_facts(history: History) -> None:
    one, two = play(history), play(history)
    assert one.facts == two.facts
    assert one.kept == two.kept


@given(histories(deletes=False), st.data())
@EXAMPLES
def test_a_restart_changes_nothing(history: History, data: st.DataObject) -> None:
    straight, restarted = with_restarts(history, data)
    assert restarted.facts == straight.facts
    assert restarted.kept == straight.kept


@given(histories(), st.data())
@EXAMPLES
def test_a_restart_after_deletions_changes_at_most_the_order_of_one_instant(
    history: History, data: st.DataObject
) -> None:
    """A freed slot is given out again, so two tracks due in the same second may be judged, and numbered, in turn."""
    straight, restarted = with_restarts(history, data)
    assert story(restarted.kept) == story(straight.kept)


def with_restarts(history: History, data: st.DataObject) -> tuple[World, World]:
    """Without restarts and with some: before every step, or at some places.

    Time has been looked at before, as a server does all the time: what a report alone has noticed of it, such as the end
    of a pause, is noticed once more otherwise.
    """
    stops = data.draw(st.one_of(st.just(range(len(history))), st.sets(st.integers(0, len(history) - 1), max_size=3)))
    straight, restarted = World(), World()
    for world in (straight, restarted):
        for number, (at, command) in enumerate(history):
            if number in stops:
                world.step(at, Tick())
                if world is restarted:
                    world.restart()
            world.step(at, command)
    return straight, restarted


@given(histories(), st.data())
@EXAMPLES
def test_how_a_history_is_cut_into_commits_changes_nothing(history: History, data: st.DataObject) -> None:
    apart, world = play(history), World()
    rest = list(history)
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        world.together(*rest[:size])
        del rest[:size]
    assert seen(world) == seen(apart)
    assert world.kept == apart.kept


@given(histories(ticks=False, monitors=1), st.data())
@EXAMPLES
def test_when_silence_is_judged_changes_nothing(history: History, data: st.DataObject) -> None:
    """A slow loop, which ticks at the end, and one that ticks before each entry come to the same."""
    slow, quick = play(history), World()
    for at, command in history:
        if data.draw(st.integers(0, 3)):
            quick.tick(command.since if isinstance(command, Deaf) else at)
        quick.step(at, command)
    assert story(quick.kept) == story(slow.kept)


def seen(world: World) -> Counter[str]:
    """The facts, in no order: those of check-ins in columns come last in their commit.

    What a burst opened and a deletion took away in the same commit is nobody's, and nobody hears of it.
    """
    lives = world.kept.incidents.keys()
    facts = (fact for fact in world.facts if not isinstance(fact, IncidentOpened) or fact.incident.number in lives)
    return Counter(map(str, facts))


def story(kept: Kept) -> dict[str, object]:
    """All that is kept, but for numbers and the ids made of them, which go by order of judging."""
    numbers = {"number": 0, "id": "", "satisfies": None}
    runs = [
        msgspec.structs.replace(run, **numbers, monitor_id="") if not run.client_chosen else run.id
        for run in kept.check_ins.values()
    ]
    incidents = [
        msgspec.structs.replace(
            one, number=0, monitor_id="", first_check_in="", last_check_in="", resolving_check_in=""
        )
        for one in kept.incidents.values()
    ]
    return {
        "runs": sorted(map(repr, runs)),
        "incidents": sorted(map(repr, incidents)),
        # As tuples: an IntEnum and the integer that the roster gives back are equal, and read differently.
        "tracks": sorted(
            msgspec.structs.astuple(msgspec.structs.replace(track, last_lapse=0, incident=bool(track.incident)))
            for track in kept.tracks.values()
        ),
    }


@given(histories())
@EXAMPLES
def test_what_is_kept_agrees_with_itself(history: History) -> None:
    """After every step: heap, counters, incidents, runs and ids."""
    world = World()
    # Now or before: a configuration that came along with a report leaves open runs as they are.
    judged_longer = "'abandon_runs': True" in repr(history) or "metric.duration" in repr(history)
    for entry in history:
        world.step(*entry)
        agree(world, judged_longer=judged_longer)


def agree(world: World, *, judged_longer: bool) -> None:
    kept = world.kept
    monitors = {monitor.number: monitor for monitor, _ in kept.monitors.values()}
    open_runs = [run for run in kept.check_ins.values() if run.state is State.IN_PROGRESS]
    due = []
    for track in kept.tracks.values():
        mine = [run for run in open_runs if run.track == track.number]
        assert track.open_runs == len(mine)
        monitor = monitors[track.monitor]
        first = min((run.timeout_time for run in mine if run.timeout_time is not None), default=NEVER)
        if mine and judged_longer:
            assert track.run_deadline <= first  # runs are looked at for more than their time-outs
        else:
            assert track.run_deadline == first
        assert track.deadline % SECOND == 0 or track.deadline == NEVER
        due += [track.deadline, track.run_deadline]
        if monitor.disabled or monitor.inactive:
            assert track.deadline == NEVER
            assert track.run_deadline == NEVER or judged_longer
        elif (
            monitor.paused_until and track.deadline == NEVER and ceil_second(monitor.paused_until) >= world.engine.clock
        ):
            due.append(monitor.paused_until)
        unresolved = [one for one in kept.incidents.values() if one.track == track.number and one.resolve_time is None]
        assert [one.number for one in unresolved] == ([track.incident] if track.incident else [])
        assert all(one.causes for one in unresolved)
        assert (track.health == Health.UNHEALTHY) == bool(unresolved)
    earliest = min(due, default=NEVER)
    last_value = 0xFFFFFFFE * SECOND
    if world.engine.next_deadline() != (None if earliest == NEVER else min(ceil_second(earliest), last_value)):
        # The end of a pause may have been noticed by a report; nothing else may differ.
        assert any(monitor.paused_until for monitor in monitors.values())
    assert all(findable(run) for run in kept.check_ins.values())
    ids = [(run.project, run.id) for run in kept.check_ins.values()]
    assert len(ids) == len(set(ids))
