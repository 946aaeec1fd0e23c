"""Open incidents are found by their numbers, whether they are rows of a burst or objects."""

from support.engines import T0, World
from tocsin.domain.commands import AcknowledgeIncident
from tocsin.domain.instant import HOUR, MINUTE, SECOND
from tocsin.domain.monitor import ExpectFrom
from tocsin.domain.schedule import Interval, Unit


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
