"""Reports that are told by themselves: which, of whom, and in the same delta as the report."""

import pytest

from support.engines import World
from tocsin._core.batch import KINDS, Batch
from tocsin.domain.check_in import ReportKind
from tocsin.domain.commands import ReportBatch
from tocsin.domain.instant import MINUTE, NEVER
from tocsin.domain.monitor import EVENTS, AlertPolicy
from tocsin.domain.notice import NoticeKind, NoticeState

A = "a" * 32


def telling(*events: str, **fields: object) -> World:
    world = World()
    world.put(alert_policy=AlertPolicy(events=events), **fields)
    return world


def told(world: World) -> list[str]:
    return [notice.content.rule for notice in world.notices]


def test_a_run_that_begins_and_ends():
    world = telling(*EVENTS)
    world.start("1", check_in_id=A)
    world.start("2", check_in_id=A)  # a sign of life
    world.report("3", ReportKind.BEAT)
    world.ok("4", check_in_id=A, message="all done")
    assert told(world) == ["run", "complete"]
    run, end = world.notices
    assert (run.kind, run.state, run.destination, run.number) == (NoticeKind.EVENT, NoticeState.PLANNED, "", 0)
    assert run.subject == end.subject == next(iter(world.kept.check_ins))
    assert run.sequence != end.sequence
    assert end.content.message == "all done"
    assert end in world.delta.notices


def test_lone_ends_and_what_is_no_event():
    world = telling(*EVENTS)
    world.ok("1", pair=False)
    world.error("2")
    world.report("3", ReportKind.NOTE)
    world.report("4", ReportKind.RESET)
    world.tick("60:00")
    assert told(world) == ["complete", "fail"]


@pytest.mark.parametrize("wanted", [(), ("fail",), ("run",), ("complete", "fail")])
def test_only_what_is_wanted(wanted):
    world = telling(*wanted)
    world.start("1")
    world.ok("2")
    world.error("3")
    assert told(world) == [event for event in ("run", "complete", "fail") if event in wanted]


def test_silence():
    world = telling(*EVENTS)
    world.put("1", muted_until=NEVER)
    world.error("2")
    world.put("3", muted_until=None, paused_until=NEVER)
    world.error("4")
    world.put("5", paused_until=None)
    world.report("5.5", ReportKind.NOTE, environment="staging")
    world.mute_environment("6", "production")
    world.error("7")
    world.error("8", environment="staging")
    assert told(world) == ["fail"]
    assert world.notices[0].content.environment == "staging"


def test_batches_are_told_too():
    world = telling("complete")
    batch = Batch()
    for _ in range(3):
        batch.append("job", KINDS.index("OK"))
    world.step("1", ReportBatch(1, batch, 0, {}))
    assert told(world) == ["complete"] * 3
    assert len({notice.subject for notice in world.notices}) == 3


def test_a_policy_says_so_from_the_next_report_on_and_after_a_restart():
    world = telling()
    world.ok("1")
    world.put("2", alert_policy=AlertPolicy(events=("complete",)))
    world.ok("3")
    world.restart()
    world.ok("4")
    assert told(world) == ["complete"] * 2
    world.put("5", alert_policy=AlertPolicy())
    world.ok("6")
    assert len(world.notices) == 2


def test_the_slot_stays_when_events_are_wanted_or_not():
    world = telling(margin_ms=MINUTE)
    world.ok("1")
    before = world.track().expected
    world.put("2", alert_policy=AlertPolicy(events=("complete",)))
    assert world.track().expected == before
