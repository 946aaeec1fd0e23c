"""YAML by the core schema of version 1.2: no dates, no base 60, no yes and no. Pure, and slow: never on the event loop.

PyYAML brings the syntax, and this the meaning, for two reasons: its own schema is that of version 1.1, where 14:30 is a
number; and here a document costs what its text costs, because aliases are refused. A key that comes twice is refused
too, but for sections: texts of several exports, joined, are one.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import yaml

TEXT_MAX: Final = 8 * 1024 * 1024  # bytes
DEPTH_MAX: Final = 32
_NULL: Final = re.compile(r"~|null|Null|NULL|")
_BOOL: Final = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT: Final = re.compile(r"[-+]?[0-9]{1,100}|0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_PREFIX: Final = "tag:yaml.org,2002:"
_BASES: Final = {"0o": 8, "0x": 16}


class Written(NamedTuple):
    """A number, and how it was written: 007 may have been meant as text."""

    text: str
    number: int | float


class YamlError(ValueError):
    """No YAML, or none that is taken; the text says in which line."""


def load(text: bytes) -> Any:
    """Plain values, numbers as `Written`; None for an empty text. Several documents must be mappings, and are one."""
    if len(text) > TEXT_MAX:
        raise YamlError(f"at most {TEXT_MAX} bytes of YAML, not {len(text)}")
    try:
        return _Reader(yaml.parse(text, Loader=yaml.CSafeLoader)).stream()
    except UnicodeDecodeError as problem:
        raise YamlError(f"text is not valid UTF-8: byte {problem.start + 1}") from None
    except yaml.MarkedYAMLError as problem:
        where = f" (line {problem.problem_mark.line + 1})" if problem.problem_mark else ""
        raise YamlError(f"{problem.problem or 'not YAML'}{where}") from None
    except yaml.YAMLError as problem:
        raise YamlError(" ".join(str(problem).split())[:200]) from None


def plain(value: Any, *, textual: bool = False) -> Any:
    """The value with its numbers as numbers, or, where text is meant, as the text that was written."""
    if isinstance(value, Written):
        return value.text if textual else value.number
    if isinstance(value, dict):
        return {key: plain(part, textual=textual) for key, part in value.items()}
    return [plain(part, textual=textual) for part in value] if isinstance(value, list) else value


def words(value: Any) -> Any:
    """The value, or each value of a mapping, as text, where text is meant and nothing else: of true, "true"."""
    if isinstance(value, dict):
        return {key: "" if part is None else words(part) for key, part in value.items()}
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(value, textual=True)


def dump(value: Any) -> str:
    """In block style; None is nothing. What any reader might take for something else than text stands in quotes."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=False, sort_keys=False, allow_unicode=True, width=2**31 - 1
    )
    return text


class _Reader:
    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events

    def stream(self) -> Any:
        found: Any = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                value = self._value(next(self._events), 0)
                if found is None or value is None:
                    found = value if found is None else found
                elif isinstance(found, dict) and isinstance(value, dict):
                    found = joined(found, value)
                else:
                    raise YamlError(f"several documents must be mappings (line {_line(event)})")
        return found

    def _value(self, event: yaml.Event, depth: int) -> Any:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            raise YamlError(f"aliases are not taken: write {event.anchor!r} out (line {line})")
        if depth > DEPTH_MAX:
            raise YamlError(f"nested deeper than {DEPTH_MAX} (line {line})")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if event.tag not in (None, "!", f"{_PREFIX}map", f"{_PREFIX}seq"):  # type: ignore[attr-defined] # all others have one
            raise YamlError(f"the tag {event.tag!r} is not taken (line {line})")  # type: ignore[attr-defined]
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(depth)
        return self._mapping(depth)

    def _sequence(self, depth: int) -> list[Any]:
        found = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, depth + 1))
        return found

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                self._value(event, depth + 1)  # an alias says so itself
                raise YamlError(f"a key must be text (line {line})")
            key = event.value
            value = self._value(next(self._events), depth + 1)
            if key not in found:
                found[key] = value
            elif depth == 0 and _may_join(found[key], value):
                found = joined(found, {key: value})
            else:
                raise YamlError(f"the key {key[:40]!r} is there twice (line {line})")
        return found


def joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two documents as one: what both have is joined where it is a section. YamlError where it is not."""
    found = dict(one)
    for key, value in other.items():
        here = found.get(key)
        if key not in found or here is None:
            found[key] = value
        elif isinstance(here, dict) and isinstance(value, dict):
            if twice := next(iter(here.keys() & value.keys()), None):
                raise YamlError(f"{key}: the key {twice[:40]!r} is there twice")
            found[key] = here | value
        elif isinstance(here, list) and isinstance(value, list):
            found[key] = here + value
        elif value is not None and value != here:
            raise YamlError(f"the key {key[:40]!r} is there twice")
    return found


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _may_join(one: Any, other: Any) -> bool:
    return one is None or other is None or (type(one) is type(other) and isinstance(one, dict | list))


def _scalar(event: yaml.ScalarEvent) -> Any:
    text: str = event.value
    tag = event.tag or ""
    if tag in ("!", f"{_PREFIX}str") or (not tag and not event.implicit[0]):
        return text
    if tag:
        raise YamlError(f"the tag {tag!r} is not taken (line {_line(event)})")
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return Written(text, int(text, _BASES.get(text[:2], 10)))
    if _FLOAT.fullmatch(text):
        return Written(text, float(text.lower().replace(".inf", "inf").replace(".nan", "nan")))
    return text


class _Dumper(yaml.CSafeDumper):
    """Knows what readers of either version take for a number: such texts are quoted."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - of any value
        return True


for _tag, _pattern, _first in (
    ("int", re.compile(f"^(?:{_INT.pattern})$"), list("-+0123456789")),
    ("float", re.compile(f"^(?:{_FLOAT.pattern})$"), list("-+.0123456789")),
):
    _Dumper.add_implicit_resolver(f"{_PREFIX}{_tag}", _pattern, _first)
_Dumper.add_representer(type(None), lambda dumper, _: dumper.represent_scalar(f"{_PREFIX}null", ""))
