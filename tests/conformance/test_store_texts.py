"""Text, order and numbers mean the same in every database."""

import msgspec
import pytest

from support.stores import NOW, commit, delta, drain, incident, monitor, read_pages, track, unnumbered, with_monitors
from tocsin.domain import errors
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.monitor import FieldWriter
from tocsin.domain.project import Scope
from tocsin.domain.trace_error import TraceError
from tocsin.engine.memory import Needs
from tocsin.store import pages
from tocsin.store.browse import SqlBrowse
from tocsin.store.browse_port import MonitorSearch, Sort, Turn

IDS = ["Z", "a", "B", "a_b", "a-b", "ab", "10", "9", "é", "É", "z", "_", "-x", "ä", "zz", "\U0001f600", "\uffee"]


def numbers(found) -> list[int]:
    return [row.monitor.number for row in found]


@pytest.mark.parametrize("order", ["id", "id desc", "display_name", "display_name desc"])
def test_names_are_in_the_order_of_code_points(store, order):
    with_monitors(store, *(monitor(n, id=f"x{text}", display_name=text) for n, text in enumerate(IDS, 1)))
    wanted = sorted(range(1, len(IDS) + 1), key=lambda n: IDS[n - 1], reverse="desc" in order)
    found = read_pages(lambda token: store.list_monitors(1, size=3, token=token, order_by=order))
    assert numbers(found) == wanted


@pytest.mark.parametrize("sort", [Sort.ID, Sort.NAME])
def test_lists_for_people_likewise(store, sort):
    with_monitors(store, *(monitor(n, id=text, display_name=text) for n, text in enumerate(IDS, 1)))
    ascii_lower = str.maketrans({chr(code): chr(code + 32) for code in range(65, 91)})
    key = (lambda text: (text.translate(ascii_lower), text)) if sort is Sort.NAME else (lambda text: text)
    wanted = [IDS.index(text) + 1 for text in sorted(IDS, key=key)]
    seen, turn = [], Turn()
    while True:
        leaf = SqlBrowse(store.database).monitors(1, MonitorSearch(sort=sort), now=NOW, size=4, turn=turn)
        seen += numbers(leaf.rows)
        if not leaf.more_after:
            break
        turn = Turn(leaf.last)
    assert seen == wanted


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("display_name = É", ["É"]),
        ("display_name = é", ["é"]),
        ("display_name = b", ["B"]),
        ("display_name = Z", ["Z", "z"]),
        ("display_name:Z", ["Z", "z", "zz"]),
        ('display_name = "É*"', ["É"]),
        ("labels.É = É", ["É"]),
        ("labels.Z = b", ["Z"]),
        ("labels.z = b", []),
        ('labels."a,b{}" = "1,2"', ["10"]),
        ("labels.0 = zero", ["9"]),
    ],
)
def test_letter_case_of_a_to_z_does_not_matter_and_that_of_others_does(store, text, found):
    labels = {"É": {"É": "É"}, "Z": {"Z": "B"}, "10": {"a,b{}": "1,2"}, "9": {"0": "zero"}}
    made = [monitor(n, id=f"m{n}", display_name=t, labels=labels.get(t, {})) for n, t in enumerate(IDS, 1)]
    with_monitors(store, *made)
    assert {row.monitor.display_name for row in store.list_monitors(1, size=99, filter=text).rows} == set(found)


def test_owners_are_told_apart_by_letter_case(store):
    made = [monitor(n, owner=owner) for n, owner in enumerate(["team:A", "team:a", "team_a", "TEAM:a", ""], 1)]
    with_monitors(store, *made)

    def search(*owners):
        found = SqlBrowse(store.database).monitors(1, MonitorSearch(owners=owners), now=NOW, size=9, turn=Turn())
        return numbers(found.rows)

    assert search("team:a") == [2]
    assert search("team:*") == [1, 2]
    assert search("team_*") == [3]
    assert search("", "TEAM*") == [4, 5]


NUL, KEPT = "a\0b\\\0", "a\ufffdb\\\ufffd"


def test_what_no_text_can_hold_is_replaced(store):
    """U+0000 is no character of PostgreSQL's text."""
    written = monitor(
        1,
        display_name=NUL,
        owner=NUL,
        origin=NUL,
        labels={NUL: NUL, "plain": "\\u0000"},
        extras={"a": msgspec.Raw(b'"\\u0000 \\\\u0000"')},
        writers={"owner": FieldWriter(NUL, NOW, True)},
    )
    with_monitors(store, written)
    refusal = CheckInRefused(1, NUL, "MONITOR_NOT_FOUND", NUL, NOW, "sentry", NUL, NUL, data={"a": NUL}, payload=NUL)
    remark = msgspec.structs.replace(refusal, dropped=False)
    error = TraceError(1, "ab" * 16, NOW, NUL, NUL, NUL)
    opened = incident(1, track(1, 1), note=NUL, acknowledged_by=NUL)
    commit(store, delta(opened, refusals=[refusal, remark, remark], trace_errors={(1, "ab" * 16): error}))
    commit(store, delta(refusals=[remark]))
    found = store.get_monitor(1, "m-1")
    assert (found.monitor.display_name, found.monitor.owner, found.monitor.origin) == (KEPT, KEPT, KEPT)
    assert found.monitor.labels == {KEPT: KEPT, "plain": "\\u0000"}
    assert msgspec.json.decode(found.monitor.extras["a"]) == "\ufffd \\u0000"
    assert found.monitor.writers["owner"].by == KEPT
    assert [row.monitor.number for row in store.list_monitors(1, size=9, filter="labels.plain:u0000").rows] == [1]
    assert (found.incidents[1].note, found.incidents[1].acknowledged_by) == (KEPT, KEPT)
    texts = {"monitor_id": KEPT, "detail": KEPT, "environment": KEPT, "check_in_id": KEPT, "payload": KEPT}
    lost = msgspec.structs.replace(refusal, **texts)
    kept = unnumbered(store.list_refusals(1, KEPT, size=9).rows)
    assert kept == [msgspec.structs.replace(lost, dropped=False), lost]
    [known] = store.trace_errors(1, ["ab" * 16]).values()
    assert (known.level, known.type, known.value) == (KEPT, KEPT, KEPT)
    assert store.create_project(NUL, NOW).name == KEPT


def test_who_asks_for_what_no_text_can_hold_finds_nothing(store):
    with_monitors(store, monitor(1, display_name="a"))
    project = store.create_project("p", NOW)
    store.create_key(project.number, Scope.READ, b"\0" * 32, "hint", NOW)
    assert store.list_keys()[0].digest == b"\0" * 32
    assert store.get_monitor(1, NUL) is None
    assert store.get_check_in(1, NUL, "latest") is None
    assert store.get_window(1, NUL) is None
    assert store.get_setting(NUL) is None
    assert store.list_refusals(1, NUL, size=9).rows == []
    assert store.recall(Needs({(1, NUL)})).monitors == {}
    for text in (f'display_name = "{NUL[:3]}"', f'labels."{NUL[:3]}" = a', f'labels.a = "{NUL[:3]}"', "id:\0"):
        assert store.list_monitors(1, size=9, filter=text).rows == []
    search = MonitorSearch(words=(NUL,), ids=(NUL,), owners=(NUL, "\0*"), environments=(NUL,))
    assert SqlBrowse(store.database).monitors(1, search, now=NOW, size=9, turn=Turn()).rows == []


def test_numbers_of_64_bits_are_kept(store):
    with_monitors(store, monitor(1))
    most = 2**63 - 2
    commit(store, delta(track(1, 1, ok_count=most, last_duration=most, expected=most, last_success=-(2**62))))
    [row] = drain(store.load())["tracks"]
    assert row[0] == 1
    found = store.get_monitor(1, "m-1").tracks[0][1]
    assert (found.ok_count, found.last_duration, found.expected, found.last_success) == (most, most, most, -(2**62))


def test_a_number_alone_tells_whose_monitor_it_is(store):
    with_monitors(store, monitor(1), monitor(2, project=2))
    assert [store.monitor_owner(number) for number in (1, 2, 3)] == [(1, "m-1"), (2, "m-2"), None]
    commit(store, delta(deleted_monitors={2}))
    assert store.monitor_owner(2) is None


@pytest.mark.parametrize("number", [2**31, 2**63 - 1, -1, -(2**63)])
def test_numbers_of_64_bits_may_be_asked_for(store, number):
    with_monitors(store, monitor(1))
    assert store.get_incident(1, number) is None
    assert store.get_monitor_by_number(1, number) is None
    assert store.get_monitor_by_number(number, 1) is None
    assert store.monitor_owner(number) is None
    assert store.revoke_key(number, NOW) is False
    assert store.changes_after(2**63 - 1, None, limit=1) == []
    token = pages.encode(("refusals", 1, None), (number,))
    assert store.list_refusals(1, None, size=1, token=token).rows == []


def test_a_token_with_a_wider_number_is_no_token(store):
    token = pages.encode(("refusals", 1, None), (2**63,))
    with pytest.raises(errors.InvalidArgument) as refused:
        store.list_refusals(1, None, size=1, token=token)
    assert refused.value.reason == "PAGE_TOKEN_INVALID"
