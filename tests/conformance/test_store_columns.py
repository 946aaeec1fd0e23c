"""Check-ins that come in columns read back as those that come as objects."""

import random

import pytest

from support.stores import NOW, check_in, check_in_number, commit, delta, monitor, read_pages, track, with_monitors
from tocsin._core import bulk
from tocsin._core.recorded import Recorded
from tocsin.domain.check_in import STATE_NUMBERS, State
from tocsin.engine.delta import Columns
from tocsin.store.port import CheckInFilter
from tocsin.store.weeks import WEEK

TRACKS = [track(number, number) for number in (1, 2, 3)]


def recorded(made):
    rows = Recorded()
    for one in made:
        times = (one.receive_time, one.update_time, one.end_time, one.duration_ms, one.expected_time)
        rows.append(one.number, one.monitor, one.track, STATE_NUMBERS[one.state], *times, one.policy)
    return rows


def stored(store):
    return read_pages(lambda token: store.list_check_ins(1, CheckInFilter(), size=500, token=token))


@pytest.mark.parametrize("count", [0, 1, 2, 127, 128, 129, 300])
def test_columns_read_back_as_check_ins(store, count):
    with_monitors(store, monitor(1), monitor(2), monitor(3))
    chance = random.Random(count)
    made = []
    for index in range(count):
        at = NOW + chance.randrange(-5000, 5000)
        missed = chance.random() < 0.2
        made.append(
            check_in(
                check_in_number(index),
                chance.choice(TRACKS),
                State.MISSED if missed else State.OK,
                receive_time=at,
                update_time=at + chance.choice((0, 9000)),
                end_time=None if missed else at,
                duration_ms=chance.choice((None, 0, 2**31 - 1)),
                expected_time=chance.choice((None, at, at - 60_000)),
                policy=chance.choice((0, 1)),
                dialect="native" if index < count // 2 else "sentry",
                client="" if index < count // 2 else "agent/1 (ä)",
            )
        )
    first, second = made[: count // 2], made[count // 2 :]
    columns = [Columns(recorded(first), 1, "native", ""), Columns(recorded(second), 1, "sentry", "agent/1 (ä)")]
    commit(store, delta(columns=columns))
    assert stored(store) == made[::-1]


def test_columns_and_objects_are_one_transaction(store):
    with_monitors(store, monitor(1), monitor(2), monitor(3))
    made = [check_in(check_in_number(index), TRACKS[0], end_time=NOW) for index in range(4)]
    commit(store, delta(made[1], columns=[Columns(recorded([made[0], made[2]]), 1, "native", "")]))
    assert stored(store) == [made[2], made[1], made[0]]
    with pytest.raises(Exception, match=r"(?i)unique"):
        commit(store, delta(made[3], columns=[Columns(recorded([made[2]]), 1, "native", "")]))
    assert stored(store) == [made[2], made[1], made[0]], "nothing of it was kept"
    commit(store, delta(columns=[Columns(recorded([made[3]]), 1, "native", "")]))
    assert stored(store) == made[::-1]


@pytest.mark.parametrize("prepared", [-WEEK, 0, 5 * WEEK])
def test_columns_of_many_weeks_whatever_weeks_there_are(store, prepared):
    """Before the oldest of them, too: the clock was ahead when the database was new."""
    with_monitors(store, monitor(1), monitor(2), monitor(3))
    store.prepare(NOW + prepared)
    ats = [NOW, NOW + WEEK, NOW + 4 * WEEK, NOW + 4 * WEEK + 1]
    made = [check_in(check_in_number(0, at), TRACKS[0], end_time=at) for at in ats]
    for some in (made[:2], made[2:]):
        commit(store, delta(columns=[Columns(recorded(some), 1, "native", "")]))
    assert stored(store) == made[::-1]
    late = [check_in(check_in_number(0, NOW + at * WEEK), TRACKS[1], end_time=NOW) for at in (10, 12, 14)]
    commit(store, delta(columns=[Columns(recorded(late), 1, "native", "")]))
    assert stored(store) == late[::-1] + made[::-1]


def test_parts_are_what_they_are_said_to_be():
    for part in ((None, 1, ""), (Recorded(), "1", ""), (Recorded(), 1, None), (Recorded(), True, "")):
        for make in (bulk.parameters, bulk.copied):
            with pytest.raises(TypeError):
                make([part])
    with pytest.raises(UnicodeEncodeError):
        bulk.copied([(Recorded(), 1, "\ud800")])
    with pytest.raises(OverflowError):
        bulk.copied([(Recorded(), 2**70, "")])
    assert bulk.parameters([]) == []
