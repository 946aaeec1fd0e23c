"""Calendar expressions of systemd (systemd.time(7), CALENDAR EVENTS) become a `Cron` with years, and a time zone.

    [weekdays] [[year-]month-day] [hour:minute[:second]] [zone]      Mon..Fri *-*-* 08:00 Europe/Vienna

Each part of date and time is `*` or a list of values, ranges `a..b`, and repetitions `a/n` and `a..b/n`. A `~` in place
of the last `-` counts days from the end of the month. Weekday and date must both match. Words such as "daily" stand for
whole expressions. What systemd refuses is refused, with the place named; so are @epoch and fractions of a second. Only
weekday ranges that wrap (Sat..Mon) are accepted beyond systemd 252.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple, NoReturn

from tocsin._core.cron import Cron
from tocsin.domain import errors

WORDS = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "yearly": "*-01-01 00:00:00",
    "annually": "*-01-01 00:00:00",
    "anually": "*-01-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    "semiannually": "*-01,07-01 00:00:00",
    "semi-annually": "*-01,07-01 00:00:00",
    "biannually": "*-01,07-01 00:00:00",
    "bi-annually": "*-01,07-01 00:00:00",
}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST = 1000
_ITEMS_MAX = 240  # of one part, as systemd


class _Part(NamedTuple):
    name: str
    low: int
    high: int


_YEAR = _Part("year", 1970, 2199)
_MONTH = _Part("month", 1, 12)
_DAY = _Part("day", 1, 31)
_FROM_END = _Part("day from the end of the month", 1, 28)
_HOUR = _Part("hour", 0, 23)
_MINUTE = _Part("minute", 0, 59)
_SECOND = _Part("second", 0, 59)


class Calendar(NamedTuple):
    """A compiled expression; `time_zone` is "" where it names none."""

    cron: Cron
    time_zone: str


def parse(expression: str, *, field: str = "schedule.on_calendar.expression") -> Calendar:
    """The masks of an expression; `InvalidArgument` about `field` if it is not one.

    >>> parse("Mon..Fri *-*-* 08:00 Europe/Vienna").time_zone
    'Europe/Vienna'
    """
    return _Parser(expression, field).calendar()


def split_zone(expression: str) -> tuple[str, str]:
    """The expression with words written out, and its time zone or ""."""
    *words, last = expression.split() or [""]
    zone = ""
    if words and re.match("[A-Za-z]", last) and last.lower() not in WORDS:
        zone = "UTC" if last.upper() == "UTC" else last
    else:
        words.append(last)
    body = " ".join(words)
    return WORDS.get(body.lower(), body), zone


class _Text(NamedTuple):
    """A piece of the expression and where it begins, counted from 0."""

    text: str
    at: int

    def split(self, mark: str) -> list["_Text"]:
        pieces, at = [], self.at
        for piece in self.text.split(mark):
            pieces.append(_Text(piece, at))
            at += len(piece) + len(mark)
        return pieces


_EVERY, _ZERO = _Text("*", 0), _Text("0", 0)


class _Parser:
    def __init__(self, expression: str, path: str) -> None:
        self.expression = expression
        self.path = path

    def refuse(self, says: str, at: int) -> NoReturn:
        raise errors.invalid(
            self.path,
            f"position {at + 1}: {says}",
            reason="SCHEDULE_INVALID",
            expression=self.expression[:LONGEST],
            position=str(at + 1),
        )

    def calendar(self) -> Calendar:
        if len(self.expression) > LONGEST:
            self.refuse(f"longer than {LONGEST} characters", LONGEST)
        body, zone = split_zone(self.expression)
        # A word's meaning holds no errors, so only positions in the text as written are ever shown.
        words = [_Text(found.group(), found.start()) for found in re.finditer(r"\S+", self.expression)]
        words = words[:-1] if zone else words
        if body.split() != [word.text for word in words]:
            words = [_Text(found.group(), found.start()) for found in re.finditer(r"\S+", body)]
        if not words:
            self.refuse("expected [weekdays] [[year-]month-day] [hour:minute[:second]] [time zone]", 0)
        if words[0].text.startswith("@"):
            self.refuse("an instant is no schedule; write the date, such as 2030-01-01 12:00", words[0].at)
        dow = 0x7F
        if words[0].text[0].isalpha():
            dow = self.weekdays(words.pop(0))
        year, month, day, from_end = _EVERY, _EVERY, _EVERY, False
        if words and ":" not in words[0].text:
            year, month, day, from_end = self.date(words.pop(0))
        hour, minute, second = self.time(words.pop(0)) if words else (_ZERO, _ZERO, _ZERO)
        if words:
            self.refuse(f"{words[0].text!r} is neither date nor time, or in the wrong order", words[0].at)
        years = None if year.text == "*" else self.values(year, _YEAR)
        days = self.values(day, _FROM_END if from_end else _DAY)
        cron = Cron.of(
            second=_bits(self.values(second, _SECOND)),
            minute=_bits(self.values(minute, _MINUTE)),
            hour=_bits(self.values(hour, _HOUR)),
            dom=0 if from_end else _bits(days),
            last=_bits(days) >> 1 if from_end else 0,
            month=_bits(self.values(month, _MONTH)),
            dow=dow,
            years=years,
        )
        return Calendar(cron, zone)

    def weekdays(self, word: _Text) -> int:
        """Bits, Sunday first."""
        mask = 0
        for item in word._replace(text=word.text.removesuffix(",")).split(","):
            days = [self.weekday(name) for name in item.split(".." if ".." in item.text else "-")]
            if len(days) > 2:
                self.refuse(f"range {item.text} has more than two ends", item.at)
            day = days[0]
            while True:
                mask |= 1 << (day + 1) % 7
                if day == days[-1]:
                    break
                day = (day + 1) % 7
        return mask

    def weekday(self, name: _Text) -> int:
        lowered = name.text.lower()
        for number, full in enumerate(WEEKDAYS):
            if lowered in (full, full[:3]):
                return number
        known = "Mon to Sun, Monday to Sunday"
        return self.refuse(f"{name.text!r} is no weekday ({known}), nor a word such as daily or weekly", name.at)

    def date(self, word: _Text) -> tuple[_Text, _Text, _Text, bool]:
        match = re.fullmatch(r"(?:([^~-]+)-)?([^~-]+)([~-])([^~-]+)", word.text)
        if not match:
            self.refuse(f"{word.text!r} is not a date [year-]month-day or [year-]month~day", word.at)
        year, month, day = (_Text(match[group] or "*", word.at + match.start(group)) for group in (1, 2, 4))
        return year, month, day, match[3] == "~" and day.text != "*"

    def time(self, word: _Text) -> tuple[_Text, _Text, _Text]:
        parts = word.split(":")
        if not 2 <= len(parts) <= 3:
            self.refuse(f"{word.text!r} is not a time hour:minute[:second]", word.at)
        return parts[0], parts[1], parts[2] if len(parts) == 3 else _ZERO

    def values(self, text: _Text, part: _Part) -> set[int]:
        if text.text == "*":
            return set(range(part.low, part.high + 1))
        items = text.split(",")
        if len(items) > _ITEMS_MAX:
            self.refuse(f"more than {_ITEMS_MAX} values of the {part.name}", text.at)
        return set().union(*(self.span(item, part) for item in items))

    def span(self, item: _Text, part: _Part) -> Iterable[int]:
        """`a`, `a..b`, `a/n`, `a..b/n`. From the end of the month a repetition goes towards it: ~7/2 is 7, 5, 3, 1."""
        match = re.fullmatch(r"([0-9]+)(?:\.\.([0-9]+))?(?:/([0-9]+))?", item.text)
        if not match:
            if part is _SECOND and re.search(r"[0-9]\.[0-9]", item.text):
                self.refuse(f"second {item.text!r}: fractions of a second are not supported", item.at)
            self.refuse(f"{part.name} {item.text!r} is not *, a value, a range a..b or a repetition a/n", item.at)
        first = self.number(match, 1, item, part)
        last = self.number(match, 2, item, part) if match[2] else None
        step = int(match[3][:9]) if match[3] else 1
        if last is not None and last < first:
            self.refuse(f"{part.name} range {item.text} ends before it begins", item.at)
        if step == 0:
            self.refuse(f"{part.name} {item.text!r}: a repetition is a number from 1", item.at)
        if last is not None or not match[3]:
            return range(first, (first if last is None else last) + 1, step)
        backwards = part is _FROM_END
        if not part.low <= (first - step if backwards else first + step) <= part.high:
            self.refuse(f"{part.name} {item.text!r} never repeats within {part.low} to {part.high}", item.at)
        return range(first, 0, -step) if backwards else range(first, part.high + 1, step)

    def number(self, match: re.Match[str], group: int, item: _Text, part: _Part) -> int:
        value = int(match[group])
        if part is _YEAR and 0 <= value < 100:
            value += 2000 if value < 70 else 1900
        if not part.low <= value <= part.high:
            at = item.at + match.start(group)
            self.refuse(f"{part.name} {match[group]} is not {part.low} to {part.high}", at)
        return value


def _bits(values: set[int]) -> int:
    return sum(1 << value for value in values)
