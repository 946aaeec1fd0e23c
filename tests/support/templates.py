"""Templates by chance, of all that the language has: for whoever compares what two engines make of them."""

from random import Random
from typing import Any, Final

CONTEXT: Final[dict[str, Any]] = {
    "NAME": 'back<up> & "co"',
    "N": 7,
    "ZERO": 0,
    "NEG": -2.5,
    "T": True,
    "F": False,
    "NULL": None,
    "E": "",
    "S": "a,b,c",
    "TAGS": ["team:core", "env=prod", "plain"],
    "ONE": ["x"],
    "EMPTY": [],
    "O": {"a": 1, "b": {"c": "deep"}},
    "L": [{"n": 1, "m": ["p", "q"]}, {"n": 2, "m": []}],
    "NUM": "10",
    "ISO": "2026-03-20T10:00:01.500Z",
    "foo bar": "spaced",
    "BIG": 1e21,
    "FLT": 0.1,
    "NESTED": [[1, 2], [3, [4, None]]],
}
_PATHS: Final = (
    *sorted(CONTEXT.keys() - {"foo bar"}),
    *("O.a", "O.b.c", "O/b/c", "L.0.n", "TAGS.[1]", "TAGS.length", "this", "this.NAME", "../NAME", "../../N"),
    *("@index", "@key", "@first", "@last", "@root.NAME", "@../index", "NOPE", "NOPE.x", "[foo bar]", "./N"),
    *("x", "k", "this.n", "n", "m", "S.length", "../this"),
)
_LITERALS: Final = (
    *('"x"', "'y'", '"a\\"b"', "1", "0", "-3", "2.5", "true", "false", "null", "undefined"),
    *('"10"', '""', '"team"', '","', '"no"', '"b"'),
)
_OF_TWO: Final = (
    *("eq", "is", "isnt", "gt", "gte", "lt", "lte", "contains", "startsWith", "neither", "ifNth", "has", "lookup"),
    *("unlessEq", "unlessGt", "unlessLt", "unlessGteq", "unlessLteq"),
)
_OPERATORS: Final = ("==", "===", "!=", "!==", "<", ">", "<=", ">=", "typeof")
_SPACE: Final = ("", " ", "\n", "  \n  ", "\n\n", "text", " a ", "\t", "\r\n", "b\n")
_DATES: Final = (
    "YYYY-MM-DD",
    "dddd Do MMM YY, h:mm A",
    "X x Q k kk HH:mm:ss.SSS Z ZZ [lit] d dd ddd DDo Mo a hh M MMMM",
)
_OTHER: Final = ("{{! c }}", "{{!-- }} --}}", "{{~! c ~}}", "\\{{x}} ", "\\\\{{N}}", "{{&N}}")
DEPTH: Final = 3


class Templates:
    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)

    def one(self, depth: int = 0) -> str:
        return "".join(self._piece(depth) for _ in range(self._chance.randint(0, 4)))

    def _piece(self, depth: int) -> str:
        kind = self._chance.randrange(8)
        if kind < 3:
            return self._chance.choice(_SPACE)
        if kind < 5:
            return self._output()
        if kind < 7 and depth < DEPTH:
            return self._block(depth)
        return self._chance.choice(_OTHER)

    def _output(self) -> str:
        inside = self._path() if self._chance.random() < 0.5 else self._call()
        left, right = self._tilde(), self._tilde()
        if self._chance.random() < 0.2:
            return f"{{{{{left}{{{inside}}}{right}}}}}"
        return f"{{{{{left}{inside}{right}}}}}"

    def _block(self, depth: int) -> str:
        kind, names = self._chance.randrange(6), self._chance.choice(("", " as |x k|"))
        opened = (
            f"if {self._value()}",
            f"unless {self._value()}",
            f"each {self._path()}{names}",
            f"with {self._path()}",
            self._call(),
            self._path(),
        )[kind]
        inverted = self._chance.random() < 0.1
        mark = "^" if inverted else "#"
        text = f"{{{{{self._tilde()}{mark}{opened}{self._tilde()}}}}}{self.one(depth + 1)}"
        while not inverted and self._chance.random() < 0.25:
            text += f"{{{{{self._tilde()}else if {self._value()}{self._tilde()}}}}}{self.one(depth + 1)}"
        if self._chance.random() < 0.4:
            otherwise = self._chance.choice(("else", "^", " else "))
            text += f"{{{{{self._tilde()}{otherwise}{self._tilde()}}}}}{self.one(depth + 1)}"
        name = "[foo bar]" if opened.startswith("[") else opened.split()[0]
        return f"{text}{{{{{self._tilde()}/{name}{self._tilde()}}}}}"

    def _call(self, depth: int = 0) -> str:
        kind, pick = self._chance.randrange(10), self._chance.choice
        one, other = self._value(depth), self._value(depth)
        return (
            f"{pick(_OF_TWO)} {one} {other}",
            f"{pick(_OF_TWO)} {one} {other}",
            f"{pick(('not', 'isTruthy', 'isFalsey'))} {one}",
            f"{pick(('and', 'or', 'default'))} {one} {other} {self._value(depth)}",
            f'compare {one} "{pick(_OPERATORS)}" {other}',
            f"replace {one} {other} {self._value(depth)}",
            f"tagValue TAGS {one} {other}",
            f'split @root.S "," {pick(("0", "1", "2", "5", "-1"))}',
            f"{pick(('eq', 'is', 'gt'))} {one} compare={other}",
            f'{pick(("moment", "date"))} @root.ISO "{pick(_DATES)}"',
        )[kind]

    def _value(self, depth: int = 0) -> str:
        kind = self._chance.random()
        if kind < 0.5:
            return self._path()
        return self._chance.choice(_LITERALS) if kind < 0.85 or depth > 2 else f"({self._call(depth + 1)})"

    def _path(self) -> str:
        return self._chance.choice(_PATHS)

    def _tilde(self) -> str:
        return "~" if self._chance.random() < 0.1 else ""
