"""The clock of the process."""

import time

from tocsin.node.clock import SystemClock


def test_it_tells_the_wall_time_in_milliseconds():
    before = time.time_ns() // 1_000_000
    assert before <= SystemClock().now() <= time.time_ns() // 1_000_000


def test_it_stands_still_when_the_wall_clock_is_behind():
    clock = SystemClock()
    ahead = clock._last = clock.now() + 60_000  # as if the clock had been set back by a minute since
    assert clock.now() == ahead
    assert clock.now() == ahead
