"""The OpenAPI 3.1 document of the native REST API, made from the descriptors and their comments at start-up."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from tocsin.http.bindings import Binding, bindings
from tocsin.http.comments import Comments, load, summary, tidy
from tocsin.http.problems import PROTOBUF
from tocsin.http.schemas import Schema, Schemas, behaves
from tocsin.v1 import error_reason_pb2
from tocsin.wire.services import SERVICES

_TITLE: Final = "tocsin"
_ABOUT: Final = """Knows when a scheduled job should have run, and says so when it did not.

The same contract as gRPC, in JSON. Names are in camel case; times are RFC 3339; durations are seconds with an "s";
64-bit numbers are strings. An answer to a write means that it is on disk. An error always holds an `ErrorInfo` whose
`reason` is stable; decide by it, never by the message. Where JSON is too slow, send and take `application/x-protobuf`:
batches (`checkIns:batchCreate`, `monitors:heartbeat`) are then read without making an object of each report. Who sends
protobuf and sends no `Accept` is answered in it, errors too, as `google.rpc.Status`.
"""
_SECURITY: Final[Schema] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The key as `Authorization: Bearer KEY`."},
    "basic": {"type": "http", "scheme": "basic", "description": "The key as the user, with an empty password."},
    "query": {
        "type": "apiKey",
        "in": "query",
        "name": "key",
        "description": "The key as `?key=`, for those who can do no other.",
    },
}
_PROBLEM: Final[Schema] = {
    "type": "object",
    "description": "google.rpc.Status.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "status", "message", "details"],
            "properties": {
                "code": {"type": "integer", "description": "The HTTP status."},
                "status": {"type": "string", "description": "The canonical code.", "examples": ["NOT_FOUND"]},
                "message": {"type": "string", "description": "For people; may change."},
                "details": {
                    "type": "array",
                    "description": "ErrorInfo always; BadRequest for wrong fields; RetryInfo where waiting helps.",
                    "items": {
                        "type": "object",
                        "required": ["@type"],
                        "properties": {
                            "@type": {"type": "string"},
                            "reason": {"$ref": "#/components/schemas/ErrorReason"},
                            "domain": {"type": "string", "const": "tocsin"},
                            "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
                        },
                        "additionalProperties": True,
                    },
                },
            },
        }
    },
}


def document(*, version: str, server: str = "", comments: Comments | None = None) -> dict[str, Any]:
    """The whole document as JSON's own types. `server` is the public URL; "" means that of the document."""
    said = load() if comments is None else comments
    schemas = Schemas(said)
    paths: dict[str, dict[str, Any]] = {}
    for service in SERVICES.values():
        seen: dict[str, int] = {}
        for binding in bindings(service):
            again = seen[binding.method.name] = seen.get(binding.method.name, 0) + 1
            suffix = "" if again == 1 else f"_{again}"
            operation = _operation(binding, said, schemas, suffix)
            paths.setdefault(path_of(binding), {})[binding.verb.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": _TITLE,
            "version": version,
            "description": tidy(_ABOUT),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server or "/"}],
        "security": [{name: []} for name in _SECURITY],
        "tags": [
            {"name": service.name, "description": said.get(service.full_name, "")} for service in SERVICES.values()
        ],
        "paths": paths,
        "components": {
            "schemas": {**dict(sorted(schemas.made.items())), "ErrorReason": _reasons(said), "Problem": _PROBLEM},
            "securitySchemes": _SECURITY,
            "responses": {
                "Problem": {
                    "description": "The request was refused, or could not be honoured now.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
            },
        },
    }


@cache
def encoded(version: str, server: str = "") -> bytes:
    """The document as JSON text, made once."""
    return msgspec.json.encode(document(version=version, server=server))


def page() -> str:
    """The page that shows the document to people. It reads "openapi.json" beside it, and nothing from elsewhere."""
    return (files("tocsin.http") / "docs.html").read_text("utf-8")


def path_of(binding: Binding) -> str:
    """The path as OpenAPI writes it, each segment a parameter: "/v1/projects/{project}/monitors/{monitor}:pause"."""
    return re.sub(r"([a-zA-Z]+)/\*", lambda found: f"{found[1]}/{{{_singular(found[1])}}}", binding.template.shape)


def _singular(collection: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", collection.removesuffix("s")).lower()


def _operation(binding: Binding, comments: Comments, schemas: Schemas, suffix: str) -> dict[str, Any]:
    method = binding.method
    comment = comments.get(method.full_name, "")
    operation: dict[str, Any] = {
        "operationId": f"{method.name}{suffix}",
        "tags": [method.containing_service.name],
        "summary": summary(comment) or method.name,
        "description": comment,
        "parameters": [*_path_parameters(binding, comments), *_query_parameters(binding, schemas)],
        "responses": {"200": _success(binding, schemas), "default": {"$ref": "#/components/responses/Problem"}},
    }
    if binding.body:
        target: Any = method.input_type
        if binding.body != "*":
            target = target.fields_by_name[binding.body].message_type
        schema = schemas.message(target)
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/json": {"schema": schema},
                PROTOBUF: {"schema": {"type": "string", "format": "binary"}},
            },
        }
    return operation


def _success(binding: Binding, schemas: Schemas) -> dict[str, Any]:
    schema = schemas.message(binding.method.output_type)
    if binding.method.server_streaming:
        return {
            "description": "One JSON object a line, until the client goes.",
            "content": {"application/x-ndjson": {"schema": schema}},
        }
    content = {"application/json": {"schema": schema}, PROTOBUF: {"schema": {"type": "string", "format": "binary"}}}
    return {"description": "Done.", "content": content}


def _path_parameters(binding: Binding, comments: Comments) -> Iterator[dict[str, Any]]:
    described = ""
    for variable, _ in binding.template.variables:
        kind: Any = binding.method.input_type
        *outer, last = variable.split(".")
        for part in outer:
            kind = kind.fields_by_name[part].message_type
        described = comments.get(f"{kind.full_name}.{last}", "")
    for name in re.findall(r"\{([a-z_]+)\}", path_of(binding)):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            "description": f"Part of the name. {described}".strip(),
        }


def _query_parameters(binding: Binding, schemas: Schemas) -> Iterator[dict[str, Any]]:
    if binding.body == "*":
        return
    in_path = {variable for variable, _ in binding.template.variables}
    kind: Any = binding.method.input_type
    for field in kind.fields:
        if field.name in in_path or field.name == binding.body:
            continue
        schema = schemas.field(field)
        if "$ref" in schema and field.message_type is not None:
            continue  # its fields can be given one by one, which a document would drown in
        yield {
            "name": field.json_name,
            "in": "query",
            "required": behaves(field, "REQUIRED"),
            "schema": {key: value for key, value in schema.items() if key != "description"},
            "description": schema.get("description", ""),
        }


def _reasons(comments: Comments) -> Schema:
    enum = error_reason_pb2.ErrorReason.DESCRIPTOR
    names = [value.name for value in enum.values if value.number]
    lines = [
        f"- `{name.removeprefix('ERROR_REASON_')}`: {comments.get(f'{enum.full_name}.{name}', '')}" for name in names
    ]
    return {
        "type": "string",
        "enum": [name.removeprefix("ERROR_REASON_") for name in names],
        "description": f"{comments.get(enum.full_name, '')}\n\n" + "\n".join(lines),
    }
