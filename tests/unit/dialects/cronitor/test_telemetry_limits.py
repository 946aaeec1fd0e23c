"""Limits by name: so many a second, so many at once, and no more memory than is allowed."""

from hypothesis import given
from hypothesis import strategies as st

from tocsin.service.rates import Buckets, Rate

T = 1_795_289_021_123


def test_without_a_rate_everything_goes():
    buckets = Buckets(Rate())
    assert all(buckets.take("a", T) == 0 for _ in range(10_000))


def test_a_burst_and_then_one_by_one():
    buckets = Buckets(Rate(5, 10))
    assert [buckets.take("a", T) for _ in range(12)] == [0] * 10 + [200, 200]
    assert buckets.take("b", T) == 0
    assert buckets.take("a", T + 199) == 1
    assert buckets.take("a", T + 200) == 0
    assert buckets.take("a", T + 200) == 200
    assert [buckets.take("a", T + 60_000) for _ in range(11)] == [0] * 10 + [200]


@given(st.lists(st.integers(0, 2_000), max_size=60), st.integers(1, 7), st.integers(1, 5))
def test_never_more_than_the_rate_and_the_burst(gaps, rate, burst):
    buckets, at, taken = Buckets(Rate(rate, burst)), T, []
    for gap in gaps:
        at += gap
        wait = buckets.take("a", at)
        assert wait >= 0
        if not wait:
            taken.append(at)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + (taken[last] - taken[first]) * rate / 1000 + 1e-9


def test_who_was_told_to_wait_and_does_is_let_in():
    buckets = Buckets(Rate(3, 2))
    at = T
    for _ in range(50):
        at += buckets.take("a", at)
        assert buckets.take("a", at + 1) >= 0


def test_names_are_bounded():
    buckets = Buckets(Rate(1, 1), names_max=10)
    for number in range(1_000):
        assert buckets.take(number, T) == 0
    assert len(buckets._full) == 10
    assert buckets.take(999, T) == 1_000
