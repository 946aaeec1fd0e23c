"""Cron against cronsim and croniter, where they are right. Their known exceptions are named, not hidden.

cronsim 2.8   (a) half-hour shifts (Lord Howe): its hours are ticked by 3600 s without realigning
              (b) gaps at midnight (Sao Paulo before 2019) and the day Apia skipped
              (c) a fixed job started inside the second pass of a fold: it may answer with an instant before the start
              (d) a wildcard minute with fixed hours inside a gap does not fire, as here
croniter 7    its own policy: see DaylightPolicy.CRONITER; only shifts of a whole hour are compared
"""

import datetime as dt
import warnings

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from support.oracle import zone as zones
from tocsin.domain.schedule import Cron, DaylightPolicy

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from croniter import croniter
    from cronsim import CronSim

YEAR = 31_556_952
FIELDS = st.tuples(
    st.sampled_from(["0", "30", "*", "*/5", "*/7", "1-59/2", "0,15,45", "10/20", "59"]),
    st.sampled_from(["*", "*/2", "1-3", "0", "2", "23", "2,5", "9-17"]),
    st.sampled_from(["*", "*", "*/2", "L", "1,15", "31", "5-9", "LW"]),
    st.sampled_from(["*", "*", "*/2", "3", "10-11", "JAN,JUN"]),
    st.sampled_from(["*", "*", "MON-FRI", "0", "7", "5-7", "*/2", "5L", "MON#2", "1/2"]),
).map(" ".join)


def later(compiler, text, name, start, policy=DaylightPolicy.VIXIE):
    number = compiler.compile((Cron(text, name, policy),))
    return compiler.next_after(number, start * 1000) // 1000


@settings(max_examples=300, deadline=None)
@given(
    text=FIELDS,
    name=st.sampled_from(["UTC", "America/New_York", "Europe/Vienna", "Asia/Kathmandu"]),
    start=st.integers(1_700_000_000, 1_700_000_000 + 3 * YEAR),
)
def test_cronsim(compiler, text, name, start):
    local = dt.datetime.fromtimestamp(start, zones.UTC).astimezone(zones.load(name))
    assume(local.fold == 0)  # exception (c)
    expected = int(next(CronSim(text, local)).timestamp())
    assert later(compiler, text, name, start) == expected


@settings(max_examples=150, deadline=None)
@given(
    minute=st.sampled_from(["0", "30", "7", "*/5", "*", "0,45"]),
    hour=st.sampled_from(["*", "*/2", "1-3", "2", "1", "0-23", "2,5"]),
    name=st.sampled_from(["America/New_York", "Europe/Vienna"]),
    index=st.integers(0, 7),
    shift=st.integers(-30_000, 30_000),
)
def test_croniter(*, compiler, minute, hour, name, index, shift):
    start = zones.transitions(name, 2024, 2027)[index] + shift
    text = f"{minute} {hour} * * *"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        local = dt.datetime.fromtimestamp(start, zones.UTC).astimezone(zones.load(name))
        expected = int(croniter(text, local).get_next(dt.datetime).timestamp())
    assert later(compiler, text, name, start, DaylightPolicy.CRONITER) == expected


@pytest.mark.parametrize(
    ("text", "name", "start", "right"),
    [
        # (a) 2026-04-05 at Lord Howe: 02:00 goes back to 01:30.
        ("30 * * * *", "Australia/Lord_Howe", "2026-04-04T14:45", "2026-04-04T15:00"),
        # (b) 2018-11-04 in Sao Paulo: 00:00 does not exist, the day begins at 01:00.
        ("*/30 * * * *", "America/Sao_Paulo", "2018-11-04T02:45", "2018-11-04T03:00"),
    ],
)
def test_where_cronsim_differs(compiler, text, name, start, right):
    """Fixed points for the classes that `test_cronsim` leaves out; the oracle judges them in test_cron.py."""
    begin = int(dt.datetime.fromisoformat(start).replace(tzinfo=zones.UTC).timestamp())
    expected = int(dt.datetime.fromisoformat(right).replace(tzinfo=zones.UTC).timestamp())
    assert later(compiler, text, name, begin) == expected
