"""Refusals: what is kept of them, what a flood leaves, and what is taken away on demand."""

import msgspec
import pytest

from support.stores import NOW, commit, count, delta, drain, monitor, unnumbered, with_monitors
from tocsin.domain.commands import DeleteRefusals
from tocsin.domain.facts import CheckInRefused


def refused(monitor_id: str, text: str = "", *, project: int = 1, reason: str = "CHECKIN_FINISHED", **fields):
    return CheckInRefused(project, monitor_id, reason, text, NOW, "sentry", **fields)


def texts(store, monitor_id: str | None = None, project: int = 1) -> list[str]:
    return [row.detail for row in store.list_refusals(project, monitor_id, size=1000).rows]


def test_particulars_come_back(store):
    drain(store.load())
    made = refused("a", data={"existingEnvironment": "dev", "ä": "\x00"}, payload='{"status":"ok"}\ufffd')
    commit(store, delta(refusals=[made]))
    (row,) = store.list_refusals(1, "a", size=2).rows
    assert unnumbered([row]) == [made]
    assert row.number > 0


def test_the_newest_of_each_monitor_stay(store):
    with_monitors(store, monitor(1), monitor(2))
    for number in range(25):
        commit(store, delta(refusals=[refused("m-1", str(number)), refused("m-1", f"{number}b")]))
    commit(store, delta(refusals=[refused("m-2", "other")]))
    assert texts(store, "m-1") == [text for number in range(24, 19, -1) for text in (f"{number}b", str(number))]
    assert texts(store, "m-2") == ["other"]


def test_of_a_flood_in_one_batch_the_newest_stay(store):
    with_monitors(store, monitor(1))
    commit(store, delta(refusals=[refused("m-1", str(number)) for number in range(500)]))
    assert texts(store, "m-1") == [str(number) for number in range(499, 489, -1)]


def test_those_of_unknown_monitors_count_together_and_by_project(store):
    with_monitors(store, monitor(1))
    commit(store, delta(refusals=[refused("m-1", "known"), refused("x", "elsewhere", project=2)]))
    for number in range(30):
        commit(store, delta(refusals=[refused(f"x-{number}", f"{number}a"), refused("", f"{number}b")]))
    assert texts(store) == [t for n in range(29, 24, -1) for t in (f"{n}b", f"{n}a")] + ["known"]
    assert texts(store, project=2) == ["elsewhere"]
    commit(store, delta(refusals=[refused(f"y-{number}", str(number)) for number in range(2_000)]))
    assert texts(store) == [str(number) for number in range(1_999, 1_989, -1)] + ["known"]
    assert count(store, "refusals") == 12


def test_a_new_owner_knows_the_strays_of_the_one_before(open_store, tmp_path):
    store = open_store(tmp_path)
    with_monitors(store, monitor(1))
    commit(store, delta(refusals=[refused(f"x-{number}", str(number)) for number in range(10)]))
    drain(store.load())
    commit(store, delta(refusals=[refused("z", "new")]))
    assert texts(store) == ["new", *[str(number) for number in range(9, 0, -1)]]
    store.close()


def test_a_monitor_that_is_made_later_keeps_its_own(store):
    drain(store.load())
    commit(store, delta(refusals=[refused("m-1", "before")]))
    with_monitors(store, monitor(1))
    commit(store, delta(refusals=[refused(f"x-{number}") for number in range(20)]))
    assert texts(store, "m-1") == ["before"]


@pytest.mark.parametrize(
    ("command", "left"),
    [
        (DeleteRefusals(1), []),
        (DeleteRefusals(2), ["d", "c", "b", "a"]),
        (DeleteRefusals(1, "m-1"), ["d", "c"]),
        (DeleteRefusals(1, ""), ["c", "b", "a"]),
        (DeleteRefusals(1, None, (1, 3, 99)), ["d", "b"]),
        (DeleteRefusals(1, "m-1", (1, 3)), ["d", "c", "b"]),
        (DeleteRefusals(1, None, (), ("MONITOR_DISABLED",)), ["d", "c", "a"]),
        (DeleteRefusals(1, "m-1", tuple(range(2_000)), ("MONITOR_DISABLED",)), ["d", "c", "a"]),
    ],
)
def test_dismissed(store, command, left):
    with_monitors(store, monitor(1), monitor(2))
    made = [refused("m-1", "a"), refused("m-1", "b", reason="MONITOR_DISABLED"), refused("m-2", "c"), refused("", "d")]
    commit(store, delta(refusals=made))
    commit(store, delta(deleted_refusals=[command]))
    assert texts(store) == left


def test_what_comes_with_a_dismissal_came_after_it(store):
    with_monitors(store, monitor(1))
    commit(store, delta(refusals=[refused("m-1", "old")]))
    commit(store, delta(refusals=[refused("m-1", "new")], deleted_refusals=[DeleteRefusals(1, "m-1")]))
    assert texts(store) == ["new"]


def remark(text: str, monitor_id: str = "m-1", **fields):
    return refused(monitor_id, text, reason="MONITOR_FIELD_LOCKED", dropped=False, **fields)


def test_remarks_push_out_no_losses(store):
    with_monitors(store, monitor(1))
    commit(store, delta(refusals=[refused("m-1", "lost"), refused("x", "stray")]))
    for number in range(15):
        commit(store, delta(refusals=[remark(str(number)), remark(str(number), "y")]))
    commit(store, delta(refusals=[remark(f"{number}c") for number in range(30)]))
    commit(store, delta(refusals=[remark(f"{number}d") for number in range(3)]))
    newest = [*(f"{number}d" for number in (2, 1, 0)), *(f"{number}c" for number in range(29, 22, -1))]
    assert texts(store, "m-1") == [*newest, "lost"]
    assert texts(store, "x") == ["stray"]
    assert texts(store, "y") == [str(number) for number in range(14, 4, -1)]


def test_a_remark_that_comes_again_takes_the_place_of_the_one_before(store):
    with_monitors(store, monitor(1), monitor(2))
    commit(store, delta(refusals=[remark("a"), remark("b"), remark("a", "m-2"), refused("m-1", "a")]))
    for late in range(1, 6):
        made = [remark("a", environment="qa"), remark("b"), refused("m-1", "a"), remark("a", environment="dev")]
        commit(store, delta(refusals=[msgspec.structs.replace(one, at=NOW + late) for one in made]))
    rows = store.list_refusals(1, "m-1", size=99).rows
    assert [(row.detail, row.environment) for row in rows if not row.dropped] == [("a", "dev"), ("b", "")]
    assert {row.at for row in rows if not row.dropped} == {NOW + 5}
    assert len([row for row in rows if row.dropped]) == 6
    assert texts(store, "m-2") == ["a"]
