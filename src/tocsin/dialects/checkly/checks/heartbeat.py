"""The `heartbeat` object of a check: a period and a grace in units, and the token of its ping URL. Pure."""

from fractions import Fraction
from typing import Any, Final, NamedTuple

from tocsin.dialects.checkly.checks import values
from tocsin.dialects.checkly.problems import Problems
from tocsin.domain.instant import DAY, HOUR, MINUTE, SECOND, Millis
from tocsin.service.browsing import uid_of

UNITS: Final = {"seconds": SECOND, "minutes": MINUTE, "hours": HOUR, "days": DAY}
PERIOD_MIN: Final = 30 * SECOND
MOST: Final = 365 * DAY
PLACEHOLDER: Final = "<string>"  # the reference's example sends it


class Length(NamedTuple):
    """As it was given, and what it comes to."""

    number: int | float
    unit: str

    @property
    def millis(self) -> Millis:
        if isinstance(self.number, int):
            return self.number * UNITS[self.unit]
        return int(Fraction(str(self.number)) * UNITS[self.unit])


class Heartbeat(NamedTuple):
    period: Length
    grace: Length
    token: str = ""  # 32 hex characters; "": the one that there is, or a new one


def read(value: Any, name: str, problems: Problems) -> Heartbeat | None:
    """None: it is none, and the problems say why."""
    parts = values.members(value, name, problems)
    if parts is None:
        return None
    period = _length(parts, f"{name}.", "period", problems, PERIOD_MIN)
    grace = _length(parts, f"{name}.", "grace", problems, 0)
    token = _token(parts.get("pingToken"), f"{name}.pingToken", problems)
    return None if period is None or grace is None or token is None else Heartbeat(period, grace, token)


def in_units(length: Millis, kept: Length | None = None) -> Length:
    """As it was given, if it is still that; else in the largest unit that leaves no rest."""
    if kept is not None and kept.millis == length:
        return kept
    for unit, size in reversed(UNITS.items()):
        if length % size == 0 and length >= size:
            return Length(length // size, unit)
    return Length(length // SECOND if length % SECOND == 0 else length / SECOND, "seconds")


def _length(parts: Any, path: str, member: str, problems: Problems, least: Millis) -> Length | None:
    where, unit_member = f"{path}{member}", f"{member}Unit"
    unit = _required(parts, f"{path}{unit_member}", unit_member, problems)
    if unit is not None:
        unit = values.choice(unit, f"{path}{unit_member}", problems, UNITS)
    number = _required(parts, where, member, problems)
    if number is not None and not values.is_number(number):
        problems.wrong(where, f"must be a number, not {values.shown(number)}")
        number = None
    if unit is None or number is None:
        return None
    exact = (Fraction(number) if isinstance(number, int) else Fraction(str(number))) * UNITS[unit]
    if not least <= exact <= MOST:
        bounds = f"{least // SECOND} seconds to {MOST // DAY} days"
        problems.wrong(where, f"must be {bounds}, not {values.shown(number)} {unit}")
    elif exact.denominator != 1 or exact % SECOND:
        problems.wrong(where, f"{values.shown(number)} {unit} is no whole number of seconds")
    else:
        return Length(int(number) if float(number).is_integer() else number, unit)
    return None


def _required(parts: Any, where: str, member: str, problems: Problems) -> Any:
    value = parts.get(member)
    values.missing(value, where, problems)
    return value


def _token(value: Any, where: str, problems: Problems) -> str | None:
    """Nothing, and the placeholder of the reference's example, ask for the one that there is, or a new one."""
    if value is None or value in ("", PLACEHOLDER):
        return ""
    token = uid_of(value) if isinstance(value, str) else None
    if token is None:
        problems.wrong(where, f"{values.shown(value)} must be a UUID; leave it out to keep the one that there is")
    return token
