"""Logs of what was told: counted pages, newest first, of a time; in either database."""

import pytest

from support.telling import HOOK, NOW, World
from tocsin.domain.instant import MINUTE
from tocsin.domain.notice import Notice
from tocsin.store.notice_searches import Search, SqlNoticeSearches

OTHER = "email:a@example.org"


@pytest.fixture
async def searches(store) -> SqlNoticeSearches:
    """Two monitors that fail a minute apart and recover, told to two; events, which are no alerts."""
    world = World(store)
    world.monitors(1, 2)
    world.tell(HOOK, OTHER)
    world.event(1, "run", subject=7)
    for number in (1, 2):
        world.opens(number)
        await world.told(1)
    world.resolves(1)
    await world.told()
    return SqlNoticeSearches(store.database)


def search(**fields) -> Search:
    return Search(**{"project": 1, "since": NOW, "until": NOW + 2 * MINUTE, **fields})


def shown(notices: list[Notice]) -> list[str]:
    return [f"{one.monitor} {one.kind.name.lower()} {one.destination.partition(':')[0]}" for one in notices]


async def test_each_thing_that_was_told_is_there_once(searches):
    found, total = searches.told(search(), size=2)
    assert (shown(found), total) == (["1 recovery webhook", "2 alert webhook"], 3)
    found, total = searches.told(search(), size=2, offset=2)
    assert (shown(found), total) == (["1 alert webhook"], 3)
    assert searches.told(search(), size=2, offset=4) == ([], 3)
    assert shown(searches.told(search(monitor=2), size=9)[0]) == ["2 alert webhook"]
    assert searches.told(search(project=2), size=9) == ([], 0)


@pytest.mark.parametrize(
    ("since", "until", "kinds"),
    [(0, 0, ["1 alert"]), (1, 1, ["2 alert"]), (1, 2, ["1 recovery", "2 alert"]), (3, 9, [])],
)
async def test_of_a_time_with_both_its_ends(searches, since, until, kinds):
    found, total = searches.told(search(since=NOW + since * MINUTE, until=NOW + until * MINUTE), size=9)
    assert ([row.rpartition(" ")[0] for row in shown(found)], total) == (kinds, len(kinds))


async def test_each_delivery_is_there(searches):
    found, total = searches.deliveries(search(), size=3)
    assert (shown(found), total) == (["1 recovery email", "1 recovery webhook", "2 alert email"], 6)
    found, total = searches.deliveries(search(destination=HOOK, monitor=1), size=9)
    assert (shown(found), total) == (["1 recovery webhook", "1 alert webhook"], 2)


@pytest.mark.parametrize(("failed", "kind"), [(True, "email"), (False, "webhook")])
async def test_those_that_failed_and_those_that_did_not(searches, failed, kind):
    found, total = searches.deliveries(search(failed=failed), size=9)
    assert (total, {row.rpartition(" ")[2] for row in shown(found)}) == (3, {kind})
