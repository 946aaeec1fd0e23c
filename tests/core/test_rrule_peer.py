"""Cron beside dateutil's rrule, where both can say the same: in UTC, without a word about daylight saving."""

import datetime as dt

from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin._core.timetable import NEVER
from tocsin.domain.schedule import Cron

UTC = dt.UTC
DAYS = (rrule.SU, rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA)


def few(low, high):
    return st.lists(st.integers(low, high), min_size=1, max_size=3, unique=True).map(sorted)


@st.composite
def pairs(draw):
    """The same rule twice: the fields of cron, the arguments of rrule."""
    minutes, hours = draw(few(0, 59)), draw(few(0, 23))
    fields, arguments = ["*", "*", "*"], {"byminute": minutes, "byhour": hours, "bysecond": 0}
    if draw(st.booleans()):
        months = draw(few(1, 12))
        fields[1], arguments["bymonth"] = ",".join(map(str, months)), months
    kind = draw(st.sampled_from(["every day", "dates", "last day", "weekdays", "nth", "last weekday"]))
    weekday, nth = draw(st.integers(0, 6)), draw(st.integers(1, 5))
    if kind == "dates":
        dates = draw(few(1, 31))
        fields[0], arguments["bymonthday"] = ",".join(map(str, dates)), dates
    elif kind == "last day":
        fields[0], arguments["bymonthday"] = "L", -1
    elif kind == "weekdays":
        days = draw(few(0, 6))
        fields[2], arguments["byweekday"] = ",".join(map(str, days)), [DAYS[day] for day in days]
    elif kind == "nth":
        fields[2], arguments["byweekday"] = f"{weekday}#{nth}", DAYS[weekday](nth)
    elif kind == "last weekday":
        fields[2], arguments["byweekday"] = f"{weekday}L", DAYS[weekday](-1)
    time = f"{','.join(map(str, minutes))} {','.join(map(str, hours))}"
    return f"{time} {' '.join(fields)}", arguments


@settings(max_examples=300, deadline=None)
@given(pair=pairs(), start=st.integers(0, 4_000_000_000))
def test_next_and_previous(compiler, pair, start):
    text, arguments = pair
    moment = dt.datetime.fromtimestamp(start, UTC).replace(tzinfo=None)
    begin = moment.replace(day=1, hour=0, minute=0, second=0) - dt.timedelta(days=12 * 366)
    # Monthly, so that a weekday's number counts within its month.
    rule = rrule.rrule(
        rrule.MONTHLY, dtstart=begin.replace(day=1), until=moment + dt.timedelta(days=12 * 366), **bare(arguments)
    )
    after, before = rule.after(moment), rule.before(moment)
    number = compile_or_none(compiler, text)
    if number is None:
        assert after is None
        return
    assert (after is None) or compiler.next_after(number, start * 1000) == ms(after)
    assert (before is None) or compiler.prev_before(number, start * 1000) == ms(before)
    assert after is not None or compiler.next_after(number, start * 1000) > (start + 11 * 366 * 86400) * 1000


def bare(arguments):
    """Monthly rules need a day: every one, where cron says nothing."""
    if "bymonthday" in arguments or "byweekday" in arguments:
        return arguments
    return arguments | {"bymonthday": list(range(1, 32))}


def compile_or_none(compiler, text):
    from tocsin.domain import errors

    try:
        return compiler.compile((Cron(text),))
    except errors.InvalidArgument as error:
        assert error.reason == "SCHEDULE_NEVER_FIRES"
        return None


def ms(moment):
    found = int(moment.replace(tzinfo=UTC).timestamp()) * 1000
    assert found < NEVER
    return found
