"""Check-ins by when they were recorded agree with counting and sorting by hand, on every database."""

import itertools
import random
from collections import Counter

import pytest

from support.stores import NOW, check_in, commit, delta, monitor, track, with_monitors
from support.stores import check_in_number as number
from tocsin.domain import ids
from tocsin.domain.check_in import State
from tocsin.domain.instant import DAY, HOUR
from tocsin.store import recorded
from tocsin.store.browse import SqlBrowse
from tocsin.store.browse_port import Stretch
from tocsin.store.weeks import WEEK

STATES = (State.OK, State.OK, State.MISSED, State.ERROR, State.NOTE, State.UNKNOWN)
SHOWN = {State.OK, State.MISSED, State.ERROR}


@pytest.fixture
def browse(store):
    return SqlBrowse(store.database)


@pytest.fixture
def rows(store):
    """Two monitors over three weeks; one has another environment. A miss is received long before it is recorded."""
    chosen = random.Random(7)
    with_monitors(store, monitor(1), monitor(2), monitor(3))
    tracks = {1: track(1, 1), 2: track(2, 2), 3: track(3, 3), 4: track(4, 1, 2)}
    commit(store, delta(tracks[4]))
    for behind in range(-2, 1):
        store.prepare(NOW + behind * WEEK)
    found = []
    for index in range(600):
        at, state = NOW - chosen.randrange(3 * WEEK), chosen.choice(STATES)
        fields = {"receive_time": at - 5 * DAY} if state is State.MISSED else {}
        of = tracks[chosen.choice([1, 1, 2, 4])]
        environment = "staging" if of.environment == 2 else "production"
        found.append(check_in(number(index, at), of, state, environment=environment, **fields))
    commit(store, delta(*found))
    return [row for row in found if row.environment == "production"]


def at(row):
    return ids.instant_of(row.number)


@pytest.mark.parametrize("count", [2, 3, 9])
def test_tallies_are_what_counting_gives(browse, rows, count):
    cuts = [NOW - 3 * WEEK + HOUR + step * (2 * WEEK // count) for step in range(count + 1)]
    found = browse.tallies([1, 2, 3], "production", cuts)
    assert set(found) == {1, 2}
    for wanted in (1, 2):
        for place, (since, until) in enumerate(itertools.pairwise(cuts)):
            here = Counter(row.state for row in rows if row.monitor == wanted and since <= at(row) < until)
            assert found[wanted][place] == dict(here)


def test_nothing_is_counted_where_nothing_is(browse, rows):
    assert browse.tallies([], "production", [0, NOW]) == {}
    assert browse.tallies([1, 2], "production", [NOW]) == {}
    assert browse.tallies([3], "production", [0, NOW]) == {}
    assert browse.tallies([1], "production", [NOW, NOW]) == {}
    assert rows


@pytest.mark.parametrize("size", [5, 1000])
@pytest.mark.parametrize(("block", "looked"), [(20_000, 200_000), (9, 10_000), (7, 30)])
def test_pages_are_what_sorting_gives(monkeypatch, browse, rows, size, block, looked):
    monkeypatch.setattr(recorded, "BLOCK", block)
    monkeypatch.setattr(recorded, "LOOKED", looked)
    since, until = NOW - 2 * WEEK, NOW - HOUR
    mine = [row for row in rows if row.monitor == 1 and row.state in SHOWN and since <= at(row) < until]
    wanted = [row.number for row in sorted(mine, key=lambda row: -row.number)]
    found, rest = [], 2**63 - 1
    while rest:
        rows, rest = browse.recorded(1, "production", SHOWN, Stretch(since, until, rest), size)
        assert len(rows) <= size
        found += [row.number for row in rows]
    assert found == wanted
    if looked < len(wanted):
        return  # what is behind an offset that is further away is not found
    for offset in (0, 1, size, 50, len(wanted) - 1, len(wanted), len(wanted) + 9):
        rows, _ = browse.recorded(1, "production", SHOWN, Stretch(since, until, offset=offset), size)
        assert [row.number for row in rows] == wanted[offset : offset + size]


def test_a_page_of_nothing(browse, rows):
    assert browse.recorded(3, "production", SHOWN, Stretch(0, NOW), 5) == ([], 0)
    assert browse.recorded(1, "production", (), Stretch(0, NOW), 5) == ([], 0)
    assert browse.recorded(1, "production", SHOWN, Stretch(NOW, NOW), 5) == ([], 0)
    assert rows


def test_of_a_monitor_one_environment_counts(store, browse, rows):
    """The one that is asked for, else the first by name."""
    cuts = [NOW - 3 * WEEK, NOW]
    assert browse.tallies([1], "nowhere", cuts) == browse.tallies([1], "production", cuts)
    staging = browse.tallies([1], "staging", cuts)
    assert staging != browse.tallies([1], "production", cuts)
    page = browse.recorded(1, "staging", STATES, Stretch(0, NOW), 1000)
    assert len(page.rows) == sum(staging[1][0].values())
    assert {row.environment for row in page.rows} == {"staging"}
    commit(store, delta(track(9, 3, 2), check_in(number(5000, NOW - HOUR), track(9, 3, 2), environment="staging")))
    assert browse.tallies([3], "nowhere", cuts) == {}  # its first is production, where nothing was
    assert browse.tallies([3], "staging", cuts) == {3: [{State.OK: 1}]}
    assert rows
