"""When the dispatcher wakes and when it sleeps, trouble on its way, and how many requests go out at once."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from support import stores
from support.telling import HOOK, NOW, TAKEN, World
from tocsin.domain.check_in import ReportKind, State
from tocsin.domain.facts import CheckInRecorded, EnvironmentMuted
from tocsin.domain.monitor import AlertPolicy, Policy
from tocsin.notify.webhook import Outcome, Pace
from tocsin.store import StoreTrouble


@pytest.fixture
def store(tmp_path):
    made = stores.open_sqlite(tmp_path)
    yield made
    made.close()


@pytest.fixture
def world(store) -> World:
    made = World(store)
    made.monitors(1, 2, 3)
    made.tell(HOOK)
    return made


@asynccontextmanager
async def running(world: World):
    task = asyncio.create_task(world.dispatcher.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def recorded(world: World):
    """A delta of an ordinary check-in."""
    run = stores.check_in(stores.check_in_number(1), stores.track(1, 1), State.OK)
    return stores.delta(run, facts=[CheckInRecorded(run, ReportKind.OK, True)])


async def test_ordinary_check_ins_wake_nobody_and_cost_no_look(world, monkeypatch):
    assert await world.turn() == 2**63  # nothing to come
    made = recorded(world)
    monkeypatch.setattr(world.dispatcher, "wake", None)
    world.dispatcher._wake.clear()
    made.facts = Untouched(made.facts)
    world.dispatcher.observe(made)
    assert not world.dispatcher._wake.is_set()


class Untouched(list):
    """Facts that nobody looks at while nobody is being told of anything."""

    def __iter__(self):
        raise AssertionError("looked at")


async def test_a_turn_without_news_writes_nothing(world, monkeypatch):
    world.opens(1)
    await world.told()
    monkeypatch.setattr(world.store.database, "write", None)
    assert await world.turn() == 2**63
    assert await world.told(600) == []


async def test_it_wakes_by_a_commit(world):
    async with running(world), asyncio.timeout(20):
        for number in (1, 2):
            world.opens(number)
            await world.went_out.wait()
            world.went_out.clear()
            assert world.requests.pop() == (HOOK, [f"m-{number} alert 1 error"])


async def test_it_wakes_by_time(store):
    world = World(store)
    world.monitors(1, delay_ms=50)
    world.tell(HOOK)
    world.opens(1)
    sleeps = asyncio.Event()
    usual = world.dispatcher._sleep

    async def sleep(until):
        assert until == NOW + 50
        sleeps.set()
        await usual(until)

    world.dispatcher._sleep = sleep
    async with running(world), asyncio.timeout(20):
        await sleeps.wait()
        assert world.requests == []
        world.dispatcher._sleep = usual
        world.clock.at += 50
        await world.went_out.wait()


async def test_trouble_forgets_nothing(world, monkeypatch):
    await world.turn()
    for planned in ("new", "again_due"):
        world.opens({"new": 1, "again_due": 2}[planned])
        usual = getattr(world.dispatcher._planning, planned)

        async def troubled(*_args):
            raise StoreTrouble("locked")

        monkeypatch.setattr(world.dispatcher._planning, planned, troubled)
        with pytest.raises(StoreTrouble):
            await world.dispatcher.turn()
        monkeypatch.setattr(world.dispatcher._planning, planned, usual)
    world.resolves(1)
    assert sorted(await world.told()) == [["m-1 alert 1 error"], ["m-1 recovery 2 error"], ["m-2 alert 1 error"]]


async def test_an_environment_that_is_muted_is_looked_at(world):
    world.opens(1)
    await world.told()
    muted = stores.track(1, 1, flags=4, incident=1)
    world.commit(stores.delta(muted, facts=[EnvironmentMuted(1, 1, "production", True)]))
    await world.turn()
    assert world.outbox.tracked([1])[1].told.hushed
    unmuted = stores.track(1, 1, incident=1)
    world.commit(stores.delta(unmuted, facts=[EnvironmentMuted(1, 1, "production", False)]))
    assert await world.told() == [["m-1 alert 2 error"]]


async def test_so_many_requests_at_once_and_one_to_each_destination(store):
    world = World(store, concurrency=2)
    hooks = [f"webhook:https://{letter}.example.org/" for letter in "abc"]
    world.monitors(1, 2, policy=AlertPolicy(channels=tuple(hooks)))
    world.opens(1, 2)
    busy: list[str] = []
    most = [0]
    two, all_six = asyncio.Barrier(2), asyncio.Event()

    async def send(_project, destination, _notices):
        assert destination not in busy
        busy.append(destination)
        most[0] = max(most[0], len(busy))
        if len(world.requests) < 2:
            await two.wait()  # the first two go out together
        busy.remove(destination)
        world.requests.append((destination, []))
        if len(world.requests) == 6:
            all_six.set()
        return TAKEN

    world.delivering._send = send
    async with running(world), asyncio.timeout(20):
        await all_six.wait()
    assert most == [2]


@pytest.mark.parametrize("kind", ["refuse", "slow"])
async def test_a_backlog_keeps_no_place_that_others_wait_for(store, kind):
    """Two receivers that refuse each notice, or are slow to take it: a third is asked long before they have it all."""
    world = World(store, concurrency=2)
    stores.drain(store.load())
    told = {number: AlertPolicy(channels=("webhook:odd1" if number % 2 else "webhook:odd2",)) for number in range(60)}
    told[61] = AlertPolicy(channels=("webhook:well",))
    monitors = [stores.monitor(number, alert_policy=policy) for number, policy in told.items() if number]
    tracks = [stores.track(number, number) for number in told if number]
    world.commit(stores.delta(*monitors, *tracks, environments={1: "production"}, policies={1: Policy()}))
    asked: list[str] = []
    pace, well = Pace(5, 20_000), asyncio.Event()

    async def send(_project, destination, notices):
        asked.append(destination)
        if len(asked) == 4:
            world.opens(61)
        await asyncio.sleep(0)
        if "well" in destination:
            well.set()
        elif kind == "refuse":
            return Outcome(sent=False, again=True, error="no answer in time", taken=1, pace=pace)
        return Outcome(sent=True, taken=1, pace=pace)

    world.delivering._send = send
    world.opens(*range(1, 60))
    async with running(world), asyncio.timeout(30):
        await well.wait()
    assert asked.index("webhook:well") < 40


async def test_what_is_being_sent_when_it_ends_stays_pending(world):
    world.opens(1)
    begun = asyncio.Event()

    async def send(*_):
        begun.set()
        await asyncio.Event().wait()

    world.delivering._send = send
    async with running(world):
        await begun.wait()
    assert world.states() == {"PENDING": 1}


async def test_one_notice_that_breaks_its_sender_stops_no_other(world):
    usual = world.delivering._send

    async def send(project, destination, notices):
        if notices[0].monitor == 1:
            raise ZeroDivisionError
        return await usual(project, destination, notices)

    world.delivering._send = send
    world.opens(1, 2)
    assert await world.told() == [["m-2 alert 1 error"]]
    assert world.states() == {"SENT": 1, "PENDING": 1}
    await world.told(600)  # it may have been the server's own trouble
    assert world.states() == {"SENT": 1, "DEAD": 1}
    dead = world.outbox.page(1, size=9).rows[-1]
    assert dead.error == "internal: ZeroDivisionError"


async def test_one_notice_that_breaks_its_sender_takes_none_of_its_request_with_it(store):
    world = World(store, group_from=5)
    world.monitors(*range(1, 21))
    world.tell(HOOK)
    usual = world.delivering._send

    async def send(project, destination, notices):
        if any(notice.monitor == 7 for notice in notices):
            raise ZeroDivisionError
        return await usual(project, destination, notices)

    world.delivering._send = send
    world.opens(*range(1, 21))
    went_out = [words for request in await world.told() for words in request]
    assert sorted(went_out) == sorted(f"m-{number} alert 1 error" for number in range(1, 21) if number != 7)
    assert world.states() == {"SENT": 19, "PENDING": 1}
    await world.told(600)
    assert world.states() == {"SENT": 19, "DEAD": 1}


async def test_many_incidents_that_nobody_is_told_of_are_passed_over_at_once(store):
    world = World(store)
    world.monitors(*range(1, 301))
    world.opens(*range(1, 301))
    assert await world.told() == []
    found, last = world.tellable.opened_after(0, 10)
    assert (found, last) == ([], 300)
    assert stores.count(world.store, "alerts") == 0
    assert world.clock.at == NOW
