"""A length of time as people write it, read: "every 5 minutes", "1 hour and 30 minutes", "1.5 s", "90 sec".

    length = [ "every" ] amount { sep amount } ;  sep = " " | "," | " and " | ", and "
    amount = [ number ] unit                   ;  number = digits [ "." digits ] | "." digits

A number left out means 1. Case does not matter, nor do blanks around. Months have 30 days here, years 365: where the
calendar counts, a schedule has units of its own. Sums are exact, and rounded to the millisecond at the end.
"""

import re
from fractions import Fraction
from typing import Final, NoReturn

from tocsin.domain import errors
from tocsin.domain.instant import DAY, HOUR, MINUTE, SECOND, Millis

LONGEST: Final = 36_500 * DAY
TEXT_MAX: Final = 200  # characters

_UNITS: Final = {
    name: size
    for names, size in (
        ("s sec secs second seconds", SECOND),
        ("m min mins minute minutes", MINUTE),
        ("h hr hrs hour hours", HOUR),
        ("d day days", DAY),
        ("w week weeks", 7 * DAY),
        ("month months", 30 * DAY),
        ("y yr year years", 365 * DAY),
    )
    for name in names.split()
}
_MILLIS: Final = {"ms": 1}
_BLANK: Final = re.compile(r"\s*")
_EVERY: Final = re.compile(r"every\s+", re.IGNORECASE)
_SEPARATOR: Final = re.compile(r"\s*,\s*and\s+|\s*,\s*|\s+and\s+|\s+", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_WORD: Final = re.compile(r"[^\W\d_]+")


def parse_length(
    text: str, field: str = "length", *, milliseconds: bool = False, bare_seconds: bool = False, before: int = 0
) -> Millis:
    """Milliseconds, 1 and more. `milliseconds`: "ms" is a unit; `bare_seconds`: a number alone is seconds.

    InvalidArgument names `field`, and in its metadata the `position` of the first wrong character, from 1; `before` is
    how many characters stand before `text` in what the caller was given.

    >>> parse_length("every 2 days, 1 hour and 3 seconds")
    176403000
    """
    return _Reader(text, field, before, _UNITS | _MILLIS if milliseconds else _UNITS).read(bare_seconds=bare_seconds)


class _Reader:
    def __init__(self, text: str, field: str, before: int, units: dict[str, int]) -> None:
        self._text, self._field, self._before, self._units = text, field, before, units
        self._at = 0

    def read(self, *, bare_seconds: bool) -> Millis:
        text = self._text
        end = len(text.rstrip())
        if end > TEXT_MAX:
            self._refuse(TEXT_MAX, f"at most {TEXT_MAX} characters")
        self._skip(_BLANK)
        if end == 0:
            self._refuse(0, "a length of time is missing")
        number = _NUMBER.match(text, self._at)
        if bare_seconds and number and number.end() == end:
            total = self._positive(number) * SECOND
        else:
            self._skip(_EVERY)
            total = self._amount()
            while self._at < end:
                if not self._skip(_SEPARATOR):
                    self._refuse(self._at, "expected a blank, ',' or 'and' here")
                total += self._amount()
        millis = int(total + Fraction(1, 2))
        if not 1 <= millis <= LONGEST:
            self._refuse(0, f"must be 1 ms to {LONGEST // DAY} days")
        return millis

    def _amount(self) -> Fraction:
        """A number and its unit; the reader stands behind them afterwards."""
        number = _NUMBER.match(self._text, self._at)
        count = Fraction(1)
        if number:
            count = self._positive(number)
            self._at = number.end()
            self._skip(_BLANK)
        word = _WORD.match(self._text, self._at)
        size = self._units.get(word[0].lower()) if word else None
        if size is None:
            shown = repr(word[0][:20]) if word else "this"
            what = "a unit" if number else "a number or a unit"
            self._refuse(self._at, f"{shown} is not {what}: one of {', '.join(self._units)}")
        assert word is not None
        self._at = word.end()
        return count * size

    def _positive(self, number: re.Match[str]) -> Fraction:
        count = Fraction(number[0])
        if not count:
            self._refuse(number.start(), "must be more than zero")
        return count

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self._text, self._at)
        if match:
            self._at = match.end()
        return match is not None

    def _refuse(self, at: int, why: str) -> NoReturn:
        position = self._before + at + 1
        raise errors.invalid(
            self._field,
            f"{self._text[:TEXT_MAX]!r} is no length of time: {why} (position {position})",
            position=str(position),
        )
