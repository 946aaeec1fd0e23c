"""From incidents in the database to requests, and what survives a restart: on either database."""

import pytest

from support.stores import count
from support.telling import HOOK, NOW, World
from tocsin.domain.incident import Cause
from tocsin.domain.instant import DAY, HOUR, MINUTE, NEVER, SECOND
from tocsin.domain.monitor import AlertPolicy
from tocsin.domain.notice import NoticeState
from tocsin.node import planning
from tocsin.node.planning import Surroundings
from tocsin.notify.webhook import Outcome

AGAIN = Outcome(sent=False, again=True, error="answered 503")


@pytest.fixture
def world(store) -> World:
    made = World(store)
    made.monitors(1, 2, 3)
    made.tell(HOOK)
    return made


async def test_an_incident_and_its_recovery(world):
    world.opens(1)
    assert await world.told() == [["m-1 alert 1 error"]]
    world.continues(1)
    assert await world.told(60) == []
    world.resolves(1)
    assert await world.told() == [["m-1 recovery 2 error"]]
    assert count(world.store, "alerts") == 0
    assert world.states() == {"SENT": 2}
    assert world.counts.seen == {"webhook sent": 2}


async def test_nobody_to_tell_leaves_no_row(world):
    world.tell()
    world.opens(1, 2)
    assert await world.told() == []
    assert (count(world.store, "alerts"), count(world.store, "notices")) == (0, 0)
    world.tell(HOOK)
    assert await world.told(60) == []
    world.opens(3)
    assert await world.told() == [["m-3 alert 1 error"]]


async def test_a_monitor_names_whom_to_tell(store):
    world = World(store)
    world.monitors(1, policy=AlertPolicy(channels=("ops", "webhook:https://a.example.org/")))
    world.monitors(2)
    world.tell(HOOK, key="ops", environments=("staging",))
    world.opens(1, 2)
    assert await world.told() == [["m-1 alert 1 error"]]
    assert [row.destination for row in world.outbox.page(1, size=9).rows] == ["webhook:https://a.example.org/"]


async def test_a_delay_a_silent_recovery_and_reminders(store):
    world = World(store)
    world.monitors(1, 2, delay_ms=5 * MINUTE, policy=AlertPolicy(repeat_interval_ms=HOUR, repeat_limit=2))
    world.tell(HOOK)
    world.opens(1, 2)
    assert await world.told(4) == []
    world.resolves(1)
    assert await world.told(2) == [["m-2 alert 1 error"]]
    assert await world.told(600) == [["m-2 alert 2 error"]]
    world.resolves(2)
    assert await world.told() == [["m-2 recovery 3 error"]]


async def test_mute_and_unmute(world):
    world.changes(1, muted_until=NEVER)
    world.opens(1)
    assert await world.told(60) == []
    world.changes(1, muted_until=None)
    assert await world.told() == [["m-1 alert 1 error"]]
    world.changes(1, muted_until=world.clock.at + 30 * MINUTE)
    assert await world.told(29) == []
    assert await world.told(2) == [["m-1 alert 2 error"]]
    world.changes(1, paused_until=NEVER)
    world.resolves(1)
    assert await world.told(60) == []
    assert count(world.store, "alerts") == 0


async def test_maintenance_and_environments_without_alerts(store):
    windows, silent = [(NOW, NOW + 10 * MINUTE)], {"staging"}
    world = World(
        store,
        surroundings=Surroundings(
            in_maintenance=lambda _known, now: any(start <= now < end for start, end in windows),
            is_silent=lambda _project, environment: environment in silent,
        ),
    )
    world.monitors(1, 2)
    world.tell(HOOK)
    world.opens(1)
    assert await world.told(9) == []
    assert await world.told(2) == [["m-1 alert 1 error"]]
    silent.add("production")
    world.opens(2)
    world.resolves(1)
    assert await world.told(60) == []


async def test_a_deleted_monitor_is_over_without_a_word(world):
    world.opens(1, 2)
    assert len(await world.told()) == 2
    world.deletes(1)
    assert await world.told(60) == []
    assert count(world.store, "alerts") == 1
    world.opens(3)
    world.deletes(3)
    assert await world.told(60) == []


async def test_a_burst_is_one_request(world, monkeypatch):
    monkeypatch.setattr(planning, "SLICE", 7)
    world.monitors(*range(4, 40))
    world.opens(*range(1, 40), cause=Cause.MISSED)
    assert await world.told() == [[f"m-{number} alert 1 missed" for number in range(1, 40)]]
    world.resolves(1, 2)
    assert await world.told() == [["m-1 recovery 2 missed"], ["m-2 recovery 2 missed"]]


async def test_what_cannot_be_delivered_says_so(world):
    world.tell("email:a@example.org", HOOK, "carrier-pigeon:loft 3")
    world.opens(1)
    assert await world.told() == [["m-1 alert 1 error"]]
    assert world.states() == {"SENT": 1, "UNSUPPORTED": 2}
    row = world.outbox.page(1, states=[NoticeState.UNSUPPORTED], size=1).rows[0]
    assert (row.destination, row.end_time, row.attempts) == ("carrier-pigeon:loft 3", NOW, 0)
    assert "cannot deliver" in row.error


async def test_tried_again_with_growing_pauses_and_given_up(world):
    world.outcomes = [AGAIN] * 4
    world.opens(1)
    assert await world.told() == [["m-1 alert 1 error"]]
    assert await world.told(9 / 60) == []
    assert len(await world.told(1 / 60)) == 1
    assert len(await world.told(1)) == 1
    assert len(await world.told(5.9)) == 0
    assert len(await world.told(0.1)) == 1
    assert await world.told(600) == []
    assert world.states() == {"DEAD": 1}
    assert world.counts.seen == {"webhook again": 3, "webhook dead": 1}
    assert len(set(world.keys)) == 1
    (dead,) = world.outbox.page(1, size=1).rows
    assert (dead.attempts, dead.error) == (4, "answered 503")


async def test_what_was_given_up_is_tried_again_when_asked(world):
    world.outcomes = [Outcome(sent=False, error="answered 400")]
    world.opens(1)
    await world.told()
    assert world.states() == {"DEAD": 1}
    assert world.outbox.retry(2, [], world.clock.at) == []
    (again,) = world.outbox.retry(1, [], world.clock.at)
    assert (again.state, again.attempts, again.end_time) == (NoticeState.PENDING, 0, None)
    world.dispatcher.wake()
    assert await world.told() == [["m-1 alert 1 error"]]
    assert world.keys[0] == world.keys[1]
    assert world.outbox.retry(1, [again.number], world.clock.at) == []


async def test_a_destination_says_when(world):
    world.outcomes = [Outcome(sent=False, again=True, after_ms=90 * SECOND, error="answered 429")]
    world.opens(1)
    await world.told()
    assert await world.told(89 / 60) == []
    assert len(await world.told(1 / 60)) == 1


async def test_what_one_destination_does_not_take_holds_up_no_other_and_stays_in_order(world):
    other = "webhook:https://other.example.org/"
    world.tell(HOOK, other)
    world.outcomes = [AGAIN]
    world.opens(1)
    await world.turn()
    refused = world.requests[0][0]
    world.resolves(1)
    await world.turn()
    assert [where for where, _ in world.requests[1:]] == [({HOOK, other} - {refused}).pop()] * 2
    world.requests.clear()
    assert await world.told(1) == [["m-1 alert 1 error"], ["m-1 recovery 2 error"]]  # to the one that refused


async def test_after_a_restart_nothing_is_lost_and_nothing_told_twice(world):
    world.opens(1)
    assert len(await world.told()) == 1
    world.opens(2)
    world.resolves(1)
    world.start()  # before either was planned
    assert sorted(await world.told()) == [["m-1 recovery 2 error"], ["m-2 alert 1 error"]]
    world.start()
    assert await world.told(60) == []


async def test_what_was_sent_and_not_written_down_is_sent_again_under_its_key(world):
    world.opens(1)
    await world.dispatcher.turn()
    await world.delivering.idle()
    with world.store.database.write() as connection:
        connection.exec_driver_sql("UPDATE notices SET state = 0, end_time = NULL")
    world.start()
    await world.told()
    assert len(world.keys) == 2
    assert len(set(world.keys)) == 1


async def test_old_notices_go(world):
    world.opens(1)
    await world.told()
    assert world.outbox.expire(NOW, 10) == 0
    assert world.outbox.expire(NOW + DAY, 10) == 1
    assert world.outbox.page(1, size=10).rows == []


async def test_pages_of_notices(world):
    world.opens(1, 2, 3)
    await world.told()
    first = world.outbox.page(1, size=2)
    rest = world.outbox.page(1, size=2, token=first.next_token)
    rows = [*first.rows, *rest.rows]
    assert [row.monitor for row in rows] == [3, 2, 1]
    assert world.outbox.page(1, monitor=2, size=9).rows == world.outbox.page(1, incident=2, size=9).rows == [rows[1]]
    assert world.outbox.get(1, rows[0].number) == rows[0]
    assert world.outbox.get(2, rows[0].number) is None
    assert world.outbox.page(2, size=9).rows == []


async def test_one_incident_that_cannot_be_planned_silences_no_other(world, monkeypatch):
    def broken(one, now):
        if one.number == 1:
            raise ZeroDivisionError
        return usual(one, now)

    usual = world.dispatcher._planning._standing
    monkeypatch.setattr(world.dispatcher._planning, "_standing", broken)
    world.opens(1, 2)
    assert await world.told() == [["m-2 alert 1 error"]]
