"""What a template is made of once it has been read. Contents change while white space is settled, and never after."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple


class Strip(NamedTuple):
    """Which sides of a tag have a "~": white space there goes."""

    left: bool = False
    right: bool = False


NO_STRIP: Final = Strip()


@dataclass(frozen=True, slots=True)
class Path:
    """`a.b`, `../a`, `this`, `@index`: where a value is to be found."""

    parts: tuple[str, ...]
    original: str
    depth: int = 0  # how many contexts up
    is_data: bool = False  # after "@": of the loop, not of the context
    is_scoped: bool = False  # "this." or "./": never a helper

    @property
    def helper(self) -> str:
        """The name of the helper that it may mean; "": none."""
        simple = len(self.parts) == 1 and not (self.depth or self.is_data or self.is_scoped)
        return self.parts[0] if simple else ""


@dataclass(frozen=True, slots=True)
class Literal:
    value: object
    original: str


@dataclass(frozen=True, slots=True)
class Call:
    """A name with what is given to it. Without anything given it may be a helper or a path."""

    path: Path
    params: tuple["Expression", ...] = ()
    hash: Mapping[str, "Expression"] = field(default_factory=dict)

    @property
    def is_bare(self) -> bool:
        return not self.params and not self.hash


Expression = Path | Literal | Call


@dataclass(slots=True)
class Content:
    original: str
    value: str
    left_stripped: bool = False  # at its end, for what follows
    right_stripped: bool = False


@dataclass(frozen=True, slots=True)
class Comment:
    strip: Strip


@dataclass(frozen=True, slots=True)
class Output:
    call: Call
    escaped: bool
    strip: Strip


@dataclass(slots=True)
class Program:
    body: list["Node"]
    names: tuple[str, ...] = ()  # after "as": what the block gives to its body
    chained: bool = False  # of an "else if": one block and nothing else


@dataclass(slots=True)
class Block:
    call: Call
    program: Program | None
    inverse: Program | None
    open_strip: Strip
    inverse_strip: Strip = NO_STRIP
    close_strip: Strip = NO_STRIP


Node = Content | Comment | Output | Block
