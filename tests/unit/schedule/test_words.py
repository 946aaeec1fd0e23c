"""Schedules in English."""

import pytest
from hypothesis import given, settings

from support.expressions import calendars, crons
from tocsin.domain.schedule import Cron, Daily, Interval, OnCalendar, Rolling, Unit
from tocsin.schedule.words import describe


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Cron("* * * * *"), "every minute"),
        (Cron("*/5 * * * *"), "every 5 minutes"),
        (Cron("*/7 * * * *"), "every hour at every 7th minute from 0 to 56"),  # not every seven minutes
        (Cron("0 * * * *"), "every hour"),
        (Cron("15 * * * *", "Europe/Vienna"), "every hour at minute 15, Europe/Vienna"),
        (Cron("0 */6 * * *"), "every 6 hours"),
        (Cron("10 */6 * * *"), "every 6 hours at minute 10"),
        (Cron("30 2 * * *", "Europe/Vienna"), "at 02:30 every day, Europe/Vienna"),
        (Cron("@daily"), "at 00:00 every day"),
        (Cron("0 9,13,18 * * mon-fri"), "at 09:00, 13:00 and 18:00 Monday to Friday"),
        (Cron("0 9 * * 1,4"), "at 09:00 on Monday and Thursday"),
        (Cron("0 0 1 * *"), "at 00:00 on the 1st of the month"),
        (Cron("0 0 L * *"), "at 00:00 on the last day of the month"),
        (Cron("@yearly"), "at 00:00 on the 1st of January"),
        (Cron("0 0 13 * FRI"), "at 00:00 on the 13th of the month or on Friday"),
        (Cron("0 0 1-7 3 */7"), "at 00:00 on the 1st to 7th of March, only if it is Sunday"),
        (Cron("0 0 13 * 0-7"), "at 00:00 every day"),
        (
            Cron("0 0 1,15W,L-3,L-1,LW,L * *"),
            (
                "at 00:00 on the 1st, weekday nearest the 15th, 3rd day before the last, last day but one, "
                "last weekday and last day of the month"
            ),
        ),
        (Cron("0 0 */2 * *"), "at 00:00 on the 1st and every 2nd day after it to the 31st of the month"),
        (Cron("0 0 * 6-8 MON#2,FRI#L"), "at 00:00 on the 2nd Monday and the last Friday of June to August"),
        (Cron("0 0 * 3 SAT,SUN"), "at 00:00 on Saturday and Sunday in March"),
        (Cron("0,30 * * * *"), "every 30 minutes"),
        (Cron("7/15 * * * *"), "every 15 minutes from minute 7"),
        (Cron("*/15 9-17 * * 1-5"), "every 15 minutes from 09:00 to 17:45 Monday to Friday"),
        (Cron("0 9-17 * * *"), "every hour from 09:00 to 17:00"),
        (Cron("5,40 9-17 * * *"), "at minutes 5 and 40 past hours 9 to 17 every day"),
        (Cron("* 1,3,9 * * *"), "every minute in hours 1, 3 and 9"),
        (Cron("*/10 0 * * * *"), "every 10 seconds in minute 0 of every hour"),
        (Cron("30 * * * * *"), "every minute at second 30"),
        (Cron("5/20 * 9-17 * * *"), "every 20 seconds from second 5 in hours 9 to 17"),
        (Cron("1-9 */5 9-17 * * *"), "at seconds 1 to 9 in every 5 minutes of hours 9 to 17 every day"),
        (Cron("5,10 30 2 * * *"), "at 02:30:05 and 02:30:10 every day"),
        (Cron("not cron"), "not cron"),
        (OnCalendar("Mon..Fri *-*-* 08:00 Europe/Vienna"), "at 08:00 Monday to Friday, Europe/Vienna"),
        (OnCalendar("Mon *-05~07/1"), "at 00:00 on the last 7 days of May, only if it is Monday"),
        (OnCalendar("*-02~03", "Asia/Tokyo"), "at 00:00 on the 2nd day before the last of February, Asia/Tokyo"),
        (OnCalendar("2030..2199/2-1-1"), "at 00:00 on the 1st of January in every 2nd year from 2030"),
        (OnCalendar("2030,2040-*-* *:0/30"), "every 30 minutes in 2030 and 2040"),
        (OnCalendar("2030..2199-1-1"), "at 00:00 on the 1st of January from 2030 on"),
        (OnCalendar("daily"), "at 00:00 every day"),
        (OnCalendar("no calendar"), "no calendar"),
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


@settings(max_examples=300, deadline=None)
@given(cron=crons(), calendar=calendars())
def test_every_expression_has_words(cron, calendar):
    for schedule in (Cron(cron), OnCalendar(calendar)):
        words = describe((schedule,))
        assert words.isprintable()
        assert words != schedule.expression
        assert words[:2] in ("at", "ev")
        assert "  " not in words
