"""Statistics agree with counting by hand, on every database, however few check-ins are looked at at once."""

import math
import random
from collections import Counter, defaultdict

import pytest

from support.stores import NOW, check_in, commit, delta, incident, monitor, track, with_monitors
from support.stores import check_in_number as number
from tocsin.domain.check_in import State
from tocsin.domain.instant import DAY, HOUR, MINUTE
from tocsin.store import statistics
from tocsin.store.browse import SqlBrowse
from tocsin.store.browse_port import DURATION, Downtime, IncidentCount, Window
from tocsin.store.weeks import WEEK

QUANTILES = (0.1, 0.5, 0.9, 0.99)
STATES = (State.OK, State.OK, State.ERROR, State.IN_PROGRESS, State.MISSED, State.NOTE, State.TIMED_OUT)


@pytest.fixture
def browse(store):
    return SqlBrowse(store.database)


def slow(rows, environment_of, since, until, width, measures):
    """(monitor, environment, start) → states, how many started, and all values of each measure."""
    found = defaultdict(lambda: (Counter(), [0], {measure: [] for measure in measures}))
    for row in rows:
        if not since <= row.receive_time < until:
            continue
        place = row.monitor, environment_of[row.track], since + (row.receive_time - since) // width * width
        states, started, values = found[place]
        states[row.state] += 1
        started[0] += row.start_time is not None
        for measure in measures:
            value = row.duration_ms if measure == DURATION else row.metrics.get(measure)
            if value is not None:
                values[measure].append(value)
    return found


def nearest(values, fraction):
    return sorted(values)[max(math.ceil(fraction * len(values)), 1) - 1]


@pytest.fixture
def busy(store):
    """Two monitors in two environments over three weeks, and a third of which nobody asks."""
    chosen = random.Random(11)
    with_monitors(store, monitor(1), monitor(2), monitor(3))
    tracks = {1: track(1, 1), 2: track(2, 2), 3: track(3, 3), 4: track(4, 1, 2)}
    commit(store, delta(tracks[4]))
    for weeks in range(-2, 1):
        store.prepare(NOW + weeks * WEEK)
    rows = []
    for index in range(900):
        at = NOW - chosen.randrange(3 * WEEK)
        fields = {"duration_ms": chosen.choice([None, chosen.randrange(5_000_000)])}
        if chosen.random() < 0.6:
            fields["start_time"] = at
        if chosen.random() < 0.5:
            fields["metrics"] = {"count": chosen.choice([0, 3.5, -2, chosen.randrange(1000)]), "length": index}
        of = tracks[chosen.choice([1, 1, 1, 2, 3, 4])]
        environment = "staging" if of.environment == 2 else "production"
        rows.append(check_in(number(index, at), of, chosen.choice(STATES), environment=environment, **fields))
    commit(store, delta(*rows))
    return [row for row in rows if row.monitor != 3], {row.track: row.environment for row in rows}


@pytest.mark.parametrize(("first", "block"), [(2_000, 50_000), (10_000, 1), (7, 13)])
@pytest.mark.parametrize("width", [3 * HOUR, 3 * WEEK])
def test_statistics_are_what_counting_gives(monkeypatch, browse, busy, first, block, width):
    monkeypatch.setattr(statistics, "FIRST", first)
    monkeypatch.setattr(statistics, "BLOCK", block)
    rows, environment_of = busy
    since, until = NOW - 3 * WEEK + HOUR, NOW - HOUR
    measures = (DURATION, "count", "length")
    window = Window(since, until, width)
    found = browse.statistics([2, 1], window, measures=measures, quantiles=QUANTILES)
    expected = slow(rows, environment_of, since, until, width, measures)
    assert [row[:3] for row in found] == sorted(expected)
    near = 0.0 if first > 900 else 0.011
    for row in found:
        states, (started,), values = expected[row[:3]]
        assert (row.states, row.started) == (dict(states), started)
        assert row.spreads.keys() == {measure for measure in measures if values[measure]}
        for measure, spread in row.spreads.items():
            assert spread.number == len(values[measure])
            assert spread.total == pytest.approx(sum(values[measure]))
            wanted = [nearest(values[measure], part) for part in QUANTILES]
            assert list(spread.quantiles) == pytest.approx(wanted, rel=near if measure == DURATION else 0.0)


def test_statistics_of_some_environments(browse, busy):
    rows, environment_of = busy
    window = Window(NOW - 3 * WEEK, NOW + 1, 3 * WEEK + 1, ("staging",))
    found = browse.statistics([1, 2], window, measures=(), quantiles=())
    expected = slow(rows, environment_of, *window[:3], ())
    assert [(row[:3], row.states, row.spreads) for row in found] == [
        (place, dict(states), {}) for place, (states, _, _) in expected.items() if place[1] == "staging"
    ]
    assert browse.statistics([9], window, measures=(DURATION,), quantiles=QUANTILES) == []


def test_rounding_keeps_three_digits(monkeypatch, store, browse):
    """Of many check-ins lengths are rounded before they are grouped; their sum is not."""
    monkeypatch.setattr(statistics, "FIRST", 1)
    with_monitors(store, monitor(1))
    lengths = [7, 1, 999, 1000, 1004, 1005, 9_995, 123_456, 86_400_000, 2**31 - 1]
    rows = [
        check_in(number(index, NOW + index), track(1, 1), duration_ms=length) for index, length in enumerate(lengths)
    ]
    commit(store, delta(*rows))
    tenths = tuple(index / 10 for index in range(1, 11))
    (found,) = browse.statistics([1], Window(NOW, NOW + DAY, DAY), measures=(DURATION,), quantiles=tenths)
    spread = found.spreads[DURATION]
    assert (spread.number, spread.total) == (10, sum(lengths))
    assert spread.quantiles == (1, 7, 999, 1000, 1000, 1010, 10_000, 123_000, 86_400_000, 2_150_000_000)


def test_incidents_by_time_and_how_long_they_were_open(store, browse):
    with_monitors(store, monitor(1), monitor(2))
    own, other, staging = track(1, 1), track(2, 2), track(4, 1, 2)
    commit(store, delta(staging))
    made = [
        incident(1, own, open_time=NOW - 2 * HOUR, resolve_time=NOW - HOUR),  # over before
        incident(2, own, open_time=NOW - MINUTE, resolve_time=NOW + MINUTE),  # begun before
        incident(3, own, open_time=NOW + 5 * MINUTE, resolve_time=NOW + 7 * MINUTE),
        incident(4, own, open_time=NOW + 50 * MINUTE),  # still open
        incident(5, other, open_time=NOW + 2 * HOUR),  # later
        incident(6, staging, open_time=NOW, resolve_time=NOW + 3 * HOUR, environment="staging"),
    ]
    commit(store, delta(*made))
    found = browse.incident_counts([1, 2], Window(NOW, NOW + HOUR, 10 * MINUTE))
    assert sorted(found) == [
        IncidentCount(1, "production", NOW, 1),
        IncidentCount(1, "production", NOW + 50 * MINUTE, 1),
        IncidentCount(1, "staging", NOW, 1),
    ]
    window = Window(NOW, NOW + HOUR, HOUR)
    assert sorted(browse.downtimes([1, 2], window)) == [
        Downtime(1, "production", 13 * MINUTE),
        Downtime(1, "staging", HOUR),
    ]
    assert browse.downtimes([1, 2], window._replace(environments=("staging",))) == [Downtime(1, "staging", HOUR)]
    assert browse.incident_counts([2], window) == []


def test_monitors_by_number(store, browse):
    with_monitors(store, monitor(1), monitor(2), monitor(3, project=2))
    found = browse.monitors_numbered(1, [2, 3, 9, 1])
    assert sorted(row.monitor.id for row in found) == ["m-1", "m-2"]
    assert browse.monitors_numbered(1, []) == []
