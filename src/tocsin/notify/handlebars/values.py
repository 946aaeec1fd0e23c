"""Values as JavaScript has them, for templates were written for it: what is true, equal, less; how each is written.

Strings, numbers, booleans, None for null, lists and dicts with text keys; and `UNDEFINED`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final


class Undefined:
    """There is no such thing: not even null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined()
DEPTH_MAX: Final = 20  # of lists in lists that are written out
NUMBER_MAX: Final = 400  # characters of a number: what reads it may take the square of its length, in one go
SPACE: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_DIGITS: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BASES: Final = {"0x": 16, "0o": 8, "0b": 2}
_BASED: Final = re.compile(r"0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+")
_ENTITIES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "`": "&#x60;", "=": "&#x3D;"}
)
_EXACT: Final = 1 << 53


def is_nothing(value: object) -> bool:
    return value is None or value is UNDEFINED


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


def truthy(value: object) -> bool:
    if isinstance(value, str | int | float):
        return bool(value) and value == value  # noqa: PLR0124 - NaN is none
    return not is_nothing(value)


def is_empty(value: object) -> bool:
    """What `#if` passes over, apart from 0."""
    if is_list(value):
        return not value
    return not truthy(value) and not (is_number(value) and value == 0)


def get(value: object, name: str) -> object:
    """A field, an element, a length."""
    if isinstance(value, Mapping):
        return value.get(name, UNDEFINED)
    if isinstance(value, str | list | tuple):
        if name == "length":
            return len(value)
        if name.isascii() and name.isdecimal() and len(name) < 10 and (name == "0" or name[0] != "0"):
            index = int(name)
            return value[index] if index < len(value) else UNDEFINED
    return UNDEFINED


def text(value: object, depth: int = 0) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number_text(value)
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        if depth >= DEPTH_MAX:
            return ""
        return ",".join("" if is_nothing(one) else text(one, depth + 1) for one in value)
    return "undefined" if value is UNDEFINED else "[object Object]"


def escape(written: str) -> str:
    """For HTML, as double braces do."""
    return written.translate(_ENTITIES)


def number(value: object) -> float:
    """NaN where it is none, or longer than numbers are."""
    if isinstance(value, int | float):
        return _float(value)
    if value is None:
        return 0.0
    if value is UNDEFINED or isinstance(value, Mapping):
        return math.nan
    written = text(value)
    if len(written) > NUMBER_MAX:
        return math.nan
    stripped = written.strip(SPACE)
    if not stripped:
        return 0.0
    if _BASED.fullmatch(stripped):
        return _float(int(stripped[2:], _BASES[stripped[:2].lower()]))
    if _DIGITS.fullmatch(stripped):
        return float(stripped)
    return {"Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}.get(stripped, math.nan)


def number_of_literal(digits: str) -> float | int:
    found = float(digits)
    return int(found) if found.is_integer() and abs(found) < _EXACT else found


def type_of(value: object) -> str:
    if value is UNDEFINED:
        return "undefined"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "number" if is_number(value) else "object"


def same(one: object, other: object) -> bool:
    """`===`: of one type, and of lists and objects the very same."""
    if type_of(one) != type_of(other):
        return False
    return one == other if isinstance(one, str | int | float) else one is other


def equal(one: object, other: object) -> bool:
    """`==`."""
    if is_nothing(one) or is_nothing(other):
        return is_nothing(one) and is_nothing(other)
    if type_of(one) == type_of(other):
        return same(one, other)
    one, other = _primitive(one), _primitive(other)
    return one == other if isinstance(one, str) and isinstance(other, str) else number(one) == number(other)


def less(one: object, other: object) -> bool:
    """`<`."""
    one, other = _primitive(one), _primitive(other)
    return one < other if isinstance(one, str) and isinstance(other, str) else number(one) < number(other)


def at_most(one: object, other: object) -> bool:
    """`<=`; of what is no number it is not the opposite of greater."""
    one, other = _primitive(one), _primitive(other)
    return one <= other if isinstance(one, str) and isinstance(other, str) else number(one) <= number(other)


def index_of(where: str | Sequence[Any], what: object, begin: int) -> int:
    """-1: it is not there."""
    if isinstance(where, str):
        return where.find(text(what), min(max(begin, 0), len(where)))
    first = max(begin + len(where), 0) if begin < 0 else begin
    return next((place for place in range(first, len(where)) if same(where[place], what)), -1)


def _primitive(value: object) -> object:
    return text(value) if isinstance(value, Mapping) or is_list(value) else value


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _number_text(value: float) -> str:
    if isinstance(value, int) and abs(value) < _EXACT:
        return str(value)
    value = _float(value)
    if not math.isfinite(value):
        return "NaN" if value != value else ("Infinity" if value > 0 else "-Infinity")  # noqa: PLR0124
    if value == 0:
        return "0"
    if abs(value) < 1e21 and value.is_integer():
        return str(int(value)) if abs(value) < _EXACT else _digits_of(value)
    return _digits_of(value)


def _digits_of(value: float) -> str:
    """The shortest digits that mean it, with an exponent where JavaScript has one."""
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))  # digits before the point
    digits = digits.rstrip("0")
    if 0 < point <= 21:
        return sign + digits.ljust(point, "0")[:point] + ("." + digits[point:] if len(digits) > point else "")
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = point - 1
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{'+' if power >= 0 else '-'}{abs(power)}"
