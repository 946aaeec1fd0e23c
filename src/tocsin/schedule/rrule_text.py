"""An RFC 5545 recurrence rule as text is read and checked, part by part; an error names the part.

Accepted: one rule, as `RRULE:FREQ=...` or bare, and above or below it `DTSTART`, `EXDATE` and `RDATE` lines. The
library that evaluates rules reads almost anything (it takes "UNTIL=tomorrow", BYMONTH=13 and BYWEEKNO in a daily rule),
so what the RFC forbids is refused here, and so is what nobody could evaluate in time.
"""

import re
from dataclasses import dataclass, field
from typing import Final, NoReturn

from tocsin._core import civil
from tocsin.domain import errors

FREQUENCIES: Final = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")  # as the library counts
YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY, SECONDLY = range(7)
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
DEFAULT_START: Final = civil.to_days(2001, 1, 1) * 86400  # a Monday, the first day of a month and of a year: midnight
COUNT_MAX: Final = 10_000
INTERVALS_MAX: Final = (100, 1_200, 5_218, 36_525, 876_600, 52_596_000, 3_155_760_000)  # a century, by frequency
SETPOS_MAX: Final = 62
_A_DAY: Final = {HOURLY: 24, MINUTELY: 1_440, SECONDLY: 86_400}
TIMES_A_DAY_MAX: Final = 1_440  # named one by one
DATES_MAX: Final = 500  # added and removed, all lines together
TEXT_MAX: Final = 65_536  # characters
_LISTS: Final = {  # name: least, most, whether negative ones count from the end
    "BYMONTH": (1, 12, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYHOUR": (0, 23, False),
    "BYMINUTE": (0, 59, False),
    "BYSECOND": (0, 59, False),
    "BYSETPOS": (1, 366, True),
}
_FORBIDDEN: Final = {  # RFC 5545, 3.3.10
    "BYWEEKNO": (MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY, SECONDLY),
    "BYYEARDAY": (MONTHLY, WEEKLY, DAILY),
    "BYMONTHDAY": (WEEKLY,),
}
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?")
_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


@dataclass(frozen=True, slots=True)
class Moment:
    """A wall time, or, where it was written with a Z, an instant; seconds."""

    seconds: int
    utc: bool


@dataclass(slots=True)
class RuleText:
    """What was written. Wall times are seconds, counted as if the wall clock showed UTC."""

    freq: int = DAILY
    interval: int = 1
    count: int | None = None
    until: Moment | None = None
    week_start: int = 0  # Monday
    lists: dict[str, tuple[int, ...]] = field(default_factory=dict)  # "BYHOUR": (9, 17)
    days: tuple[tuple[int, int], ...] = ()  # BYDAY: weekday, and which of the month or year; 0: every
    start: int = DEFAULT_START
    added: list[Moment] = field(default_factory=list)
    removed: list[Moment] = field(default_factory=list)


def parse(text: str, time_zone: str, *, path: str = "schedule.rrule.rule") -> RuleText:
    """The rule of a text; `InvalidArgument` about `path`. A TZID must be `time_zone`.

    >>> parse("RRULE:FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9", "UTC").days
    ((0, 0), (4, 0))
    """
    return _Parser(path, time_zone).read(text)


class _Parser:
    def __init__(self, path: str, time_zone: str) -> None:
        self._path = path
        self._zone = time_zone
        self._found = RuleText()

    def read(self, text: str) -> RuleText:
        if len(text) > TEXT_MAX:
            self._refuse("RRULE", f"at most {TEXT_MAX} characters, not {len(text)}")
        unfolded = re.sub(r"\r?\n[ \t]", "", text.strip())
        rule, start = "", ""
        for line in unfolded.split():
            head, colon, value = line.partition(":")
            name, *parameters = head.split(";") if colon else ("RRULE",)
            match name.upper():
                case "RRULE":
                    if rule:
                        self._refuse("RRULE", "there are two rules; give each a schedule of its own")
                    rule = value or line
                case "DTSTART":
                    if start:
                        self._refuse("DTSTART", "there are two")
                    start = value
                    self._found.start = self._start(value, parameters)
                case "EXDATE":
                    self._found.removed += self._dates("EXDATE", value, parameters)
                case "RDATE":
                    self._found.added += self._dates("RDATE", value, parameters)
                case "EXRULE":
                    self._refuse("EXRULE", "withdrawn by RFC 5545; use BYxxx parts or EXDATE")
                case _:
                    self._refuse(name[:40], "unknown; expected RRULE, DTSTART, EXDATE or RDATE")
        if not rule:
            self._refuse("RRULE", 'a rule is missing, such as "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9"')
        self._rule(rule)
        if self._found.count is not None and not start:
            self._refuse("COUNT", "counts from DTSTART, which is missing")
        return self._found

    def _refuse(self, part: str, text: str) -> NoReturn:
        raise errors.invalid(self._path, f"{part}: {text}", reason="SCHEDULE_INVALID", part=part)

    def _rule(self, text: str) -> None:
        parts: dict[str, str] = {}
        for part in text.upper().removesuffix(";").split(";"):
            name, equals, value = part.partition("=")
            if not equals or not value:
                self._refuse(part[:40] or "RRULE", "expected NAME=VALUE, parts joined by ';'")
            if name in parts:
                self._refuse(name, "is there twice")
            parts[name] = value
        found = self._found
        freq = parts.pop("FREQ", "")
        if freq not in FREQUENCIES:
            self._refuse("FREQ", f"{freq[:40]!r} is not one of {', '.join(FREQUENCIES)}")
        found.freq = FREQUENCIES.index(freq)
        found.interval = self._number("INTERVAL", parts.pop("INTERVAL", "1"), INTERVALS_MAX[found.freq])
        if "COUNT" in parts:
            found.count = self._number("COUNT", parts.pop("COUNT"), COUNT_MAX)
        if "UNTIL" in parts:
            found.until = self._moment("UNTIL", parts.pop("UNTIL"))
            if found.count is not None:
                self._refuse("UNTIL", "cannot be together with COUNT")
        week_start = parts.pop("WKST", "MO")
        if week_start not in WEEKDAYS:
            self._refuse("WKST", f"{week_start[:40]!r} is not one of {', '.join(WEEKDAYS)}")
        found.week_start = WEEKDAYS.index(week_start)
        if "BYDAY" in parts:
            found.days = self._days(parts.pop("BYDAY"))
        for name, value in parts.items():
            if name not in _LISTS:
                self._refuse(name[:40], f"unknown; known are {', '.join(('BYDAY', *_LISTS))}")
            found.lists[name] = self._list(name, value)
        self._check()
        if any(nth for _, nth in found.days) and not all(nth for _, nth in found.days):
            # The RFC unites plain and numbered weekdays, the library wants both at once: number them all.
            places = range(1, 6 if found.freq == MONTHLY or "BYMONTH" in found.lists else 54)
            every = [(day, place) for day, nth in found.days if not nth for place in places]
            found.days = (*every, *(one for one in found.days if one[1]))

    def _check(self) -> None:
        """What the RFC forbids, and more times a day than can be named."""
        found = self._found
        for name, frequencies in _FORBIDDEN.items():
            if name in found.lists and found.freq in frequencies:
                self._refuse(name, f"cannot be used with FREQ={FREQUENCIES[found.freq]}")
        if any(nth for _, nth in found.days):
            if found.freq > MONTHLY:
                self._refuse("BYDAY", f"a number before a weekday has no meaning with FREQ={FREQUENCIES[found.freq]}")
            if "BYWEEKNO" in found.lists:
                self._refuse("BYDAY", "a number before a weekday has no meaning with BYWEEKNO")
        if "BYSETPOS" in found.lists and len(found.lists) == 1 and not found.days:
            self._refuse("BYSETPOS", "needs another BYxxx part to choose from")
        if found.freq > DAILY and found.interval > 1:
            self._check_steps()
        if len(found.lists.get("BYSETPOS", ())) > SETPOS_MAX:
            self._refuse("BYSETPOS", f"at most {SETPOS_MAX} numbers")
        times = 1
        for name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
            times *= len(found.lists.get(name, (0,)))
        if found.freq <= DAILY and times > TIMES_A_DAY_MAX:
            self._refuse(
                "BYHOUR, BYMINUTE, BYSECOND",
                f"{times} times a day, at most {TIMES_A_DAY_MAX} can be named; use FREQ=MINUTELY or FREQ=SECONDLY",
            )

    def _check_steps(self) -> None:
        """Steps below a day that seldom meet the other parts: the library would look for ever."""
        found = self._found
        if found.interval >= _A_DAY[found.freq] and (found.lists or found.days):
            self._refuse("INTERVAL", "steps of a day or more cannot be used with BYxxx; use FREQ=DAILY or longer")
        limits = ("BYHOUR", "BYMINUTE", "BYSECOND")[: found.freq - DAILY]
        dates = found.days or found.lists.keys() & {"BYMONTH", "BYMONTHDAY", "BYYEARDAY"}
        if _A_DAY[found.freq] % found.interval and dates and found.lists.keys() & set(limits):
            self._refuse("INTERVAL", f"steps that do not divide a day cannot be used with dates and {limits[0]}")
        if found.freq == SECONDLY and "BYSECOND" in found.lists:
            self._refuse("BYSECOND", "cannot be used with FREQ=SECONDLY and INTERVAL; use FREQ=MINUTELY")

    def _number(self, name: str, text: str, most: int) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not 1 <= int(text) <= most:
            self._refuse(name, f"{text[:40]!r} is not a number from 1 to {most}")
        return int(text)

    def _list(self, name: str, text: str) -> tuple[int, ...]:
        low, high, negative = _LISTS[name]
        numbers = set()
        for item in text.split(","):
            number = int(item) if re.fullmatch(r"[+-]?[0-9]{1,3}", item) else 1000
            if not (low <= number <= high or (negative and -high <= number <= -low)):
                less = f" or -{high} to -{low}" if negative else ""
                self._refuse(name, f"{item[:40]!r} is not {low} to {high}{less}")
            numbers.add(number)
        return tuple(sorted(numbers))

    def _days(self, text: str) -> tuple[tuple[int, int], ...]:
        days = []
        for item in text.split(","):
            match = _DAY.fullmatch(item)
            nth = int(match[1] or 0) if match else 99
            if not match or not -53 <= nth <= 53 or (match[1] and not nth):
                self._refuse("BYDAY", f"{item[:40]!r} is not a weekday such as MO, 2TU or -1FR")
            days.append((WEEKDAYS.index(match[2]), nth))
        return tuple(days)

    def _start(self, value: str, parameters: list[str]) -> int:
        self._parameters("DTSTART", parameters)
        moment = self._moment("DTSTART", value)
        if moment.utc and self._zone not in ("UTC", "Etc/UTC"):
            self._refuse("DTSTART", f"ends in Z, which is UTC, and time_zone is {self._zone!r}; leave the Z out")
        return moment.seconds

    def _dates(self, name: str, value: str, parameters: list[str]) -> list[Moment]:
        self._parameters(name, parameters)
        count = len(self._found.added) + len(self._found.removed) + value.count(",") + 1
        if count > DATES_MAX:  # before any is read
            self._refuse(name, f"at most {DATES_MAX} dates over all EXDATE and RDATE lines, not {count}")
        return [self._moment(name, text) for text in value.split(",")]

    def _parameters(self, name: str, parameters: list[str]) -> None:
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.upper() == "TZID":
                zone = value.strip('"')
                if zone != self._zone:
                    self._refuse(
                        name,
                        f"TZID is {zone[:100]!r} and time_zone is {self._zone!r}; they must agree, or leave it out",
                    )
            elif parameter.upper() not in ("VALUE=DATE", "VALUE=DATE-TIME"):
                self._refuse(name, f"{parameter[:40]!r} is not TZID, VALUE=DATE or VALUE=DATE-TIME")

    def _moment(self, name: str, text: str) -> Moment:
        match = _DATE.fullmatch(text.upper())
        if match:
            year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
            real = year >= 1 and 1 <= month <= 12 and 1 <= day <= civil.month_length(year, month)
            if real and hour < 24 and minute < 60 and second < 60:
                of_day = hour * 3600 + minute * 60 + second
                return Moment(civil.to_days(year, month, day) * 86400 + of_day, bool(match[7]))
        return self._refuse(name, f"{text[:40]!r} is not a date such as 20260131 or 20260131T093000")
