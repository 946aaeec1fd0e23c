"""Text → the tree of a template. What is refused here never reaches a delivery.

Partials, decorators and raw blocks are refused: nothing here could fill them. Depth and size are bounded.
"""

import re
from typing import Final, NamedTuple

from tocsin.notify.handlebars.nodes import Block, Call, Comment, Content, Node, Output, Program, Strip
from tocsin.notify.handlebars.tags import DEPTH_MAX, Tokens, wrong
from tocsin.notify.handlebars.whitespace import settle

SIZE_MAX: Final = 100_000  # characters of a template
_ELSE: Final = re.compile(r"\s*else(?=[\s~}])")
_EMPTY: Final = re.compile(r"\s*~?\}\}")
_COMMENT: Final = re.compile(r"(~?)\}\}")
_LONG_COMMENT: Final = re.compile(r"--(~?)\}\}")
_CLOSE: Final = re.compile(r"(~?)\}\}")
_CLOSE_RAW: Final = re.compile(r"\}(~?)\}\}")
_FOREIGN: Final = {">": "partials", "*": "decorators", "#>": "partials", "#*": "decorators"}


class _Tag(NamedTuple):
    """One that closes a part of a block: "else", "else if", or the end."""

    kind: str  # "else", "chain", "end"
    call: Call | None
    names: tuple[str, ...]
    strip: Strip
    position: int


def parse(template: str) -> Program:
    """`TemplateError` says what is wrong, and in which line."""
    if len(template) > SIZE_MAX:
        raise wrong("", 0, f"a template has at most {SIZE_MAX} characters, not {len(template)}")
    reading = _Reading(template)
    program, tag = reading.program(0)
    if tag is not None:
        raise wrong(template, tag.position, "no block is open here")
    settle(program)
    return program


class _Reading:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def program(self, depth: int) -> tuple[Program, _Tag | None]:
        """Up to a tag that is not of it, or to the end."""
        if depth > DEPTH_MAX:
            raise wrong(self._text, self._at, f"blocks go at most {DEPTH_MAX} deep")
        body: list[Node] = []
        while self._at < len(self._text):
            if not self._is_tag(body):
                continue
            found = self._tag(depth)
            if isinstance(found, _Tag):
                return Program(body), found
            body.append(found)
        return Program(body), None

    def _is_tag(self, body: list[Node]) -> bool:
        """Takes the text before the next tag; whether there is one, which a backslash before it denies."""
        text, begin = self._text, self._at
        end = text.find("{{", begin)
        if end < 0:
            end = len(text)
        before = text[begin:end]
        is_tag = end < len(text)
        if is_tag and before.endswith("\\\\"):
            before = before[:-1]
        elif is_tag and before.endswith("\\"):
            _add(body, before[:-1])
            following = text.find("{{", end + 2)
            until = len(text) if following < 0 else following - _slashes(text, following)
            self._at = max(until, end + 2)
            _add(body, text[end : self._at])
            return False
        _add(body, before)
        self._at = end
        return is_tag

    def _tag(self, depth: int) -> Node | _Tag:
        text, begin = self._text, self._at
        if text.startswith("{{{{", begin):
            raise wrong(text, begin, "raw blocks, with four braces, are not known here")
        left = text.startswith("~", begin + 2)
        at = begin + 2 + left
        mark = text[at : at + 1]
        if (foreign := _FOREIGN.get(mark) or _FOREIGN.get(text[at : at + 2])) is not None:
            raise wrong(text, begin, f"{foreign} are not known here")
        if mark == "!":
            return self._comment(at, left=left)
        if mark == "/":
            return self._end(begin, at + 1, left=left)
        if (otherwise := _ELSE.match(text, at)) is not None:
            return self._else(begin, otherwise.end(), left=left)
        if mark == "^" and _EMPTY.match(text, at + 1):
            return self._else(begin, at + 1, left=left)
        if mark in ("#", "^"):
            return self._block(begin, at + 1, depth, left=left)
        raw = mark == "{"
        tokens = Tokens(text, at + (mark in ("{", "&")))
        call = tokens.call()
        right = self._close(tokens, raw=raw)
        return Output(call, not (raw or mark == "&"), Strip(left, right))

    def _comment(self, at: int, *, left: bool) -> Comment:
        long = self._text.startswith("!--", at)
        mark = (_LONG_COMMENT if long else _COMMENT).search(self._text, at + (3 if long else 1))
        if mark is None:
            raise wrong(self._text, at, "a comment does not end")
        self._at = mark.end()
        return Comment(Strip(left, bool(mark[1])))

    def _end(self, begin: int, at: int, *, left: bool) -> _Tag:
        tokens = Tokens(self._text, at)
        found = tokens.value_of(name_only=True)
        assert not isinstance(found, Call)
        return _Tag("end", None, (found.original,), Strip(left, self._close(tokens)), begin)

    def _else(self, begin: int, at: int, *, left: bool) -> _Tag:
        tokens = Tokens(self._text, at)
        call = tokens.call() if tokens.kind else None
        names = tokens.names()
        right = self._close(tokens)
        return _Tag("chain" if call is not None else "else", call, names, Strip(left, right), begin)

    def _close(self, tokens: Tokens, *, raw: bool = False) -> bool:
        """Past the end of a tag; whether white space behind it goes."""
        found = (_CLOSE_RAW if raw else _CLOSE).match(self._text, tokens.position)
        if tokens.kind:
            raise tokens.wrong(f"{tokens.value[:64]!r} is too much")
        if found is None:
            raise tokens.wrong(f"{'}}}' if raw else '}}'} is missing")
        self._at = found.end()
        return bool(found[1])

    def _block(self, begin: int, at: int, depth: int, *, left: bool) -> Block:
        inverted = self._text[at - 1] == "^"
        tokens = Tokens(self._text, at)
        call = tokens.call()
        opening = _Tag("block", call, tokens.names(), Strip(left, self._close(tokens)), begin)
        block, end = self._rest(opening, depth, inverted=inverted)
        if end.names[0] != call.path.original:
            name = call.path.original[:64]
            raise wrong(self._text, end.position, f"{end.names[0][:64]!r} ends here, and {name!r} is open")
        block.close_strip = end.strip
        if block.inverse is not None and block.inverse.chained:
            _chained(block.inverse).close_strip = end.strip
        return _inverted(block) if inverted else block

    def _rest(self, opening: _Tag, depth: int, *, inverted: bool = False) -> tuple[Block, _Tag]:
        """What is between a block's first tag and its last, which is given too."""
        assert opening.call is not None
        program, tag = self.program(depth + 1)
        program.names = opening.names
        block = Block(opening.call, program, None, opening.strip)
        if tag is not None and tag.kind == "chain" and not inverted:
            nested, end = self._rest(tag, depth + 1)
            block.inverse, block.inverse_strip = Program([nested], chained=True), tag.strip
            if nested.inverse is not None:
                nested.close_strip = nested.inverse_strip
                if nested.inverse.chained:
                    _chained(nested.inverse).close_strip = nested.inverse_strip
            return block, end
        if tag is not None and tag.kind == "else":
            block.inverse_strip = tag.strip
            block.inverse, tag = self.program(depth + 1)
        if tag is None:
            raise wrong(self._text, opening.position, f"the block {opening.call.path.original[:64]!r} does not end")
        if tag.kind != "end":
            raise wrong(self._text, tag.position, "no 'else' belongs here")
        return block, tag


def _slashes(text: str, position: int) -> int:
    """Backslashes before a position, 2 at most."""
    return 2 if text.endswith("\\\\", 0, position) else int(text.endswith("\\", 0, position))


def _inverted(block: Block) -> Block:
    block.program, block.inverse = block.inverse, block.program
    return block


def _chained(program: Program) -> Block:
    (block,) = program.body
    assert isinstance(block, Block)
    return block


def _add(body: list[Node], text: str) -> None:
    if text:
        body.append(Content(text, text))
