"""What counts as a gap, and what it is called."""

import pytest

from tocsin.node.pulse import DEAF_AFTER_MS, Pulse


class Times:
    def __init__(self):
        self.wall, self.monotonic = 1_000_000, 50.0

    def now(self):
        return self.wall

    def pass_by(self, wall_ms, monotonic_s):
        self.wall += wall_ms
        self.monotonic += monotonic_s


@pytest.fixture
def times():
    return Times()


@pytest.fixture
def gaps():
    return []


@pytest.fixture
def pulse(times, gaps):
    return Pulse(times, lambda *gap: gaps.append(gap), lambda: times.monotonic)


def test_steady_beats_tell_nothing(pulse, times, gaps):
    for _ in range(20):
        times.pass_by(250, 0.25)
        pulse.beat()
    assert gaps == []


def test_slow_is_not_deaf(pulse, times, gaps):
    times.pass_by(DEAF_AFTER_MS, DEAF_AFTER_MS / 1000)
    pulse.beat()
    assert gaps == []


def test_a_process_that_did_not_run_was_deaf(pulse, times, gaps):
    times.pass_by(5_000, 5.0)
    pulse.beat()
    assert gaps == [(1_000_000, 1_005_000, "stall")]


def test_a_wall_clock_set_ahead_is_a_jump(pulse, times, gaps):
    times.pass_by(3_600_000, 0.25)
    pulse.beat()
    assert gaps == [(1_000_000, 4_600_000, "clock_jump")]


def test_a_clock_that_stands_still_fires_nothing(pulse, times, gaps):
    times.pass_by(0, 30.0)
    pulse.beat()
    assert gaps == []


def test_a_gap_is_told_once(pulse, times, gaps):
    times.pass_by(9_000, 9.0)
    pulse.beat()
    times.pass_by(250, 0.25)
    pulse.beat()
    assert len(gaps) == 1
