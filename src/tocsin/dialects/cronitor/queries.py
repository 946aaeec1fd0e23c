"""The query of a list of monitors → a `Selection` and a page."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeVar

from starlette.datastructures import QueryParams

from tocsin.dialects.cronitor.mapping import DIALECT
from tocsin.dialects.cronitor.problems import Invalid, Problem
from tocsin.dialects.cronitor.schema import CHECK, HEARTBEAT, JOB, TYPES
from tocsin.store.browse_port import Condition, Selection

T = TypeVar("T")
PAGE_SIZE: Final = 50
PAGE_SIZE_MAX: Final = 1_000
_PAGES_MAX: Final = 10_000_000
_VALUES_MAX: Final = 100
_STATES: Final = {"passing": Condition.PASSING, "failing": Condition.FAILING, "paused": Condition.MUTED}
_SORTS: Final = {"created": (False, False), "-created": (False, True), "name": (True, False), "-name": (True, True)}
_SCOPES: Final = {"job": JOB, "check": CHECK, "heartbeat": HEARTBEAT, "event": HEARTBEAT}


class Paging(NamedTuple):
    page: int
    size: int

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size


def paging_of(query: QueryParams) -> Paging:
    """A size beyond the greatest is the greatest. Invalid for what is no number."""
    size = query.get("pageSize") or query.get("page_size") or str(PAGE_SIZE)
    return Paging(
        min(_number("page", query.get("page") or "1"), _PAGES_MAX), min(_number("pageSize", size), PAGE_SIZE_MAX)
    )


def selection_of(query: QueryParams) -> Selection:
    """Invalid for a type, a state or an order that does not exist."""
    by_name, descending = _one(query.get("sort") or "created", _SORTS, "sort")
    search = (query.get("search") or "").strip()
    return Selection(
        DIALECT,
        types=tuple(_one(word.lower(), TYPES, "type") for word in _many(query, "type")),
        groups=_many(query, "group"),
        tags=_many(query, "tag"),
        words=(search,) if search else (),
        conditions=tuple(_one(word.lower(), _STATES, "state") for word in _many(query, "state")),
        environment=query.get("env") or "",
        by_name=by_name,
        descending=descending,
    )


def search_of(query: QueryParams) -> Selection:
    """`query` or `q`: "job:backup", "tag:nightly", "ungrouped:", or a part of a key or a name."""
    text = (query.get("query") or query.get("q") or "").strip()
    scope, colon, rest = text.partition(":")
    scope, rest = scope.strip().lower(), rest.strip()
    words = (rest,) if rest else ()
    if colon and scope in _SCOPES:
        return Selection(DIALECT, types=(_SCOPES[scope],), words=words)
    if colon and scope == "group":
        return Selection(DIALECT, groups=words)
    if colon and scope == "tag":
        return Selection(DIALECT, tags=words)
    if colon and scope == "ungrouped":
        return Selection(DIALECT, groups=("",), words=words)
    return Selection(DIALECT, words=(text,) if text else ())


def _one(word: str, known: Mapping[str, T], name: str) -> T:
    if word not in known:
        raise Invalid(Problem(f"{name}: {word[:40]!r} is none of {', '.join(known)}", "", name))
    return known[word]


def _many(query: QueryParams, name: str) -> tuple[str, ...]:
    """Repeated, or joined by commas."""
    found = [part.strip() for text in query.getlist(name) for part in text.split(",")]
    values = tuple(dict.fromkeys(part for part in found if part))
    if len(values) > _VALUES_MAX:
        raise Invalid(Problem(f"{name}: at most {_VALUES_MAX} values", "", name))
    return values


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text.strip()) or int(text) < 1:
        raise Invalid(Problem(f"{name}: must be a whole number of at least 1, not {text[:20]!r}", "", name))
    return int(text)
