"""The next fire times, with the change of the clocks marked."""

from tocsin.domain.schedule import Cron, Rolling
from tocsin.schedule import fire_times


def test_the_change_of_the_clocks_is_marked(compiler):
    found = fire_times(compiler, (Cron("30 2 * * *", "Europe/Vienna"),), 1_774_612_800_000, 4)  # 2026-03-27 12:00Z
    assert [(time.at_ms, time.utc_offset_s, time.clock_changed) for time in found] == [
        (1_774_661_400_000, 3600, False),  # 28 March 02:30
        (1_774_746_000_000, 7200, True),  # 29 March 03:00, for 02:30 does not exist
        (1_774_830_600_000, 7200, False),
        (1_774_917_000_000, 7200, False),
    ]


def test_without_a_zone_and_without_a_schedule(compiler):
    assert [time.at_ms for time in fire_times(compiler, (Rolling(1000),), 0, 3)] == [1000, 2000, 3000]
    assert fire_times(compiler, (), 0, 3) == []
