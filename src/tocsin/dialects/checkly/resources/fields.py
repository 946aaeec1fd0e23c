"""The members of a JSON object, read one by one: a member that is null counts as not said; InvalidArgument names it.

Members that nobody reads are ignored, as Checkly's clients expect.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import msgspec

from tocsin.dialects.checkly.checks.values import shown
from tocsin.dialects.checkly.times import parse_time
from tocsin.domain import errors
from tocsin.domain.instant import Instant

TEXT_MAX: Final = 16_384  # characters of a text without a bound of its own
_LAST: Final = 4_102_444_800_000  # 2100-01-01, milliseconds
_NUMBER_MAX: Final = 2**63 - 1


class Fields:
    """One object. `path` is where it stands in the body: "config", "headers[2]"; "" is the body itself."""

    def __init__(self, body: Any, path: str = "") -> None:
        if not isinstance(body, Mapping):
            raise errors.invalid(path or "payload", "must be an object")
        self._body = body
        self._path = path

    def says(self, name: str) -> bool:
        """Also when it says null."""
        return name in self._body

    def get(self, name: str) -> Any:
        return self._body.get(name)

    def at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def wrong(self, name: str, text: str) -> errors.InvalidArgument:
        return errors.invalid(self.at(name), text)

    def text(self, name: str, most: int = TEXT_MAX, *, least: int = 0) -> str | None:
        value = self._body.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.wrong(name, f"must be text, not {shown(value)}")
        if not least <= len(value) <= most:
            raise self.wrong(name, f"has {least} to {most} characters, not {len(value)}")
        if "\0" in value:  # which PostgreSQL has no place for
            raise self.wrong(name, "must not hold the character U+0000")
        return value

    def required(self, name: str, most: int = TEXT_MAX) -> str:
        """A text that is there and not empty."""
        value = self.text(name, most)
        if not value:
            raise self.wrong(name, "is required and must not be empty")
        return value

    def flag(self, name: str) -> bool | None:
        value = self._body.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, f"must be true or false, not {shown(value)}")
        return value

    def whole(self, name: str, low: int, high: int = _NUMBER_MAX) -> int | None:
        """A whole number; 3.0 is one."""
        value = self._body.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(name, f"must be a whole number, not {shown(value)}")
        if not low <= value <= high:
            bounds = f"at least {low}" if high == _NUMBER_MAX else f"{low} to {high}"
            raise self.wrong(name, f"must be {bounds}, not {shown(value)}")
        return value

    def choice(self, name: str, known: Collection[str]) -> str | None:
        value = self._body.get(name)
        if value is not None and (not isinstance(value, str) or value not in known):
            raise self.wrong(name, f"{shown(value)} is none of {', '.join(filter(None, known))}")
        return value

    def texts(self, name: str, *, count: int, most: int) -> tuple[str, ...] | None:
        """A list of texts that are not empty; one that is there twice stays once."""
        values = self._list(name, count)
        if values is None:
            return None
        for index, value in enumerate(values):
            if not isinstance(value, str):
                raise self.wrong(f"{name}[{index}]", f"must be text, not {shown(value)}")
            if not 1 <= len(value) <= most:
                raise self.wrong(f"{name}[{index}]", f"has 1 to {most} characters, not {len(value)}")
            if "\0" in value:
                raise self.wrong(f"{name}[{index}]", "must not hold the character U+0000")
        return tuple(dict.fromkeys(values))

    def objects(self, name: str, *, count: int) -> Iterator["Fields"] | None:
        """The objects of a list."""
        values = self._list(name, count)
        if values is None:
            return None
        return (Fields(value, f"{self.at(name)}[{index}]") for index, value in enumerate(values))

    def object(self, name: str) -> "Fields | None":
        value = self._body.get(name)
        return None if value is None else Fields(value, self.at(name))

    def verbatim(self, name: str, most: int) -> Any:
        """Any object, of at most so many bytes of JSON."""
        value = self._body.get(name)
        if value is not None and not isinstance(value, Mapping):
            raise self.wrong(name, f"must be an object, not {shown(value)}")
        if value is not None and len(msgspec.json.encode(value)) > most:
            raise self.wrong(name, f"must be JSON of at most {most} bytes")
        return value

    def instant(self, name: str) -> Instant | None:
        """An ISO 8601 date with a time; without an offset it is UTC. Up to 2100, not before 1970."""
        value = self._body.get(name)
        if value is None:
            return None
        at = parse_time(value[:64]) if isinstance(value, str) and not value.strip().isdecimal() else None
        if at is None or at >= _LAST:
            raise self.wrong(name, f"{shown(value)} is not a time such as 2026-01-31T09:30:00.000Z, from 1970 to 2100")
        return at

    def _list(self, name: str, count: int) -> list[Any] | None:
        values = self._body.get(name)
        if values is None:
            return None
        if not isinstance(values, list):
            raise self.wrong(name, f"must be a list, not {shown(values)}")
        if len(values) > count:
            raise self.wrong(name, f"at most {count}, not {len(values)}")
        return values
