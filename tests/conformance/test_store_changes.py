"""The revision log behind Watch."""

import pytest

from support.stores import (
    INTEGRITY_ERRORS,
    NOW,
    check_in,
    commit,
    delta,
    drain,
    incident,
    monitor,
    track,
    with_monitors,
)
from support.stores import check_in_number as number
from tocsin.domain import facts
from tocsin.domain.check_in import ReportKind
from tocsin.domain.track import Health, Verdict


def test_changes_are_logged(store):
    with_monitors(store, monitor(1), monitor(2))
    start = store.last_revision()
    here = track(1, 1, health=Health.HEALTHY, verdict=Verdict.OK)
    commit(store, delta(here))
    commit(store, delta(track(1, 1, health=Health.HEALTHY, verdict=Verdict.OK, ok_count=2)))  # nothing to see
    opened = incident(1, here)
    made = delta(
        opened, facts=[facts.IncidentOpened(opened), facts.MonitorChanged(monitor(2)), facts.MonitorChanged(monitor(2))]
    )
    commit(store, made)
    commit(store, delta(facts=[facts.MonitorDeleted(1, 2, "m-2"), facts.EnvironmentCreated(2, 5, "x")]))
    recorded = facts.CheckInRecorded(check_in(number(1), here), ReportKind.OK, finished=True)
    commit(store, delta(facts=[recorded]))
    found = store.changes_after(start, 1, limit=99)
    assert [(change.monitor, change.kind) for change in found] == [
        (1, "health"),
        (1, "incident"),
        (2, "monitor"),
        (2, "deleted"),
    ]
    assert store.changes_after(found[1].revision, 1, limit=1) == found[2:3]
    assert [change.project for change in store.changes_after(start, None, limit=99)] == [1, 1, 1, 1, 2]
    assert store.last_revision() == store.changes_after(start, None, limit=99)[-1].revision
    while store.expire(check_ins_before=0, refusals_before=NOW + 1, limit=2):
        pass
    assert store.changes_after(0, None, limit=99) == []


def test_a_change_is_logged_by_whoever_commits_it(store, tmp_path):
    with_monitors(store, monitor(1))
    good, bad = ({"health": health, "verdict": verdict} for health, verdict in ((1, Verdict.OK), (2, Verdict.ERROR)))
    commit(store, delta(track(1, 1, **good)))
    with pytest.raises(INTEGRITY_ERRORS):
        commit(store, delta(track(1, 1, **bad), monitor(2, id="m-1")))
    commit(store, delta(track(1, 1, **good)))  # as before: what was not kept counts for nothing
    assert logged(store) == 1
    other = type(store)(store.database.url)
    try:
        drain(other.load())
        commit(other, delta(track(1, 1, **bad)))
    finally:
        other.close()
    drain(store.load())
    commit(store, delta(track(1, 1, **good)))
    assert logged(store) == 3
    commit(store, delta(track(2**40, 1, 2, **good)))
    commit(store, delta(track(2**40, 1, 2, **bad)))
    assert logged(store) == 4


def logged(store) -> int:
    """How many changes there are. Revisions only grow: one that was given out in vain may be left out."""
    found = [change.revision for change in store.changes_after(0, None, limit=99)]
    assert found == sorted(set(found))
    assert (found or [0])[-1] == store.last_revision()
    return len(found)
