"""The crontabs of `monitor_config` are those that Sentry takes: judged by cronsim, which Sentry uses."""

import datetime

import hypothesis.strategies as st
import pytest
from cronsim import CronSim, CronSimError
from hypothesis import assume, example, given

from support.engines import compiler
from tocsin.dialects.sentry.config import crontab
from tocsin.dialects.sentry.schema import SchemaError
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.schedule import Cron

START = datetime.datetime(2026, 1, 1)
ANY = ("*", "*/2", "*/0", "1", "1,2", "1,,2", "2-1", "1-", "-1", "**", "1-2-3", "1-2/5", "1/5", "a", "?", "H", "*/1/2")
WORDS = {
    "minute": (*ANY, "0", "59", "60", "05", "000", "0-59/7", "20-10"),
    "hour": (*ANY, "0", "23", "24", "9-17", "22/2"),
    "day": (*ANY, "0", "31", "32", "L", "l", "LW", "lw", "W", "15W", "L-3", "1,L", "LW,1", "1-L", "L,15"),
    "month": (*ANY, "0", "12", "13", "JAN", "jan", "JAN-MAR", "MAR-JAN", "JANUARY", "Feb,4"),
    "weekday": (
        *(*ANY, "0", "7", "8", "SUN", "sun", "MON-FRI", "MON-SUN", "SUN-MON", "0-7", "6-7", "7-7"),
        *("5L", "7L", "L", "MONL", "1L,2L", "MON#2", "1#5", "1#6", "1#0", "MON#1,MON#3", "MON#2-3", "#1", "*#2"),
    ),
}
COMPILER = compiler()


def sentry_takes(expression: str) -> bool:
    """It validates by a step forward; an expression that never fires ends there."""
    try:
        next(CronSim(expression, START))
    except (CronSimError, StopIteration):
        return False
    return True


def tocsin_takes(expression: str) -> bool:
    try:
        COMPILER.compile((Cron(crontab(expression, "$"), "UTC"),), field="schedule")
    except (SchemaError, InvalidArgument):
        return False
    return True


@given(st.tuples(*(st.sampled_from(words) for words in WORDS.values())))
@example(("0", "0", "31", "4", "*"))
@example(("0", "0", "29", "2", "*"))
def test_the_same_crontabs_as_sentry(fields):
    expression = " ".join(fields)
    assume("L/" not in expression.upper())  # the one difference, see the README
    assert tocsin_takes(expression) == sentry_takes(expression)


@pytest.mark.parametrize("field", WORDS)
def test_each_word_alone(field):
    for word in WORDS[field]:
        expression = " ".join(word if name == field else "*" for name in WORDS)
        assert tocsin_takes(expression) == sentry_takes(expression), expression


@pytest.mark.parametrize(
    ("expression", "named"),
    [("0 0 ? * *", "?"), ("0 0 15W * *", "15W"), ("0 0 L-3 * *", "L-3"), ("0 0 * * FRIL", "FRIL")],
)
def test_what_tocsin_knows_beyond_is_refused(expression, named):
    assert COMPILER.compile((Cron(expression, "UTC"),), field="schedule") is not None
    with pytest.raises(SchemaError, match="is no crontab of Sentry's") as problem:
        crontab(expression, "$.value")
    assert repr(named) in str(problem.value)
