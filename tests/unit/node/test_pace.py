"""Slices find their size."""

import pytest

from tocsin.node.pace import LEAST, MOST, Pace


@pytest.mark.parametrize("each_us", [1, 8, 40, 100])
def test_slices_come_to_take_the_time_that_is_aimed_at(each_us):
    pace = Pace(5_000, aim_s=0.04)
    for _ in range(20):
        pace.took(pace.size * each_us / 1e6)
    assert pace.size == pytest.approx(0.04e6 / each_us, rel=0.01)


@pytest.mark.parametrize(("seconds", "bound"), [(100.0, LEAST), (0.0, MOST)])
def test_slices_have_bounds(seconds, bound):
    pace = Pace(5_000)
    for _ in range(20):
        pace.took(seconds)
    assert pace.size == bound


def test_one_odd_slice_changes_little():
    pace = Pace(5_000)
    pace.took(1_000.0)
    assert pace.size == 2_500
