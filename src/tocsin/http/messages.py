"""JSON bodies, query parameters and path variables → protobuf messages, with errors that name the field.

Names are taken as JSON writes them (`displayName`) and as the contract does (`display_name`); errors say the latter, as
the rest of the server does.
"""

import json
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from tocsin.domain import errors
from tocsin.http.json_in import (
    MASK,
    TEXTS,
    Descriptor,
    Wrong,
    camel_paths,
    expected,
    fill,
    find,
    is_map,
    kind_of,
    unknown,
)

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
        raise _malformed(f"must be a JSON object, not {kind_of(value)}")
    try:
        fill(message, value)
    except Wrong as wrong:
        raise errors.invalid(f"{field}.{wrong.path}" if field else wrong.path, wrong.description) from None


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


def _resolve(kind: Descriptor, path: str) -> list[FieldDescriptor]:
    fields: list[FieldDescriptor] = []
    at: Descriptor = kind
    for part in path.split("."):
        field = None if at is None else find(at, part)
        if field is None:
            inner = kind if at is None else at
            raise errors.invalid(path[:80] or repr(path), unknown(inner, part))
        fields.append(field)
        at = field.message_type if not field.is_repeated and field.message_type is not None else None
        at = None if at is not None and at.full_name in TEXTS else at
    if at is not None or is_map(fields[-1]):
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
    if field.message_type is not None and field.message_type.full_name == MASK:
        return camel_paths(text)
    return text


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
