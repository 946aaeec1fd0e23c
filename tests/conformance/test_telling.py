"""From incidents in the database to requests, and what survives a restart: on either database."""

import msgspec
import pytest

from support.stores import check_in, check_in_number, count, delta, track
from support.telling import HOOK, NOW, World
from tocsin.domain.check_in import State
from tocsin.domain.incident import BY_DEACTIVATION, Cause
from tocsin.domain.instant import DAY, HOUR, MINUTE, NEVER, SECOND
from tocsin.domain.monitor import AlertPolicy
from tocsin.domain.notice import NoticeState
from tocsin.node import planning
from tocsin.node.drafting import Surroundings
from tocsin.notify.webhook import Outcome, Pace
from tocsin.store.nouns import SqlNouns

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
    windows = [(NOW, NOW + 10 * MINUTE)]
    world = World(
        store,
        surroundings=Surroundings(
            silenced=lambda _project, _monitor, _environment, now, _tags: any(a <= now < b for a, b in windows),
        ),
    )
    world.monitors(1, 2)
    world.tell(HOOK)
    world.opens(1)
    assert await world.told(9) == []
    assert await world.told(2) == [["m-1 alert 1 error"]]
    world.silence("production")
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


async def test_what_a_destination_refuses_of_one_incident_holds_up_no_other_incident(world):
    world.outcomes = [AGAIN]
    world.opens(1)
    assert await world.told() == [["m-1 alert 1 error"]]
    world.opens(2)
    world.resolves(1)
    assert await world.told() == [["m-2 alert 1 error"]]
    world.resolves(2)
    assert await world.told() == [["m-2 recovery 2 error"]]
    assert await world.told(1) == [["m-1 alert 1 error"], ["m-1 recovery 2 error"]]
    assert world.states() == {"SENT": 4}


async def test_a_group_leaves_out_what_waits_for_another_try(store):
    world = World(store, group_from=2)
    world.monitors(1, 2, 3)
    world.tell(HOOK)
    world.outcomes = [AGAIN]
    world.opens(1)
    await world.told()
    world.opens(2, 3)
    world.resolves(1)
    assert await world.told() == [["m-2 alert 1 error", "m-3 alert 1 error"]]
    assert await world.told(1) == [["m-1 alert 1 error", "m-1 recovery 2 error"]]


async def test_a_destination_that_says_when_is_left_alone_until_then(world):
    world.outcomes = [Outcome(sent=False, again=True, after_ms=90 * SECOND, error="answered 429")]
    world.opens(1)
    await world.told()
    world.opens(2)
    assert await world.told(89 / 60) == []
    assert await world.told(1 / 60) == [["m-1 alert 1 error"], ["m-2 alert 1 error"]]


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


async def test_events_are_told_with_their_monitor_and_once(world):
    world.monitors(7, policy=AlertPolicy(channels=(HOOK, "email:a@example.org")), display_name="Seven")
    world.event(7, "run", subject=70)
    world.event(7, "fail", subject=70)
    world.event(7, "fail", subject=70)
    assert world.outbox.page(1, size=9).rows == []  # nobody has looked up yet who is told
    assert await world.told() == [["m-7 event 1 run"], ["m-7 event 3 fail"]]
    assert world.states() == {"SENT": 2, "UNSUPPORTED": 2}
    row = world.outbox.page(1, size=1).rows[0]
    assert (row.content.name, row.subject, row.kind.name) == ("Seven", 70, "EVENT")
    world.event(7, "run", subject=70)
    assert await world.told() == []
    assert len(world.outbox.page(1, size=9).rows) == 4


async def test_events_survive_a_restart_and_not_their_monitor(world):
    world.event(1, "fail", subject=10)
    world.event(2, "fail", subject=20)
    world.deletes(1)
    world.start()
    assert await world.told() == [["m-2 event 3 fail"]]
    assert count(world.store, "notices") == 1


async def test_events_in_silence(store):
    around = Surroundings(silenced=lambda _project, monitor, _environment, _now, _tags: monitor == 1)
    world = World(store, surroundings=around)
    world.monitors(1, 2)
    world.tell(HOOK)
    world.silence("staging")
    world.event(1, "fail", subject=10)
    world.event(2, "fail", subject=20, environment="staging")
    assert await world.told() == []
    assert count(world.store, "notices") == 0


async def test_what_a_notice_says(store):
    world = World(store, surroundings=Surroundings(shown_id=lambda _monitor_id, extras: extras["dialect"]["key"]))
    said = {"dialect": msgspec.Raw(b'{"key": "My Job"}')}
    world.monitors(1, group="night", extras=said)
    SqlNouns(store.database).put_group(1, "night", {"display_name": "By night"}, NOW, create=True, update=True)
    world.tell(HOOK)
    world.opens(1, cause=Cause.TIMED_OUT)
    world.event(1, "fail", subject=10)
    await world.told()
    event, alert = sorted(world.outbox.page(1, size=9).rows, key=lambda row: row.kind, reverse=True)
    for row in (event, alert):
        content = row.content
        assert (content.monitor_id, content.name, content.resource_id) == ("My Job", "My Job", "m-1")
        assert content.group == "By night"
    assert (alert.content.rule, alert.content.causes, alert.content.since) == ("timeout", ("timeout",), NOW)


async def test_an_alert_says_what_the_report_said(world):
    run = check_in(check_in_number(1), track(1, 1), State.ERROR, message="disk full")
    world.commit(delta(run))
    world.opens(1, 2, last_check_in=run.id)
    await world.told()
    world.resolves(1)
    await world.told()
    assert [row.content.message for row in world.outbox.page(1, size=9).rows] == ["", "disk full", "disk full"]


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
    def broken(one, now, **silence):
        if one.number == 1:
            raise ZeroDivisionError
        return usual(one, now, **silence)

    usual = world.dispatcher._planning._standing
    monkeypatch.setattr(world.dispatcher._planning, "_standing", broken)
    world.opens(1, 2)
    assert await world.told() == [["m-2 alert 1 error"]]


async def test_what_ended_because_its_monitor_was_switched_off_is_not_told_even_if_it_is_on_again(world):
    world.opens(1)
    assert await world.told() == [["m-1 alert 1 error"]]
    world.incidents[1] = msgspec.structs.replace(world.incidents[1], resolved_by=BY_DEACTIVATION)
    world.resolves(1)
    assert await world.told(60) == []
    assert count(world.store, "alerts") == 0


async def test_what_has_a_pace_of_its_own_is_told_one_by_one_and_given_up_after_it(world):
    world.monitors(*range(4, 16))
    slow = Outcome(sent=False, again=True, error="answered 404", taken=1, pace=Pace(2, 20 * SECOND))
    world.outcomes = [slow, *[slow._replace(sent=True)] * 14]
    world.opens(*range(1, 16))
    assert [len(one) for one in await world.told()] == [15] + [1] * 14  # of the first too, only one counts
    assert world.states() == {"SENT": 14, "PENDING": 1}
    world.outcomes = [slow, slow]
    assert await world.told(19 / 60) == []
    assert await world.told(1 / 60) == [["m-1 alert 1 error"]]
    assert await world.told(19 / 60) == []
    assert await world.told(1 / 60) == [["m-1 alert 1 error"]]
    assert world.states() == {"SENT": 14, "DEAD": 1}
    assert world.counts.seen == {"webhook sent": 14, "webhook again": 2, "webhook dead": 1}
