"""Rolling timers through the store: the published timeline, holding for maintenance and tokens, with restarts."""

import asyncio
import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from support.engines import T0, compiler
from tocsin.domain.check_in import Report, ReportKind, State
from tocsin.domain.commands import Command, DeleteMonitor, Entry, PutMaintenanceWindow, PutMonitor, ReportCheckIn
from tocsin.domain.instant import HOUR, MINUTE
from tocsin.domain.maintenance import FIELDS, MaintenanceWindow
from tocsin.domain.monitor import Kind, MonitorChange
from tocsin.domain.receipt import Receipt
from tocsin.domain.schedule import Rolling
from tocsin.engine.engine import Engine
from tocsin.service.tokens import Found, Tokens
from tocsin.store import CheckInFilter, SqlStore

TIMELINE = json.loads(
    (Path(__file__).parents[1] / "contract/fixtures/checkly/timer-timeline.json").read_text(encoding="utf-8")
)


class Served:
    """An engine on a store, as a node drives it."""

    def __init__(self, store: SqlStore) -> None:
        self.store, self.tokens = store, Tokens(store, nullcontext, within_ms=60_000)
        self.restart()

    def restart(self) -> None:
        self.engine = Engine(compiler())
        self.engine.load(self.store.load())

    def step(self, at: int, *commands: Command) -> list[Receipt]:
        """In one transaction."""
        needs = self.engine.needs(commands)
        if needs:
            self.engine.recall(self.store.recall(needs))
        receipts = self.engine.step_many([Entry(at, command) for command in commands])
        self._commit()
        return receipts

    def put(self, at: int, monitor_id: str = "job", **fields: object) -> Receipt:
        change = MonitorChange(**fields)  # type: ignore[arg-type]
        return self.step(at, PutMonitor(1, monitor_id, change))[0]

    def ping(self, at: int) -> None:
        self.step(at, ReportCheckIn(Report(1, "job", ReportKind.OK, at)))

    def tick(self, at: int) -> None:
        while self.engine.tick(at, limit=10):
            self._commit()
        self._commit()

    def expected(self) -> int:
        found = self.store.get_monitor(1, "job")
        assert found is not None
        track = found.tracks[0][1]
        newer = self.engine.unsaved_track(1, "job", track)
        return (newer or track).expected

    def _commit(self) -> None:
        delta = self.engine.take()
        if delta:
            self.store.commit(delta, self.store.position() + 1)
            self.tokens.forget(delta)


@pytest.mark.parametrize("restarts", [False, True])
def test_the_published_timeline(store: SqlStore, *, restarts: bool) -> None:
    def clock(minute: int) -> int:
        return T0 + minute * MINUTE

    served = Served(store)
    period, grace = TIMELINE["period_min"] * MINUTE, TIMELINE["grace_min"] * MINUTE
    rolling = {"schedules": (Rolling(period),), "kind": Kind.HEARTBEAT}
    served.put(T0, policy=rolling, tolerance={"margin_ms": grace})
    served.ping(clock(TIMELINE["start_expected_min"]) - period)
    for step in TIMELINE["steps"]:
        if restarts:
            served.restart()
        assert served.expected() == clock(step["expected_before_min"])
        if step["kind"] == "ping":
            served.ping(clock(step["at_min"]))
        else:
            served.tick(clock(step["at_min"]) + 1)
        assert served.expected() == clock(step["next_expected_min"])
    rows = store.list_check_ins(1, CheckInFilter(), size=100).rows[::-1][1:]
    assert [(run.state, run.update_time, run.expected_time) for run in rows] == [
        (
            State.OK if step["kind"] == "ping" else State.MISSED,
            clock(step["at_min"]),
            clock(step["expected_before_min"]),
        )
        for step in TIMELINE["steps"]
    ]
    incidents = store.list_incidents(1, size=10).rows
    alerts = {step["alert"]: clock(step["at_min"]) for step in TIMELINE["steps"] if "alert" in step}
    assert [(one.open_time, one.resolve_time) for one in incidents] == [
        (alerts["ALERT_FAILURE"], alerts["ALERT_RECOVERY"])
    ]


def test_a_timer_that_is_held_stays_so_over_a_restart(store: SqlStore) -> None:
    served = Served(store)
    served.put(T0, policy={"schedules": (Rolling(HOUR),)}, tolerance={"margin_ms": MINUTE}, tags=("db",))
    served.ping(T0)
    made = MaintenanceWindow(0, 1, "w", start_time=T0 + MINUTE, end_time=T0 + 3 * HOUR, tags=("db",))
    served.step(T0 + 1, PutMaintenanceWindow(1, "w", made, FIELDS))
    served.restart()
    served.tick(T0 + 2 * HOUR)
    served.restart()
    assert served.expected() == T0 + 4 * HOUR
    served.tick(T0 + 4 * HOUR + MINUTE)
    assert [run.state for run in store.list_check_ins(1, CheckInFilter(), size=9).rows] == [State.OK]
    served.tick(T0 + 4 * HOUR + MINUTE + 1)
    assert store.list_check_ins(1, CheckInFilter(), size=9).rows[0].state is State.MISSED


def test_silences_by_tags_hold_over_a_restart(store: SqlStore) -> None:
    served = Served(store)
    number = served.put(T0, tags=("db",)).monitors[0].number
    made = MaintenanceWindow(
        0, 1, "w", start_time=T0, end_time=T0 + HOUR, pause=False, silence_tags=("db",), display_name="Quiet"
    )
    served.step(T0 + 1, PutMaintenanceWindow(1, "w", made, FIELDS))
    for _ in range(2):
        windows = served.engine.state.windows
        assert windows.silences(compiler(), 1, number, "production", T0 + MINUTE)
        assert not windows.cover(compiler(), 1, number, "production", T0 + MINUTE)
        served.restart()
    kept = store.get_window(1, "w")
    assert kept is not None
    assert (kept.pause, kept.silence_all, kept.silence_tags) == (False, False, ("db",))


def test_tokens_change_hands_in_one_transaction_and_are_found_at_once(store: SqlStore) -> None:
    first, second, third = ("a" * 32, "b" * 32, "c" * 32)
    served = Served(store)

    def found(*tokens: str) -> list[str | None]:
        owners: list[Found | None] = [asyncio.run(served.tokens.find(token, T0)) for token in tokens]
        return [None if owner is None else owner.monitor_id for owner in owners]

    served.put(T0, "one", ping_token=first)
    served.put(T0, "two", ping_token=second)
    assert found(first, second, third) == ["one", "two", None]
    receipts = served.step(
        T0 + 1,
        PutMonitor(1, "one", MonitorChange(ping_token=third)),
        PutMonitor(1, "two", MonitorChange(ping_token=first)),
        PutMonitor(1, "one", MonitorChange(ping_token=second)),
    )
    assert [receipt.error for receipt in receipts] == [None] * 3
    assert found(first, second, third) == ["two", "one", None]
    served.restart()
    taken = served.put(T0 + 2, "three", ping_token=first).error
    assert (taken.reason if taken else None) == "PING_TOKEN_TAKEN"
    served.step(T0 + 3, DeleteMonitor(1, "two"), PutMonitor(2, "two", MonitorChange(ping_token=first)))
    assert found(first, second) == ["two", "one"]
    assert asyncio.run(served.tokens.find(first, T0)) == Found(2, "two")
