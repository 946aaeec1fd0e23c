# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""From the text of a cron expression to a `Cron`. The language is in ext/README.md."""

from typing import Final

from tocsin._core.cron import Cron

STAR: Final[int]  # the day rule: both day fields must match if either begins with `*` or is `?`, otherwise either
OR: Final[int]  # either is enough, unless one of them admits every day: croniter
AND: Final[int]  # both must match

LONGEST: Final[int]  # characters of an expression

# What is wrong: `Refused.code`.
TOO_LONG: Final[int]
NICKNAME: Final[int]  # begins with @ and is no nickname
COUNT: Final[int]  # `length` is the number of fields found
MISSING: Final[int]  # nothing before a comma, or after the last one
VALUE: Final[int]  # no value of the field
STEP: Final[int]  # no number from 1 after a slash
RANGE: Final[int]  # ends before it begins
NTH: Final[int]  # not 1 to 5 or L after #
ANY: Final[int]  # ? beside something else, or in a field that is no day
BEFORE: Final[int]  # not 1 to 30 after L-

class Refused(ValueError):
    """Where an expression cannot be read: the offending text is `length` characters from `position`, counted from 0."""

    code: int
    field: int  # second 0, minute 1, hour 2, day of month 3, month 4, day of week 5; -1 is the whole
    position: int
    length: int
    def __init__(self, code: int, field: int, position: int, length: int) -> None: ...

def parse(text: str, day_rule: int = ...) -> Cron:
    """The masks of an expression; `Refused` if it is none."""
