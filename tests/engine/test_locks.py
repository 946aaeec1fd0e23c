"""Who wrote a field, and what a configuration that comes with a report may not change (spec 3.4, pain 11)."""

import hypothesis.strategies as st
import msgspec
from hypothesis import given

from support.engines import World
from tocsin.domain.commands import PutMonitor, PutProjectSettings
from tocsin.domain.facts import CheckInRefused, MonitorChanged
from tocsin.domain.monitor import FIELDS, AlertPolicy, FieldWriter, Monitor, MonitorChange, Tolerance, field
from tocsin.domain.project_settings import ProjectSettings
from tocsin.domain.schedule import Cron

HOURLY, DAILY = (Cron("0 * * * *"),), (Cron("0 3 * * *", "Europe/Vienna"),)
UPSERT = MonitorChange(policy={"schedules": (Cron("0 * * * *", ""),)}, tolerance={"margin_ms": 5000}, origin="sentry")


def configured(world: World) -> Monitor:
    (monitor,) = [monitor for monitor, _ in world.kept.monitors.values()]
    return monitor


def remarks(world: World) -> list[str]:
    return [fact.detail for fact in world.of(CheckInRefused) if fact.reason == "MONITOR_FIELD_LOCKED"]


def test_what_a_person_changed_is_not_undone_by_an_upsert() -> None:
    world = World()
    world.ok("00:00", upsert=UPSERT)
    world.put("00:10", margin_ms=9000, by_hand=True)
    assert configured(world).locks == ("tolerance.margin",)
    world.ok("00:20", upsert=UPSERT)
    assert configured(world).policy.tolerance.margin_ms == 9000
    assert len(remarks(world)) == 1
    assert "tolerance.margin" in remarks(world)[0]


def test_the_rest_of_the_configuration_is_honoured() -> None:
    world = World()
    world.put(0, schedules=DAILY, by_hand=True)
    receipt = world.ok("00:10", upsert=UPSERT)
    assert (receipt.refusal, receipt.created) == (None, True)
    assert configured(world).policy.tolerance.margin_ms == 5000
    assert configured(world).policy.schedules == DAILY


def test_locked_schedules_keep_their_time_zone() -> None:
    world = World()
    world.put(0, schedules=DAILY, by_hand=True)
    zoned = MonitorChange(policy={"schedules": (Cron("0 3 * * *", "Asia/Tokyo"),)})
    world.ok("00:10", upsert=zoned)
    assert configured(world).policy.schedules == DAILY
    assert remarks(world) == ["locked, because set by hand: schedules; unlock them, or let upserts override locks"]


def test_it_is_said_once_for_a_configuration_and_not_with_each_report() -> None:
    world = World()
    world.put(0, schedules=DAILY, by_hand=True)
    for second in range(3):
        world.ok(f"00:0{second}", upsert=UPSERT)
    assert len(remarks(world)) == 1
    (refused,) = world.of(CheckInRefused)
    assert not refused.dropped
    assert refused.data == {"fields": "schedules"}
    world.ok("00:10", upsert=MonitorChange(policy={"schedules": HOURLY}, origin="sentry"))
    assert len(remarks(world)) == 2


def test_a_configuration_that_says_the_same_is_no_remark() -> None:
    world = World()
    world.put(0, schedules=HOURLY, by_hand=True)
    world.ok("00:10", upsert=UPSERT)
    assert remarks(world) == []


def test_what_a_person_names_of_a_new_monitor_is_locked_and_defaults_are_not() -> None:
    world = World()
    default = Tolerance().margin_ms
    world.put(0, margin_ms=default, owner="me", by_hand=True)
    assert configured(world).locks == ("owner", "tolerance.margin")
    world.ok("00:10", upsert=msgspec.structs.replace(UPSERT, owner="team:ops"))
    after = configured(world)
    assert (after.owner, after.policy.tolerance.margin_ms, after.policy.schedules) == ("me", default, HOURLY)


def test_a_person_who_says_what_is_so_already_means_it() -> None:
    world = World()
    world.ok("00:00", upsert=UPSERT)
    first = FieldWriter("sentry", configured(world).create_time, upsert=True)
    for again in range(2):
        world.put(f"00:1{again}", margin_ms=5000, owner="", by_hand=True)
        assert configured(world).locks == ("owner", "tolerance.margin")
    assert len(world.of(MonitorChanged)) == 1
    world.ok("00:20", upsert=msgspec.structs.replace(UPSERT, tolerance={"margin_ms": 1000}))
    assert configured(world).policy.tolerance.margin_ms == 5000
    assert configured(world).writers["tolerance.margin"] == first  # who gave it its value


def test_who_names_the_locks_locks_besides_only_what_changes() -> None:
    """A monitor read, edited and sent back as a whole."""
    world = World()
    world.put(0, schedules=DAILY, margin_ms=9000, owner="me", by_hand=True)
    world.put("00:10", schedules=DAILY, margin_ms=9000, owner="you", locks=("schedules",), by_hand=True)
    assert configured(world).locks == ("owner", "schedules")


def test_a_person_changes_what_is_locked() -> None:
    world = World()
    world.put(0, margin_ms=1000, by_hand=True)
    world.put("00:10", margin_ms=2000, by_hand=True)
    assert configured(world).policy.tolerance.margin_ms == 2000


def test_fields_are_unlocked_and_the_next_upsert_wins() -> None:
    world = World()
    world.put(0, schedules=DAILY, margin_ms=9000, by_hand=True)
    world.ok("00:10", upsert=UPSERT)
    world.step("00:20", PutMonitor(1, "job", MonitorChange(locks=("tolerance.margin",), by_hand=True)))
    assert configured(world).locks == ("tolerance.margin",)
    world.ok("00:30", upsert=UPSERT)
    after = configured(world)
    assert (after.policy.schedules, after.policy.tolerance.margin_ms) == ((Cron("0 * * * *", "Europe/Vienna"),), 9000)


def test_fields_are_locked_without_changing_them() -> None:
    world = World()
    world.ok("00:00", upsert=UPSERT)
    world.step("00:10", PutMonitor(1, "job", MonitorChange(locks=("owner",), by_hand=True)))
    world.ok("00:20", upsert=msgspec.structs.replace(UPSERT, owner="team:ops"))
    assert configured(world).owner == ""


def test_an_upsert_neither_locks_nor_unlocks() -> None:
    world = World()
    world.put(0, margin_ms=9000, by_hand=True)
    world.ok("00:10", upsert=MonitorChange(tolerance={"recovery_threshold": 2}, locks=()))
    assert configured(world).locks == ("tolerance.margin",)


def test_a_project_may_let_upserts_win() -> None:
    world = World()
    world.engine.state.decided.put(1, ProjectSettings(upserts_override_locks=True))
    world.put(0, schedules=DAILY, by_hand=True)
    world.ok("00:10", upsert=UPSERT)
    assert configured(world).policy.schedules[0].expression == "0 * * * *"
    assert remarks(world) == []


def test_an_upsert_that_was_kept_out_is_applied_once_the_project_lets_it_win() -> None:
    world = World()
    world.put(0, schedules=DAILY, by_hand=True)
    world.ok("00:10", upsert=UPSERT)
    assert configured(world).policy.schedules == DAILY
    settings = ProjectSettings(upserts_override_locks=True)
    world.step("00:20", PutProjectSettings(1, settings, ("upserts_override_locks",)))
    world.ok("00:30", upsert=UPSERT)
    assert configured(world).policy.schedules[0].expression == "0 * * * *"


def test_pausing_and_muting_by_hand_lock_nothing() -> None:
    world = World()
    world.ok("00:00", upsert=UPSERT)
    world.put("00:10", paused_until=None, muted_until=1, disabled=False, inactive=True, by_hand=True)
    assert configured(world).locks == ()


def test_who_wrote_last_is_remembered_for_each_field() -> None:
    world = World()
    world.ok("00:00", upsert=UPSERT)
    first = FieldWriter("sentry", configured(world).create_time, upsert=True)
    assert configured(world).writers == {"schedules": first, "tolerance.margin": first}
    monitor = world.put("00:10", margin_ms=9000, owner="me", by_hand=True, origin="grpc")
    second = FieldWriter("grpc", monitor.update_time)
    assert configured(world).writers == {"schedules": first, "tolerance.margin": second, "owner": second}
    assert configured(world).written_by == "grpc"


paths = st.sets(st.sampled_from(sorted(FIELDS)))


@given(paths)
def test_a_change_without_paths_names_the_others(left_out: set[str]) -> None:
    """Every field of a configuration has a path, and is told apart by it."""
    whole = MonitorChange(
        policy={"schedules": DAILY, "kind": 1, "expect_from": 1, "miss_while_running": False}
        | {"round_to_minute": True, "assertions": ("x",), "separate_causes": True, "abandon_runs": True},
        tolerance=dict.fromkeys(Tolerance.__struct_fields__, 7),
        display_name="x",
        alert_policy=AlertPolicy(repeat_limit=1),
        labels={"a": "b"},
        group="g",
        tags=("t",),
        owner="me",
    )
    assert whole.named() == FIELDS
    rest = whole.without(left_out)
    assert rest.named() == FIELDS - left_out
    before = Monitor(number=1, project=1, id="x", uid="")
    after = rest.apply(before, 5)
    assert {path for path in FIELDS if field(after, path) != field(before, path)} == FIELDS - left_out
    assert after.writers.keys() == FIELDS - left_out
