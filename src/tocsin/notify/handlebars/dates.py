"""Dates in templates: what a text says of a moment, and a moment written by Day.js's tokens. In UTC.

moment("2 days ago", now) → datetime        written(datetime, "YYYY-MM-DD [at] HH:mm") → text
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

TEXT_MAX: Final = 200  # characters of a phrase or of tokens: the patterns below take the square of it, in one go
LONG: Final = "MMMM DD, YYYY"
ISO: Final = "YYYY-MM-DDTHH:mm:ssZ"
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_WORDS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_COUNTS: Final = {"a": 1, "an": 1, **{word: place + 1 for place, word in enumerate(_WORDS)}}
_UNIT: Final = "(second|minute|hour|day|week|month|year)"
_COUNT: Final = rf"([0-9]{{1,9}}|an?|{'|'.join(_WORDS)})"
_AGO: Final = re.compile(rf"{_COUNT}\s+{_UNIT}s?\s+ago")
_AHEAD: Final = re.compile(rf"(?:in\s+)?{_COUNT}\s+{_UNIT}s?(?:\s+from\s+now)?")
_NEAR: Final = re.compile(rf"(last|next)\s+{_UNIT}")
_LENGTHS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_LOOSE: Final = re.compile(
    r"([0-9]{4})[-/]?([0-9]{1,2})?[-/]?([0-9]{0,2})[Tt\s]*([0-9]{1,2})?:?([0-9]{1,2})?:?([0-9]{1,2})?[.:]?([0-9]+)?"
)
_RARE: Final = re.compile(r"\[[^\]]+\]|Q|Do|X|x|k{1,2}|SSS|S")
_USUAL: Final = re.compile(r"\[([^\]]+)\]|YYYY|YY|M{1,4}|D{1,2}|d{1,4}|H{1,2}|h{1,2}|a|A|m{1,2}|s{1,2}|Z{1,2}|SSS")


def moment(text: str, now: datetime) -> datetime | None:
    """None: it says no moment, or one that no calendar here holds."""
    if len(text) > TEXT_MAX:
        return None
    phrase = text.strip().lower()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        match phrase:
            case "now":
                return now
            case "today":
                return midnight
            case "yesterday":
                return midnight - timedelta(days=1)
            case "tomorrow":
                return midnight + timedelta(days=1)
        for pattern, sign in ((_AGO, -1), (_AHEAD, 1)):
            if (found := pattern.fullmatch(phrase)) is not None:
                return _moved(now, sign * _count(found[1]), found[2])
        if (found := _NEAR.fullmatch(phrase)) is not None:
            return _moved(now, -1 if found[1] == "last" else 1, found[2])
        return _absolute(text)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def of_unix(milliseconds: float) -> datetime | None:
    """None: no calendar here holds it."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(milliseconds))
    except (ValueError, OverflowError):
        return None


def written(at: datetime, tokens: str) -> str | None:
    """By Day.js's tokens: the rare ones first, then the usual ones; what is in brackets stays as it is.

    None: the tokens are too long to be some.
    """
    if len(tokens) > TEXT_MAX:
        return None
    rare = _RARE.sub(lambda found: _rare(at, found.group()), tokens or ISO)
    return _USUAL.sub(lambda found: found[1] or _usual(at, found.group()), rare)


def _count(text: str) -> int:
    return _COUNTS[text] if text in _COUNTS else int(text)


def _moved(at: datetime, count: int, unit: str) -> datetime:
    if unit in _LENGTHS:
        return at + timedelta(seconds=count * _LENGTHS[unit])
    months = at.year * 12 + at.month - 1 + count * (12 if unit == "year" else 1)
    first = at.replace(year=months // 12, month=months % 12 + 1, day=1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(at.day, last.day))


def _absolute(text: str) -> datetime:
    if text[-1:].lower() != "z" and (found := _LOOSE.fullmatch(text)) is not None:
        year, month, day, hour, minute, second = (int(part) if part else 0 for part in found.groups()[:6])
        milliseconds = int((found[7] or "0")[:3])
        begin = datetime(year, 1, 1, tzinfo=UTC)
        # What is too much goes over into the next greater unit, as it does in JavaScript.
        moved = _moved(begin, (month or 1) - 1, "month")
        clock = timedelta(hours=hour, minutes=minute, seconds=second, milliseconds=milliseconds)
        return moved + timedelta(days=(day or 1) - 1) + clock
    stripped = text.strip()
    try:
        made = datetime.fromisoformat(stripped)
    except ValueError:
        made = parsedate_to_datetime(stripped)
    return made.replace(tzinfo=UTC) if made.tzinfo is None else made.astimezone(UTC)


def _rare(at: datetime, mark: str) -> str:
    match mark:
        case "Q":
            return str((at.month + 2) // 3)
        case "Do":
            ending = "th" if at.day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(at.day % 10, "th")
            return f"[{at.day}{ending}]"
        case "X":
            return str(_milliseconds(at) // 1000)
        case "x":
            return str(_milliseconds(at))
        case "k" | "kk":
            return str(at.hour or 24).rjust(len(mark), "0")
    return mark


def _usual(at: datetime, mark: str) -> str:
    length = len(mark)
    hour = at.hour % 12 or 12
    match mark[0]:
        case "Y":
            return f"{at.year:04}"[-length:]
        case "M":
            return str(at.month).rjust(length, "0") if length < 3 else _MONTHS[at.month - 1][: 3 if length == 3 else 20]
        case "D":
            return str(at.day).rjust(length, "0")
        case "d":
            weekday = at.isoweekday() % 7
            return str(weekday) if length == 1 else _DAYS[weekday][: length if length < 4 else 20]
        case "H":
            return str(at.hour).rjust(length, "0")
        case "h":
            return str(hour).rjust(length, "0")
        case "a" | "A":
            half = "am" if at.hour < 12 else "pm"
            return half if mark == "a" else half.upper()
        case "m":
            return str(at.minute).rjust(length, "0")
        case "s":
            return str(at.second).rjust(length, "0")
        case "S":
            return f"{at.microsecond // 1000:03}"
    return "+00:00" if mark == "Z" else "+0000"


def _milliseconds(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
