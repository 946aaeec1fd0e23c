"""Cron expressions: the words of the language, and the errors of the compiled parser said in English.

The parser itself, and with it the language, is `tocsin._core.cron_text`; ext/README.md has the table. Whether an
expression ever fires is found by `timetables`.
"""

from typing import NoReturn

from tocsin._core import cron_text as core
from tocsin._core.cron import Cron
from tocsin._core.cron_text import AND, LONGEST, OR, STAR
from tocsin.domain import errors

__all__ = ["AND", "LONGEST", "MONTHS", "NICKNAMES", "OR", "STAR", "WEEKDAYS", "normalise", "parse"]

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
_FIELDS = ("second", "minute", "hour", "day of month", "month", "day of week")
_ACCEPTED = (
    "0-59",
    "0-59",
    "0-23",
    "1-31, L, L-3, LW or 15W",
    "1-12 or JAN-DEC",
    "0-7 or SUN-SAT, 5L, MON#2 or MON#L",
)


def normalise(expression: str) -> str:
    """The expression with single blanks, in capitals, nicknames written out: equal ones become equal."""
    text = " ".join(expression.split())
    return NICKNAMES.get(text.lower(), text.upper())


def parse(expression: str, *, field: str = "schedule.cron.expression", day_rule: int = STAR) -> Cron:
    """The masks of an expression; `InvalidArgument` about `field` if it is not one.

    >>> parse("*/15 9-17 * * MON-FRI").masks()["hour"] == 0b11_1111_1110_0000_0000
    True
    """
    try:
        return core.parse(expression, day_rule)
    except core.Refused as refused:
        _refuse(expression, refused, field)


def _refuse(expression: str, refused: core.Refused, path: str) -> NoReturn:
    name = _FIELDS[refused.field] if refused.field >= 0 else ""
    where = f"{name} field" if name else "expression"
    raise errors.invalid(
        path,
        f"{where}, position {refused.position + 1}: {_says(expression, refused)}",
        reason="SCHEDULE_INVALID",
        expression=expression[:LONGEST],
        cron_field=name,
        position=str(refused.position + 1),
    ) from refused


def _says(expression: str, refused: core.Refused) -> str:
    wrong = expression[refused.position : refused.position + refused.length]
    accepted = _ACCEPTED[refused.field]
    match refused.code:
        case core.TOO_LONG:
            return f"longer than {LONGEST} characters"
        case core.NICKNAME:
            return f"{wrong!r} is not a nickname; known are {', '.join(NICKNAMES)}"
        case core.COUNT:
            return (
                "expected 5 fields (minute, hour, day of month, month, day of week), or 6 with seconds first; "
                f"found {refused.length}"
            )
        case core.MISSING:
            return f"a value is missing; expected {accepted}"
        case core.STEP:
            return f"step {wrong!r} is not a number from 1"
        case core.RANGE:
            return f"range {wrong} ends before it begins"
        case core.NTH:
            return f"{wrong!r} after # is not 1 to 5, or L for the last"
        case core.ANY:
            return "'?' stands alone, as the whole day of month or day of week; write * for any value"
        case core.BEFORE:
            return f"{wrong!r} after L- is not 1 to 30 days before the last"
    return f"{wrong!r} is not {accepted}" if wrong else f"expected {accepted}"
