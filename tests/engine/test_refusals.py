"""Refusals: what programs are told besides the reason, what the client sent, and forgetting them."""

import pytest

from support.engines import T0, World
from tocsin.domain.check_in import ReportKind
from tocsin.domain.commands import DeleteMonitor, DeleteRefusals, Entry, RecordRefusals
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.instant import DAY

A = "a" * 32
SENT = '{"monitor_slug": "Job"}'


def job(**fields) -> World:
    world = World()
    world.put("00:00", **fields)
    return world


def test_particulars() -> None:
    world = job(max_runtime_ms=0, schedules=())
    world.put("00:00", "other")
    world.start("00:00", check_in_id=A, environment="staging")
    elsewhere = world.ok("01:00", check_in_id=A, environment="dev", payload=SENT).refusal
    assert (elsewhere.data, elsewhere.payload) == ({"existingEnvironment": "staging"}, SENT)
    assert world.ok("01:00", check_in_id=A, monitor_id="other").refusal.data == {"guid": A}
    long = world.ok(T0 + 25 * DAY, check_in_id=A).refusal
    assert long.data == {"guid": A, "duration": str(25 * DAY)}
    world.error("02:00", check_in_id=A)
    assert world.ok("03:00", check_in_id=A).refusal.data == {"guid": A, "state": "error"}


def test_what_was_sent_comes_with_a_remark_too() -> None:
    world = job()
    world.ok("00:00", upsert_error="$.monitor_config.schedule: required", payload=SENT)
    (remark,) = world.of(CheckInRefused)
    assert (remark.dropped, remark.payload) == (False, SENT)


@pytest.mark.parametrize(
    ("command", "left"),
    [(DeleteRefusals(1), []), (DeleteRefusals(1, "job"), ["x"]), (DeleteRefusals(2), ["job", "x"])],
)
def test_those_of_the_same_batch_are_forgotten_too(command: DeleteRefusals, left: list[str]) -> None:
    engine = job().engine
    made = tuple(CheckInRefused(1, name, "MONITOR_DISABLED", "", 0, "sentry") for name in ("job", "x"))
    engine.step(Entry(0, RecordRefusals(made)))
    engine.step(Entry(0, command))
    delta = engine.take()
    assert [refusal.monitor_id for refusal in delta.refusals] == left
    assert delta.deleted_refusals == [command]
    assert len(delta.facts) == 2  # they happened, and are counted


def test_those_of_a_monitor_go_with_it() -> None:
    world = job(disabled=True)
    world.ok("00:10")
    gone = DeleteMonitor(1, "job")
    receipts = world.together(
        ("00:20", world.command(ReportKind.OK, "00:20")),
        ("00:20", gone),
        ("00:30", world.command(ReportKind.OK, "00:30")),
    )
    assert [receipt.refusal.reason for receipt in (receipts[0], receipts[2])] == [
        "MONITOR_DISABLED",
        "MONITOR_NOT_FOUND",
    ]
    assert [refusal.reason for refusal in world.kept.refusals] == ["MONITOR_NOT_FOUND"]
