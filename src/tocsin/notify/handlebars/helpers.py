"""The helpers: what a name in a template does with what it is given.

Two kinds. A condition gives a value in a line, and chooses a part as a block; anything else gives a value. None has an
effect, and what it cannot make sense of is `UNDEFINED`: a notice that reads oddly is better than none.
"""

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from tocsin.notify.handlebars import dates
from tocsin.notify.handlebars.values import (
    UNDEFINED,
    at_most,
    equal,
    get,
    index_of,
    is_empty,
    is_list,
    is_nothing,
    is_number,
    less,
    number,
    same,
    text,
    truthy,
    type_of,
)

PIECES_MAX: Final = 10_000  # of a text that is split
PATH_MAX: Final = 32  # names in a path that is a text


class Given(NamedTuple):
    """What a helper is called with."""

    params: Sequence[object]
    hash: Mapping[str, object]
    this: object
    now: datetime

    def at(self, place: int) -> Any:
        return self.params[place] if place < len(self.params) else UNDEFINED

    @property
    def other(self) -> Any:
        """What the first is compared with."""
        return self.params[1] if len(self.params) > 1 else self.hash.get("compare", UNDEFINED)


Helper = Callable[[Given], object]
_FALSE: Final = frozenset(
    ("0", "false", "nada", "nil", "nay", "nah", "negative", "no", "none", "nope", "nul", "null")
) | {"nix", "nyet", "uh-uh", "veto", "zero"}


def _compare(given: Given) -> object:
    one, operator, other = given.at(0), given.at(1), given.at(2)
    return _OPERATORS[operator](one, other) if isinstance(operator, str) and operator in _OPERATORS else UNDEFINED


def _contains(given: Given) -> bool:
    where, what = given.at(0), given.at(1)
    begin = int(given.at(2)) if is_number(given.at(2)) and abs(given.at(2)) < 1 << 53 else 0
    if is_nothing(what) or not (isinstance(where, str) or is_list(where)):
        return False
    return index_of(where, what, begin) >= 0


def _has(given: Given) -> bool:
    what, part = given.at(0), given.at(1)
    if len(given.params) < 2:
        return isinstance(what, str) and isinstance(given.this, Mapping) and not _is_blank(_deep(given.this, what))
    if isinstance(what, str) or is_list(what):
        return what != "" and isinstance(part, str) and part != "" and index_of(what, part, 0) >= 0
    return isinstance(what, Mapping) and isinstance(part, str) and part in what


def _deep(where: object, path: str) -> object:
    for name in path.split(".", PATH_MAX)[:PATH_MAX]:
        where = get(where, name)
    return where


def _is_blank(value: object) -> bool:
    return is_nothing(value) or (isinstance(value, str | list | tuple | Mapping) and not value)


def _is_false(value: object) -> bool:
    return not truthy(value) or (isinstance(value, str) and (value.lower() in _FALSE or value in _FALSE))


def _parity(given: Given, wanted: int) -> object:
    value = abs(number(given.at(0)))
    return value % 2 == wanted if value.is_integer() else UNDEFINED


def _is_nth(given: Given) -> bool:
    one, other = given.at(0), given.at(1)
    if any(not (is_number(value) or (isinstance(value, str) and value.strip())) for value in (one, other)):
        return False
    divisor, dividend = number(one), number(other)
    return divisor != 0 and abs(divisor) < float("inf") and abs(dividend) < float("inf") and dividend % divisor == 0


def _split(given: Given) -> object:
    whole, separator, place = given.at(0), given.at(1), given.params[2] if len(given.params) > 2 else -1
    if not isinstance(whole, str):
        return UNDEFINED
    if separator is UNDEFINED:
        pieces = [whole]
    elif text(separator) == "":
        pieces = list(whole[:PIECES_MAX])
    else:
        pieces = whole.split(text(separator), PIECES_MAX)
    return pieces if same(place, -1) else get(pieces, text(place))


def _tag_value(given: Given) -> str:
    """Of the first tag "key:value" or "key=value"."""
    tags, key, otherwise = given.at(0), _plain(given.at(1)), _plain(given.at(2))
    if not is_list(tags) or not key:
        return otherwise
    marks = (key,) if key.endswith((":", "=")) else (f"{key}:", f"{key}=")
    for tag in tags:
        if isinstance(tag, str) and tag.startswith(marks):
            return tag[len(marks[0]) :]
    return otherwise


def _date(given: Given) -> object:
    one, tokens = given.at(0), given.at(1)
    if is_nothing(one) and is_nothing(tokens):
        return _written(given.now, dates.LONG)
    if isinstance(one, str) and is_nothing(tokens):
        return _written(given.now, one)
    if isinstance(one, str):
        at = dates.moment(one, given.now) if isinstance(tokens, str) else None
    elif is_number(one):
        at = dates.of_unix(one) if abs(one) < 1e15 else None
    else:
        at = given.now if one is UNDEFINED else None
    return UNDEFINED if at is None else _written(at, tokens if isinstance(tokens, str) else "")


def _written(at: datetime, tokens: str) -> object:
    made = dates.written(at, tokens)
    return UNDEFINED if made is None else made


def _year(given: Given) -> str:
    year = f"{given.now.year:04}"
    return year[-2:] if text(given.at(0)) == "2" else year


def _lookup(given: Given) -> object:
    return get(given.at(0), text(given.at(1))) if truthy(given.at(0)) else given.at(0)


def _plain(value: object) -> str:
    return "" if is_nothing(value) else text(value)


_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": equal,
    "===": same,
    "!=": lambda one, other: not equal(one, other),
    "!==": lambda one, other: not same(one, other),
    "<": less,
    ">": lambda one, other: less(other, one),
    "<=": at_most,
    ">=": lambda one, other: at_most(other, one),
    "typeof": lambda one, other: type_of(one) == other,
}


def _operator(name: str) -> Helper:
    compare = _OPERATORS[name]
    return lambda given: compare(given.at(0), given.other)


CONDITIONS: Final[Mapping[str, Helper]] = {
    "and": lambda given: all(map(truthy, given.params)),
    "or": lambda given: any(map(truthy, given.params)),
    "not": lambda given: not truthy(given.at(0)),
    "neither": lambda given: not truthy(given.at(0)) and not truthy(given.at(1)),
    "compare": _compare,
    "contains": _contains,
    "has": _has,
    "isFalsey": lambda given: _is_false(given.at(0)),
    "isTruthy": lambda given: not _is_false(given.at(0)),
    "ifEven": lambda given: _parity(given, 0),
    "ifOdd": lambda given: _parity(given, 1),
    "ifNth": _is_nth,
    **{name: _operator("===") for name in ("eq", "ifEq")},
    **{name: _operator("!==") for name in ("ne", "unlessEq")},
    "is": _operator("=="),
    "isnt": _operator("!="),
    **{name: _operator("<") for name in ("lt", "unlessGteq")},
    **{name: _operator(">") for name in ("gt", "unlessLteq")},
    **{name: _operator("<=") for name in ("lte", "unlessGt")},
    **{name: _operator(">=") for name in ("gte", "unlessLt")},
}
"""In a line their value; as a block, `{{#eq a b}}…{{else}}…{{/eq}}`, the part that it stands for."""

VALUES: Final[Mapping[str, Helper]] = {
    "$UUID": lambda _given: str(uuid.uuid4()),
    "$RANDOM_NUMBER": lambda _given: random.randrange(10_001),  # noqa: S311 - no secret
    "default": lambda given: next((value for value in given.params if not is_nothing(value)), ""),
    "split": _split,
    "tagValue": _tag_value,
    "startsWith": lambda given: _plain(given.at(0)).startswith(_plain(given.at(1))),
    "replace": lambda given: _plain(given.at(0)).replace(_plain(given.at(1)), _plain(given.at(2)), 1),
    "date": _date,
    "moment": _date,
    "year": _year,
    "lookup": _lookup,
    "log": lambda _given: UNDEFINED,
}


def is_shown(given: Given) -> bool:
    """Of `#if`."""
    value = given.at(0)
    return not is_empty(value) and (truthy(given.hash.get("includeZero", False)) or truthy(value))
