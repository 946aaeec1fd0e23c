"""A start from packed rows: links, keys and deadlines are those that a slow reading of the rows comes to."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin._core.filling import Filling, not_following, packed_monitor, unpacked_monitor, waiting
from tocsin._core.keys import KeyTable
from tocsin._core.roster import MonitorRoster, TrackRoster
from tocsin._core.saved import packed
from tocsin.domain import ids
from tocsin.domain.instant import NEVER

NOWHERE = 0xFFFFFFFF
NUMBERS = st.integers(1, 2**47)
INSTANTS = st.sampled_from([0, 1, 999, 1_000, 1_001, 2**40, NEVER])


def filled(monitors, tracks, clock=0):
    """Rosters from (number, project, policy, flags, pause, mute, id) and (number, monitor, deadline, applied)."""
    rosters = MonitorRoster(), TrackRoster()
    keys = KeyTable(os.urandom(16), rosters[0])
    filling = Filling(*rosters, keys)
    names = []
    assert filling.add_monitors([(bytes(packed_monitor(*row)),) for row in monitors], clock, names) == 0
    assert names == [(row[1], row[0], row[6]) for row in monitors]
    applied = {}
    assert filling.add_tracks([(bytes(track(*row)),) for row in tracks], 10, applied) == 0
    return (*rosters, keys, filling, applied)


def track(number, monitor, deadline, applied):
    fields = (number, monitor, 1, 0, *[0] * 8, deadline, deadline, *[NEVER] * 4, -1, *[0] * 7, NEVER)
    return packed(fields, applied)


@given(
    st.dictionaries(NUMBERS, st.tuples(st.integers(1, 3), INSTANTS), max_size=12),
    st.lists(st.tuples(st.integers(0, 14), INSTANTS, st.integers(0, 20)), max_size=30),
)
def test_links_keys_and_deadlines(projects, wanted):
    monitors = [(n, project, 5, 0, pause, 0, f"m-{n}ü") for n, (project, pause) in projects.items()]
    owners = [*projects, 2**46 + 1, 2**46 + 2, 2**46 + 3]  # the last three are nobody
    tracks = [(n, owners[which % len(owners)], when, applied) for n, (which, when, applied) in enumerate(wanted, 1)]
    roster, rows, keys, filling, applied = filled(monitors, tracks, clock=1_000)
    assert applied == {slot: one[3] for slot, one in enumerate(tracks) if one[3] > 10}
    assert filling.projects() == {p: sum(one[1] == p for one in monitors) for p in {one[1] for one in monitors}}
    for slot, one in enumerate(monitors):
        assert keys.get(ids.monitor_key(one[1], one[6])) == slot
        over = one[4] != NEVER and -(-one[4] // 1000) * 1000 < 1_000
        assert roster.get(slot, "pause_until") == (0 if over else one[4])
    followed = filling.link()
    living = {slot: one for slot, one in enumerate(tracks) if one[1] in projects}
    assert {slot for slot in range(len(tracks)) if rows.is_open(slot)} == set(living)
    for slot, one in enumerate(monitors):
        found, at = [], roster.get(slot, "first_track")
        while at != NOWHERE:
            assert rows.get(at, "monitor") == slot
            found.append(at)
            at = rows.get(at, "next_track")
        assert found == [at for at, row in living.items() if row[1] == one[0]][::-1]
    assert sorted(filling.followed()) == sorted(
        set(living) - {roster.get(s, "first_track") for s in range(len(monitors))}
    )
    assert followed == len(filling.followed())
    slots, seconds = filling.deadlines()
    assert dict(zip(slots, seconds, strict=True)) == {
        slot: -(-row[2] // 1000) for slot, row in living.items() if row[2] != NEVER
    }
    awaited = {slot: row[2] for slot, row in living.items() if row[2] != NEVER}
    slots, tables, before = waiting(rows, roster, memoryview(bytes([255] * 20 + [7, 0, 0, 0])).cast("I"), False)
    assert dict(zip(slots, [instant + 1 for instant in before], strict=True)) == awaited
    assert set(tables) <= {7}
    assert list(waiting(rows, roster, memoryview(bytes([255] * 24)).cast("I"), False)[0]) == []


@given(NUMBERS, st.integers(0, 2**32 - 1), INSTANTS, INSTANTS, st.text(max_size=40))
def test_a_monitor_is_what_was_packed(number, policy, pause, mute, name):
    row = (number, 3, policy, 2, pause, mute, name)
    try:
        data = packed_monitor(*row)
    except UnicodeEncodeError:
        return
    assert unpacked_monitor(bytes(data)) == row


def test_rows_that_are_none_are_counted_and_others_refused():
    _, _, _, filling, _ = filled([], [])
    assert filling.add_monitors([(None,), (bytes(packed_monitor(1, 1, 1, 0, 0, 0, "a")),), (None,)], 0) == 2
    assert filling.add_tracks([(None,)], 0, {}) == 1
    good = bytes(packed_monitor(2, 1, 1, 0, 0, 0, "b"))
    for bad in (b"", good[:20], bytes([good[0] + 1]) + good[1:], good + b"x" * 5000):
        with pytest.raises(ValueError, match="another layout"):
            filling.add_monitors([(bad,)], 0)
    for bad in (b"", bytes(track(1, 1, 5, 0))[:-1], b"\xff" + bytes(track(1, 1, 5, 0))[1:]):
        with pytest.raises(ValueError, match="another layout"):
            filling.add_tracks([(bad,)], 0, {})
    for bad in ((1,), (), ("a", "b"), 7, ("text",)):
        with pytest.raises(TypeError):
            filling.add_monitors([bad], 0)
    for bad in ((-1, 1, 1, 0, 0, 0, "a"), (1, 1, 1, 2**16, 0, 0, "a"), (1, 1, 1, 0, -5, 0, "a")):
        with pytest.raises(OverflowError):
            packed_monitor(*bad)
    assert unpacked_monitor(b"") is None


def test_what_follows_is_a_millisecond_later():
    instants, found = (memoryview(bytes(24)).cast("q") for _ in range(2))
    assert not_following(instants, found) == [0, 1, 2]
    with pytest.raises(ValueError, match="instants"):
        not_following(instants, found[:2])
