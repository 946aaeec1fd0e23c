"""Parameters of a query: lists (repeated or joined by commas), flags, whole numbers, pages."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from starlette.datastructures import QueryParams

from tocsin.dialects.cronitor.problems import Invalid, Problem
from tocsin.domain.errors import InvalidArgument

T = TypeVar("T")
PAGE_SIZE: Final = 50
PAGE_SIZE_MAX: Final = 1_000
_VALUES_MAX: Final = 1_000
_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_FALSE: Final = frozenset({"", "false", "0", "no", "off"})
_DIGITS_MAX: Final = 9


def wrong(field: str, text: str) -> Invalid:
    """A 400 about one field."""
    return Invalid(Problem(f"{field}: {text}", "", field))


def wrong_by(problem: InvalidArgument, names: Mapping[str, str]) -> Invalid:
    """What a rule of the domain says, under the name that clients have for its field: `names` has it."""
    path, text = problem.violations[0] if problem.violations else ("", problem.message)
    last = path.rpartition(".")[2].partition("[")[0]
    return wrong(names.get(last, last), text)


class Paging(NamedTuple):
    page: int  # from 1
    size: int

    def cut(self, rows: Sequence[T]) -> Sequence[T]:
        """The rows of the page; none past the end."""
        return rows[(self.page - 1) * self.size : self.page * self.size]


def many(query: QueryParams, name: str) -> tuple[str, ...]:
    """All values, each once, in their order. Invalid when they are too many."""
    found = [part.strip() for text in query.getlist(name) for part in text.split(",")]
    values = tuple(dict.fromkeys(part for part in found if part))
    if len(values) > _VALUES_MAX:
        raise wrong(name, f"at most {_VALUES_MAX} values")
    return values


def one_of(query: QueryParams, name: str, known: Sequence[str]) -> tuple[str, ...]:
    """As `many`; Invalid for what is not known."""
    values = many(query, name)
    for value in values:
        if value not in known:
            raise wrong(name, f"{value[:40]!r} is none of {', '.join(known)}")
    return values


def flag(query: QueryParams, name: str) -> bool:
    """False when it is not there. Invalid."""
    text = query.get(name, "").strip().lower()
    if text not in _TRUE | _FALSE:
        raise wrong(name, f"{text[:20]!r} is neither true nor false")
    return text in _TRUE


def number(query: QueryParams, name: str, default: int, *, most: int, least: int = 1) -> int:
    """Invalid unless it is a whole number of at least `least`; what is beyond `most` is `most`."""
    text = query.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdecimal()) or int(text[:_DIGITS_MAX]) < least:
        raise wrong(name, f"must be a whole number of at least {least}, not {text[:20]!r}")
    return min(int(text[:_DIGITS_MAX]), most)


def paging(query: QueryParams) -> Paging:
    name = "page_size" if "page_size" in query else "pageSize"
    return Paging(number(query, "page", 1, most=10**_DIGITS_MAX), number(query, name, PAGE_SIZE, most=PAGE_SIZE_MAX))
