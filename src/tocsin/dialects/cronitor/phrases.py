"""A schedule as Cronitor writes it → a schedule of the domain. Pure.

    "0 0 * * Mon"  "@daily"                   crontab lines of five or six fields, and their nicknames
    "every 1 hour and 30 minutes"             counted from run to run, of a heartbeat from beat to beat
    "at 14:30"  "every day at 14:30:10"       a time of day; also "14:30"
    "weekdays at 9:00"  "every Monday at 9:00"
    "RRULE:FREQ=WEEKLY;BYDAY=MO;BYHOUR=9"     a recurrence rule

An error is an InvalidArgument whose text says at which position the reading ended. `@reboot` is a schedule that nothing
is expected by.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from tocsin.domain import errors
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import HOUR, MINUTE, SECOND, Instant, Millis
from tocsin.domain.lengths import parse_length
from tocsin.domain.schedule import Anchor, Cron, Daily, Interval, Rolling, RRule, Schedule, Unit
from tocsin.schedule import cron_text

SCHEDULES_MAX: Final = 20
TEXT_MAX: Final = 1_000  # characters
CHECK_LEAST: Final = 30 * SECOND
CHECK_MOST: Final = HOUR
REBOOT: Final = "@reboot"
_UNITS: Final = ((HOUR, Unit.HOUR), (MINUTE, Unit.MINUTE), (SECOND, Unit.SECOND))
_DAYS: Final = {
    "sunday": "SUN",
    "monday": "MON",
    "tuesday": "TUE",
    "wednesday": "WED",
    "thursday": "THU",
    "friday": "FRI",
    "saturday": "SAT",
    "weekday": "MON-FRI",
    "weekdays": "MON-FRI",
    "weekend": "SAT,SUN",
    "weekends": "SAT,SUN",
}
_AT: Final = re.compile(r"(?:(?:every\s+)?(?P<day>[a-z]+)\s+)?at(?P<time>\s.*|)", re.IGNORECASE | re.DOTALL)
_TIME: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_CLOCK: Final = re.compile(r"[0-9]{1,2}:")
_EVERY: Final = re.compile(r"every\b", re.IGNORECASE)
_RULE: Final = re.compile(r"\s*(RRULE:|FREQ=|DTSTART)", re.IGNORECASE)
_FREQUENCY: Final = re.compile(r"\bFREQ=([^;\s]*)", re.IGNORECASE)
_STEPS: Final = re.compile(r"\bINTERVAL=0*([1-9][0-9]*)", re.IGNORECASE)
_THURSDAY: Final = re.compile(r"\bthr\b", re.IGNORECASE)
_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY")
_WORDS: Final = re.compile(r"\S+")


@lru_cache(maxsize=16_384)
def parse(
    text: str, zone: str, *, heartbeat: bool = False, anchor: Instant = 0, field: str = "schedule"
) -> Schedule | None:
    """The schedule, None for what is never expected. `zone` is the monitor's; `anchor`: its creation."""
    plain = text.strip()
    if not plain:
        raise _refused(field, text, 0, "a schedule is missing")
    if len(text) > TEXT_MAX:
        raise _refused(field, text, TEXT_MAX, f"at most {TEXT_MAX} characters")
    if plain.lower() == REBOOT:
        return None
    if _RULE.match(text):
        return RRule(_rule(text, anchor, field), zone)
    if at := _AT.fullmatch(plain):
        return _timed(text, at, zone, field)
    if _EVERY.match(plain):
        return _interval(_length(text, field), heartbeat=heartbeat, zone=zone)
    if _CLOCK.match(plain):
        return Daily((_time(text, len(text) - len(text.lstrip()), field),), zone)
    return Cron(_cron(text, field), zone)


def parse_all(
    texts: tuple[str, ...], zone: str, *, heartbeat: bool = False, anchor: Instant = 0
) -> tuple[Schedule, ...]:
    """The schedules of all of them. Equal ones count once."""
    if len(texts) > SCHEDULES_MAX:
        raise errors.invalid("schedules", f"at most {SCHEDULES_MAX}, not {len(texts)}", reason="SCHEDULE_INVALID")
    found: dict[Schedule, None] = {}
    for index, text in enumerate(texts):
        field = "schedule" if len(texts) == 1 else f"schedules[{index}]"
        begin = anchor if _RULE.match(text) else 0  # all others are the same whenever they began, and remembered once
        one = parse(text, zone, heartbeat=heartbeat, anchor=begin, field=field)
        if one is not None:
            found[one] = None
    return tuple(found)


def as_meant(text: str) -> str:
    """Of a client that writes the last three fields of a crontab in another order: weekday, day, month.

    Read so where it cannot be read as it stands, and can be then.
    """
    fields = text.split()
    if len(fields) != 5 or _is_cron(text):
        return text
    minute, hour, weekday, day, month = fields
    turned = f"{minute} {hour} {day} {month} {weekday}"
    return turned if _is_cron(turned) else text


def check_interval(text: str, field: str = "schedule") -> Millis:
    """How often a check is asked; between half a minute and an hour."""
    found = _length(text, field)
    if not CHECK_LEAST <= found <= CHECK_MOST:
        raise _refused(field, text, 0, "a check is asked every 30 seconds to every hour")
    return found


def interval(text: str, field: str, *, heartbeat: bool, zone: str = "UTC") -> Schedule:
    """Of a length alone, such as stands behind "job.completes"."""
    return _interval(_length(text, field), heartbeat=heartbeat, zone=zone)


def _length(text: str, field: str) -> Millis:
    """The reader of lengths says what is wrong; its words for it are those of a schedule here."""
    try:
        found = parse_length(text, field)
    except InvalidArgument as problem:
        position = int(problem.metadata.get("position", "1"))
        why = problem.violations[0].description.rpartition(" (position")[0].partition(" is no length of time: ")[2]
        raise _refused(field, text, position - 1, why or "this is no interval") from None
    if found < SECOND:
        raise _refused(field, text, 0, "an interval has at least one second")
    return found


def _interval(millis: Millis, *, heartbeat: bool, zone: str) -> Schedule:
    """In real time: an interval of days is so many times 24 hours. What is no whole second re-arms a timer."""
    for size, unit in _UNITS:
        if millis % size == 0:
            anchor = Anchor.ANY_REPORT if heartbeat else Anchor.RUN_START
            return Interval(millis // size, unit, zone, anchor)
    return Rolling(millis)


def _timed(text: str, at: re.Match[str], zone: str, field: str) -> Schedule:
    """[day] at HH:MM."""
    before = len(text) - len(text.lstrip())
    written = at["time"]
    place = before + at.start("time") + len(written) - len(written.lstrip())
    time = _time(text, place, field)
    day = (at["day"] or "day").lower()
    if day in ("day", "daily", "every"):
        return Daily((time,), zone)
    if day not in _DAYS:
        raise _refused(field, text, before + at.start("day"), f"{day[:20]!r} is no day; one of day, {', '.join(_DAYS)}")
    hour, minute, *seconds = (int(part) for part in time.split(":"))
    begin = f"{seconds[0]} " if seconds else ""
    return Cron(f"{begin}{minute} {hour} * * {_DAYS[day]}", zone)


def _time(text: str, place: int, field: str) -> str:
    """HH:MM or HH:MM:SS that stands at `place` and ends the text."""
    match = _TIME.fullmatch(text[place:].rstrip())
    if match is None:
        raise _refused(field, text, place, "a time of day such as 14:30 is expected here")
    for group, most in ((1, 23), (2, 59), (3, 59)):
        if match[group] and int(match[group]) > most:
            raise _refused(field, text, place + match.start(group), f"{match[group]} is not 0 to {most}")
    return ":".join(f"{int(part):02}" for part in match.groups() if part is not None)


def _cron(text: str, field: str) -> str:
    """The expression as the parser of crontabs takes it, on trial; what is wrong with it is told of the text."""
    expression = _anything(_THURSDAY.sub("THU", text))
    try:
        cron_text.parse(expression, field=field)
    except InvalidArgument as problem:
        position = int(problem.metadata.get("position", "1"))
        why = problem.violations[0].description.partition(": ")[2] or problem.violations[0].description
        if name := problem.metadata.get("cron_field"):
            why = f"in the field {name}, {why}"
        raise _refused(field, text, position - 1, why) from None
    return expression.strip()


def _is_cron(text: str) -> bool:
    try:
        _cron(text, "schedule")
    except InvalidArgument:
        return False
    return True


def _anything(text: str) -> str:
    """A `?` in any field, with a step or without, where the parser of crontabs takes it only for a whole day field."""
    words = list(_WORDS.finditer(text))
    days = {len(words) - 3, len(words) - 1}
    for index, word in enumerate(words):
        if word[0] != "?" or index not in days:
            text = text[: word.start()] + re.sub(r"(?<![^,])\?(?=[,/]|$)", "*", word[0]) + text[word.end() :]
    return text


def _rule(text: str, anchor: Instant, field: str) -> str:
    """The rule. One that counts steps of several days, weeks or months counts them from the day of `anchor` on."""
    frequency = _FREQUENCY.search(text)
    if frequency is None:
        raise _refused(field, text, 0, f"FREQ= is missing; one of {', '.join(_FREQUENCIES)}")
    if frequency[1].upper() not in _FREQUENCIES:
        wrong = f"{frequency[1][:20]!r} is none of {', '.join(_FREQUENCIES)}"
        raise _refused(field, text, frequency.start(1), wrong)
    steps = _STEPS.search(text)
    rule = text.strip()
    if steps is None or int(steps[1][:9]) == 1 or "DTSTART" in rule.upper():
        return rule
    begin = datetime.fromtimestamp(anchor / SECOND, UTC)
    return f"DTSTART:{begin:%Y%m%d}T000000\n{rule}"


def _refused(field: str, text: str, at: int, why: str) -> InvalidArgument:
    return errors.invalid(
        field,
        f"cannot parse {text[:100]!r} (position {at + 1}): {why}",
        reason="SCHEDULE_INVALID",
        position=str(at + 1),
    )
