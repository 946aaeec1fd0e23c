"""Event states: the vendor's table and its published timeline, from what a check-in keeps."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.dialects.checkly.states import FAILED, PASSED, SHOWN, EventState, state_of, time_of
from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.instant import MINUTE

NOON = 1_782_475_200_000
GRACE = 10 * MINUTE


def check_in(state=State.OK, *, at=NOON, expected=None, ended=True):
    return CheckIn(
        number=1, id="0" * 31 + "1", project=1, monitor=1, monitor_id="m", track=1, environment="production",
        state=state, receive_time=at, update_time=at, end_time=at if ended else None, expected_time=expected,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (-1, EventState.EARLY),  # a millisecond before: another second
        (0, EventState.RECEIVED),
        (999, EventState.RECEIVED),
        (1_000, EventState.GRACE),
        (GRACE, EventState.GRACE),
        (GRACE + 1, EventState.LATE),
        (-3 * GRACE, EventState.EARLY),
        (GRACE + MINUTE, EventState.LATE),
    ],
)
def test_a_ping_is_judged_by_the_expectation_in_force(at, state):
    assert state_of(check_in(at=NOON + at, expected=NOON), GRACE) is state


def test_without_an_expectation_a_ping_is_received():
    assert state_of(check_in(), 0) is EventState.RECEIVED


def test_the_grace_ends_with_a_whole_second():
    """As the deadline does, which is never early."""
    expected = NOON + 1
    assert state_of(check_in(at=NOON + 6_000, expected=expected), 5_000) is EventState.GRACE
    assert state_of(check_in(at=NOON + 6_001, expected=expected), 5_000) is EventState.LATE


@pytest.mark.parametrize("state", State)
def test_what_is_an_event(state):
    found = state_of(check_in(state), GRACE)
    assert (found is not None) == (state in SHOWN)
    assert (found is EventState.FAILING) == (state in FAILED)
    assert (state in PASSED) == (state is State.OK)


def test_a_miss_is_stamped_with_its_deadline():
    missed = check_in(State.MISSED, at=NOON + GRACE, expected=NOON, ended=False)
    assert time_of(missed) == NOON + GRACE
    run = check_in(State.ERROR, at=NOON)
    assert time_of(run) == NOON


@given(st.integers(0, 10**13), st.integers(-(10**8), 10**8), st.integers(0, 10**7))
def test_in_time_order_states_only_go_one_way(expected, distance, margin):
    """EARLY, RECEIVED, GRACE, LATE: a later ping is never judged better."""
    order = [EventState.EARLY, EventState.RECEIVED, EventState.GRACE, EventState.LATE]
    one, other = (state_of(check_in(at=expected + d, expected=expected), margin) for d in (distance, distance + 1))
    assert order.index(one) <= order.index(other)


def test_the_published_timeline():
    """Pings at the clock times of the vendor's diagram; the engine's part of it is tested with the engine."""
    steps = [(65, 60, "GRACE"), (132, 125, "GRACE"), (181, 192, "EARLY"), (253, 311, "EARLY")]
    for at, expected, state in steps:
        ping = check_in(at=NOON + at * MINUTE, expected=NOON + expected * MINUTE)
        assert state_of(ping, GRACE) == state


def test_states_are_written_as_they_are():
    assert json.dumps([*EventState]) == '["FAILING", "EARLY", "RECEIVED", "GRACE", "LATE"]'
