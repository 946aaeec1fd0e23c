"""Escalations, subscribers and groups, from incidents in the database to notices: on either database."""

import msgspec
import pytest

from support import stores
from support.telling import HOOK, NOW, World
from tocsin.domain import ids
from tocsin.domain.check_in import State
from tocsin.domain.facts import IncidentOpened, IncidentResolved
from tocsin.domain.incident import BY_DEACTIVATION, Cause
from tocsin.domain.instant import MINUTE, NEVER
from tocsin.domain.monitor import AlertPolicy, Escalation
from tocsin.domain.notice import NoticeState
from tocsin.domain.notification import ChannelKind
from tocsin.domain.project_settings import ProjectSettings
from tocsin.node.drafting import Surroundings

ADDRESS = {"address": msgspec.Raw(b'"a@example.org"')}


def own(**fields: int) -> AlertPolicy:
    return AlertPolicy(escalation=Escalation(**fields))


def made(store, policy: AlertPolicy | None = None, **fields) -> World:
    """A world with one monitor and somebody to tell by default."""
    world = World(store, **fields)
    world.monitors(1, policy=policy or own())
    world.tell(HOOK)
    return world


def destinations(world: World, *states: NoticeState) -> list[str]:
    rows = world.outbox.page(1, states=states, size=99).rows
    return [f"{row.kind.name.lower()} {row.destination}" for row in reversed(rows)]


async def test_so_many_failures_are_waited_for(store):
    world = made(store, own(failures=3))
    world.opens(1, cause=Cause.MISSED, failure_count=1)
    assert await world.told() == []
    world.continues(1, 2)
    assert await world.told(600) == []
    world.continues(1, 3)
    assert await world.told() == [["m-1 alert 1 missed"]]
    world.continues(1, 4)
    assert await world.told(600) == []
    content = world.outbox.page(1, size=1).rows[0].content
    assert (content.failures, content.remaining, content.reminder) == (3, True, False)
    world.resolves(1)
    assert await world.told() == [["m-1 recovery 2 missed"]]


async def test_failures_that_do_not_matter_wake_nobody(store):
    world = made(store, own(failures=3))
    world.opens(1, failure_count=1)
    await world.told()
    world.dispatcher._wake.clear()
    world.continues(1, 2)
    assert not world.dispatcher._wake.is_set()
    world.continues(1, 3)
    assert world.dispatcher._wake.is_set()


async def test_a_failure_that_is_counted_while_it_plans_is_not_missed(store):
    world = made(store, own(failures=2))
    planning = world.dispatcher._planning
    usual = planning._plan

    async def plan(*args):
        found = await usual(*args)
        if not planning.late:
            planning.late = True
            number = planning.counting.pop(1)  # as if it had not come so far
            world.continues(1, 2)
            planning.counting[1] = number
        return found

    planning.late, planning._plan = False, plan
    world.opens(1, failure_count=1)
    assert await world.told() == [["m-1 alert 1 error"]]


async def test_it_counts_on_after_a_restart(store):
    world = made(store, own(failures=2))
    world.opens(1, failure_count=1)
    assert await world.told() == []
    world.start()
    assert await world.told() == []
    world.continues(1, 2)
    assert await world.told() == [["m-1 alert 1 error"]]


async def test_time_is_waited_for_by_a_timer(store):
    world = made(store, own(delay_ms=10 * MINUTE, repeat_interval_ms=5 * MINUTE, repeat_limit=2))
    world.opens(1, cause=Cause.MISSED)
    assert await world.told(9) == []
    assert await world.told(1) == [["m-1 alert 1 missed"]]
    assert await world.told(60) == [["m-1 alert 2 missed"]]
    first, second = (row.content for row in reversed(world.outbox.page(1, size=9).rows))
    assert (first.remaining, first.reminder, first.reminder_sequence) == (True, False, 0)
    assert (second.remaining, second.reminder, second.reminder_sequence) == (True, True, 1)


async def test_silence_is_final(store):
    world = made(store, own(repeat_interval_ms=10 * MINUTE))
    world.changes(1, muted_until=NEVER)
    world.opens(1)
    assert await world.told(15) == []
    world.changes(1, muted_until=None)
    assert await world.told(4) == []
    assert await world.told(1) == [["m-1 alert 1 error"]]
    assert world.states() == {"SENT": 1}


async def test_which_escalation_holds(store):
    decided: dict[int, Escalation] = {}
    world = made(store, surroundings=Surroundings(project_escalation=decided.get))
    hour = Escalation(delay_ms=60 * MINUTE)

    async def waits() -> float:
        """Minutes to the alert of a new incident."""
        number = len(world.incidents) + 1
        world.incidents[number] = None
        begun = world.clock.at
        incident = stores.incident(number, stores.track(1, 1), open_time=begun)
        world._incidents(IncidentOpened(incident))
        minutes = 0
        while not await world.told(10 if minutes else 0):
            minutes += 10
            assert minutes < 200
        world._incidents(IncidentResolved(msgspec.structs.replace(incident, resolve_time=world.clock.at)))
        await world.told()
        return minutes

    world.changes(1, group="g")
    world.group("g")
    assert await waits() == 0
    world.changes(1, alert_policy=AlertPolicy(escalation=hour, project_escalation=True))
    assert await waits() == 0
    decided[1] = Escalation(delay_ms=20 * MINUTE)
    assert await waits() == 20
    world.changes(1, alert_policy=AlertPolicy(escalation=hour))
    assert await waits() == 60
    world.group("g", escalation=Escalation(delay_ms=40 * MINUTE))
    assert await waits() == 60
    world.group("g", project_escalation=True)
    assert await waits() == 20
    world.group("g", project_escalation=False)
    assert await waits() == 40


async def test_a_changed_escalation_of_the_project_is_looked_at(store):
    decided = {1: Escalation(failures=3)}
    world = made(store, AlertPolicy(project_escalation=True), surroundings=Surroundings(project_escalation=decided.get))
    world.opens(1, failure_count=2)
    assert await world.told() == []
    decided[1] = Escalation(failures=2)
    world.commit(stores.delta(project_settings={1: ProjectSettings()}))
    assert await world.told() == [["m-1 alert 1 error"]]


async def test_subscribers_are_told_each_once(store):
    world = made(store)
    world.tell()  # nobody by default
    ops, mail, off = (
        world.channel("ops"),
        world.channel("mail", kind=ChannelKind.EMAIL, config=ADDRESS),
        world.channel("off"),
    )
    world.changes(1, group="g")
    group = world.group("g", tags=("team:x",))
    world.subscribe(ops, monitor=1)
    world.subscribe(off, monitor=1, active=False)
    world.subscribe(ops, group=group)
    world.subscribe(mail, group=group)
    world.opens(1)
    assert await world.told() == [["m-1 alert 1 error"]]
    assert destinations(world) == ["alert webhook:ops", "alert email:mail"]
    (row,) = world.outbox.page(1, states=[NoticeState.UNSUPPORTED], size=9).rows
    assert row.error == "this server cannot deliver to destinations of kind email; a webhook can reach what does"
    assert row.content.tags == ("team:x",)


async def test_subscribers_of_a_group_alone_and_of_no_other_project(store):
    world = made(store)
    world.tell()
    world.changes(1, group="g")
    world.subscribe(world.channel("ops"), group=world.group("g"))
    world.opens(1)
    assert await world.told() == [["m-1 alert 1 error"]]
    world.nouns.channels.delete(1, "ops")
    world.resolves(1)
    await world.told()
    assert destinations(world)[-1] == "recovery webhook:ops"  # it heard of the beginning


async def test_subscribers_and_named_destinations_and_else_the_default(store):
    world = made(store, AlertPolicy(channels=("webhook:https://a.example.org/",)))
    world.subscribe(world.channel("ops"), monitor=1)
    world.opens(1)
    await world.told()
    assert destinations(world) == ["alert webhook:https://a.example.org/", "alert webhook:ops"]
    world.changes(1, alert_policy=AlertPolicy(repeat_interval_ms=MINUTE))
    await world.told(1)
    assert destinations(world)[2:] == ["alert webhook:ops"]
    world.subscribe(1, monitor=1, active=False)
    await world.told(1)
    assert destinations(world)[3:] == [f"alert {HOOK}"]


async def test_channels_hear_what_they_want(store):
    world = made(store)
    world.subscribe(world.channel("bad", send_recovery=False), monitor=1)
    world.subscribe(world.channel("good", send_failure=False), monitor=1)
    world.opens(1)
    await world.told()
    world.resolves(1)
    await world.told()
    assert destinations(world) == ["alert webhook:bad", "recovery webhook:good"]


async def test_the_flags_hold_for_channels_in_lists_too(store):
    world = made(store, AlertPolicy())
    world.channel("ops", send_failure=False)
    world.tell("webhook:ops", HOOK)
    world.opens(1)
    await world.told()
    assert destinations(world) == [f"alert {HOOK}"]


@pytest.mark.parametrize("field", ["muted", "inactive"])
async def test_nobody_is_told_of_the_members_of_a_quiet_group(store, field):
    world = made(store, AlertPolicy())
    world.changes(1, group="g")
    world.group("g", **{field: True})
    world.opens(1)
    world.event(1, "run", subject=7)
    assert await world.told(600) == []
    world.group("g", **{field: False})
    world.dispatcher.look_at([1])
    assert await world.told() == [["m-1 alert 1 error"]]


async def test_what_a_notice_says_of_its_check_ins(store):
    described = Surroundings(description=lambda extras: extras["checkly"]["description"])
    world = World(store, surroundings=described)
    world.monitors(1, policy=own(), tags=("a",), extras={"checkly": {"description": "nightly"}})
    world.tell(HOOK)
    failed, well = (ids.public_id(ids.check_in_number(at, 1)) for at in (NOW - 5, NOW + 7))
    world.opens(1, cause=Cause.MISSED, failure_count=1, last_check_in=failed)
    await world.told()
    world.resolves(1, resolving_check_in=well)
    await world.told()
    alert, recovery = (row.content for row in reversed(world.outbox.page(1, size=9).rows))
    assert (alert.check_in, alert.started, recovery.check_in, recovery.started) == (failed, NOW - 5, well, NOW + 7)
    assert (alert.description, alert.tags, alert.uid, alert.remaining) == ("nightly", ("a",), f"{1:032x}", False)


async def test_a_notice_of_a_miss_says_when_it_was_due_and_not_when_somebody_looked(store):
    world = made(store)
    missed = stores.check_in(
        ids.check_in_number(NOW, 1), stores.track(1, 1), State.MISSED, receive_time=NOW - 900, update_time=NOW - 415
    )
    world.commit(stores.delta(missed))
    world.opens(1, cause=Cause.MISSED, last_check_in=missed.id)
    await world.told()
    (row,) = world.outbox.page(1, size=9).rows
    assert (row.content.check_in, row.content.started) == (missed.id, NOW - 415)


async def test_a_window_that_silences_knows_the_tags_of_the_group(store):
    silenced = Surroundings(silenced=lambda _project, _monitor, _environment, _at, tags: "quiet" in tags)
    world = made(store, surroundings=silenced)
    world.changes(1, group="g")
    world.group("g", tags=("quiet",))
    world.opens(1)
    world.event(1, "run", subject=7)
    assert await world.told(600) == []
    world.group("g", tags=())
    assert await world.told(600) == []  # silence was final


async def test_what_is_switched_off_recovers_without_a_word(store):
    world = made(store)
    world.opens(1)
    await world.told()
    world.resolves(1, resolved_by=BY_DEACTIVATION)
    assert await world.told(600) == []
    assert stores.count(world.store, "alerts") == 0


async def test_who_subscribes_after_the_first_failure_hears_of_the_third(store):
    world = World(store)
    world.monitors(1, 2, policy=own(failures=3))
    world.changes(2, group="g")
    group = world.group("g")
    await world.told()
    world.opens(1, 2, cause=Cause.MISSED, failure_count=1)
    assert await world.told() == []
    assert stores.count(store, "alerts") == 0
    ops = world.channel("ops")
    world.subscribe(ops, monitor=1)
    world.subscribe(ops, group=group)
    world.dispatcher.heard([1], [group])
    assert await world.told(60) == []
    for failures in (2, 3):
        world.continues(1, failures)
        world.continues(2, failures)
    assert await world.told() == [["m-1 alert 1 missed"], ["m-2 alert 1 missed"]]


async def test_who_subscribes_before_the_time_is_over_hears_of_it(store):
    world = World(store)
    world.monitors(1, policy=own(delay_ms=30 * MINUTE))
    world.opens(1, cause=Cause.MISSED)
    assert await world.told(1) == []
    world.subscribe(world.channel("ops"), monitor=1)
    world.dispatcher.heard([1], [])
    assert await world.told(28) == []
    assert await world.told(1) == [["m-1 alert 1 missed"]]


@pytest.mark.parametrize("policy", [own(), AlertPolicy(), own(failures=2), AlertPolicy(repeat_interval_ms=MINUTE)])
async def test_who_subscribes_too_late_does_not_hear_of_what_was_due_before(store, policy):
    world = World(store)
    world.monitors(1, policy=policy)
    world.opens(1, failure_count=2)
    assert await world.told(1) == []
    world.subscribe(world.channel("ops"), monitor=1)
    world.dispatcher.heard([1], [])
    world.dispatcher.heard([1], [])
    assert await world.told(60) == []
    assert stores.count(store, "alerts") == 0
    world.resolves(1)
    assert await world.told(60) == []


async def test_who_subscribes_late_hears_of_the_next_reminder(store):
    world = World(store)
    world.monitors(1, policy=own(repeat_interval_ms=10 * MINUTE))
    world.opens(1)
    assert await world.told(4) == []
    world.subscribe(world.channel("ops"), monitor=1)
    world.dispatcher.heard([1], [])
    assert await world.told(5) == []
    assert await world.told(5) == [["m-1 alert 1 error"]]


async def test_who_is_told_already_is_not_told_again_when_another_subscribes(store):
    world = World(store)
    world.monitors(1, policy=own())
    ops, mail = world.channel("ops"), world.channel("mail")
    world.subscribe(ops, monitor=1)
    world.opens(1)
    assert await world.told() == [["m-1 alert 1 error"]]
    world.subscribe(mail, monitor=1)
    world.dispatcher.heard([1], [])
    assert await world.told(60) == []
    world.resolves(1)
    assert await world.told() == [["m-1 recovery 2 error"]]


@pytest.mark.parametrize("change", [{"group": "g"}, {"alert_policy": AlertPolicy((HOOK,), escalation=Escalation(3))}])
async def test_what_is_given_somebody_to_tell_after_the_first_failure_is_told_of(store, change):
    world = World(store)
    world.monitors(1, policy=own(failures=3))
    world.subscribe(world.channel("ops"), group=world.group("g"))
    world.opens(1, failure_count=1)
    assert await world.told(1) == []
    world.changes(1, **change)
    assert await world.told(1) == []
    world.continues(1, 3)
    assert await world.told() == [["m-1 alert 1 error"]]


async def test_a_default_list_that_somebody_enters_after_the_first_failure(store):
    world = World(store)
    world.monitors(1, policy=own(failures=3))
    world.opens(1, failure_count=1)
    assert await world.told(1) == []
    world.tell(HOOK)
    world.dispatcher.heard([], [], [1])
    assert await world.told(1) == []
    world.continues(1, 3)
    assert await world.told() == [["m-1 alert 1 error"]]
