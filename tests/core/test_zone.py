"""Zones against zoneinfo."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.oracle import zone as oracle
from tocsin._core.zone import FOLD, GAP, NORMAL, Zone

NAMES = [
    *("America/New_York", "Europe/Vienna", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "UTC"),
    *("Africa/Casablanca", "Europe/Dublin", "Asia/Kathmandu", "Antarctica/Troll", "Africa/Cairo", "Asia/Tokyo"),
]
SECONDS = st.integers(-2_000_000_000, 4_000_000_000) | st.integers(-60_000_000_000, 250_000_000_000)


@settings(max_examples=500, deadline=None)
@given(name=st.sampled_from(NAMES), second=SECONDS)
def test_offsets(zone, name, second):
    assert zone(name).offset_at(second) == oracle.offset_at(name, second)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), name=st.sampled_from([name for name in NAMES if name not in ("UTC", "Asia/Tokyo")]))
def test_wall_times_near_transitions(zone, data, name):
    found = oracle.transitions(name, 1985, 1986) if name == "Asia/Kathmandu" else oracle.transitions(name, 2009, 2012)
    if not found:
        found = [1_300_000_000]
    wall = data.draw(st.sampled_from(found)) + data.draw(st.integers(-15 * 3600, 15 * 3600))
    first, second, kind = zone(name).utc(wall)
    instants = oracle.instants(name, wall)
    if not instants:
        assert kind == GAP
        assert zone(name).wall(first) > wall > zone(name).wall(second)
    else:
        assert (first, second) == (instants[0], instants[-1])
        assert kind == (FOLD if len(instants) > 1 else NORMAL)
        assert zone(name).wall(first) == zone(name).wall(second) == wall


def test_segments_tile_all_of_time(zone):
    for name in NAMES:
        at, before = -(10**10), None
        for _ in range(3000):
            begin, end, offset = zone(name).segment(at)
            assert begin is None or begin <= at
            assert offset != before
            if end is None:
                break
            assert zone(name).segment(end - 1) == (begin, end, offset)
            assert zone(name).segment(end)[0] == end
            at, before = end, offset


def test_the_future_repeats(zone):
    vienna = zone("Europe/Vienna")
    assert vienna.repeats
    assert vienna.offset_at(253_402_300_799) == 3600  # the last second of 9999
    assert vienna.offset_at(253_386_000_000) == 7200  # June 9999
    assert not zone("Asia/Tokyo").repeats


def test_equal_neighbours_are_merged():
    zone = Zone(array("q", [0, 100, 200]), array("i", [0, 3600, 3600, 0]))
    assert len(zone) == 2
    assert zone.segment(150) == (0, 200, 3600)


@pytest.mark.parametrize(
    ("transitions", "offsets"),
    [([0], [0]), ([0, 0], [0, 1, 2]), ([5, 1], [0, 1, 2]), ([0], [0, 93_600]), ([1 << 61], [0, 1]), ([], [])],
)
def test_what_the_kernels_assume_is_checked(transitions, offsets):
    with pytest.raises(ValueError, match=r"."):
        Zone(array("q", transitions), array("i", offsets))
    with pytest.raises(ValueError, match="range"):
        Zone(array("q"), array("i", [0])).offset_at(1 << 60)


@given(name=st.sampled_from(NAMES), seconds=st.lists(SECONDS, max_size=30))
def test_batches_are_the_same_as_one_by_one(zone, name, seconds):
    n, one = len(seconds), zone(name)
    out, first, second, kinds = (array(code, [0] * n) for code in "qqqB")
    one.wall_many(array("q", seconds), out)
    assert list(out) == [one.wall(at) for at in seconds]
    one.utc_many(array("q", seconds), first, second, kinds)
    assert list(zip(first, second, kinds, strict=True)) == [one.utc(at) for at in seconds]


def test_batches_are_checked(zone):
    two, one = array("q", [0, 1 << 60]), array("q", [0])
    with pytest.raises(ValueError, match=f"{1 << 60} seconds are out of range"):
        zone("UTC").wall_many(two, array("q", two))
    with pytest.raises(ValueError, match="2 instants and 1 results"):
        zone("UTC").wall_many(two, one)
    with pytest.raises(ValueError, match="1 wall times"):
        zone("UTC").utc_many(one, one, two, array("B", [0]))


def test_a_table_with_far_and_crowded_transitions():
    far, crowd = -(1 << 58), [100 * i for i in range(20_000)]
    zone = Zone(array("q", [far, *crowd]), array("i", [0, 7, *(i % 2 for i in range(20_000))]))
    assert [zone.offset_at(at) for at in (far - 1, far, -1, 0, 99, 100, 1_999_899, 1_999_900)] == [
        0,
        7,
        7,
        0,
        0,
        1,
        0,
        1,
    ]
