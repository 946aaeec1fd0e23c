"""The calendar against `datetime`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.oracle import civil as oracle
from tocsin._core import civil

DAYS = st.integers(-4_000_000, 4_000_000) | st.integers(-3_600_000_000, 3_600_000_000)


@given(days=DAYS)
def test_days_to_date_and_back(days):
    date = civil.to_date(days)
    assert date == oracle.to_date(days)
    assert civil.to_days(*date) == days
    assert civil.weekday(days) == oracle.weekday(days)
    assert civil.month_length(*date[:2]) == oracle.month_length(*date[:2])


def test_every_day_of_a_cycle():
    for days in range(-146097 // 2, 146097 // 2):
        assert civil.to_date(days) == oracle.to_date(days)


@given(days=DAYS, months=st.integers(-60, 60))
def test_months_are_clamped(days, months):
    assert civil.add_months(days, months) == oracle.add_months(days, months)


def test_worked_examples():
    assert civil.to_days(1970, 1, 1) == 0
    assert civil.weekday(0) == 4
    assert civil.to_date(civil.add_months(civil.to_days(2026, 1, 31), 1)) == (2026, 2, 28)
    assert civil.to_date(civil.add_months(civil.to_days(2028, 2, 29), 12)) == (2029, 2, 28)
    assert civil.to_date(civil.to_days(-9999, 3, 1) - 1) == (-9999, 2, 28)


@pytest.mark.parametrize(
    "call",
    [
        lambda: civil.to_days(2026, 2, 29),
        lambda: civil.to_days(2026, 13, 1),
        lambda: civil.to_days(2026, 0, 1),
        lambda: civil.to_days(10**9, 1, 1),
        lambda: civil.to_date(10**12),
        lambda: civil.weekday(-(10**12)),
        lambda: civil.month_length(2026, 13),
        lambda: civil.add_months(0, 10**9),
    ],
)
def test_out_of_range(call):
    with pytest.raises(ValueError, match="outside"):
        call()
