"""Tracks on their way into the store read back as they were, and bytes of any other kind are refused."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin._core.filling import Filling, packed_monitor, unpacked_monitor
from tocsin._core.keys import KeyTable
from tocsin._core.roster import MonitorRoster, TrackRoster
from tocsin._core.saved import COLUMNS, SIZE, Mover, packed, unpacked
from tocsin.domain import ids
from tocsin.domain.instant import NEVER

WIDE = st.integers(0, 2**48 - 2)
INSTANT = WIDE | st.just(NEVER)
U8, U16, U32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
VALUES = {
    "number": WIDE,
    "monitor": WIDE,
    "environment": U32,
    "next_track": st.just(0),
    **dict.fromkeys(("health", "verdict"), U8),
    **dict.fromkeys(("flags", "failures", "misses", "recoveries", "open_runs"), U16),
    "incident": WIDE,
    "last_duration": st.integers(-1, 2**31 - 1),
    "last_lapse": st.integers(0, 2**63 - 1),
    **dict.fromkeys([f"{one}_count" for one in ("ok", "error", "started", "missed", "timed_out", "unknown")], U32),
}
ROWS = st.tuples(*[VALUES.get(name, INSTANT) for name in TrackRoster.COLUMNS])
APPLIED = st.integers(-(2**63), 2**63 - 1)


@given(ROWS, APPLIED)
def test_a_packed_row_reads_back(row, applied):
    data = packed(row, applied)
    assert len(data) == SIZE
    assert unpacked(data) == (row, applied)


@given(ROWS, APPLIED, st.data())
def test_bytes_of_another_kind_are_nothing(row, applied, data):
    good = bytes(packed(row, applied))
    cut = data.draw(st.integers(0, SIZE - 1))
    assert unpacked(good[:cut]) is unpacked(good + b"x") is None
    layout = data.draw(st.integers(0, 255).filter(lambda byte: byte != good[0]))
    assert unpacked(bytes([layout]) + good[1:]) is None
    place, byte = data.draw(st.integers(1, SIZE - 1)), data.draw(st.integers(0, 255))
    damaged = good[:place] + bytes([byte]) + good[place + 1 :]
    read = unpacked(damaged)  # without a checksum damage is a number like others: it does no harm
    assert len(read[0]) == len(row)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_monitor_or_nothing(data):
    try:
        found = unpacked_monitor(data)
    except UnicodeDecodeError:
        return
    assert found is None or len(found) == 7


def test_rows_that_are_none_are_refused():
    for row in ((), (1,), (0,) * 99):
        with pytest.raises(ValueError, match="values"):
            packed(row, 0)
    good = (1,) * len(TrackRoster.COLUMNS)
    for place, wrong in itertools.product(range(len(good)), (2**70, None)):
        if TrackRoster.COLUMNS[place] == "next_track":
            continue  # the number of the monitor takes its place
        with pytest.raises((OverflowError, TypeError)):
            packed((*good[:place], wrong, *good[place + 1 :]), 0)
    for wrong in (None, [], "text"):
        with pytest.raises(TypeError):
            packed(wrong, 0)
        with pytest.raises((TypeError, BufferError)):
            unpacked(wrong)


def moved(count):
    tracks, monitors = TrackRoster(), MonitorRoster()
    monitor = monitors.open()
    monitors.set(monitor, "number", 77)
    for number in range(count):
        slot = tracks.open()
        tracks.set(slot, "number", number)
        tracks.set(slot, "monitor", monitor if number % 2 else 2**32 - 1)
        tracks.mark_moved(slot)
    return tracks, monitors, Mover(tracks, monitors)


@given(st.integers(0, 60), st.lists(st.integers(0, 25), max_size=5))
def test_a_mover_takes_each_track_once_and_what_it_takes_reads_back(count, limits):
    tracks, _, mover = moved(count)
    found = []
    for limit in [*limits, 60]:
        taken = mover.take(limit, 9)
        assert len(taken) <= limit
        found += taken.numbers()
        for row in taken.parameters():
            named = dict(zip(COLUMNS, row, strict=True))
            track, applied = unpacked(named["packed"])
            assert (track[0], track[1], applied) == (named["number"], 77 if named["number"] % 2 else 0, 9)
    assert sorted(found) == list(range(count))
    assert tracks.moved_count == len(mover.take(2**32 - 1, 9)) == 0


def test_marks_stay_where_one_slot_is_wrong():
    tracks, _, mover = moved(3)
    for wrong in ([0, 1, 3], [2, 2**32 - 1]):
        with pytest.raises(IndexError, match="not open"):
            mover.of(wrong, 1)
    for wrong in ([0, None], [0, -1], [0, 2**32], 5):
        with pytest.raises((TypeError, OverflowError)):
            mover.of(wrong, 1)
    assert tracks.moved_count == 3
    assert mover.of([2, 0, 2], 1).numbers() == [2, 0, 2]
    assert tracks.moved_count == 1


def test_keys_of_monitors_before_a_bad_row_are_there():

    keys, monitors = KeyTable(bytes(16)), MonitorRoster()
    filling = Filling(monitors, TrackRoster(), keys)
    good = (bytes(packed_monitor(1, 1, 1, 0, 0, 0, "a")),)
    with pytest.raises(ValueError, match="another layout"):
        filling.add_monitors([good, (b"",)], 0)
    assert keys.get(ids.monitor_key(1, "a")) == 0
