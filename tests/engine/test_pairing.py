"""Runs by series: overlap, the newest, the same host, ends before starts, reports sent twice, monitors by number."""

import pytest

from support.engines import World, instant, relative
from tocsin._core.batch import Batch
from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.commands import DeleteMonitor, PutMonitor, ReportBatch
from tocsin.domain.facts import CheckInRecorded
from tocsin.domain.instant import HOUR, MINUTE
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.refusals import RefusalReason
from tocsin.domain.schedule import Cron

START, OK, ERROR, NOTE, RESET = (
    ReportKind.START,
    ReportKind.OK,
    ReportKind.ERROR,
    ReportKind.NOTE,
    ReportKind.RESET,
)
MIDNIGHT = (Cron("0 0 * * *"),)


def job(**fields: object) -> World:
    world = World()
    world.put(**{"schedules": MIDNIGHT, "max_runtime_ms": 0, **fields})
    return world


def runs(world: World) -> list[tuple[str, str | None, str | None, str]]:
    """Series, start, end and state of every check-in, oldest first."""
    return [
        (run.series, relative(run.start_time), relative(run.end_time), run.state.value)
        for _, run in sorted(world.kept.check_ins.items())
    ]


def send(world: World, at: str, kind: ReportKind, stamp: str | None = None, **fields: object) -> None:
    world.report(at, kind, time=None if stamp is None else instant(stamp), **fields)


def test_runs_overlap_and_are_paired_by_series() -> None:
    world = job()
    world.start("01:00", series="a")
    world.start("02:00", series="b")
    assert world.track().open_runs == 2
    world.ok("03:00", series="a")
    world.error("04:00", series="b")
    assert runs(world) == [("a", "0:01:00", "0:03:00", "ok"), ("b", "0:02:00", "0:04:00", "error")]
    assert world.track().open_runs == 0


def test_a_series_that_is_used_again_is_another_run() -> None:
    world = job()
    for minute in ("01", "03"):
        world.start(f"{minute}:00", series="s")
        world.ok(f"{minute}:30", series="s")
    assert runs(world) == [("s", "0:01:00", "0:01:30", "ok"), ("s", "0:03:00", "0:03:30", "ok")]


def test_an_end_of_an_unknown_series_stands_alone() -> None:
    world = job()
    world.start("01:00", series="a")
    world.ok("02:00", series="b")
    assert runs(world) == [("a", "0:01:00", None, "in_progress"), ("b", None, "0:02:00", "ok")]


@pytest.mark.parametrize(
    ("host", "ended"), [("", "c"), ("north", "b"), ("south", "c"), ("west", "c")], ids=["none", "north", "south", "new"]
)
def test_without_a_series_the_newest_run_of_the_same_host_is_meant(host: str, ended: str) -> None:
    world = job()
    for minute, (series, where) in enumerate([("a", "north"), ("b", "north"), ("c", "south")], 1):
        world.start(f"{minute:02d}:00", series=series, host=where)
    world.ok("10:00", host=host)
    assert [run[0] for run in runs(world) if run[3] == "ok"] == [ended]


def test_other_environments_have_runs_of_their_own() -> None:
    world = job()
    world.start("01:00", series="a")
    world.ok("02:00", series="a", environment="staging")
    assert runs(world)[0][3] == "in_progress"


def test_where_runs_are_abandoned_a_start_without_a_series_always_begins_one() -> None:
    keeps, opens = job(), job(abandon_runs=True)
    for world in (keeps, opens):
        world.start("01:00")
        world.start("02:00")
    assert len(runs(keeps)) == 1
    assert len(runs(opens)) == 2
    opens.ok("03:00")
    assert [run[3] for run in runs(opens)] == ["in_progress", "ok"]


@pytest.mark.parametrize(("stamp", "duration"), [("01:10", 10_000), ("00:55", 5_000)], ids=["after", "before"])
def test_stamps_of_two_clocks_make_a_duration(stamp: str, duration: int) -> None:
    world = job()
    send(world, "01:00", START, "01:00", series="s")
    send(world, "01:11", OK, stamp, series="s")
    (run,) = world.kept.check_ins.values()
    assert (run.state, run.duration_ms) == (State.OK, duration)


def test_an_explicit_duration_wins() -> None:
    world = job()
    send(world, "01:00", START, "01:00", series="s")
    send(world, "01:11", OK, "01:10", series="s", duration_ms=7)
    (run,) = world.kept.check_ins.values()
    assert run.duration_ms == 7


def test_an_end_that_arrives_before_its_start_is_paired() -> None:
    world = job()
    send(world, "01:11", OK, "01:10", series="s")
    send(world, "01:12", START, "01:00", series="s")
    assert runs(world) == [("s", "0:01:00", "0:01:10", "ok")]
    assert world.last.check_in is not None
    assert world.last.check_in.duration_ms == 10_000
    assert world.track().open_runs == 0


def test_what_an_end_said_stays_when_its_start_comes_later() -> None:
    world = job()
    end = {"message": "done", "event": "complete", "exit_code": 3, "host": "b", "address": "192.0.2.2", "release": "2"}
    send(world, "01:11", OK, "01:10", series="s", **end)
    start = {"message": "go", "event": "run", "exit_code": 0, "host": "a", "address": "192.0.2.1", "release": "1"}
    send(world, "01:12", START, "01:00", series="s", **start)
    (run,) = world.kept.check_ins.values()
    assert {name: getattr(run, name) for name in end} == end


def test_what_an_end_left_open_its_start_may_say() -> None:
    world = job()
    send(world, "01:11", OK, "01:10", series="s", message="done")
    send(world, "01:12", START, "01:00", series="s", message="go", host="a", exit_code=0)
    (run,) = world.kept.check_ins.values()
    assert (run.message, run.host, run.exit_code) == ("done", "a", 0)


@pytest.mark.parametrize(
    ("series", "stamp"), [("other", "01:00"), ("s", "01:10.5")], ids=["another series", "after the end"]
)
def test_any_other_start_begins_a_run(series: str, stamp: str) -> None:
    world = job()
    send(world, "01:11", OK, "01:10", series="s")
    send(world, "01:12", START, stamp, series=series)
    assert [run[3] for run in runs(world)] == ["ok", "in_progress"]


def test_a_start_that_comes_long_after_the_end_begins_a_run() -> None:
    world = job()
    send(world, "01:11", OK, "01:10", series="s")
    send(world, "25:00", OK, "25:00", series="t")
    send(world, "46:00", OK, "46:00", series="u")
    send(world, "46:01", START, "01:00", series="s")
    assert runs(world)[-1][3] == "in_progress"


SENT = {"series": "s", "stamp": "01:00", "kind": OK}


@pytest.mark.parametrize(
    ("other", "dropped"),
    [
        ({}, True),
        ({"series": "t"}, False),
        ({"stamp": "01:00.001"}, False),
        ({"stamp": None}, False),
        ({"kind": ERROR}, False),
        ({"environment": "staging"}, False),
        ({"kind": ERROR, "series": "t", "attempt": 2}, True),
        ({"kind": NOTE, "attempt": 3}, True),
        ({"stamp": "01:01", "attempt": 2}, False),
        ({"stamp": None, "attempt": 2}, False),
        ({"environment": "staging", "attempt": 2}, False),
    ],
    ids=str,
)
def test_a_report_sent_twice_is_dropped(other: dict[str, object], dropped: bool) -> None:
    world = job()
    for at, one in (("01:01", SENT), ("01:02", SENT | other)):
        send(world, at, **one)  # type: ignore[arg-type] # by name
    assert world.last.duplicate is dropped
    assert (world.last.check_in is None) is dropped
    assert len(world.kept.check_ins) == (1 if dropped else 2)
    assert len(world.of(CheckInRecorded)) == (1 if dropped else 2)
    assert world.track().ok_count == (1 if dropped or other.get("environment") or other.get("kind") else 2)


def test_all_of_a_run_sent_twice_is_one_run() -> None:
    world = job()
    for at, kind, stamp in (
        ("01:00", START, "01:00"),
        ("01:01", START, "01:00"),
        ("02:00", OK, "02:00"),
        ("02:01", OK, "02:00"),
        ("02:02", START, "01:00"),
    ):
        send(world, at, kind, stamp, series="s")
    assert runs(world) == [("s", "0:01:00", "0:02:00", "ok")]
    assert world.track().started_count == world.track().ok_count == 1


@pytest.mark.parametrize("kind", [OK, ERROR])
def test_a_restart_forgets_nothing_of_what_was_sent(kind: ReportKind) -> None:
    world = job()
    for at, sent, stamp in (("01:01", START, "01:00"), ("02:01", kind, "02:00")):
        send(world, at, sent, stamp, series="s")
    send(world, "02:02", OK, "02:01", series="t")
    world.restart()
    for sent, stamp, series in ((kind, "02:00", "s"), (START, "01:00", "s"), (OK, "02:01", "t")):
        send(world, "02:10", sent, stamp, series=series)
        assert world.last.duplicate
    send(world, "02:20", START, "02:00", series="t")
    assert [run[3] for run in runs(world)] == [kind.value, "ok"]  # that start had ended before


def test_two_in_one_batch_are_one() -> None:
    world = job()
    one = world.command(OK, "01:01", time=instant("01:00"), series="s")
    first, second = world.together(("01:01", one), ("01:01", one))
    assert (first.duplicate, second.duplicate) == (False, True)


def test_what_was_refused_may_be_sent_again() -> None:
    world = World()
    for at in ("01:01", "01:02"):
        send(world, at, OK, "01:00", series="s")
        assert world.last.refusal is not None
    world.put("01:03", schedules=MIDNIGHT)
    send(world, "01:04", OK, "01:00", series="s")
    assert world.last.created


def test_reports_with_an_id_are_told_apart_by_it() -> None:
    world = job()
    for identifier in ("a" * 32, "b" * 32):
        send(world, "01:01", OK, "01:00", check_in_id=identifier)
    assert len(world.kept.check_ins) == 2


@pytest.mark.parametrize("started", [False, True])
def test_a_note_may_be_an_ok_where_no_run_has_begun(started: bool) -> None:
    world = job()
    if started:
        world.start("01:00", series="s")
        world.ok("02:00", series="s")
    for at in ("03:00", "04:00"):
        world.report(at, NOTE, by_kind=True)
        assert world.last.check_in is not None
        assert world.last.check_in.state is (State.NOTE if started else State.OK)
    world.report("05:00", NOTE)
    assert world.last.check_in is not None
    assert world.last.check_in.state is State.NOTE


# -- monitors by number


def test_a_report_reaches_a_monitor_by_its_number() -> None:
    world = job()
    number = next(iter(world.kept.monitors.values()))[0].number
    for at in ("01:00", "02:00"):
        world.report(at, OK, "strange", monitor_number=number)
        assert world.last.check_in is not None
        assert (world.last.check_in.monitor, world.last.check_in.monitor_id) == (number, "job")
    assert world.track().ok_count == 2


def test_an_id_goes_before_a_number() -> None:
    world = job()
    other = world.put("00:01", "other").number
    world.report("01:00", OK, monitor_number=other)
    assert world.last.check_in is not None
    assert world.last.check_in.monitor_id == "job"


@pytest.mark.parametrize("upsert", [None, MonitorChange()])
def test_a_number_that_nobody_has_is_no_monitor(upsert: MonitorChange | None) -> None:
    world = job()
    world.report("01:00", OK, "strange", monitor_number=77, upsert=upsert)
    if upsert is None:
        assert world.last.refusal is not None
        assert world.last.refusal.reason == RefusalReason.MONITOR_NOT_FOUND.name
    else:
        assert world.last.check_in is not None
        assert world.last.check_in.monitor_id == "strange"


def test_a_number_of_another_project_is_no_monitor() -> None:
    world = job()
    number = world.step("00:30", PutMonitor(2, "theirs", MonitorChange())).monitors[0].number
    world.report("01:00", OK, "strange", monitor_number=number)
    assert world.last.refusal is not None


def test_a_monitor_made_or_deleted_in_the_same_batch_is_found_or_not() -> None:
    world = World()
    made = PutMonitor(1, "job", MonitorChange())
    one = world.command(OK, "01:00", "strange", monitor_number=1)
    receipts = world.together(("01:00", made), ("01:00", one))
    assert receipts[1].check_in is not None
    receipts = world.together(("02:00", DeleteMonitor(1, "job")), ("02:00", one), ("02:00", made), ("02:00", one))
    assert receipts[1].refusal is not None
    assert receipts[3].refusal is not None  # it has another number now


def test_rows_of_batches_and_restarts_know_numbers_too() -> None:
    world = job()
    number = next(iter(world.kept.monitors.values()))[0].number
    world.restart()
    batch = Batch()
    row = batch.append("strange", 2, "", -1, False, True)
    sent = world.command(OK, "01:00", "strange", monitor_number=number).report
    world.step("01:00", ReportBatch(1, batch, instant("01:00"), {row: sent}))
    assert world.track().ok_count == 1


# -- configurations that only create


def test_a_configuration_that_only_creates_changes_nothing() -> None:
    world = World()
    first = MonitorChange(tolerance={"margin_ms": HOUR}, display_name="first")
    second = MonitorChange(tolerance={"margin_ms": MINUTE}, display_name="second")
    for minute, change in enumerate((first, second, first, second), 1):
        world.ok(f"{minute:02d}:00", upsert=change, upsert_new_only=True)
    (monitor, _) = next(iter(world.kept.monitors.values()))
    assert (monitor.display_name, monitor.policy.tolerance.margin_ms, monitor.revision) == ("first", HOUR, 0)
    assert world.track().ok_count == 4
    world.ok("05:00", upsert=second)
    assert next(iter(world.kept.monitors.values()))[0].display_name == "second"
