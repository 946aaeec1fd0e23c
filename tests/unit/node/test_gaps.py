"""Deaf times in order; those of an overload that lie close together are one."""

from hypothesis import given
from hypothesis import strategies as st

from support.engines import T0
from tocsin.domain.commands import Deaf
from tocsin.node.gaps import OVERLOAD, Gaps


def drained(gaps):
    found = []
    while gaps:
        first = gaps.first
        found.append(gaps.pop())
        assert found[-1].since == first
    return found


def test_an_overload_is_a_gap_of_a_second_or_two_at_a_time():
    gaps = Gaps()
    for turn in range(100):
        gaps.add(T0 + turn * 50, T0 + turn * 50 + 40, OVERLOAD)
    found = drained(gaps)
    assert 3 <= len(found) <= 4
    assert found[0].since == T0
    assert found[-1].until == T0 + 99 * 50 + 40


def test_other_gaps_stay_what_they_are_and_far_ones_too():
    gaps = Gaps()
    gaps.add(T0 + 10, T0 + 20, "stall")
    gaps.add(T0 + 21, T0 + 30, OVERLOAD)
    gaps.add(T0, T0 + 40, "stall")
    gaps.add(T0 + 5_000, T0 + 5_010, OVERLOAD)
    assert drained(gaps) == [
        Deaf(T0, T0 + 40, "stall"),
        Deaf(T0 + 10, T0 + 20, "stall"),
        Deaf(T0 + 21, T0 + 30, OVERLOAD),
        Deaf(T0 + 5_000, T0 + 5_010, OVERLOAD),
    ]


@given(st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 3_000), st.sampled_from([OVERLOAD, "stall"]))))
def test_all_deaf_time_is_covered_and_in_order(added):
    gaps = Gaps()
    for since, length, reason in added:
        gaps.add(since, since + length, reason)
    found = drained(gaps)
    assert [gap.since for gap in found] == sorted(gap.since for gap in found)
    for since, length, reason in added:
        assert any(gap.since <= since and gap.until >= since + length and gap.reason == reason for gap in found)
    alone = sum(reason != OVERLOAD for _, _, reason in added)
    assert sum(gap.reason != OVERLOAD for gap in found) == alone
