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
    with_monitors(store, monitor(1))
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
