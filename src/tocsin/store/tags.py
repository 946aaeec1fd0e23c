"""Tags in a column of text, each between line breaks, which no tag contains: one comparison finds one."""

from typing import Any, Final

from sqlalchemy import ColumnElement

from tocsin.store import texts

_MARK: Final = "\n"


def to_text(tags: tuple[str, ...]) -> str:
    return f"{_MARK}{_MARK.join(texts.clean(tag) for tag in tags)}{_MARK}" if tags else ""


def from_text(text: str) -> tuple[str, ...]:
    return tuple(text[1:-1].split(_MARK)) if text else ()


def has(column: ColumnElement[Any], tag: str) -> ColumnElement[bool]:
    """Letter case does not matter; "": any tag."""
    if not tag:
        return column != ""
    return texts.contains(column, f"{_MARK}{tag}{_MARK}")
