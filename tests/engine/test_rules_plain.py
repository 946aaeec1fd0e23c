"""The table of what is plain, cell by cell from what the tables of the rules mean; and what columns come to elsewhere."""

import itertools

import pytest

from support.engines import T0, World
from tocsin._core.apply import TABLE_SIZE, without
from tocsin._core.batch import KINDS, Batch
from tocsin.domain import ids
from tocsin.domain.check_in import ReportKind
from tocsin.domain.commands import DeleteMonitor, Entry, ReportBatch, ReportCheckIn
from tocsin.domain.instant import MINUTE, SECOND
from tocsin.domain.receipt import BatchReceipt
from tocsin.domain.schedule import Cron
from tocsin.domain.track import Health, Verdict
from tocsin.engine import rules


def test_only_what_says_nothing_new_is_plain():
    table = rules.plain()
    cells = list(itertools.product(ReportKind, Health, Verdict, (False, True)))
    assert len(table) == len(cells) == TABLE_SIZE
    assert [kind.name for kind in ReportKind] == list(KINDS)
    for (kind, health, verdict, enough), cell in zip(cells, table, strict=True):
        # An OK of what is well stays well; one of what is unhealthy too, until there are enough in a row.
        well = kind is ReportKind.OK and verdict is Verdict.OK
        assert cell == (well and (health is Health.HEALTHY or (health is Health.UNHEALTHY and not enough)))


def batch_of(*names: str, kind: str = "OK", environment: str = "") -> Batch:
    batch = Batch()
    for name in names:
        batch.append(name, KINDS.index(kind), environment)
    return batch


def stepped(world: World, at: int, batch: Batch) -> BatchReceipt:
    receipt = world.step(at, ReportBatch(1, batch, at, {}))
    assert receipt.batch is not None
    return receipt.batch


@pytest.fixture
def world() -> World:
    made = World()
    for name in ("a", "b"):
        made.put(monitor_id=name, schedules=(Cron("* * * * *"),), margin_ms=30 * SECOND)
    stepped(made, T0 + 1, batch_of("a", "b"))
    return made


def test_the_rules_do_the_row_that_is_not_plain_and_the_kernel_goes_on(world: World) -> None:
    answer = stepped(world, T0 + 2, batch_of("a", "nobody", "b", "a"))
    assert sorted(answer.receipts) == [1]
    assert [answer.recorded.row(index)[-1] for index in range(3)] == [0, 2, 3]
    numbers = list(answer.recorded.numbers())
    assert numbers == sorted(set(numbers))
    assert world.engine.state.sequences["check_in"] == numbers[-1]


def test_a_track_that_a_rule_takes_up_is_written_whole(world: World) -> None:
    at = T0 + 2
    batch = batch_of("a", "a")
    batch.append("a", KINDS.index("ERROR"))
    answer = stepped(world, at, batch)
    assert len(answer.recorded) == 2
    assert world.track(monitor_id="a").ok_count == 3
    assert world.track(monitor_id="a").error_count == 1
    assert world.engine.state.tracks.moved_count == 0


def test_what_is_only_moved_is_marked_and_counted_once() -> None:
    world = World()
    world.put(monitor_id="a", schedules=(Cron("* * * * *"),))
    for at in (T0 + 1, T0 + 2, T0 + 3):
        world.engine.step(Entry(at, ReportBatch(1, batch_of("a", "a"), at, {})))
        delta = world.engine.take()
    assert (delta.tracks, delta.moved) == ({}, 1)
    assert [len(columns.recorded) for columns in delta.columns] == [2]


def test_a_guessed_id_of_the_same_batch_names_that_check_in(world: World) -> None:
    at = T0 + 5 * SECOND
    guessed = ids.public_id(ids.check_in_number(at, 0))
    start = ReportCheckIn(world.command(ReportKind.START, at, "a", check_in_id=guessed).report)
    receipts = world.together((at, ReportBatch(1, batch_of("a"), at, {})), (at, start))
    assert receipts[1].check_in is not None
    assert receipts[1].check_in.start_time == at
    assert not receipts[1].created


def test_rows_of_what_is_deleted_in_the_same_batch_are_not_stored(world: World) -> None:
    at = T0 + 5 * SECOND
    world.together((at, ReportBatch(1, batch_of("a", "b", "a"), at, {})), (at, DeleteMonitor(1, "a")))
    (columns,) = world.delta.columns
    assert (len(columns.recorded), len(columns.reported)) == (1, 3)
    assert len(without(columns.reported, (), (columns.reported.row(1)[2],))) == 2


def test_silence_is_judged_before_the_report_that_comes_after_it(world: World) -> None:
    answer = stepped(world, T0 + 3 * MINUTE, batch_of("a", "a"))
    assert sorted(answer.receipts) == [0]  # late for a slot, and the OK after it
    assert world.track(monitor_id="a").missed_count == 2
