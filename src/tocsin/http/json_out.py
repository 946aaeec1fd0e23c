"""A protobuf message → JSON, by tables made once for each kind of message.

Camel case, with fields that are zero written out: a reader need not know the defaults. Fields that tell unset from zero
are left out when unset. Times, lengths, 64-bit numbers, NaN and unknown enumeration values are as protobuf's JSON
mapping says; the library's own writer is the oracle in the tests.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import msgspec
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from tocsin.http.json_in import TEXTS, is_map

Converter = Callable[[Any], Any]
Row = tuple[str, str, bool, Converter]  # name, name in JSON, whether unset is told from zero, value → JSON

_WIDE: Final = frozenset({FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64})
_REAL: Final = frozenset({FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT})


def to_json(message: Message) -> bytes:
    """The message as one JSON object, without a line break."""
    return msgspec.json.encode(to_dict(message))


def to_dict(message: Message) -> dict[str, Any]:
    """The message as JSON's own types."""
    made: dict[str, Any] = {}
    for name, json_name, presence, convert in _rows(message.DESCRIPTOR):
        if not presence or message.HasField(name):
            made[json_name] = convert(getattr(message, name))
    return made


@cache
def _rows(kind: Any) -> list[Row]:
    return [(field.name, field.json_name, field.has_presence, _field(field)) for field in kind.fields]


def _field(field: FieldDescriptor) -> Converter:
    if is_map(field) and field.message_type is not None:
        value = _one(field.message_type.fields_by_name["value"])
        return lambda items: {_key(key): value(items[key]) for key in items}
    one = _one(field)
    return (lambda items: [one(item) for item in items]) if field.is_repeated else one


def _one(field: FieldDescriptor) -> Converter:
    if field.message_type is not None:
        full_name = field.message_type.full_name
        if full_name in TEXTS:
            return lambda item: item.ToJsonString()
        return MessageToDict if full_name.startswith("google.protobuf.") else to_dict
    if field.enum_type is not None:
        names = {value.number: value.name for value in field.enum_type.values}
        return lambda number: names.get(number, number)
    if field.cpp_type in _WIDE:
        return str
    return _real if field.cpp_type in _REAL else _same


def _real(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _same(value: Any) -> Any:
    return value


def _key(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
