"""A deleted monitor is gone at once; old rows go in slices."""

from support.stores import (
    NOW,
    check_in,
    commit,
    count,
    delta,
    drain,
    incident,
    monitor,
    track,
    unnumbered,
    with_monitors,
)
from support.stores import check_in_number as number
from tocsin.domain import facts
from tocsin.domain.check_in import State
from tocsin.domain.instant import DAY
from tocsin.engine.memory import Needs
from tocsin.store import CheckInFilter

ANY = CheckInFilter()


def test_a_deleted_monitor_is_gone_at_once(store):
    with_monitors(store, monitor(1), monitor(2))
    run = check_in(number(1), track(1, 1), State.IN_PROGRESS, id="ab" * 16)
    other = check_in(number(2), track(2, 2), State.IN_PROGRESS, id="cd" * 16)
    commit(store, delta(run, other, incident(1, track(1, 1)), incident(2, track(2, 2))))
    again = delta(monitor(3, id="m-1"), track(3, 3))
    again.deleted_monitors.add(1)
    commit(store, again)
    assert store.get_monitor(1, "m-1").monitor.number == 3
    assert store.get_monitor(1, "m-1").incidents == {}
    assert store.get_check_in(1, "m-1", "ab" * 16) is None
    assert store.get_check_in(1, "m-1", "latest") is None
    assert store.list_check_ins(1, ANY, size=9).rows == [other]
    assert store.get_incident(1, 1) is None
    assert [one.number for one in store.list_incidents(1, size=9).rows] == [2]
    assert store.recall(Needs(check_ins={(1, run.id)})).check_ins == {}
    rows = drain(store.load())
    assert [row[0] for row in rows["tracks"]] == [2, 3]
    assert rows["open_runs"] == [other]
    # The same id may be chosen again, and outlives what it meant before.
    anew = check_in(number(5), track(3, 3), id=run.id, monitor_id="m-1")
    commit(store, delta(anew))
    while store.expire(check_ins_before=0, refusals_before=0, limit=1):
        assert store.get_check_in(1, "m-1", run.id) == anew
    assert store.recall(Needs(check_ins={(1, run.id)})).check_ins == {(1, run.id): anew}
    assert count(store, "check_ins") == 2
    assert count(store, "tracks") == 2
    assert count(store, "incidents") == 1
    assert count(store, "deleted_monitors") == 0


def test_old_rows_go_in_slices(store):
    """Those that no week has; see `test_store_weeks` for the others."""
    with_monitors(store, monitor(1))
    store.prepare(NOW + 8 * DAY)
    here = track(1, 1)
    old = [check_in(number(index, NOW - 2 * DAY), here, id=f"{index:032x}") for index in range(1, 11)]
    open_run = check_in(number(99, NOW - 2 * DAY), here, State.IN_PROGRESS, id="ef" * 16)
    new = [check_in(number(index, NOW), here, id=f"{index:032x}") for index in range(20, 25)]
    refused = [facts.CheckInRefused(1, "x", "MONITOR_NOT_FOUND", "", at, "sentry") for at in (NOW - 2 * DAY, NOW)]
    commit(store, delta(*old, open_run, *new, refusals=refused))
    slices = []
    while gone := store.expire(check_ins_before=NOW - DAY, refusals_before=NOW - DAY, limit=4):
        slices.append(gone)
    assert slices == [4, 4, 3]
    assert store.list_check_ins(1, ANY, size=99).rows == [*new[::-1], open_run]
    assert unnumbered(store.list_refusals(1, "x", size=9).rows) == refused[1:]
    assert store.list_refusals(1, "y", size=9).rows == []
    assert count(store, "check_in_ids") == 6


def test_a_deleted_environment_is_gone_at_once_and_its_rows_go_in_slices(store):
    with_monitors(store, monitor(1))
    commit(store, delta(track(2, 1, 2)))
    staging = {"environment": "staging"}
    kept = check_in(number(1), track(1, 1), State.IN_PROGRESS, id="ab" * 16)
    gone = [check_in(number(index), track(2, 1, 2), id=f"{index:032x}", **staging) for index in range(2, 8)]
    running = check_in(number(9), track(2, 1, 2), State.IN_PROGRESS, id="cd" * 16, **staging)
    commit(store, delta(kept, *gone, running, incident(1, track(1, 1)), incident(2, track(2, 1, 2), **staging)))
    before = store.last_revision()
    commit(store, delta(deleted_tracks={2: 1}, facts=[facts.EnvironmentDeleted(1, 1, "staging")]))
    assert [change.kind for change in store.changes_after(before, 1, limit=9)] == ["monitor"]
    assert [name for name, _ in store.get_monitor(1, "m-1").tracks] == ["production"]
    assert list(store.get_monitor(1, "m-1").incidents) == [1]
    assert store.list_check_ins(1, ANY, size=9).rows == [kept]
    assert store.get_incident(1, 2) is None
    assert [one.number for one in store.list_incidents(1, open_only=True, size=9).rows] == [1]
    assert store.recall(Needs(check_ins={(1, running.id)})).check_ins == {}
    rows = drain(store.load())
    assert [row[0] for row in rows["tracks"]] == [1]
    assert rows["open_runs"] == [kept]
    assert [one.number for one in rows["open_incidents"]] == [1]
    # The same environment again, and the same id in it: both outlive what they were before.
    again = check_in(number(20), track(3, 1, 2), id=running.id, **staging)
    commit(store, delta(track(3, 1, 2), again, clock=NOW + 5))
    assert store.get_monitor(1, "m-1").created == {1: NOW, 3: NOW + 5}
    slices = []
    while went := store.expire(check_ins_before=0, refusals_before=0, limit=4):
        slices.append(went)
        assert store.get_check_in(1, "m-1", running.id) == again
    assert max(slices) <= 4
    assert rows_of(store) == {"check_ins": 2, "check_in_ids": 2, "incidents": 1, "tracks": 2, "deleted_tracks": 0}


def test_deleted_environments_of_one_monitor_go_in_one_walk_through_its_history(store):
    """What stays is looked at once, however many environments go; one deleted meanwhile is found too."""
    with_monitors(store, monitor(1))
    rows = [check_in(number(index), track(1 + index % 5, 1), id=f"{index:032x}") for index in range(100)]
    commit(store, delta(*rows, *(incident(index, track(index, 1), resolve_time=NOW) for index in range(1, 6))))
    commit(store, delta(deleted_tracks={2: 1, 3: 1}))
    looked = [store.expire(check_ins_before=0, refusals_before=0, limit=10) for _ in range(3)]
    assert looked == [10, 10, 10]
    assert count(store, "check_ins") == 100 - 12
    commit(store, delta(deleted_tracks={4: 1}))
    while went := store.expire(check_ins_before=0, refusals_before=0, limit=10):
        assert went <= 10
        looked.append(went)
    assert sum(looked) < 30 + 2 * 100
    living = [row for row in rows if row.track == 1]
    assert store.list_check_ins(1, ANY, size=999).rows == living[::-1]
    assert rows_of(store) == {"check_ins": 40, "check_in_ids": 40, "incidents": 2, "tracks": 1, "deleted_tracks": 0}


def test_a_monitor_is_deleted_after_one_of_its_environments(store):
    with_monitors(store, monitor(1))
    commit(store, delta(track(2, 1, 2)))
    commit(store, delta(*(check_in(number(index), track(index % 2 + 1, 1)) for index in range(6))))
    made = delta(deleted_tracks={2: 1})
    made.deleted_monitors.add(1)
    commit(store, made)
    while store.expire(check_ins_before=0, refusals_before=0, limit=2):
        pass
    assert set(rows_of(store).values()) == {0}


def rows_of(store) -> dict[str, int]:
    tables = ("check_ins", "check_in_ids", "incidents", "tracks", "deleted_tracks")
    return {table: count(store, table) for table in tables}
