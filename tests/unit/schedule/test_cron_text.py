"""Cron text to masks, and errors that name the field and the position."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.oracle import cron as oracle
from tocsin.domain.errors import InvalidArgument
from tocsin.schedule.cron_text import NICKNAMES, normalise, parse


def bits(*values):
    return sum(1 << value for value in values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", {"minute": bits(*range(60)), "hour": bits(*range(24)), "second": 1, "wildcard": True}),
        ("5 4 * * *", {"minute": bits(5), "hour": bits(4), "wildcard": False, "either_day": False}),
        (
            "*/15 9-17/4 * * MON-FRI",
            {"minute": bits(0, 15, 30, 45), "hour": bits(9, 13, 17), "dow": bits(1, 2, 3, 4, 5)},
        ),
        ("10/20 * 1,15 jan,Mar *", {"minute": bits(10, 30, 50), "dom": bits(1, 15), "month": bits(1, 3)}),
        ("0 0 13 * FRI", {"dom": bits(13), "dow": bits(5), "either_day": True}),
        ("0 0 */2 * MON", {"dom": bits(*range(1, 32, 2)), "either_day": False}),
        ("0 0 13 * */2", {"dow": bits(0, 2, 4, 6), "either_day": False}),
        ("0 0 * * 7", {"dow": bits(0)}),
        ("0 0 * * 5-7", {"dow": bits(5, 6, 0)}),
        ("0 0 * * 1/2", {"dow": bits(1, 3, 5, 0)}),
        ("0 0 L,15 * *", {"dom": bits(15), "last": 1, "last_weekday": False}),
        ("0 0 LW * *", {"dom": 0, "last": 0, "last_weekday": True}),
        ("0 0 L-3,l-30 * *", {"dom": 0, "last": bits(3, 30)}),
        ("0 0 15W,1w * *", {"dom": 0, "nearest": bits(1, 15)}),
        ("0 0 * * 5L", {"dow": 0, "nth": bits(35 + 5)}),
        ("0 0 * * MON#2,7#5", {"dow": 0, "nth": bits(7 + 1, 28)}),
        ("0 0 * * MON#L,fril", {"dow": 0, "nth": bits(35 + 1, 35 + 5)}),
        ("0 0 ? * MON", {"dom": bits(*range(1, 32)), "dow": bits(1), "either_day": False}),
        ("0 0 13 * ?", {"dom": bits(13), "dow": bits(*range(7)), "either_day": False}),
        ("30 0 12 * * *", {"second": bits(30), "minute": bits(0), "hour": bits(12), "wildcard": False}),
        ("* 30 2 * * *", {"second": bits(*range(60)), "wildcard": False}),
        ("  0\t 0  1 1   * ", {"month": bits(1)}),
    ],
)
def test_masks(text, expected):
    masks = parse(text).masks()
    assert {name: masks[name] for name in expected} == expected


@pytest.mark.parametrize("name", NICKNAMES)
def test_nicknames(name):
    assert parse(f" {name.upper()} ") == parse(NICKNAMES[name])
    assert normalise(name) == NICKNAMES[name]


@pytest.mark.parametrize(
    ("text", "field", "position", "says"),
    [
        ("", "", 1, "expected 5 fields (minute, hour, day of month, month, day of week)"),
        ("* * * *", "", 8, "found 4"),
        ("0 0 0 1 1 * *", "", 13, "found 7"),
        ("60 * * * *", "minute", 1, "'60' is not 0-59"),
        ("* 24 * * *", "hour", 3, "'24' is not 0-23"),
        ("* * 0 * *", "day of month", 5, "'0' is not 1-31, L, L-3, LW or 15W"),
        ("* * 32 * *", "day of month", 5, "'32' is not 1-31"),
        ("* * * 13 *", "month", 7, "'13' is not 1-12 or JAN-DEC"),
        ("* * * * 8", "day of week", 9, "'8' is not 0-7 or SUN-SAT, 5L, MON#2 or MON#L"),
        ("0,15,x * * * *", "minute", 6, "'x' is not 0-59"),
        ("0,,1 * * * *", "minute", 3, "a value is missing"),
        ("*/0 * * * *", "minute", 3, "step '0' is not a number from 1"),
        ("*/x * * * *", "minute", 3, "step 'x'"),
        ("*/ * * * *", "minute", 3, "step ''"),
        ("* 9-17/ * * *", "hour", 8, "step ''"),
        ("* 17-9 * * *", "hour", 3, "range 17-9 ends before it begins"),
        ("* * * * MON-SUN", "day of week", 9, "ends before it begins"),
        ("* 9- * * *", "hour", 5, "expected 0-23"),
        ("* -9 * * *", "hour", 3, "expected 0-23"),
        ("? * * * *", "minute", 1, "'?' stands alone, as the whole day of month or day of week; write *"),
        ("* * 1,? * *", "day of month", 7, "'?' stands alone"),
        ("* * L-0 * *", "day of month", 7, "'0' after L- is not 1 to 30 days before the last"),
        ("* * L-31 * *", "day of month", 7, "'31' after L- is not 1 to 30"),
        ("* * L- * *", "day of month", 7, "'' after L- is not 1 to 30"),
        ("* * L-3W * *", "day of month", 5, "'L-3W' is not 1-31"),
        ("* * W * *", "day of month", 5, "'W' is not 1-31"),
        ("* * 32W * *", "day of month", 5, "'32' is not 1-31"),
        ("* * * * L", "day of week", 9, "'L' is not 0-7 or SUN-SAT, 5L"),
        ("* * * * MON#6", "day of week", 13, "'6' after # is not 1 to 5"),
        ("* * * * MOON", "day of week", 9, "'MOON' is not 0-7"),
        ("* * * * FRI-MON", "day of week", 9, "ends before it begins"),
        ("* * * * MON#", "day of week", 13, "'' after #"),
        ("H * * * *", "minute", 1, "'H' is not 0-59"),
        ("0 0 60 * * *", "hour", 5, "'60' is not 0-23"),
        ("*  \t 25 * * *", "hour", 6, "'25' is not 0-23"),
        ("@reboot", "", 1, "'@reboot' is not a nickname; known are @yearly"),
        (" @every 5m", "", 2, "not a nickname"),
        ("1\u0661 * * * *", "minute", 1, "is not 0-59"),
        ("99999 * * * *", "minute", 1, "is not 0-59"),
    ],
)
def test_errors_name_field_and_position(text, field, position, says):
    with pytest.raises(InvalidArgument) as caught:
        parse(text, field="schedule.cron.expression")
    error = caught.value
    assert says in error.message
    assert error.reason == "SCHEDULE_INVALID"
    assert error.metadata == {
        "field": "schedule.cron.expression",
        "expression": text,
        "cron_field": field,
        "position": str(position),
    }
    assert [violation.field for violation in error.violations] == ["schedule.cron.expression"]
    assert f"position {position}" in error.violations[0].description


def test_a_very_long_expression_is_refused_and_not_repeated():
    with pytest.raises(InvalidArgument, match="longer than 1000") as caught:
        parse("*" * 5000)
    assert len(caught.value.metadata["expression"]) == 1000


@given(st.text(alphabet="*/-,#LW?@0123456789 MONJA\t", max_size=40) | st.text(max_size=30))
def test_any_text_is_compiled_or_refused(text):
    try:
        masks = parse(text)
    except InvalidArgument as error:
        assert 1 <= int(error.metadata["position"]) <= len(text) + 1
    else:
        assert masks.masks()["minute"]
        assert masks.masks()["hour"]
        assert parse(normalise(text)) == masks


ITEM = st.one_of(
    st.just("*"),
    st.integers(0, 59).map(str),
    st.integers(1, 30).map("*/{}".format),
    st.tuples(st.integers(0, 29), st.integers(30, 59), st.integers(1, 9)).map(lambda t: "{}-{}/{}".format(*t)),
    st.tuples(st.integers(0, 59), st.integers(1, 9)).map(lambda t: "{}/{}".format(*t)),
)


@given(st.lists(ITEM, min_size=1, max_size=4).map(",".join))
def test_lists_ranges_and_steps(field):
    assert parse(f"{field} * * * *").masks()["minute"] == bits(*oracle.expand(field, 0, 59, [], 0))
