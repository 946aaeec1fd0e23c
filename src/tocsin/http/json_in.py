"""A JSON object → a protobuf message, by tables made once for each kind of message.

The protobuf library's own reader builds its tables for every object, and a batch of ten thousand would hold up the
event loop for more than half a second. This one takes the same input, with three differences: numbers that
are not finite are never let through, masks are taken in either spelling, and an error names the field by its path. The
library's reader is its oracle in the tests.
"""

import difflib
import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

Descriptor = Any  # the stubs give messages one class of descriptors and fields another
Setter = Callable[[Any, Any], None]  # (message, JSON value); raises Wrong
Converter = Callable[[Any], Any]  # JSON value → value of the field; raises ValueError or TypeError

_INTEGERS: Final = frozenset(
    {
        *(FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64),
        *(FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64),
    }
)
MASK: Final = "google.protobuf.FieldMask"
_UNDERSCORE: Final = re.compile(r"(?<=[a-z0-9])_([a-z])")
# Messages that are text in JSON, with what the text looks like.
TEXTS: Final[Mapping[str, str]] = {
    "google.protobuf.Timestamp": "a time such as 2026-02-01T01:00:00Z",
    "google.protobuf.Duration": "a duration in seconds such as 90s or 0.5s",
    MASK: "field paths joined by commas, such as displayName,tolerance.margin",
}


class Wrong(Exception):
    """A value that a field does not take; `path` is relative to the message being filled."""

    def __init__(self, path: str, description: str) -> None:
        super().__init__(path, description)
        self.path = path
        self.description = description

    def below(self, outer: str) -> "Wrong":
        """The same seen from the message around it."""
        return Wrong(outer if not self.path else f"{outer}.{self.path}", self.description)


def fill(message: Message, value: Mapping[str, Any]) -> None:
    """Sets the fields that the object names, in either spelling; null leaves a field alone. Raises Wrong."""
    setters = _setters(message.DESCRIPTOR)
    for key, item in value.items():
        setter = setters.get(key)
        if setter is None:
            raise Wrong(key[:80] or repr(key), unknown(message.DESCRIPTOR, key))
        if item is not None:
            setter(message, item)


def find(kind: Descriptor, name: str) -> FieldDescriptor | None:
    """A field by either spelling."""
    field: FieldDescriptor | None = kind.fields_by_name.get(name) or kind.fields_by_camelcase_name.get(name)
    return field


def camel_paths(mask: str) -> str:
    """A mask whose paths are in either spelling → in the one that the library reads."""
    return _UNDERSCORE.sub(lambda match: match[1].upper(), mask)


def unknown(kind: Descriptor, name: str) -> str:
    close = difflib.get_close_matches(name, [field.json_name for field in kind.fields], 1)
    return f"is no field of {kind.name}" + (f"; did you mean {close[0]!r}?" if close else "")


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def expected(field: FieldDescriptor) -> str:
    """What one value of a field looks like, in words."""
    if field.enum_type is not None:
        return f"one of {', '.join(value.name for value in field.enum_type.values if value.number)}"
    if field.message_type is not None:
        return TEXTS.get(field.message_type.full_name, f"a {field.message_type.name} object")
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return "true or false"
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return "text"
    return "a whole number in range" if field.cpp_type in _INTEGERS else "a number"


def kind_of(value: Any) -> str:
    """A JSON value in words, short enough for an error."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)[:80]


@cache
def _setters(kind: Descriptor) -> dict[str, Setter]:
    made: dict[str, Setter] = {}
    for field in kind.fields:
        made[field.name] = made[field.json_name] = _setter(field)
    return made


def _setter(field: FieldDescriptor) -> Setter:
    if is_map(field):
        return _map_setter(field)
    if field.is_repeated:
        return _list_setter(field)
    one = _message_setter(field) if field.message_type is not None else _scalar_setter(field)
    choice = field.containing_oneof
    if choice is None or len(choice.fields) == 1:
        return one
    oneof, name, names = choice.name, field.name, ", ".join(other.name for other in choice.fields)

    def set_choice(message: Any, item: Any) -> None:
        if message.WhichOneof(oneof) not in (None, name):
            raise Wrong(name, f"only one of {names} can be set, which are a oneof")
        one(message, item)

    return set_choice


def _scalar_setter(field: FieldDescriptor) -> Setter:
    convert, name = _converter(field), field.name

    def set_scalar(message: Any, item: Any) -> None:
        try:
            setattr(message, name, convert(item))
        except (ValueError, TypeError, OverflowError):
            raise _mismatch(field, name, item) from None

    return set_scalar


def _message_setter(field: FieldDescriptor) -> Setter:
    name = field.name

    def set_message(message: Any, item: Any) -> None:
        inner = getattr(message, name)
        inner.SetInParent()
        _fill_inner(field, inner, item, name)

    return set_message


def _list_setter(field: FieldDescriptor) -> Setter:
    name = field.name
    convert = None if field.message_type is not None else _converter(field)

    def set_list(message: Any, items: Any) -> None:
        if not isinstance(items, list):
            raise Wrong(name, f"must be a list, not {kind_of(items)}")
        container = getattr(message, name)
        for index, item in enumerate(items):
            if convert is None:
                _fill_inner(field, container.add(), item, f"{name}[{index}]")
                continue
            try:
                container.append(convert(item))
            except (ValueError, TypeError, OverflowError):
                raise _mismatch(field, f"{name}[{index}]", item) from None

    return set_list


def _map_setter(field: FieldDescriptor) -> Setter:
    assert field.message_type is not None
    name = field.name
    value_field = field.message_type.fields_by_name["value"]
    convert_key = _converter(field.message_type.fields_by_name["key"])
    convert = None if value_field.message_type is not None else _converter(value_field)

    def set_map(message: Any, items: Any) -> None:
        if not isinstance(items, dict):
            raise Wrong(name, f"must be an object, not {kind_of(items)}")
        container = getattr(message, name)
        for key, item in items.items():
            where = f"{name}[{key[:64]!r}]"
            try:
                if convert is None:
                    _fill_inner(value_field, container[convert_key(key)], item, where)
                else:
                    container[convert_key(key)] = convert(item)
            except (ValueError, TypeError, OverflowError):
                raise _mismatch(value_field, where, item) from None

    return set_map


def _fill_inner(field: FieldDescriptor, inner: Any, item: Any, where: str) -> None:
    assert field.message_type is not None
    full_name = field.message_type.full_name
    if full_name in TEXTS:
        try:
            inner.FromJsonString(camel_paths(item) if full_name == MASK else item)
        except (ValueError, TypeError, AttributeError, OverflowError):
            raise _mismatch(field, where, item) from None
    elif not isinstance(item, dict):
        raise _mismatch(field, where, item)
    elif full_name.startswith("google.protobuf."):
        try:
            json_format.ParseDict(item, inner)
        except (json_format.ParseError, ValueError) as error:
            raise Wrong(where, str(error).partition("\n")[0]) from None
    else:
        try:
            fill(inner, item)
        except Wrong as wrong:
            raise wrong.below(where) from None


def _mismatch(field: FieldDescriptor, where: str, item: Any) -> Wrong:
    return Wrong(where, f"must be {expected(field)}, not {kind_of(item)}")


def _converter(field: FieldDescriptor) -> Converter:
    if field.enum_type is not None:
        return _enum_converter({value.name: value.number for value in field.enum_type.values})
    if field.cpp_type in _INTEGERS:
        return _integer
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return _number
    return _boolean if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL else _text


def _enum_converter(numbers: Mapping[str, int]) -> Converter:
    def convert(value: Any) -> int:
        number = numbers.get(value) if isinstance(value, str) else None
        return _integer(value) if number is None else number

    return convert


def _integer(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    if not math.isfinite(number := float(value)):
        raise ValueError(value)
    return number


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
