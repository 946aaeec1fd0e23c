"""Check-ins of many weeks: each week has tables of its own, and nobody who reads can tell."""

import threading

import msgspec
import pytest

from support.stores import (
    NOW,
    check_in,
    commit,
    count,
    delta,
    drain,
    monitor,
    read_pages,
    track,
    with_monitors,
)
from support.stores import check_in_number as number
from tocsin.domain import ids
from tocsin.domain.check_in import State
from tocsin.engine.memory import Needs
from tocsin.store import CheckInFilter, SqlStore, StoreTrouble, check_in_lists, weeks
from tocsin.store.browse import SqlBrowse
from tocsin.store.browse_port import Turn
from tocsin.store.weeks import WEEK

ANY = CheckInFilter()
OF_1 = CheckInFilter(monitor=1)
FIRST = NOW // WEEK * WEEK  # where a week begins


def week(index: int, sequence: int = 0, after: int = 0) -> int:
    """A number of the index-th week from the first on."""
    return number(sequence, FIRST + index * WEEK + after)


def with_weeks(store, *monitors, weeks: int = 4) -> None:
    with_monitors(store, *monitors)
    for index in range(weeks):
        store.prepare(FIRST + index * WEEK)


def starts(store) -> list[int]:
    with store.database.read() as connection:
        return weeks.starts(connection)


def in_weeks(store) -> dict[str, int]:
    """Rows by week, and those without one."""
    with store.database.read() as connection:
        tables = [weeks.kept(), *map(weeks.week, weeks.starts(connection))]
        names = [piece.check_ins.name for piece in tables]
    return {name: rows for name in names if (rows := count(store, name))}


def expire(store, before: int) -> int:
    steps = 0
    while store.expire(check_ins_before=before, refusals_before=0, limit=100):
        steps += 1
        assert steps < 100
    return steps


def newest_first(rows) -> list:
    return sorted(rows, key=lambda row: row.number, reverse=True)


def test_weeks_are_made_ahead_and_once(store):
    with_weeks(store, monitor(1), weeks=1)
    store.prepare(FIRST + WEEK - 1)
    assert starts(store) == [week(0), week(1), week(2)]
    store.prepare(FIRST + WEEK)
    assert starts(store) == [week(0), week(1), week(2), week(3)]
    store.prepare(FIRST - 9 * WEEK)  # a clock set back: before the oldest none is made
    assert starts(store) == [week(0), week(1), week(2), week(3)]


def test_rows_lie_in_their_weeks(store):
    with_weeks(store, monitor(1))
    borders = [week(1, 0) - 1, week(1), week(2) - 1, week(2)]
    commit(store, delta(*(check_in(border, track(1, 1), id=f"{border:032x}") for border in borders)))
    names = [f"check_ins_{weeks.suffix_of(week(index))}" for index in range(3)]
    assert in_weeks(store) == dict(zip(names, [1, 2, 1], strict=True))
    assert count(store, names[1].replace("check_ins", "check_in_ids")) == 2
    assert count(store, "check_ins") == count(store, "check_in_ids") == 4  # the whole


def test_pages_go_on_over_the_borders(store):
    with_weeks(store, monitor(1), monitor(2))
    rows = [
        check_in(week(index, sequence, hours * 3_600_000), track(which, which))
        for index in range(4)
        for sequence, hours in enumerate(range(0, 100, 25))
        for which in (1, 2)
        if sequence % 2 == which - 1
    ]
    commit(store, delta(*rows))
    mine = newest_first(row for row in rows if row.monitor == 1)
    for size in (1, 3, 50):
        assert read_pages(lambda token, size=size: store.list_check_ins(1, OF_1, size=size, token=token)) == mine
        every = read_pages(lambda token, size=size: store.list_check_ins(1, ANY, size=size, token=token))
        assert every == newest_first(rows)
    since = CheckInFilter(monitor=1, since=ids.instant_of(mine[2].number))
    assert store.list_check_ins(1, since, size=50).rows == mine[:3]
    until = CheckInFilter(monitor=1, until=ids.instant_of(mine[2].number))
    assert store.list_check_ins(1, until, size=50).rows == mine[3:]


def test_people_turn_pages_both_ways_over_the_borders(store):
    with_weeks(store, monitor(1))
    rows = [check_in(week(index, sequence), track(1, 1)) for index in range(4) for sequence in range(3)]
    commit(store, delta(*rows))
    browse = SqlBrowse(store.database)
    seen, turn = [], Turn()
    while True:
        leaf = browse.check_ins(1, OF_1, ("production",), size=5, turn=turn)
        seen += leaf.rows
        if not leaf.more_after:
            break
        turn = Turn(leaf.last)
    assert seen == newest_first(rows)
    back = browse.check_ins(1, OF_1, ("production",), size=5, turn=Turn(leaf.first, back=True))
    assert back.rows == seen[5:10]
    assert back.more_before
    assert browse.check_ins(1, OF_1, ("staging",), size=5, turn=Turn()).rows == []


def test_counts_add_weeks_up(store):
    with_weeks(store, monitor(1))
    border = week(2)
    rows = [check_in(border - 1 - index, track(1, 1), duration_ms=10) for index in range(3)]
    rows += [check_in(border + index, track(1, 1), duration_ms=1) for index in range(2)]
    commit(store, delta(*rows))
    at = FIRST + 2 * WEEK
    found = SqlBrowse(store.database).counts([1], since=at - 1000, until=at + 1000, width=2000, environments=())
    assert [(one.number, one.duration, one.durations, one.start) for one in found] == [(5, 32, 5, at - 1000)]


def test_old_rows_are_written_over_in_their_weeks(store):
    with_weeks(store, monitor(1))
    runs = [check_in(week(index), track(1, 1), State.IN_PROGRESS) for index in range(4)]
    commit(store, delta(*runs))
    before = in_weeks(store)
    assert store.get_check_in(1, "m-1", "latest") == runs[3]
    assert drain(store.load())["open_runs"] == runs
    ended = [msgspec.structs.replace(run, state=State.OK, end_time=NOW) for run in runs[1:]]
    changed = delta(*ended)
    changed.new_check_ins.clear()
    commit(store, changed)
    assert in_weeks(store) == before
    assert [store.get_check_in(1, "m-1", row.id) for row in runs] == [runs[0], *ended]
    assert store.get_check_in(1, "m-1", "latest") == runs[0]
    assert drain(store.load())["open_runs"] == runs[:1]


def test_of_an_id_chosen_again_the_newest_counts(store):
    with_weeks(store, monitor(1), monitor(2))
    name = "ab" * 16
    old, new = (check_in(week(index), track(which, which), id=name) for index, which in ((0, 1), (2, 2)))
    commit(store, delta(old, new))
    assert store.recall(Needs(check_ins={(1, name), (2, name), (1, "cd" * 16)})).check_ins == {(1, name): new}
    assert store.get_check_in(1, "m-2", name) == new
    again = check_in(week(2, 5), track(2, 2), id=name)  # in the same week
    commit(store, delta(again))
    assert store.recall(Needs(check_ins={(1, name)})).check_ins == {(1, name): again}
    gone = delta()
    gone.deleted_monitors.add(2)
    commit(store, gone)
    assert store.recall(Needs(check_ins={(1, name)})).check_ins == {(1, name): old}
    while store.expire(check_ins_before=0, refusals_before=0, limit=1):
        pass
    assert store.recall(Needs(check_ins={(1, name)})).check_ins == {(1, name): old}
    assert count(store, "check_in_ids") == 1


def test_many_ids_of_many_weeks_are_recalled_at_once(store):
    with_weeks(store, monitor(1))
    rows = [check_in(week(index % 4, index), track(1, 1), id=f"{index:032x}") for index in range(600)]
    rows += [check_in(week(index % 4, index), track(1, 1)) for index in range(600, 700)]
    commit(store, delta(*rows))
    unknown = {(1, f"{index:032x}") for index in range(1_000, 1_600)}
    found = store.recall(Needs(check_ins={(1, row.id) for row in rows} | unknown)).check_ins
    assert found == {(1, row.id): row for row in rows}


def test_a_week_goes_when_all_of_it_is_old_and_open_runs_stay(store):
    with_weeks(store, monitor(1))
    here = track(1, 1)
    rows = {}
    for index in range(4):
        rows[index] = [check_in(week(index, one), here, id=f"{index:016x}{one:016x}") for one in range(3)]
        rows[index].append(check_in(week(index, 3), here, State.IN_PROGRESS, id=f"{index:016x}{3:016x}"))
        rows[index].append(check_in(week(index, 4), here, State.IN_PROGRESS))
    commit(store, delta(*(row for group in rows.values() for row in group)))
    assert expire(store, FIRST + WEEK - 1) == 0  # the last millisecond of the first week is not old yet
    assert expire(store, FIRST + 2 * WEEK) > 0
    assert starts(store)[0] == week(2)
    left = [*rows[0][3:], *rows[1][3:], *rows[2], *rows[3]]
    assert read_pages(lambda token: store.list_check_ins(1, OF_1, size=3, token=token)) == newest_first(left)
    assert read_pages(lambda token: store.list_check_ins(1, ANY, size=3, token=token)) == newest_first(left)
    assert store.recall(Needs(check_ins={(1, row.id) for group in rows.values() for row in group})).check_ins == {
        (1, row.id): row for row in left
    }
    assert drain(store.load())["open_runs"] == [run for group in rows.values() for run in group[3:]]
    assert in_weeks(store)["check_ins_kept"] == 4
    assert count(store, "check_in_ids_kept") == 2
    # One of them ends: it is an old row like any other then.
    ended = msgspec.structs.replace(rows[0][3], state=State.OK, end_time=NOW)
    changed = delta(ended)
    changed.new_check_ins.clear()
    commit(store, changed)
    assert store.get_check_in(1, "m-1", ended.id) == ended
    expire(store, FIRST + 2 * WEEK)
    assert store.get_check_in(1, "m-1", ended.id) is None
    assert in_weeks(store)["check_ins_kept"] == 3
    assert count(store, "check_in_ids_kept") == 1


def test_the_newest_week_stays(store):
    with_weeks(store, monitor(1), weeks=1)
    expire(store, FIRST + 99 * WEEK)
    assert starts(store) == [week(2)]


def test_a_row_without_a_week_is_kept_and_moves_into_the_week_when_that_is_made(store):
    """A clock far ahead, an old journal: no commit fails. Nothing is there twice, whatever was made when."""
    with_weeks(store, monitor(1), weeks=1)
    here = track(1, 1)
    rows = [check_in(week(index), here, id=f"{index + 99:032x}") for index in (-60, 0, 1, 5, 400)]
    commit(store, delta(*rows))
    assert store.list_check_ins(1, OF_1, size=9).rows == newest_first(rows)
    store.prepare(FIRST + 5 * WEEK)
    store.prepare(FIRST + 400 * WEEK)
    assert store.list_check_ins(1, OF_1, size=9).rows == newest_first(rows)
    assert in_weeks(store)["check_ins_kept"] == 1
    assert in_weeks(store)[f"check_ins_{weeks.suffix_of(week(400))}"] == 1
    assert count(store, "check_in_ids_kept") == 1
    assert store.recall(Needs(check_ins={(1, row.id) for row in rows})).check_ins == {(1, row.id): row for row in rows}
    later = [msgspec.structs.replace(row, message="again") for row in rows]
    commit(store, delta(*later))
    assert store.list_check_ins(1, OF_1, size=9).rows == newest_first(later)
    assert expire(store, FIRST)  # what has no week and is old goes, too
    assert store.list_check_ins(1, OF_1, size=9).rows == newest_first(later[1:])
    assert count(store, "check_in_ids") == 4


def test_no_commit_waits_for_readers_to_make_a_week(store):
    """Not even one that does more than add rows."""
    with_weeks(store, monitor(1), monitor(2), weeks=1)
    commit(store, delta(check_in(week(0), track(1, 1))))
    row = check_in(week(9), track(1, 1))
    made = delta(row)
    made.deleted_monitors.add(2)
    with store.database.read() as connection:
        weeks.hold(connection)
        assert len(check_in_lists.list_page(connection, 1, OF_1, size=9, token="").rows) == 1
        commit(store, made)
    assert store.list_check_ins(1, OF_1, size=9).rows[0] == row


def test_deleted_monitors_and_environments_go_from_all_weeks(store):
    with_weeks(store, monitor(1), monitor(2))
    commit(store, delta(track(3, 1, 2)))
    tracks = (track(1, 1), track(2, 2), track(3, 1, 2))
    rows = [
        check_in(week(index, 10 * one + which), here, id=f"{index}{one}{which}".rjust(32, "0"))
        for index in range(4)
        for one in range(3)
        for which, here in enumerate(tracks)
    ]
    commit(store, delta(*rows))
    gone = delta(deleted_tracks={3: 1})
    gone.deleted_monitors.add(2)
    commit(store, gone)
    while went := store.expire(check_ins_before=0, refusals_before=0, limit=5):
        assert went <= 5
    left = [row for row in rows if row.track == 1]
    assert store.list_check_ins(1, ANY, size=99).rows == newest_first(left)
    assert count(store, "check_ins") == count(store, "check_in_ids") == len(left)


def test_another_process_sees_the_same_weeks(store):
    with_weeks(store, monitor(1))
    row = check_in(week(3), track(1, 1))
    commit(store, delta(check_in(week(0), track(1, 1)), row))
    other = SqlStore(store.database.url)
    try:
        assert other.list_check_ins(1, OF_1, size=9).rows[0] == row
        expire(store, FIRST + 2 * WEEK)
        assert other.list_check_ins(1, OF_1, size=9).rows == [row]
        store.prepare(FIRST + 9 * WEEK)
        new = check_in(week(9), track(1, 1))
        commit(store, delta(new))
        assert other.list_check_ins(1, OF_1, size=9).rows == [new, row]
    finally:
        other.close()


def test_readers_go_on_while_weeks_come_and_go(store):
    """Threads read all pages all the time; each sees every row that stays, in order, and none twice."""
    with_weeks(store, monitor(1))
    lasting = [check_in(week(index, 7), track(1, 1), State.IN_PROGRESS, id=f"{index:032x}") for index in range(8)]
    passing = [check_in(week(index, 1), track(1, 1)) for index in range(8)]
    wanted = [row.number for row in reversed(lasting[:3])]
    commit(store, delta(*lasting[:3], *passing[:3]))
    done = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        while not done.is_set():
            try:
                seen = [row.number for row in store.list_check_ins(1, OF_1, size=99).rows]
                found = store.recall(Needs(check_ins={(1, row.id) for row in lasting[:3]})).check_ins
            except Exception as error:
                wrong.append(error)
                return
            if [one for one in seen if one in wanted] != wanted or seen != sorted(set(seen), reverse=True):
                wrong.append(seen)
            if len(found) != 3:
                wrong.append(found)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for index in range(3, 8):
            patiently(store.prepare, FIRST + index * WEEK)
            commit(store, delta(lasting[index], passing[index]))
            patiently(expire, store, FIRST + (index - 1) * WEEK)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert starts(store)[0] == week(6)
    assert [row.number for row in store.list_check_ins(1, OF_1, size=99).rows] == [
        *(row.number for index in (7, 6) for row in (lasting[index], passing[index])),
        *(row.number for row in reversed(lasting[:6])),
    ]


def patiently(work, *arguments) -> None:
    """Where a reader is in the way, later: as the janitor does."""
    for _ in range(200):
        try:
            work(*arguments)
        except StoreTrouble:
            continue
        return
    raise AssertionError("readers never let the writer in")


def test_a_long_reader_loses_nothing_and_holds_nobody_up(store, backend):
    with_weeks(store, monitor(1))
    rows = [check_in(week(index), track(1, 1)) for index in range(4)]
    commit(store, delta(*rows))
    with store.database.read() as connection:
        assert check_in_lists.list_page(connection, 1, OF_1, size=9, token="").rows == rows[::-1]
        if backend == "postgresql":  # a drop needs the lock that the reader has: it does not wait, and says so
            with pytest.raises(StoreTrouble):
                expire(store, FIRST + 2 * WEEK)
        else:
            expire(store, FIRST + 2 * WEEK)
            assert check_in_lists.list_page(connection, 1, OF_1, size=9, token="").rows == rows[::-1]
        commit(store, delta(check_in(week(3, 9), track(1, 1))))
    expire(store, FIRST + 2 * WEEK)
    assert len(store.list_check_ins(1, OF_1, size=9).rows) == 3


@pytest.mark.parametrize("few", [0, 2, 5])
@pytest.mark.parametrize("states", [None, frozenset({State.ERROR})])
def test_check_ins_of_a_project_among_others(store, monkeypatch, few, states):
    """Monitor by monitor or all in a row: the same check-ins; a page may be short, and its token goes on."""
    monkeypatch.setattr(check_in_lists, "FEW", few)
    monkeypatch.setattr(check_in_lists, "LOOKED", 30)
    monkeypatch.setattr(check_in_lists, "_FIRST_BLOCK", 4)
    monkeypatch.setattr(check_in_lists, "_BLOCK", 5)
    monkeypatch.setattr(check_in_lists, "_COST", 1)
    with_weeks(store, monitor(1), monitor(2), monitor(3, project=2), monitor(4))
    rows = []
    for index in range(160):
        which = 3 if index % 8 else 1 + index // 8 % 2
        state = State.ERROR if index % 16 == 0 else State.OK
        rows.append(check_in(week(index // 40, index), track(which, which), state, project=2 if which == 3 else 1))
    commit(store, delta(*rows))
    only = CheckInFilter(states=states)
    mine = [row for row in newest_first(rows) if row.project == 1 and (states is None or row.state in states)]
    for size in (1, 3, 500):
        assert read_pages(lambda token, size=size: store.list_check_ins(1, only, size=size, token=token)) == mine
    assert read_pages(lambda token: store.list_check_ins(3, only, size=5, token=token)) == []
