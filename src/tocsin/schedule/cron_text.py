"""A cron expression as text becomes bit masks; an error names the field and the position of the character.

Five fields (minute, hour, day of month, month, day of week), or six with seconds first; nicknames such as @daily.
Lists, ranges, steps (`*/n`, `a-b/n`, `a/n`: from a to the maximum), names (JAN, MON), Sunday as 0 or 7, and
    L      day of month: the last day        5L     day of week: the last Friday
    LW     the last weekday (Monday-Friday)  MON#2  the second Monday
    15W    the weekday nearest to the 15th, never in another month

Days follow Debian cron: if the day of month or the day of week begins with `*`, both must match; otherwise either.
What the masks mean in time is decided by `tocsin._core.cron`; whether they ever match is found by `timetables`.
"""

import re
from typing import NamedTuple, NoReturn

from tocsin.domain import errors

NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MONTHS = {name: i + 1 for i, name in enumerate(_MONTH_NAMES)}
WEEKDAYS = {name: i for i, name in enumerate(_WEEKDAY_NAMES)}
LONGEST = 1000


class Masks(NamedTuple):
    """A compiled expression: the keyword arguments of `Timetables.add_cron`, except zone and policy."""

    second: int
    minute: int
    hour: int
    dom: int
    month: int
    dow: int
    nearest: int
    nth: int
    last_day: bool
    last_weekday: bool
    either_day: bool
    wildcard: bool


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: dict[str, int]


_SECOND = _Field("second", 0, 59, {})
_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, MONTHS),
    _Field("day of week", 0, 7, WEEKDAYS),
)


def normalise(expression: str) -> str:
    """The expression with single blanks, in capitals, nicknames written out: equal ones become equal."""
    text = " ".join(expression.split())
    return NICKNAMES.get(text.lower(), text.upper())


def parse(expression: str, *, field: str = "schedule.cron.expression") -> Masks:
    """The masks of an expression; `InvalidArgument` about `field` if it is not one.

    >>> parse("*/15 9-17 * * MON-FRI").hour == 0b11_1111_1110_0000_0000
    True
    """
    return _Parser(expression, field).masks()


class _Parser:
    def __init__(self, expression: str, path: str) -> None:
        self.expression = expression
        self.path = path
        self.field = _SECOND
        self.last_day = self.last_weekday = False
        self.nearest = self.nth = 0

    def refuse(self, text: str, at: int) -> NoReturn:
        where = f"{self.field.name} field" if self.field.name else "expression"
        raise errors.invalid(
            self.path,
            f"{where}, position {at + 1}: {text}",
            reason="SCHEDULE_INVALID",
            expression=self.expression[:LONGEST],
            cron_field=self.field.name,
            position=str(at + 1),
        )

    def masks(self) -> Masks:
        self.field = _Field("", 0, 0, {})
        if len(self.expression) > LONGEST:
            self.refuse(f"longer than {LONGEST} characters", LONGEST)
        words = [(found.group().upper(), found.start()) for found in re.finditer(r"\S+", self.expression)]
        if words and words[0][0].startswith("@"):
            text = NICKNAMES.get(words[0][0].lower())
            if text is None or len(words) > 1:
                known = ", ".join(NICKNAMES)
                self.refuse(f"{self.expression.strip()!r} is not a nickname; known are {known}", words[0][1])
            return parse(text)
        if len(words) not in (5, 6):
            at = words[6][1] if len(words) > 6 else len(self.expression)
            self.refuse(
                f"expected 5 fields (minute, hour, day of month, month, day of week), or 6 with seconds first; "
                f"found {len(words)}",
                at,
            )
        second = 1
        if len(words) == 6:
            second = self.values(_SECOND, *words.pop(0))
        minute, hour, dom, month, dow = (self.values(field, *word) for field, word in zip(_FIELDS, words, strict=True))
        return Masks(
            second=second,
            minute=minute,
            hour=hour,
            dom=dom,
            month=month,
            dow=(dow | dow >> 7) & 0x7F,
            nearest=self.nearest,
            nth=self.nth,
            last_day=self.last_day,
            last_weekday=self.last_weekday,
            either_day=not (words[2][0].startswith("*") or words[4][0].startswith("*")),
            wildcard=words[0][0].startswith("*") or words[1][0].startswith("*"),
        )

    def values(self, field: _Field, text: str, at: int) -> int:
        """The values of one field as bits; the special days go to the parser itself."""
        self.field = field
        mask = 0
        for item in text.split(","):
            if not item:
                self.refuse(f"a value is missing; expected {self.expected()}", at)
            mask |= 0 if self.special(item, at) else self.span(item, at)
            at += len(item) + 1
        return mask

    def special(self, item: str, at: int) -> bool:
        """Takes L, LW, 15W, 5L and MON#2, which are no plain values."""
        if self.field.name == "day of month":
            if item in ("L", "LW"):
                self.last_day |= item == "L"
                self.last_weekday |= item == "LW"
                return True
            if item.endswith("W"):
                self.nearest |= 1 << self.value(item[:-1], at)
                return True
        elif self.field.name == "day of week":
            if item.endswith("L"):
                self.nth |= 1 << 35 + self.value(item[:-1], at) % 7
                return True
            if "#" in item:
                day, _, count = item.partition("#")
                weekday = self.value(day, at) % 7
                if count not in ("1", "2", "3", "4", "5"):
                    self.refuse(f"{count!r} after # is not 1 to 5", at + len(day) + 1)
                self.nth |= 1 << 7 * (int(count) - 1) + weekday
                return True
        return False

    def span(self, item: str, at: int) -> int:
        """`*`, `a`, `a-b`, each with a step or without."""
        body, slash, step_text = item.partition("/")
        step = 1
        if slash:
            if not re.fullmatch(r"[0-9]{1,4}", step_text) or int(step_text) == 0:
                self.refuse(f"step {step_text!r} is not a number from 1", at + len(body) + 1)
            step = int(step_text)
        first, dash, last = body.partition("-")
        if body == "*":
            low, high = self.field.low, self.field.high
        elif dash:
            low, high = self.value(first, at), self.value(last, at + len(first) + 1)
            if low > high:
                self.refuse(f"range {body} ends before it begins", at)
        else:
            low = self.value(first, at)
            high = self.field.high if slash else low
        return sum(1 << value for value in range(low, high + 1, step))

    def value(self, text: str, at: int) -> int:
        if text in self.field.names:
            return self.field.names[text]
        if re.fullmatch(r"[0-9]{1,4}", text) and self.field.low <= int(text) <= self.field.high:
            return int(text)
        if text == "?":
            return self.refuse("'?' is not supported; write * for any day", at)
        return self.refuse(f"{text!r} is not {self.expected()}" if text else f"expected {self.expected()}", at)

    def expected(self) -> str:
        names = f" or {next(iter(self.field.names))}-{list(self.field.names)[-1]}" if self.field.names else ""
        special = {"day of month": ", L, LW or 15W", "day of week": ", 5L or MON#2"}.get(self.field.name, "")
        return f"{self.field.low}-{self.field.high}{names}{special}"
