"""Parameters of a query: flags, whole numbers, times, lists. Refused 400 names the parameter and what it takes."""

import re
from collections.abc import Sequence
from typing import Final

from starlette.datastructures import QueryParams

from tocsin.dialects.checkly.problems import QUERY, Refused, wrong
from tocsin.dialects.checkly.times import parse_time
from tocsin.domain.instant import Instant

VALUES_MAX: Final = 100  # a check has no more tags, and each is a condition of a statement
_TRUE: Final = frozenset({"true", "1"})
_FALSE: Final = frozenset({"false", "0"})
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,15}", re.ASCII)


def bad(name: str, text: str) -> Refused:
    return wrong(name, text, QUERY)


def flag(query: QueryParams, name: str, *, default: bool = False) -> bool:
    text = query.get(name, "").strip().lower()
    if not text:
        return default
    if text not in _TRUE | _FALSE:
        raise bad(name, f"{text[:40]!r} must be true or false")
    return text in _TRUE


def whole(query: QueryParams, name: str, *, default: int, least: int, most: int) -> int:
    text = query.get(name, "").strip()
    if not text:
        return default
    if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
        raise bad(name, f"{text[:40]!r} must be a whole number, {least} to {most}")
    return int(text)


def moment(query: QueryParams, name: str) -> Instant | None:
    """Unix seconds; milliseconds and ISO 8601 as well. None: it is not there."""
    text = query.get(name, "").strip()
    if not text:
        return None
    at = parse_time(text)
    if at is None:
        raise bad(name, f"{text[:40]!r} must be a time in Unix seconds, from 1970 to 9999")
    return at


def many(query: QueryParams, name: str, *, commas: bool = False) -> tuple[str, ...]:
    """`tag=a&tag=b`, `tag[]=a`, `tag[0]=a`, with `commas` also `tag=a,b`: each value once, in their order."""
    spelt = re.compile(rf"{re.escape(name)}(?:\[[0-9]*\])?")
    texts = [value for key, value in query.multi_items() if spelt.fullmatch(key)]
    parts = [part for text in texts for part in (text.split(",") if commas else (text,))]
    values = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
    if len(values) > VALUES_MAX:
        raise bad(name, f"at most {VALUES_MAX} values")
    return values


def one_of(query: QueryParams, name: str, known: Sequence[str]) -> str:
    """Empty when it is not there."""
    text = query.get(name, "").strip()
    if text and text not in known:
        raise bad(name, f"{text[:40]!r} is none of {', '.join(known)}")
    return text
