"""A JSON object as a form: typed fields by name, and under each field what is wrong with it, all of it at once.

Names are taken in camelCase and in snake_case; problems are told under the name that was sent.
"""

import re
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from tocsin.dialects.sentry import schema
from tocsin.dialects.sentry.management.replies import Invalid, Problems, Refused
from tocsin.dialects.sentry.schema import SchemaError

T = TypeVar("T")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_WORDS: Final[dict[Any, str]] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    list[str]: "a list of texts",
    list[dict[str, Any]]: "a list of objects",
}


class Form:
    def __init__(self, fields: dict[str, msgspec.Raw]) -> None:
        self._fields = {_snake(name): (name, raw) for name, raw in fields.items()}
        self.problems: Problems = {}

    @classmethod
    def parse(cls, data: bytes) -> "Form":
        """Refused 400 unless it is a JSON object."""
        try:
            data.decode()  # all of it: what is kept verbatim is shown again
            return cls(schema.decode_object(data, "$"))
        except (SchemaError, UnicodeDecodeError) as problem:
            raise Refused(400, f"the body must be a JSON object: {problem}") from None

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def raw(self, name: str) -> msgspec.Raw:
        """The value as it stands; empty when the field is absent or null."""
        _, found = self._fields.get(name, (name, msgspec.Raw()))
        return msgspec.Raw() if schema.is_absent(found) else found

    def value(self, name: str, wanted: type[T]) -> T | UnsetType | None:
        """UNSET: absent, or wrong and noted as such; None: null."""
        if name not in self._fields:
            return UNSET
        raw = self.raw(name)
        if not bytes(raw):
            return None
        try:
            return schema.decode_value(raw, wanted, "$")
        except SchemaError:
            self.wrong(name, f"must be {_WORDS.get(wanted, 'of another type')}")
            return UNSET

    def text(self, name: str, most: int) -> str | UnsetType | None:
        """Trimmed; at most `most` characters."""
        found = self.value(name, str)
        if not isinstance(found, str):
            return found
        found = found.strip()
        if len(found) > most:
            self.wrong(name, f"must be at most {most} characters, not {len(found)}")
            return UNSET
        return found

    def part(self, name: str) -> "Form | None":
        """An object inside, whose problems are told below this field; None: absent, null, or none."""
        raw = self.raw(name)
        if not bytes(raw):
            return None
        try:
            return Form(schema.decode_object(raw, "$"))
        except SchemaError:
            self.wrong(name, "must be an object")
            return None

    def wrong(self, name: str, text: str) -> None:
        label = self._fields[name][0] if name in self._fields else _camel(name)
        self.problems.setdefault(label, []).append(text)

    def wrong_inside(self, name: str, part: "Form") -> None:
        """Takes over the problems of a part."""
        if part.problems:
            label = self._fields[name][0] if name in self._fields else _camel(name)
            self.problems[label] = part.problems

    def done(self) -> None:
        """Invalid, when anything is wrong."""
        if self.problems:
            raise Invalid(self.problems)


def _snake(name: str) -> str:
    return _HUMP.sub(r"_\1", name).lower()


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
