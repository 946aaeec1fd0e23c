"""Quantiles of a sample against sorting all of it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain import sample as module
from tocsin.domain.sample import ERROR, EXACT, Sample

FRACTIONS = (0.0, 0.1, 0.5, 0.9, 0.99, 1.0)


def slow(values, fraction):
    """The least value that this part of all is not above."""
    ranked = sorted(values)
    return ranked[max(math.ceil(fraction * len(ranked)), 1) - 1]


@given(st.lists(st.floats(-1e12, 1e12) | st.integers(-5, 5), min_size=1, max_size=200))
def test_few_values_are_exact(values):
    sample = Sample()
    for value in values:
        sample.add(value)
    assert sample.number == len(values)
    assert sample.quantiles(FRACTIONS) == tuple(slow(values, fraction) for fraction in FRACTIONS)


@given(
    st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(1, 5)), min_size=1, max_size=60),
    st.integers(0, 2**32),
)
def test_many_values_are_near(counted, seed):
    """Beyond the bound each quantile is near one that sorting gives, whatever came before or after it was passed."""
    spread = [(seed * 31 + 7 * index) % 10**7 + 1 for index in range(EXACT + 1)]
    sample = Sample()
    for value, times in counted:
        sample.add(value, times)
    for value in spread:
        sample.add(value)
    values = [value for value, times in counted for _ in range(times)] + spread
    for fraction, found in zip(FRACTIONS, sample.quantiles(FRACTIONS), strict=True):
        assert found == pytest.approx(slow(values, fraction), rel=1.001 * ERROR)


def test_memory_is_bounded():
    sample = Sample()
    for exponent in range(-300, 300):
        for mantissa in range(1, 40):
            sample.add(math.ldexp(mantissa / 7, exponent))
            sample.add(-math.ldexp(mantissa / 7, exponent))
    assert sample._exact is None
    assert len(sample._bins) <= 2 * module._bin(math.inf) + 1 <= 13_000
    assert sample.quantiles((0.5,)) == (0.0,)
    assert sample.quantiles((1.0,))[0] == pytest.approx(1e18, rel=ERROR)


def test_the_order_of_bins_is_that_of_values():
    values = [-1e30, -1e18, -2.0, -1.0, -1e-9, 0.0, 1e-12, 1e-9, 0.5, 1.0, 1.02, 7, 1e18, 1e30]
    places = [module._bin(value) for value in values]
    assert places == sorted(places)


def test_none_has_no_quantile():
    with pytest.raises(ValueError, match="no values"):
        Sample().quantiles((0.5,))
