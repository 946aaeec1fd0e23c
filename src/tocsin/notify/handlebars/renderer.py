"""The tree of a template and values → text.

Nothing a template says is an error here: what cannot be found or made sense of is written as nothing. How much it may
write, how many steps it may take and how much it may handle on the way are bounded: `TooMuch`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from tocsin.notify.handlebars.budget import Budget
from tocsin.notify.handlebars.helpers import CONDITIONS, VALUES, Given, is_shown
from tocsin.notify.handlebars.nodes import Block, Call, Comment, Content, Expression, Literal, Output, Path, Program
from tocsin.notify.handlebars.values import (
    DEPTH_MAX,
    UNDEFINED,
    equal,
    escape,
    get,
    is_empty,
    is_list,
    is_nothing,
    text,
    truthy,
)

_ELEMENT: Final = 100  # what handling an element of a list costs, in characters
_STRUCTURES: Final = frozenset(("if", "unless", "each", "with"))


class Scope(NamedTuple):
    """Where names are looked up. Scopes lie in each other, and only data has names of its own: @index and the like."""

    this: object
    outer: "Scope | None"  # of the context around, for "../"
    data: Mapping[str, object]
    names: Mapping[str, object]  # after "as"


def render(program: Program, context: Mapping[str, object], now: datetime, budget: Budget | None = None) -> str:
    """`TooMuch`, and no other error. `budget`: what is left of it, for templates that share one."""
    return _Rendering(context, now, budget or Budget()).whole(program)


class _Rendering:
    def __init__(self, context: Mapping[str, object], now: datetime, budget: Budget) -> None:
        self._root, self._now = context, now
        self._out: list[str] = []
        self._budget, self._step = budget, budget.step

    def whole(self, program: Program) -> str:
        self._program(program, Scope(self._root, None, {"root": self._root}, {}))
        return "".join(self._out)

    def _program(self, program: Program | None, scope: Scope) -> None:
        if program is None:
            return
        for node in program.body:
            self._step()
            if isinstance(node, Content):
                self._write(node.value)
            elif isinstance(node, Output):
                value = self._call(node.call, scope)
                if not is_nothing(value):
                    written = self._text(value)
                    self._write(escape(written) if node.escaped else written)
            elif not isinstance(node, Comment):
                self._block(node, scope)

    # --- values

    def _value(self, expression: Expression, scope: Scope) -> object:
        if isinstance(expression, Literal):
            return expression.value
        return self._path(expression, scope) if isinstance(expression, Path) else self._call(expression, scope)

    def _call(self, call: Call, scope: Scope) -> object:
        """Of a helper, or else of a path."""
        self._step()
        name = call.path.helper
        if name in scope.names:
            return self._path(call.path, scope)
        helper = CONDITIONS.get(name) or VALUES.get(name)
        if helper is None:
            known = call.is_bare and name not in _STRUCTURES
            return self._path(call.path, scope) if known else UNDEFINED
        return self._help(name, self._given(call, scope))

    def _given(self, call: Call, scope: Scope) -> Given:
        params = [self._value(one, scope) for one in call.params]
        pairs = {key: self._value(one, scope) for key, one in call.hash.items()}
        for value in (*params, *pairs.values()):
            self._step(_size(value))
        return Given(params, pairs, scope.this, self._now)

    def _help(self, name: str, given: Given) -> object:
        helper = CONDITIONS.get(name) or VALUES[name]
        try:
            found = helper(given)
        except (ValueError, TypeError, ArithmeticError, LookupError):  # whatever somebody's template gave it
            return UNDEFINED
        self._step(_size(found))
        return found

    def _path(self, path: Path, scope: Scope) -> object:
        parts = path.parts
        if path.is_data:
            return self._data(path, scope.data)
        for _ in range(path.depth):
            outer = scope.outer
            if outer is None:
                return UNDEFINED
            scope = outer
        found: object = scope.this
        if parts and not (path.is_scoped or path.depth) and parts[0] in scope.names:
            found, parts = scope.names[parts[0]], parts[1:]
        return self._deep(found, parts)

    def _data(self, path: Path, frame: object) -> object:
        for _ in range(path.depth):
            self._step()
            frame = get(frame, "_parent")
        return self._deep(frame, path.parts)

    def _deep(self, found: object, parts: Sequence[str]) -> object:
        for part in parts:
            self._step()
            found = get(found, part)
        return found

    # --- blocks

    def _block(self, block: Block, scope: Scope) -> None:
        call = block.call
        name = "" if call.path.helper in scope.names else call.path.helper
        if name in _STRUCTURES:
            self._structure(name, block, scope)
        elif name in CONDITIONS:
            self._program(block.program if truthy(self._help(name, self._given(call, scope))) else block.inverse, scope)
        elif name in VALUES:
            value = self._help(name, self._given(call, scope))
            if not is_nothing(value):
                self._write(self._text(value))
        elif call.is_bare:
            self._plain(block, self._path(call.path, scope), scope)

    def _structure(self, name: str, block: Block, scope: Scope) -> None:
        given = self._given(block.call, scope)
        if not given.params:
            return
        value = given.params[0]
        if name == "each":
            self._each(block, value, scope)
        elif name == "with":
            self._within(block, value, scope, empty=is_empty(value))
        else:
            self._program(block.program if is_shown(given) == (name == "if") else block.inverse, scope)

    def _plain(self, block: Block, value: object, scope: Scope) -> None:
        """A block of a value: for each of a list, within anything else."""
        if value is True:
            self._program(block.program, scope)
        elif value is False or is_nothing(value):
            self._program(block.inverse, scope)
        elif is_list(value):
            self._each(block, value, scope)
        else:
            self._within(block, value, scope, empty=False)

    def _within(self, block: Block, value: object, scope: Scope, *, empty: bool) -> None:
        if empty:
            self._program(block.inverse, scope)
        else:
            self._program(block.program, _inner(scope, value, block, {}, (value,)))

    def _each(self, block: Block, value: object, scope: Scope) -> None:
        pairs = list(_pairs(value))
        for place, (key, one) in enumerate(pairs):
            data = {"key": key, "index": place, "first": place == 0, "last": place == len(pairs) - 1}
            self._program(block.program, _inner(scope, one, block, data, (one, key)))
            self._step()
        if not pairs:
            self._program(block.inverse, scope)

    # --- bounds

    def _text(self, value: object) -> str:
        self._step(_size(value))
        return text(value)

    def _write(self, written: str) -> None:
        self._budget.write(len(written))
        self._out.append(written)


def _inner(scope: Scope, this: object, block: Block, data: Mapping[str, object], given: tuple[object, ...]) -> Scope:
    names = dict(zip(block.program.names if block.program else (), given, strict=False))
    outer = scope.outer if _is_same(this, scope.this) else scope
    return Scope(this, outer, {**scope.data, **data, "_parent": scope.data}, {**scope.names, **names})


def _is_same(one: object, other: object) -> bool:
    """Whether "../" goes past it. What is in lists is not looked at: each would be, for each of its elements."""
    if one is other:
        return True
    return not any(is_list(value) or isinstance(value, Mapping) for value in (one, other)) and equal(one, other)


def _pairs(value: object) -> Iterator[tuple[object, object]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)


def _size(value: object, depth: int = 0) -> int:
    """About how many characters handling it costs: of lists all that writing them out would look at."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return len(value) * _ELEMENT
    if isinstance(value, list | tuple) and depth < DEPTH_MAX:
        return sum(_ELEMENT + _size(one, depth + 1) for one in value)
    return 0
