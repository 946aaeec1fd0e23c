"""Schedules across the border."""

import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.errors import InvalidArgument
from tocsin.domain.schedule import Anchor, Cron, Daily, DaylightPolicy, Interval, OnCalendar, Rolling, RRule, Unit
from tocsin.schedule.timetables import SCHEDULES_MAX
from tocsin.v1 import schedule_pb2 as pb
from tocsin.wire.schedule import MAX_PERIOD, MAX_SCHEDULES, from_schedule, from_schedules, to_schedule, to_schedules

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=50).filter(str.strip)
daylight = st.sampled_from(DaylightPolicy)
schedules = st.one_of(
    st.builds(Cron, texts, texts, daylight),
    st.builds(
        Interval, st.integers(1, 2**31 - 1), st.sampled_from(Unit), texts, st.sampled_from(Anchor), st.booleans()
    ),
    st.builds(Daily, st.lists(texts, min_size=1, max_size=5).map(tuple), texts, daylight),
    st.builds(Rolling, st.integers(1000, MAX_PERIOD)),
    st.builds(RRule, texts, texts),
    st.builds(OnCalendar, texts, texts),
)


@given(schedules)
def test_schedules_come_back(schedule):
    message = from_schedule(schedule)
    assert to_schedule(pb.Schedule.FromString(message.SerializeToString())) == schedule


@given(st.lists(schedules, max_size=4))
def test_lists_come_back(several):
    assert to_schedules(from_schedules(several)) == tuple(several)


def test_defaults():
    assert to_schedule(pb.Schedule(cron=pb.CronSchedule(expression="@daily"))) == Cron(
        "@daily", "UTC", DaylightPolicy.VIXIE
    )
    interval = pb.IntervalSchedule(count=5, unit=pb.IntervalSchedule.UNIT_MINUTE)
    assert to_schedule(pb.Schedule(interval=interval)) == Interval(5, Unit.MINUTE, "UTC", Anchor.ANY_REPORT, False)


WRONG = [
    (pb.Schedule(), "s", "set one of cron"),
    (pb.Schedule(cron=pb.CronSchedule(expression=" ")), "s.cron.expression", "must not be empty"),
    (pb.Schedule(cron=pb.CronSchedule(expression="x" * 5000)), "s.cron.expression", "at most 4096"),
    (
        pb.Schedule(interval=pb.IntervalSchedule(unit=pb.IntervalSchedule.UNIT_DAY)),
        "s.interval.count",
        "at least 1, not 0",
    ),
    (pb.Schedule(interval=pb.IntervalSchedule(count=1)), "s.interval.unit", "one of UNIT_SECOND, UNIT_MINUTE"),
    (pb.Schedule(daily=pb.DailySchedule()), "s.daily.times_of_day", "at least one"),
    (pb.Schedule(daily=pb.DailySchedule(times_of_day=["14:30", ""])), "s.daily.times_of_day[1]", "must not be empty"),
    (pb.Schedule(rolling=pb.RollingSchedule(period=Duration(nanos=5))), "s.rolling.period", "at least 1s"),
    (pb.Schedule(rrule=pb.RRuleSchedule()), "s.rrule.rule", "must not be empty"),
    (pb.Schedule(on_calendar=pb.OnCalendarSchedule()), "s.on_calendar.expression", "must not be empty"),
    (
        pb.Schedule(cron=pb.CronSchedule(expression="* * * * *"), daylight_policy=77),
        "s.daylight_policy",
        "must be one of",
    ),
]


@pytest.mark.parametrize(("message", "field", "says"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_named(message, field, says):
    with pytest.raises(InvalidArgument) as caught:
        to_schedule(message, "s")
    assert caught.value.violations[0].field == field
    assert says in caught.value.message


def test_as_many_as_can_be_compiled():
    assert MAX_SCHEDULES == SCHEDULES_MAX


def test_the_place_in_the_list_is_named():
    with pytest.raises(InvalidArgument, match=r"monitor\.schedules\[1\]: set one of"):
        to_schedules([from_schedule(Rolling(5000)), pb.Schedule()], "monitor.schedules")
    with pytest.raises(InvalidArgument, match="at most 32 schedules, not 33"):
        to_schedules([from_schedule(Rolling(5000))] * (MAX_SCHEDULES + 1))
