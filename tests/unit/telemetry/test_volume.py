"""The volume of check-ins: far below its history is abnormal, everything else is not."""

import pytest

from tocsin.domain.instant import DAY, HOUR, MINUTE
from tocsin.telemetry.volume import DAYS, VolumeWatch

T0 = 20_000 * DAY


def watched(days: float, per_minute: int) -> tuple[VolumeWatch, int]:
    watch = VolumeWatch(T0)
    now = T0 + int(days * DAY)
    for at in range(T0, now, MINUTE):
        watch.count(at, per_minute)
    return watch, now


def test_a_steady_volume_is_normal():
    watch, now = watched(2, 20)
    assert watch.expected(now) == 100
    assert not watch.abnormal(now)


@pytest.mark.parametrize(("left", "abnormal"), [(20, False), (15, False), (14, True), (5, True), (0, True)])
def test_a_drop_of_three_tenths_is_abnormal(left, abnormal):
    watch, now = watched(2, 20)
    for at in range(now, now + 5 * MINUTE, MINUTE):
        watch.count(at, left)
    assert watch.abnormal(now + 5 * MINUTE) is abnormal


def test_the_minute_that_runs_is_not_looked_at():
    watch, now = watched(2, 20)
    assert not watch.abnormal(now + MINUTE - 1)


def test_without_a_day_of_history_nothing_is_said():
    watch, now = watched(0.9, 20)
    assert watch.expected(now + HOUR) is None
    assert not watch.abnormal(now + HOUR)


def test_a_small_fleet_says_nothing():
    watch, now = watched(2, 9)
    assert not watch.abnormal(now + 6 * MINUTE)


def test_a_quiet_hour_of_every_day_is_normal():
    watch = VolumeWatch(T0)
    for at in range(T0, T0 + 3 * DAY, MINUTE):
        if at % DAY // HOUR != 3:
            watch.count(at, 50)
    assert not watch.abnormal(T0 + 2 * DAY + 3 * HOUR + 30 * MINUTE)
    assert watch.abnormal(T0 + 3 * DAY + 2 * HOUR)


def test_history_is_bounded():
    watch, _ = watched(DAYS * 3, 1)
    assert len(watch._counts) <= DAYS * DAY // MINUTE + 10
