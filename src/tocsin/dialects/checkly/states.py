"""What Checkly calls a check-in: the state of an event and its time. Pure; derived whenever it is read."""

import enum
from typing import Final

from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.instant import SECOND, Instant, Millis, ceil_second

PASSED: Final = frozenset({State.OK})
FAILED: Final = frozenset({State.MISSED, State.ERROR, State.TIMED_OUT})
SHOWN: Final = PASSED | FAILED
"""States of check-ins that are events. Runs that are open, notes, and what fell due while nobody listened are none."""


class EventState(enum.StrEnum):
    FAILING = "FAILING"
    EARLY = "EARLY"
    RECEIVED = "RECEIVED"
    GRACE = "GRACE"
    LATE = "LATE"


def time_of(check_in: CheckIn) -> Instant:
    """When a ping came, and when the waiting for one that did not come ended."""
    return check_in.end_time if check_in.end_time is not None else check_in.update_time


def state_of(check_in: CheckIn, margin_ms: Millis) -> EventState | None:
    """None: it is no event. `margin_ms` is the grace that the monitor had at that time.

    A ping is judged by the expectation that was in force when it came; without one it is RECEIVED. The grace ends as
    deadlines do, with a whole second.
    """
    if check_in.state in FAILED:
        return EventState.FAILING
    if check_in.state is not State.OK:
        return None
    expected, at = check_in.expected_time, time_of(check_in)
    if expected is None or at // SECOND == expected // SECOND:
        return EventState.RECEIVED
    if at < expected:
        return EventState.EARLY
    return EventState.GRACE if at <= ceil_second(expected + margin_ms) else EventState.LATE
