"""Check-ins by either kind of id, the latest open run, and lists that are narrowed."""

import msgspec
import pytest

from support.stores import NOW, check_in, commit, delta, monitor, track, with_monitors
from support.stores import check_in_number as number
from tocsin.domain import errors, ids
from tocsin.domain.check_in import State
from tocsin.domain.instant import MINUTE
from tocsin.engine.memory import Needs
from tocsin.store import CheckInFilter

ANY = CheckInFilter()


def test_a_start_knows_what_was_sent_lately(store):
    """Reports with times of their own and ends without starts, of the five minutes before the clock stood still."""
    with_monitors(store, monitor(1))

    def made(index, at=NOW, **fields):
        times = {"receive_time": at, "update_time": at, **fields}
        return check_in(number(index, at), track(1, 1), **times)

    stamped = [made(1, start_time=NOW - 500), made(2, end_time=NOW - 1), made(3, NOW - 4 * MINUTE, end_time=NOW)]
    stamped.append(made(8, end_time=NOW, series="s"))  # its start may still come
    others = [
        made(4),
        made(9, start_time=NOW, end_time=NOW, series="s"),
        made(5, start_time=NOW, end_time=NOW),
        made(6, NOW - 6 * MINUTE, end_time=NOW),
        made(7, end_time=NOW - 1, id="ab" * 16),
    ]
    commit(store, delta(*stamped, *others, clock=NOW))
    assert list(store.load().recent) == sorted(stamped, key=lambda one: one.number)


def test_both_kinds_of_id_are_found(store):
    with_monitors(store, monitor(1), monitor(2, project=2, id="m-1"))
    ours, chosen = check_in(number(1), track(1, 1)), check_in(number(2), track(1, 1), id="ab" * 16)
    elsewhere = check_in(number(3), track(2, 2), id="ab" * 16, project=2, monitor_id="m-1")
    disguised = check_in(number(4), track(1, 1), id=ids.public_id(number(77)))
    commit(store, delta(ours, chosen, elsewhere, disguised))
    needs = Needs(
        {(1, "m-1"), (3, "m-1"), (1, "none")},
        {(1, ours.id), (1, chosen.id), (2, chosen.id), (1, disguised.id), (2, ours.id), (1, "cd" * 16)},
    )
    found = store.recall(needs)
    assert set(found.monitors) == {(1, "m-1")}
    assert found.check_ins == {
        (1, ours.id): ours,
        (1, chosen.id): chosen,
        (2, chosen.id): elsewhere,
        (1, disguised.id): disguised,
    }
    dashed = "abababab-ABAB-abab-abab-abababababab"
    assert store.get_check_in(1, "m-1", dashed) == chosen
    assert store.get_check_in(1, "m-2", dashed) is None
    assert store.get_check_in(2, "m-1", dashed) == elsewhere
    assert store.get_check_in(1, "m-1", ids.public_id(number(4))) is None  # the client chose its name, this is not it
    with pytest.raises(errors.InvalidArgument):
        store.get_check_in(1, "m-1", "' OR 1=1 --")


def test_latest_is_the_newest_open_run(store):
    with_monitors(store, monitor(1), monitor(2))
    assert store.get_check_in(1, "m-1", "latest") is None
    rows = [check_in(number(index), track(1, 1), State.IN_PROGRESS) for index in (1, 2)]
    commit(store, delta(*rows, check_in(number(3), track(1, 1)), check_in(number(4), track(2, 2), State.IN_PROGRESS)))
    assert store.get_check_in(1, "m-1", "latest") == rows[1]
    assert store.get_check_in(1, "m-1", ids.LATEST) == rows[1]
    commit(store, delta(msgspec.structs.replace(rows[1], state=State.OK)))
    assert store.get_check_in(1, "m-1", "latest") == rows[0]


def test_check_ins_are_narrowed(store):
    with_monitors(store, monitor(1), monitor(2))
    commit(store, delta(track(3, 1, 2)))
    rows = [
        check_in(number(0, NOW), track(1, 1), State.OK),
        check_in(number(0, NOW + 1000), track(1, 1), State.ERROR),
        check_in(number(0, NOW + 2000), track(3, 1), State.MISSED, environment="staging", receive_time=NOW + 500),
        check_in(number(0, NOW + 3000), track(2, 2), State.OK),
    ]
    commit(store, delta(*rows))

    def listed(**only) -> list[int]:
        return [rows.index(row) for row in store.list_check_ins(1, CheckInFilter(**only), size=9).rows]

    assert listed() == [3, 2, 1, 0]
    assert listed(monitor=1) == [2, 1, 0]
    assert listed(environment="staging") == [2]
    assert listed(states=frozenset({State.OK, State.MISSED})) == [3, 2, 0]
    assert listed(states=frozenset()) == []
    assert listed(since=NOW + 1000) == [3, 1]
    assert listed(until=NOW + 1000) == [2, 0]
    assert listed(since=NOW + 100, until=NOW + 1000, monitor=1) == [2]
    assert store.list_check_ins(2, ANY, size=9).rows == []
