"""Messages and enumerations of the contract → JSON Schema, as protobuf's JSON mapping writes them."""

from typing import Any, Final

from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor

from tocsin.http.comments import Comments

Schema = dict[str, Any]

_KNOWN: Final[dict[str, Schema]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time", "examples": ["2026-02-01T01:00:00Z"]},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?\d+(\.\d{1,9})?s$", "examples": ["90s"]},
    "google.protobuf.FieldMask": {"type": "string", "examples": ["displayName,tolerance.margin"]},
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "additionalProperties": True,
    },
}
_INT64: Final[Schema] = {"type": "string", "format": "int64", "pattern": r"^-?\d+$"}
_SCALARS: Final[dict[int, Schema]] = {
    FieldDescriptor.CPPTYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.CPPTYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.CPPTYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.CPPTYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.CPPTYPE_UINT32: {"type": "integer", "format": "int64", "minimum": 0},
    FieldDescriptor.CPPTYPE_INT64: _INT64,
    FieldDescriptor.CPPTYPE_UINT64: _INT64,
    FieldDescriptor.CPPTYPE_STRING: {"type": "string"},
}

# Required in a message of their own and in the path of a request, so that a body need not repeat them.
_IN_PATH: Final = frozenset({"name", "parent"})


class Schemas:
    """The schemas that a document needs: asked for by `message`, collected in `made` with all that they refer to."""

    def __init__(self, comments: Comments) -> None:
        self._comments = comments
        self.made: dict[str, Schema] = {}

    def message(self, descriptor: Any) -> Schema:
        """A reference to the message's schema, or the schema itself where JSON has a form of its own for it."""
        if descriptor.full_name in _KNOWN:
            return dict(_KNOWN[descriptor.full_name])
        name = descriptor.full_name.removeprefix(f"{descriptor.file.package}.")
        if name not in self.made:
            self.made[name] = {}  # a message may hold itself
            self.made[name] = self._object(descriptor)
        return {"$ref": f"#/components/schemas/{name}"}

    def field(self, field: FieldDescriptor) -> Schema:
        """The schema of a field's value, with its comment."""
        schema = self._value(field)
        if self._is_map(field) and field.message_type is not None:
            schema = {"type": "object", "additionalProperties": self._value(field.message_type.fields_by_name["value"])}
        elif field.is_repeated:
            schema = {"type": "array", "items": schema}
        if comment := self._comments.get(field.full_name):
            schema = {**schema, "description": comment}
        if behaves(field, "OUTPUT_ONLY"):
            schema = {**schema, "readOnly": True}
        return schema

    def _object(self, descriptor: Any) -> Schema:
        schema: Schema = {
            "type": "object",
            "properties": {field.json_name: self.field(field) for field in descriptor.fields},
        }
        if comment := self._comments.get(descriptor.full_name):
            schema["description"] = comment
        if required := [
            field.json_name for field in descriptor.fields if behaves(field, "REQUIRED") and field.name not in _IN_PATH
        ]:
            schema["required"] = required
        return schema

    def _value(self, field: FieldDescriptor) -> Schema:
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        if field.message_type is not None:
            return {} if self._is_map(field) else self.message(field.message_type)
        return dict(_SCALARS[field.cpp_type])

    def _enum(self, enum: Any) -> Schema:
        name = enum.full_name.removeprefix(f"{enum.file.package}.")
        if name not in self.made:
            described = [
                (value.name, self._comments.get(f"{enum.full_name}.{value.name}", "")) for value in enum.values
            ]
            text = "\n".join(f"- `{value}`: {comment}" for value, comment in described)
            self.made[name] = {
                "type": "string",
                "enum": [value.name for value in enum.values],
                "description": f"{self._comments.get(enum.full_name, '')}\n\n{text}".strip(),
            }
        return {"$ref": f"#/components/schemas/{name}"}

    @staticmethod
    def _is_map(field: FieldDescriptor) -> bool:
        return field.message_type is not None and field.message_type.GetOptions().map_entry


def behaves(field: FieldDescriptor, behavior: str) -> bool:
    """Whether the contract annotates the field with `behavior`, such as "REQUIRED" or "OUTPUT_ONLY"."""
    number = field_behavior_pb2.FieldBehavior.Value(behavior)
    return number in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
