"""The metrics of an event: "count:3", "count=3", several joined by commas, and "count:rows:3" with a type in front."""

import math
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from tocsin.domain.check_in import MAX_METRICS

NAME_MAX: Final = 63  # characters
# No two parts of it may take the same digits: a text of any length must be looked at once.
_NUMBER: Final = re.compile(r" *[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)? *")
_NAME: Final = re.compile(r"[a-z0-9_-]+")
_SEPARATOR: Final = re.compile(r"[:=]")
_SHOWN: Final = 80  # characters of what could not be read


class Metrics(NamedTuple):
    values: dict[str, float]
    remarks: list[str]  # what could not be read, and why


def read(sent: Iterable[str]) -> Metrics:
    """Of a name that comes twice the last value. What cannot be read is skipped and remarked upon."""
    found = Metrics({}, [])
    for text in sent:
        for pair in text.split(","):
            if pair.strip():
                _add(found, pair)
    return found


def _add(found: Metrics, pair: str) -> None:
    parts = _SEPARATOR.split(pair)
    shown = repr(pair[:_SHOWN])
    if len(parts) not in (2, 3):
        found.remarks.append(f"metric: {shown} is not name:value")
        return
    name, value = parts[-2].strip().lower(), number(parts[-1])
    if value is None:
        found.remarks.append(f"metric: {shown} has no finite number")
    elif not _NAME.fullmatch(name) or len(name) > NAME_MAX:
        found.remarks.append(f"metric: the name in {shown} must be 1 to {NAME_MAX} letters, digits, '_' and '-'")
    elif name not in found.values and len(found.values) >= MAX_METRICS:
        found.remarks.append(f"metric: {shown} is one more than the {MAX_METRICS} that an event may have")
    else:
        found.values[name] = value


def number(text: str) -> float | None:
    """A finite decimal number; None for anything else."""
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None
