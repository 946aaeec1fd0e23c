"""Schedules in English."""

import pytest

from tocsin.domain.schedule import Cron, Daily, Interval, Rolling, Unit
from tocsin.schedule.words import describe


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Cron("* * * * *"), "every minute"),
        (Cron("*/5 * * * *"), "every 5 minutes"),
        (Cron("*/7 * * * *"), "*/7 * * * *"),  # not every seven minutes: the hour begins anew
        (Cron("0 * * * *"), "every hour"),
        (Cron("15 * * * *", "Europe/Vienna"), "every hour at minute 15, Europe/Vienna"),
        (Cron("0 */6 * * *"), "every 6 hours"),
        (Cron("10 */6 * * *"), "every 6 hours at minute 10"),
        (Cron("30 2 * * *", "Europe/Vienna"), "at 02:30 every day, Europe/Vienna"),
        (Cron("@daily"), "at 00:00 every day"),
        (Cron("0 9,13,18 * * mon-fri"), "at 09:00, 13:00 and 18:00 Monday to Friday"),
        (Cron("0 9 * * 1,4"), "at 09:00 on Monday and Thursday"),
        (Cron("0 0 1 * *"), "at 00:00 on the 1st every month"),
        (Cron("0 0 L * *"), "at 00:00 on the last day of the month"),
        (Cron("@yearly"), "at 00:00 on the 1st of January"),
        (Cron("0 0 13 * FRI"), "0 0 13 * FRI"),
        (Cron("*/10 0 * * * *"), "*/10 0 * * * *"),
        (Interval(1, Unit.HOUR), "every hour"),
        (Interval(90, Unit.SECOND), "every 90 seconds"),
        (Daily(("14:30",)), "at 14:30 every day"),
        (Daily(("02:00", "14:30"), "Asia/Tokyo"), "at 02:00 and 14:30 every day, Asia/Tokyo"),
        (Rolling(90_000), "within 90 seconds of the last signal"),
        (Rolling(86_400_000), "within 1 day of the last signal"),
    ],
)
def test_words(schedule, words):
    assert describe((schedule,)) == words


def test_several_and_none():
    assert describe((Cron("0 * * * *"), Rolling(60_000))) == "every hour; or within 1 minute of the last signal"
    assert describe(()) == "no schedule"
