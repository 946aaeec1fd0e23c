"""Lengths of time as people write them, read, against a plain sum; errors name the position."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain import errors
from tocsin.domain.instant import DAY, HOUR, MINUTE, SECOND
from tocsin.domain.lengths import LONGEST, parse_length

_UNITS = {
    SECOND: ("s", "sec", "secs", "second", "seconds"),
    MINUTE: ("m", "min", "mins", "minute", "minutes"),
    HOUR: ("h", "hr", "hrs", "hour", "hours"),
    DAY: ("d", "day", "days"),
    7 * DAY: ("w", "week", "weeks"),
    30 * DAY: ("month", "months"),
    365 * DAY: ("y", "yr", "year", "years"),
}
_SIZES = {name: size for size, names in _UNITS.items() for name in names}


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("every 5 minutes", 5 * MINUTE),
        ("every 60 seconds", MINUTE),
        ("every 5 min", 5 * MINUTE),
        ("every 1 min", MINUTE),
        ("every 45 seconds", 45 * SECOND),
        ("every minute", MINUTE),
        ("every hour", HOUR),
        ("every 1 hour and 30 minutes", 90 * MINUTE),
        ("every 2 days, 1 hour and 3 seconds", 2 * DAY + HOUR + 3 * SECOND),
        ("every 2 days, 1 hour, and 3 seconds", 2 * DAY + HOUR + 3 * SECOND),
        ("every 1.50 seconds", 1500),
        ("every 1 year", 365 * DAY),
        ("2 minutes", 2 * MINUTE),
        ("15min", 15 * MINUTE),
        ("30s", 30 * SECOND),
        (".5 h", 30 * MINUTE),
        ("1 hour 30 minutes", 90 * MINUTE),
        ("1h,30m", 90 * MINUTE),
        ("  EVERY  8\tHours ", 8 * HOUR),
        ("1.0005 s", 1001),
        ("hour and minute", HOUR + MINUTE),
        ("1 month", 30 * DAY),
        ("36500 days", LONGEST),
    ],
)
def test_what_is_written_is_read(text: str, millis: int) -> None:
    assert parse_length(text) == millis


@pytest.mark.parametrize(
    ("text", "millis"),
    [("250ms", 250), ("1s 250 ms", 1250), ("3600", HOUR), (" 1.5 ", 1500), ("1.2s", 1200), (".25", 250)],
)
def test_where_it_is_asked_for_there_are_milliseconds_and_bare_seconds(text: str, millis: int) -> None:
    assert parse_length(text, milliseconds=True, bare_seconds=True) == millis


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 1),
        ("   ", 1),
        ("every", 1),
        ("every ", 7),
        ("5", 2),
        ("every 5", 8),
        ("every 5 parsecs", 9),
        ("every five minutes", 7),
        ("every 0 minutes", 7),
        ("every 1 hour and 0 minutes", 18),
        ("0.0 s", 1),
        ("-5 minutes", 1),
        ("every -5 minutes", 7),
        ("+5 minutes", 1),
        ("1,5 minutes", 2),
        ("1. minutes", 2),
        ("1h30m", 3),
        ("5 minutes!", 10),
        ("5 minutes,", 11),
        ("5 minutes and", 11),
        ("5 minutes and and 3 s", 15),
        ("250ms", 4),
        ("everyminute", 1),
        ("5 \N{GREEK SMALL LETTER MU}s", 3),
        ("\N{ARABIC-INDIC DIGIT FIVE} minutes", 1),
        ("36501 days", 1),
        ("9" * 180 + " years", 1),
        ("0.0000001 s", 1),
        ("1 s" + " 1 s" * 60, 201),
    ],
)
def test_an_error_names_field_and_position(text: str, position: int) -> None:
    with pytest.raises(errors.InvalidArgument) as caught:
        parse_length(text, "realert_interval")
    assert caught.value.metadata == {"field": "realert_interval", "position": str(position)}
    assert f"position {position}" in str(caught.value)


def test_the_position_counts_what_stands_before() -> None:
    with pytest.raises(errors.InvalidArgument) as caught:
        parse_length("5 parsecs", before=18)
    assert caught.value.metadata["position"] == "21"


_numbers = st.one_of(
    st.none(),
    st.integers(1, 1000).map(str),
    st.decimals("0.01", 100, places=3).map(str),
    st.integers(1, 999).map(lambda n: f".{n:03d}"),
)
_amounts = st.tuples(_numbers, st.sampled_from(["", " ", "  "]), st.sampled_from(sorted(_SIZES)))
_separators = st.sampled_from([" ", ",", ", ", " and ", ", and ", ",and "])


@given(st.lists(st.tuples(_amounts, _separators), min_size=1, max_size=6), st.booleans(), st.booleans())
def test_the_sum_is_exact(parts: list[tuple[tuple[str | None, str, str], str]], every: bool, loud: bool) -> None:
    text, total = "every " if every else "", Fraction(0)
    for index, ((number, gap, unit), separator) in enumerate(parts):
        text += f"{separator if index else ''}{number + gap if number else ''}{unit}"
        total += Fraction(number or 1) * _SIZES[unit]
    expected = int(total + Fraction(1, 2))
    if expected <= LONGEST:
        assert parse_length(text.upper() if loud else text) == expected
    else:
        with pytest.raises(errors.InvalidArgument):
            parse_length(text)


@given(st.text(max_size=30))
def test_any_text_is_a_length_or_an_error_with_a_position_in_it(text: str) -> None:
    for flag in (False, True):
        try:
            assert 1 <= parse_length(text, milliseconds=flag, bare_seconds=flag) <= LONGEST
        except errors.InvalidArgument as error:
            assert 1 <= int(error.metadata["position"]) <= len(text) + 1
