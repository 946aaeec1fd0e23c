"""A tag's inside → an expression: names, paths, literals, calls in parentheses."""

import re
from typing import Final

from tocsin.notify.handlebars.nodes import Call, Expression, Literal, Path
from tocsin.notify.handlebars.values import UNDEFINED, number_of_literal

DEPTH_MAX: Final = 32  # of parentheses, and of blocks
_WORDS: Final = {"true": True, "false": False, "undefined": UNDEFINED, "null": None}
_FORBIDDEN: Final = r"""\s!"#%-,./;->@\[-^`{-~"""
_TOKEN: Final = re.compile(
    rf"""
    (?P<space>\s+)
  | (?P<as>as\s+\|)
  | (?P<string>"(?:\\"|[^"])*"|'(?:\\'|[^'])*')
  | (?P<number>-?[0-9]+(?:\.[0-9]+)?(?=[~}}\s)\]]))
  | (?P<up>\.\.)
  | (?P<segment>\[(?:\\\]|[^\]])*\])
  | (?P<name>[^{_FORBIDDEN}]+(?=[=~}}\s/.)|\]]))
  | (?P<here>\.(?=[=~}}\s/)|\]]))
  | (?P<mark>[()=@|/.])
    """,
    re.VERBOSE,
)


class TemplateError(ValueError):
    """No template; the message says what is wrong, and in which line."""


class Tokens:
    """What is between the marks of one tag, token by token; `position` is in the whole template."""

    def __init__(self, text: str, position: int) -> None:
        self._text, self.position = text, position
        self.kind = self.value = ""  # of the token that is next; "": none, so the tag ends here
        self.spaced = False  # before it
        self._depth = 0
        self.advance()

    def advance(self) -> None:
        self.spaced = False
        while (found := _TOKEN.match(self._text, self.position)) is not None and found.lastgroup == "space":
            self.position, self.spaced = found.end(), True
        if found is None:
            self.kind = self.value = ""
            return
        self.kind, self.value = found.lastgroup or "", found.group()
        self._next = found.end()

    def take(self) -> str:
        value = self.value
        self.position = self._next
        self.advance()
        return value

    def wrong(self, why: str) -> TemplateError:
        return wrong(self._text, self.position, why)

    # --- grammar

    def call(self) -> Call:
        """A name, values, and pairs, in this order."""
        name = self.value_of(name_only=True)
        path = name if isinstance(name, Path) else _path_of(name)
        params: list[Expression] = []
        pairs: dict[str, Expression] = {}
        while self.kind not in ("", "as") and self.value not in (")", "|"):
            if (key := self._key()) is not None:
                pairs[key] = self.value_of()
            elif pairs:
                raise self.wrong("a value stands before the pairs, not behind them")
            else:
                params.append(self.value_of())
        return Call(path, tuple(params), pairs)

    def value_of(self, *, name_only: bool = False) -> Path | Literal | Call:
        if self.value == "(" and not name_only:
            return self._call_inside()
        if self.kind == "string":
            text = self.take()
            return Literal(text[1:-1].replace("\\" + text[0], text[0]), text[1:-1].replace("\\" + text[0], text[0]))
        if self.kind == "number":
            text = self.take()
            return Literal(number_of_literal(text), text)
        if self.kind == "name" and self.value in _WORDS and self._text[self._next : self._next + 1] not in ("/", "."):
            text = self.take()
            return Literal(_WORDS[text], text)
        return self._path()

    def names(self) -> tuple[str, ...]:
        """`as |item index|`, if that comes next."""
        if self.kind != "as":
            return ()
        self.take()
        found = []
        while self.kind == "name":
            found.append(self.take())
        if self.value != "|" or not found:
            raise self.wrong("names belong between two '|'")
        self.take()
        return tuple(found)

    def _key(self) -> str | None:
        """The name before a "=", which is taken too; None: none comes next."""
        if self.kind not in ("name", "segment") or self._text[self._next : self._next + 1] != "=":
            return None
        key = _plain(self.take())
        self.take()
        return key

    def _call_inside(self) -> Call:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self.wrong(f"parentheses go at most {DEPTH_MAX} deep")
        self.take()
        found = self.call()
        if self.value != ")":
            raise self.wrong("a ')' is missing")
        self.take()
        self._depth -= 1
        return found

    def _path(self) -> Path:
        begin, is_data = self.position, self.value == "@"
        if is_data:
            self.take()
        parts: list[str] = []
        depth = 0
        scoped = False
        while True:
            kind, value = self.kind, self.value
            if kind not in ("name", "number", "segment", "up", "here"):
                raise self.wrong(f"{self._seen()} where a name is expected")
            end = self._next
            self.take()
            if kind in ("up", "here") or value == "this":
                if parts:
                    raise self.wrong(f"{value!r} stands at the beginning of a path only")
                depth += kind == "up"
                scoped = True
            else:
                parts.append(_plain(value))
            if self.spaced or self.kind != "mark" or self.value not in ("/", "."):
                return Path(tuple(parts), self._text[begin:end], depth, is_data, scoped)
            self.take()

    def _seen(self) -> str:
        seen = self._text[self.position : self.position + 10].split("\n")[0]
        return f"{seen!r} stands" if seen else "the end comes"


def wrong(text: str, position: int, why: str) -> TemplateError:
    return TemplateError(f"line {text.count(chr(10), 0, position) + 1}: {why}")


def _plain(name: str) -> str:
    return re.sub(r"\\([\\\]])", r"\1", name[1:-1]) if name.startswith("[") else name


def _path_of(found: Literal | Call) -> Path:
    """A literal in the place of a name is one: of a field that is called so."""
    assert isinstance(found, Literal)
    return Path((found.original,), found.original)
