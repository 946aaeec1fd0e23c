"""Text that means the same in every database: letter case, and the one character that not all of them can hold.

SQLite and PostgreSQL (by code points) turn only A to Z into lower case, so that is what a search compares. U+0000 is no
character of PostgreSQL's text: what people and clients wrote is kept with U+FFFD in its place, in either database.
"""

import re
from typing import Any, Final

from sqlalchemy import ColumnElement, func, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Text

REPLACEMENT: Final = "\ufffd"
_UPPER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
# A NUL as JSON has it; a backslash before it would make it six plain characters.
_JSON_NUL: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def clean(text: str) -> str:
    return text.replace("\0", REPLACEMENT) if "\0" in text else text


def clean_json(text: bytes) -> bytes:
    """The same for the strings in JSON, its keys too."""
    return _JSON_NUL.sub(rb"\1\\ufffd", text) if b"\\u0000" in text else text


def lower(text: str) -> str:
    return text.translate(_UPPER)


def contains(column: ColumnElement[Any], part: str) -> ColumnElement[bool]:
    """Letter case does not matter."""
    return func.lower(column).contains(lower(clean(part)), autoescape=True)


def equals(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Letter case does not matter."""
    return func.lower(column) == lower(clean(text))


def matches(column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """`*` is anything; letter case does not matter."""
    escaped = lower(clean(pattern)).replace("/", "//").replace("%", "/%").replace("_", "/_")
    return func.lower(column).like(escaped.replace("*", "%"), escape="/")


def begins(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Letter case matters, which it does not for LIKE in SQLite."""
    return func.substr(column, 1, len(text)) == clean(text)


class Member(FunctionElement[str]):
    """`Member(json, "labels", "team")`: the text of a member inside members of a JSON column; NULL: there is none."""

    type = Text()
    name = "json_member"
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], *names: str) -> None:
        """`names`, from the outermost in, have no quotes and no backslashes."""
        path = "".join(f'."{name}"' for name in names)
        super().__init__(column, *map(literal, names), literal(f"${path}"))


@compiles(Member, "sqlite")
def _on_sqlite(element: Member, compiler: Any, **options: Any) -> str:
    column, *_, path = element.clauses  # only what is compiled is bound
    return f"json_extract({compiler.process(column, **options)}, {compiler.process(path, **options)})"


@compiles(Member, "postgresql")
def _on_postgresql(element: Member, compiler: Any, **options: Any) -> str:
    used = ", ".join(compiler.process(clause, **options) for clause in list(element.clauses)[:-1])
    return f'(json_extract_path_text({used}) COLLATE "C")'
