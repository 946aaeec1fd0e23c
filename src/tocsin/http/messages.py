"""JSON bodies, query parameters and path variables → protobuf messages, with errors that name the field.

Names are taken as JSON writes them (`displayName`) and as the contract does (`display_name`); errors say the latter, as
the rest of the server does. protobuf's own parser does the work; only when it fails is the input walked again to say
which field is to blame, so that good input pays nothing for the explanation.
"""

import difflib
import json
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from tocsin.domain import errors

_INTEGERS: Final = frozenset(
    {
        *(FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64),
        *(FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64),
    }
)
_KNOWN: Final = {
    "google.protobuf.Timestamp": "a time such as 2026-02-01T01:00:00Z",
    "google.protobuf.Duration": "a duration in seconds such as 90s or 0.5s",
    "google.protobuf.FieldMask": "field paths joined by commas, such as displayName,tolerance.margin",
}
Descriptor = Any  # the stubs give messages one class of descriptors and fields another
_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}


def read_json(data: bytes, message: Message, field: str = "") -> None:
    """Fills `message` from a JSON object. `field` is its path in the request, "" for the request itself.

    BODY_MALFORMED, with position, line and column, when it is not JSON; FIELD_INVALID, with the path, when a field is
    unknown, twice there, or of another kind. NaN and Infinity are not JSON.
    """
    try:
        value = json.loads(data.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        where = {"position": str(error.pos + 1), "line": str(error.lineno), "column": str(error.colno)}
        raise _malformed(f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}", **where) from None
    except UnicodeDecodeError as error:
        raise _malformed(f"is not UTF-8 at byte {error.start + 1}", position=str(error.start + 1)) from None
    except RecursionError:
        raise _malformed("is nested too deeply") from None
    except ValueError as error:  # of the two hooks, and of numbers too long to be read
        raise _malformed(f"is not acceptable JSON: {error}") from None
    if not isinstance(value, dict):
        raise _malformed(f"must be a JSON object, not {_kind_of(value)}")
    _fill(message, value, field)


def read_binary(data: bytes, message: Message) -> None:
    """Fills `message` from the protobuf wire format. BODY_MALFORMED when it is not that."""
    try:
        message.MergeFromString(data)
    except DecodeError:
        raise _malformed(f"is not a {message.DESCRIPTOR.full_name} in protobuf's wire format") from None


def set_field(message: Message, path: str, values: Sequence[str]) -> None:
    """Sets the field at a dotted path from text, as query parameters and path variables write it.

    `set_field(request, "updateMask", ["displayName"])`, `set_field(request, "states", ["STATE_OK", "2"])`. Empty means
    unset for anything but strings. FIELD_INVALID when there is no such field or the text is no value of it.
    """
    fields = _resolve(message.DESCRIPTOR, path)
    name = ".".join(field.name for field in fields)
    last = fields[-1]
    if not last.is_repeated and len(values) > 1:
        raise errors.invalid(name, "is given more than once, and takes one value")
    texts = [text for text in values if text or last.cpp_type == FieldDescriptor.CPPTYPE_STRING]
    converted = [_convert(last, text, name) for text in texts]
    if not converted:
        return
    value: Any = converted if last.is_repeated else converted[0]
    for field in reversed(fields):
        value = {field.name: value}
    try:
        json_format.ParseDict(value, message)
    except (json_format.ParseError, ValueError):
        raise errors.invalid(name, f"must be {expected(last)}, not {values[0][:80]!r}") from None


def get_field(message: Message, path: str) -> Any:
    """The value at a dotted path of the contract."""
    value: Any = message
    for part in path.split("."):
        value = getattr(value, part)
    return value


def expected(field: FieldDescriptor) -> str:
    """What one value of a field looks like, in words."""
    kind = field.cpp_type
    if field.enum_type is not None:
        return f"one of {', '.join(value.name for value in field.enum_type.values if value.number)}"
    if field.message_type is not None:
        return _KNOWN.get(field.message_type.full_name, f"a {field.message_type.name} object")
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return "true or false"
    if kind == FieldDescriptor.CPPTYPE_STRING:
        return "text"
    return "a whole number in range" if kind in _INTEGERS else "a number"


def _fill(message: Message, value: dict[str, Any], field: str) -> None:
    try:
        json_format.ParseDict(value, message)
    except (json_format.ParseError, ValueError, RecursionError) as error:
        _blame(message.DESCRIPTOR, value, field)
        raise errors.invalid(field or "body", str(error).splitlines()[0]) from None


def _blame(kind: Descriptor, value: dict[str, Any], path: str) -> None:
    """Raises FIELD_INVALID for the first field that protobuf would not take; returns when none is found."""
    for key, item in value.items():
        field = _find(kind, key)
        if field is None:
            raise errors.invalid(_join(path, key[:80] or repr(key)), _unknown(kind, key))
        where = _join(path, field.name)
        if item is None:
            continue
        if field.is_repeated and not isinstance(item, dict if _is_map(field) else list):
            raise errors.invalid(where, f"must be {'an object' if _is_map(field) else 'a list'}, not {_kind_of(item)}")
        if _is_map(field) and field.message_type is not None:
            values = field.message_type.fields_by_name["value"]
            for name, entry in item.items():
                _blame_value(values, entry, f"{where}[{name[:64]!r}]")
        elif field.is_repeated:
            for index, entry in enumerate(item):
                _blame_value(field, entry, f"{where}[{index}]")
        else:
            _blame_value(field, item, where)


def _blame_value(field: FieldDescriptor, item: Any, where: str) -> None:
    if field.message_type is not None and field.message_type.full_name not in _KNOWN:
        if not isinstance(item, dict):
            raise errors.invalid(where, f"must be {expected(field)}, not {_kind_of(item)}")
        return _blame(field.message_type, item, where)
    holder: Any = field.containing_type
    try:
        json_format.ParseDict({field.name: [item] if field.is_repeated else item}, GetMessageClass(holder)())
    except (json_format.ParseError, ValueError):
        shown = repr(item)[:80] if isinstance(item, str | int | float) else _kind_of(item)
        raise errors.invalid(where, f"must be {expected(field)}, not {shown}") from None


def _resolve(kind: Descriptor, path: str) -> list[FieldDescriptor]:
    fields: list[FieldDescriptor] = []
    at: Descriptor = kind
    for part in path.split("."):
        field = None if at is None else _find(at, part)
        if field is None:
            inner = kind if at is None else at
            raise errors.invalid(path[:80] or repr(path), _unknown(inner, part))
        fields.append(field)
        at = field.message_type if not field.is_repeated and field.message_type is not None else None
        at = None if at is not None and at.full_name in _KNOWN else at
    if at is not None or _is_map(fields[-1]):
        raise errors.invalid(
            path[:80], "is an object, which a query cannot hold; name one of its fields, or send it in the body"
        )
    return fields


def _convert(field: FieldDescriptor, text: str, name: str) -> Any:
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        if text.lower() not in _TRUTH:
            raise errors.invalid(name, f"must be true or false, not {text[:80]!r}")
        return _TRUTH[text.lower()]
    if field.enum_type is not None and text.lstrip("-").isdecimal():
        number = int(text[:12])
        if number not in field.enum_type.values_by_number:
            raise errors.invalid(name, f"must be {expected(field)}, not {text[:80]!r}")
        return number
    return text


def _find(kind: Descriptor, name: str) -> FieldDescriptor | None:
    field: FieldDescriptor | None = kind.fields_by_name.get(name) or kind.fields_by_camelcase_name.get(name)
    return field


def _unknown(kind: Descriptor, name: str) -> str:
    close = difflib.get_close_matches(name, [field.json_name for field in kind.fields], 1)
    return f"is no field of {kind.name}" + (f"; did you mean {close[0]!r}?" if close else "")


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _kind_of(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the name {twice[:80]!r} is twice in one object")
    return value


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number that JSON knows")


def _malformed(description: str, **where: str) -> errors.InvalidArgument:
    return errors.invalid("body", description, reason="BODY_MALFORMED", **where)
