"""The text of an AIP-160 filter → a tree. It knows operators and positions; what fields mean is `filters`' business.

    labels.team = "data" AND (state = missed OR state = timeout) AND NOT id = "tmp-*"

As AIP-160 has it, OR binds tighter than AND, `-x` is `NOT x`, and two terms side by side are joined by AND.
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple, NoReturn

from tocsin.domain import errors

MAX_LENGTH: Final = 4096
MAX_DEPTH: Final = 32
_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<operator>!=|<=|>=|[=:<>])
      | (?P<mark>[().,-])
      | (?P<word>[^\s"'()=:<>!.,-][^\s"'()=:<>!.,]*)
    )""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Test:
    """`field operator value`; the field is a path, the position counts characters from 1."""

    field: tuple[str, ...]
    operator: str  # "=", "!=", ":"
    value: str
    position: int


@dataclass(frozen=True, slots=True)
class Not:
    term: "Tree"


@dataclass(frozen=True, slots=True)
class All:
    terms: "tuple[Tree, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    terms: "tuple[Tree, ...]"


Tree = Test | Not | All | Some


class _Token(NamedTuple):
    kind: str  # "string", "operator", "mark", "word", "end"
    text: str
    start: int  # from 1
    end: int


def parse(text: str) -> Tree:
    """The tree of a filter that is not blank. InvalidArgument FILTER_INVALID, with the position, where it is none."""
    if len(text) > MAX_LENGTH:
        fail(MAX_LENGTH, f"a filter is at most {MAX_LENGTH} characters long")
    return _Parser(_scan(text)).whole()


def fail(position: int, what: str) -> NoReturn:
    raise errors.invalid("filter", f"at position {position}: {what}", reason="FILTER_INVALID", position=str(position))


def _scan(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    place = 0
    end = len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            start = place + len(text[place:]) - len(text[place:].lstrip())
            fail(
                start + 1,
                f"{text[start]!r} is not expected here" if text[start] not in "\"'" else "this quote is never closed",
            )
        kind = str(match.lastgroup)
        tokens.append(_Token(kind, match[kind], match.start(kind) + 1, match.end()))
        place = match.end()
    tokens.append(_Token("end", "the end", end + 1, end))
    return tokens


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    def whole(self) -> Tree:
        tree = self._conjunction()
        if self._next.kind != "end":
            fail(self._next.start, f"{self._next.text!r} is not expected here")
        return tree

    @property
    def _next(self) -> _Token:
        return self._tokens[self._place]

    def _take(self) -> _Token:
        token = self._next
        self._place += 1
        return token

    def _conjunction(self) -> Tree:
        terms = [self._alternatives()]
        while self._next.kind != "end" and self._next.text != ")":
            if self._is_word("AND"):
                self._take()
            terms.append(self._alternatives())
        return terms[0] if len(terms) == 1 else All(tuple(terms))

    def _alternatives(self) -> Tree:
        terms = [self._term()]
        while self._is_word("OR"):
            self._take()
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else Some(tuple(terms))

    def _term(self) -> Tree:
        if self._is_word("NOT") or self._next.text == "-":
            self._take()
            return Not(self._simple())
        return self._simple()

    def _simple(self) -> Tree:
        if self._next.kind == "mark" and self._next.text == "(":
            opened = self._take()
            self._depth += 1
            if self._depth > MAX_DEPTH:
                fail(opened.start, f"parentheses are nested deeper than {MAX_DEPTH}")
            tree = self._conjunction()
            if self._next.text != ")":
                fail(opened.start, "this parenthesis is never closed")
            self._take()
            self._depth -= 1
            return tree
        return self._test()

    def _test(self) -> Tree:
        start = self._next.start
        field = [self._part("a field")]
        while self._next.kind == "mark" and self._next.text == ".":
            self._take()
            field.append(self._part("the rest of the field"))
        operator = self._take()
        if operator.kind != "operator":
            fail(operator.start, f"expected =, != or : after {'.'.join(field)!r}, not {operator.text!r}")
        if operator.text not in ("=", "!=", ":"):
            fail(operator.start, f"{operator.text!r} is not supported; use =, != or :")
        return Test(tuple(field), operator.text, self._value(), start)

    def _part(self, what: str) -> str:
        """A name, which may have dashes inside, or a string."""
        token = self._take()
        if token.kind == "string":
            return _unquoted(token.text)
        if token.kind != "word" or token.text in ("AND", "OR", "NOT"):
            fail(token.start, f"expected {what}, not {token.text!r}")
        return token.text + self._rest(token.end, "-")

    def _value(self) -> str:
        token = self._take()
        if token.kind == "string":
            return _unquoted(token.text)
        if token.kind != "word" and token.text != "-":
            fail(token.start, f"expected a value, not {token.text!r}")
        return token.text + self._rest(token.end, "-.")

    def _rest(self, end: int, glue: str) -> str:
        """What follows without a blank: `night-backup`, and in values `2.5`."""
        text = ""
        while self._next.start == end + 1 and (self._next.kind == "word" or self._next.text in tuple(glue)):
            token = self._take()
            text, end = text + token.text, token.end
        return text

    def _is_word(self, word: str) -> bool:
        return self._next.kind == "word" and self._next.text == word


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
