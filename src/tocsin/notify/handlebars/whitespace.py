"""White space around tags: a "~" takes all of it on its side; a block's tag or a comment alone in its line, that line.

Whether a tag is alone is judged by the text as it was written, before anything was taken away.
"""

from typing import Final

from tocsin.notify.handlebars.nodes import Block, Comment, Content, Node, Program, Strip
from tocsin.notify.handlebars.values import SPACE

_INLINE: Final = " \t"


def settle(program: Program) -> None:
    """Of a whole template."""
    _program(program, is_root=True)


def _program(program: Program, *, is_root: bool = False) -> None:
    body = program.body
    for place, node in enumerate(body):
        if isinstance(node, Content):
            continue
        opens, closes = _block(node) if isinstance(node, Block) else (False, False)
        strip = Strip(node.open_strip.left, node.close_strip.right) if isinstance(node, Block) else node.strip
        before = _ends_line(body, place, is_root=is_root)
        after = _begins_line(body, place, is_root=is_root)
        if strip.right:
            _strip_begin(body, place + 1, lines=True)
        if strip.left:
            _strip_end(body, place - 1, lines=True)
        if isinstance(node, Comment) and before and after:
            _strip_begin(body, place + 1)
            _strip_end(body, place - 1)
        if isinstance(node, Block):
            _alone(node, body, place, before=opens and before, after=closes and after)


def _alone(block: Block, body: list[Node], place: int, *, before: bool, after: bool) -> None:
    """Takes the rest of a line in which there is nothing but the block's first or last tag."""
    if before:
        _strip_begin(_first(block).body, 0)
        _strip_end(body, place - 1)
    if after:
        _strip_begin(body, place + 1)
        last = block.inverse or block.program
        assert last is not None
        _strip_end(last.body, len(last.body) - 1)


def _first(block: Block) -> Program:
    found = block.program or block.inverse
    assert found is not None
    return found


def _block(block: Block) -> tuple[bool, bool]:
    """Settles what is inside; whether its first tag may be alone in its line, and its last."""
    for part in (block.program, block.inverse):
        if part is not None:
            _program(part)
    program = _first(block)
    inverse = block.inverse if block.program is not None else None
    first = last = inverse
    if inverse is not None and inverse.chained:
        first = _nested(inverse, 0).program
        while last is not None and last.chained:
            last = _nested(last, -1).program
    opens = _begins_line(program.body, -1)
    closes = _ends_line((first or program).body, len((first or program).body))
    if block.open_strip.right:
        _strip_begin(program.body, 0, lines=True)
    if first is not None and last is not None:
        if block.inverse_strip.left:
            _strip_end(program.body, len(program.body) - 1, lines=True)
        if block.inverse_strip.right:
            _strip_begin(first.body, 0, lines=True)
        if block.close_strip.left:
            _strip_end(last.body, len(last.body) - 1, lines=True)
        if _ends_line(program.body, len(program.body)) and _begins_line(first.body, -1):
            _strip_end(program.body, len(program.body) - 1)
            _strip_begin(first.body, 0)
    elif block.close_strip.left:
        _strip_end(program.body, len(program.body) - 1, lines=True)
    return opens, closes


def _nested(program: Program, place: int) -> Block:
    block = program.body[place]
    assert isinstance(block, Block)
    return block


def _ends_line(body: list[Node], place: int, *, is_root: bool = False) -> bool:
    """Nothing but white space stands between the begin of a line and this place."""
    if place == 0:
        return is_root
    node = body[place - 1]
    if not isinstance(node, Content):
        return False
    blank = node.original[len(node.original.rstrip(SPACE)) :]
    return "\n" in blank or (is_root and place == 1 and blank == node.original)


def _begins_line(body: list[Node], place: int, *, is_root: bool = False) -> bool:
    """Nothing but white space stands between this place and the end of its line."""
    if place + 1 >= len(body):
        return is_root
    node = body[place + 1]
    if not isinstance(node, Content):
        return False
    blank = node.original[: len(node.original) - len(node.original.lstrip(SPACE))]
    return "\n" in blank or (is_root and place + 2 >= len(body) and blank == node.original)


def _strip_begin(body: list[Node], place: int, *, lines: bool = False) -> None:
    """White space at the begin of a text: all of it, or what is left of its first line, once."""
    node = body[place] if 0 <= place < len(body) else None
    if not isinstance(node, Content) or (node.right_stripped and not lines):
        return
    before = node.value
    if lines:
        node.value = before.lstrip(SPACE)
    else:
        node.value = before.lstrip(_INLINE).removeprefix("\r").removeprefix("\n")
    node.right_stripped = node.value != before


def _strip_end(body: list[Node], place: int, *, lines: bool = False) -> None:
    """White space at the end of a text: all of it, or that of its last line, once."""
    node = body[place] if 0 <= place < len(body) else None
    if not isinstance(node, Content) or (node.left_stripped and not lines):
        return
    before = node.value
    node.value = before.rstrip(SPACE if lines else _INLINE)
    node.left_stripped = node.value != before
