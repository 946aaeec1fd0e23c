"""Open incidents are found by their numbers, whether they are rows of a burst or objects."""

import hypothesis.strategies as st
from hypothesis import given

from support.engines import T0, World
from tocsin.domain.commands import AcknowledgeIncident
from tocsin.domain.instant import HOUR, MINUTE, SECOND
from tocsin.domain.monitor import ExpectFrom
from tocsin.domain.schedule import Interval, Rolling, Unit


def test_each_of_many_bursts_is_found() -> None:
    world = World()
    for minute in range(6):
        for name in ("a", "b"):
            world.put(
                T0 + minute * MINUTE,
                f"{name}{minute}",
                schedules=(Interval(1, Unit.HOUR),),
                expect_from=ExpectFrom.CREATION,
                margin_ms=0,
            )
    for minute in range(6):
        world.tick(T0 + HOUR + minute * MINUTE + SECOND)
    found = world.engine.state.incidents
    assert sorted(found) == list(range(1, 13)) and len(found) == 12
    assert [found[number].number for number in range(1, 13)] == list(range(1, 13))
    assert 0 not in found and 13 not in found
    at = T0 + HOUR + 6 * MINUTE
    world.ok(at, monitor_id="a2")
    world.ok(at, monitor_id="b2")
    world.step(at, AcknowledgeIncident(1, 9, "me", "on it"))
    world.delete(at, "b5")
    gone = {one.number for one in world.incidents() if one.resolve_time is not None} | set(range(1, 13)) - {
        one.number for one in world.incidents()
    }
    assert len(gone) == 3
    assert sorted(found) == [number for number in range(1, 13) if number not in gone] and len(found) == 9
    assert found[9].note == "on it"


@given(st.lists(st.sampled_from(("plain", "running", "patient")), min_size=1, max_size=30), st.data())
def test_incidents_that_rules_opened_in_the_midst_of_a_burst_leave_all_others_findable(kinds, data) -> None:
    """Rules judge who has a run open, kernels the rest; a patient one is missed once before its incident opens."""
    world = World()
    for place, kind in enumerate(kinds):
        world.put(
            T0 + place,
            f"m{place}",
            schedules=(Rolling(MINUTE),),
            margin_ms=0,
            failure_threshold=2 if kind == "patient" else 1,
        )
    for place, kind in enumerate(kinds):
        report = world.start if kind == "running" else world.ok
        report(T0 + 100 + place, monitor_id=f"m{place}")
    for second in (due + late for due in (60, 120, 180) for late in range(4)):
        world.tick(T0 + second * SECOND)
    found = world.engine.state.incidents
    assert [found[number].number for number in sorted(found)] == [*range(1, len(kinds) + 1)]
    assert [one.failure_count for one in world.incidents()] == [3] * len(kinds)
    order = data.draw(st.permutations(range(len(kinds))))
    for place in order:
        world.ok(T0 + 200 * SECOND, monitor_id=f"m{place}")
    assert len(found) == 0
    assert all(one.resolve_time is not None for one in world.incidents())
