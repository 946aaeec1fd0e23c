"""Single values of a body: each is what it may be, or a problem and None. Pure."""

import json
import math
import unicodedata
from collections.abc import Collection, Mapping
from typing import Any, Final

from tocsin.dialects.checkly.problems import Problems

NUMBER_MAX: Final = 2**53  # what JavaScript counts exactly
_SHOWN: Final = 60


def shown(value: Any) -> str:
    """As an error tells it: in JSON, but for texts."""
    if isinstance(value, str):
        text = repr(value[: _SHOWN + 1])
    elif isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    elif isinstance(value, Mapping):
        return "an object"
    elif isinstance(value, int) and abs(value) > NUMBER_MAX:
        return "a number of many digits"
    else:
        text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def missing(value: Any, name: str, problems: Problems) -> bool:
    """Whether it is not there, or null; then that is told."""
    if value is None:
        problems.wrong(name, "is required")
    return value is None


def title(value: Any, name: str, problems: Problems, *, most: int) -> str | None:
    """A text in one line, with something to be seen in it."""
    found = text(value, name, problems, least=1, most=most)
    if found is None:
        return None
    if any(unicodedata.category(letter) == "Cc" for letter in found):
        problems.wrong(name, "must not have control characters in it, such as line feeds")
    elif not found.strip():
        problems.wrong(name, "must not be blank")
    else:
        return found
    return None


def plain(number: float) -> str:
    """All of its digits, and no more."""
    return str(int(number)) if float(number).is_integer() else str(number)


def is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def flag(value: Any, name: str, problems: Problems) -> bool | None:
    """None, without a problem, for what is not there."""
    if value is None or isinstance(value, bool):
        return value
    problems.wrong(name, f"must be true or false, not {shown(value)}")
    return None


def text(value: Any, name: str, problems: Problems, *, most: int, least: int = 0) -> str | None:
    if not isinstance(value, str):
        problems.wrong(name, f"must be text, not {shown(value)}")
    elif not least <= len(value) <= most:
        problems.wrong(name, f"must have {least} to {most} characters, not {len(value)}")
    elif "\0" in value:
        problems.wrong(name, "must not have the character U+0000 in it: stores cannot keep that")
    else:
        return value
    return None


def number(value: Any, name: str, problems: Problems, *, least: float, most: float = NUMBER_MAX) -> int | float | None:
    """A whole number comes out as one, however it was written."""
    if not is_number(value):
        problems.wrong(name, f"must be a number, not {shown(value)}")
    elif not least <= value <= most:
        bounds = f"{plain(least)} to {plain(most)}" if most < NUMBER_MAX else f"{plain(least)} or more"
        problems.wrong(name, f"must be {bounds}, not {shown(value)}")
    else:
        return int(value) if float(value).is_integer() else value
    return None


def whole(value: Any, name: str, problems: Problems, *, least: int, most: int = NUMBER_MAX) -> int | None:
    found = number(value, name, problems, least=least, most=most)
    if isinstance(found, float):
        problems.wrong(name, f"must be a whole number, not {shown(value)}")
        return None
    return found


def choice(value: Any, name: str, problems: Problems, known: Collection[str]) -> str | None:
    """None, without a problem, for what is not there."""
    if value is None or (isinstance(value, str) and value in known):
        return value
    problems.wrong(name, f"{shown(value)} is none of {', '.join(filter(None, known))}")
    return None


def one_of(value: Any, name: str, problems: Problems, known: Collection[int]) -> int | None:
    if is_number(value) and value in known:
        return int(value)
    problems.wrong(name, f"{shown(value)} is none of {', '.join(map(str, known))}")
    return None


def members(value: Any, name: str, problems: Problems) -> Mapping[str, Any] | None:
    if isinstance(value, Mapping):
        return value
    problems.wrong(name, f"must be an object, not {shown(value)}")
    return None


def items(value: Any, name: str, problems: Problems, *, most: int) -> list[Any] | None:
    if not isinstance(value, list):
        problems.wrong(name, f"must be a list, not {shown(value)}")
    elif len(value) > most:
        problems.wrong(name, f"at most {most}, not {len(value)}")
    else:
        return value
    return None
