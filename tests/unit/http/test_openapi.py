"""The document: complete, self-consistent, and described in the words of the contract."""

import json
import re

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tocsin.http import comments, openapi
from tocsin.http.bindings import bindings
from tocsin.http.openapi import document, path_of
from tocsin.wire.services import SERVICES

DOCUMENT = document(version="1.2.3", server="http://example.test")
OPERATIONS = [(path, verb, it) for path, verbs in DOCUMENT["paths"].items() for verb, it in verbs.items()]


def refs(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from refs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from refs(inner)


def test_it_is_json_and_says_what_it_is():
    assert json.loads(openapi.encoded("1.2.3", "http://example.test")) == json.loads(json.dumps(DOCUMENT))
    assert DOCUMENT["openapi"] == "3.1.0"
    assert DOCUMENT["info"]["version"] == "1.2.3"
    assert DOCUMENT["servers"] == [{"url": "http://example.test"}]
    assert set(DOCUMENT["components"]["securitySchemes"]) == {"bearer", "basic", "query"}


def test_every_reference_leads_somewhere():
    for ref in refs(DOCUMENT):
        at = DOCUMENT
        for part in ref.removeprefix("#/").split("/"):
            at = at[part]
        assert at


def test_every_binding_is_an_operation_and_nothing_else_is():
    bound = {(path_of(binding), binding.verb.lower()) for service in SERVICES.values() for binding in bindings(service)}
    assert bound == {(path, verb) for path, verb, _ in OPERATIONS}


def test_operation_ids_are_unique():
    ids = [it["operationId"] for _, _, it in OPERATIONS]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("path", "verb", "operation"), OPERATIONS, ids=[it["operationId"] for _, _, it in OPERATIONS])
def test_operations_are_whole(path, verb, operation):
    in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
    assert in_path == set(re.findall(r"\{(\w+)\}", path))
    assert all(p["required"] for p in operation["parameters"] if p["in"] == "path")
    names = [(p["in"], p["name"]) for p in operation["parameters"]]
    assert len(names) == len(set(names))
    assert operation["summary"]
    assert operation["description"]
    assert all(p["description"] for p in operation["parameters"])
    assert ("requestBody" in operation) == (verb in ("post", "patch"))
    assert {"200", "default"} <= set(operation["responses"])


def test_every_schema_and_property_is_described():
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if name in ("Problem", "Status"):
            continue
        assert schema["description"], name
        for field, inner in schema.get("properties", {}).items():
            assert inner.get("description"), f"{name}.{field}"


def test_schemas_follow_the_json_mapping():
    schemas = DOCUMENT["components"]["schemas"]
    monitor = schemas["Monitor"]["properties"]
    assert monitor["createTime"]["format"] == "date-time"
    assert monitor["createTime"]["readOnly"]
    assert monitor["number"]["type"] == "string"
    assert monitor["labels"]["additionalProperties"] == {"type": "string"}
    assert monitor["schedules"]["items"] == {"$ref": "#/components/schemas/Schedule"}
    assert schemas["Monitor.Kind"]["enum"] == ["KIND_UNSPECIFIED", "KIND_JOB", "KIND_HEARTBEAT"]
    assert schemas["CronSchedule"]["required"] == ["expression"]
    assert re.fullmatch(schemas["Tolerance"]["properties"]["margin"]["pattern"], "1.5s")
    assert "MONITOR_NOT_FOUND" in schemas["ErrorReason"]["enum"]


def test_paths_name_their_parts():
    assert "/v1/projects/{project}/monitors/{monitor}/checkIns/{check_in}" in DOCUMENT["paths"]
    assert "/v1/projects/{project}/monitors/{monitor}:pause" in DOCUMENT["paths"]


def test_a_stream_is_lines():
    watch = DOCUMENT["paths"]["/v1/projects/{project}/monitors:watch"]["get"]
    assert list(watch["responses"]["200"]["content"]) == ["application/x-ndjson"]


def test_comments_are_tidied():
    text = " One line\n goes on.\n\n Another.\n     example: kept\n"
    assert comments.tidy(text) == "One line goes on.\n\nAnother.\n    example: kept"
    assert comments.summary("First thing. Second thing.\n\nMore.") == "First thing."
    assert comments.summary("Only thing.") == "Only thing."
    assert comments.read(FileDescriptorSet()) == {}


def test_the_document_stands_without_comments():
    assert document(version="0", comments={})["paths"].keys() == DOCUMENT["paths"].keys()


def test_the_page_needs_nothing_from_elsewhere():
    page = openapi.page()
    assert "openapi.json" in page
    assert not re.findall(r"https?://|src=|@import|url\(", page)
