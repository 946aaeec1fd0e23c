"""The rules of resource-oriented APIs (AIP) that matter here, over the descriptors; every rule shown to bite."""

import re

import pytest
from google.api import annotations_pb2, field_behavior_pb2, resource_pb2
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from contract.descriptors import PROTO, compile_set, load
from tocsin.http import comments

OUTPUT_ONLY, REQUIRED, IDENTIFIER = (
    field_behavior_pb2.FieldBehavior.Value(name) for name in ("OUTPUT_ONLY", "REQUIRED", "IDENTIFIER")
)
STANDARD = ("Get", "List", "Create", "Update", "Delete")


@pytest.fixture(scope="module")
def descriptor_set(tmp_path_factory):
    return load(compile_set(PROTO, tmp_path_factory.mktemp("aip") / "set.binpb"))


class Contract:
    """Everything in tocsin.v1, from one descriptor set."""

    def __init__(self, descriptors):
        pool = descriptor_pool.DescriptorPool()
        for file in descriptors.file:
            pool.Add(file)
        names = [file.name for file in descriptors.file if file.package == "tocsin.v1"]
        self.files = [pool.FindFileByName(name) for name in names]
        self.messages = [
            m for file in self.files for top in file.message_types_by_name.values() for m in self.nested(top)
        ]
        self.enums = [e for file in self.files for e in file.enum_types_by_name.values()]
        self.enums += [e for message in self.messages for e in message.enum_types]
        self.services = [s for file in self.files for s in file.services_by_name.values()]
        self.methods = [m for service in self.services for m in service.methods]
        self.fields = [f for message in self.messages for f in message.fields if not message.GetOptions().map_entry]
        self.comments = comments.read(descriptors)

    def nested(self, message):
        yield message
        for inner in message.nested_types:
            yield from self.nested(inner)

    def message(self, name):
        return next((message for message in self.messages if message.name == name), None)


# Options of a private pool come back as unknown extensions of its own classes, so they are read again with ours.
def extension(descriptor, which):
    options = descriptor.GetOptions()
    return type_of(which)[0].FromString(options.SerializeToString()).Extensions[which]


def type_of(which):
    from google.protobuf import descriptor_pb2

    return {
        "google.protobuf.FieldOptions": (descriptor_pb2.FieldOptions,),
        "google.protobuf.MethodOptions": (descriptor_pb2.MethodOptions,),
        "google.protobuf.MessageOptions": (descriptor_pb2.MessageOptions,),
    }[which.containing_type.full_name]


def behaviors(field):
    return set(extension(field, field_behavior_pb2.field_behavior))


def resources(contract):
    found = {m.name: extension(m, resource_pb2.resource) for m in contract.messages}
    return {name: resource for name, resource in found.items() if resource.type}


def is_message(field, name):
    return field.message_type is not None and field.message_type.full_name == name


def check_resources(contract):
    seen = set()
    for name, resource in resources(contract).items():
        if resource.type != f"tocsin/{name}" or resource.type in seen:
            yield f"{name}: resource type {resource.type}"
        seen.add(resource.type)
        if not resource.singular or not resource.plural or len(resource.pattern) != 1:
            yield f"{name}: singular, plural and one pattern"
        elif resource.plural not in resource.pattern[0]:
            yield f"{name}: pattern {resource.pattern[0]} without {resource.plural}"
        field = contract.message(name).fields_by_name.get("name")
        if field is None or field.number != 1 or behaviors(field) != {IDENTIFIER}:
            yield f"{name}: name = 1 is its identifier"
    for field in contract.fields:
        reference = extension(field, resource_pb2.resource_reference)
        for target in (reference.type, reference.child_type):
            if target and target.removeprefix("tocsin/") not in resources(contract):
                yield f"{field.full_name}: refers to {target}"


def check_times_and_lengths(contract):
    for field in contract.fields:
        if is_message(field, "google.protobuf.Timestamp"):
            if not re.search(r"_times?$", field.name) or field.name.endswith("_times") != field.is_repeated:
                yield f"{field.full_name}: a time ends in _time"
        elif field.name.endswith("_time"):
            yield f"{field.full_name}: ends in _time and is none"
        if re.search(r"_(ms|millis|seconds|minutes|hours|days|date|at|timestamp)$", field.name):
            yield f"{field.full_name}: unit in the name; use Duration or Timestamp"
        if field.cpp_type == FieldDescriptor.CPPTYPE_FLOAT:
            yield f"{field.full_name}: float; use double"


def check_enums(contract):
    for enum in contract.enums:
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.name).upper()
        if enum.values[0].name != f"{prefix}_UNSPECIFIED" or enum.values[0].number:
            yield f"{enum.full_name}: zero is {prefix}_UNSPECIFIED"
        if not all(value.name.startswith(f"{prefix}_") for value in enum.values):
            yield f"{enum.full_name}: values begin with {prefix}_"
        if enum.containing_type is None and enum.name != "ErrorReason":
            yield f"{enum.full_name}: belongs into the message that uses it"


def check_pagination(contract):
    for method in contract.methods:
        if not method.name.startswith("List"):
            continue
        request, response = method.input_type, method.output_type
        for name, kind in (
            ("page_size", FieldDescriptor.CPPTYPE_INT32),
            ("page_token", FieldDescriptor.CPPTYPE_STRING),
        ):
            field = request.fields_by_name.get(name)
            if field is None or field.cpp_type != kind:
                yield f"{request.name}: {name}"
        if "next_page_token" not in response.fields_by_name:
            yield f"{response.name}: next_page_token"
        if not response.fields or not response.fields[0].is_repeated or response.fields[0].number != 1:
            yield f"{response.name}: the resources come first"


def check_behaviors(contract):
    for message in contract.messages:
        if not message.name.endswith("Request"):
            continue
        for field in message.fields:
            if not behaviors(field):
                yield f"{field.full_name}: required or optional?"
            if (
                field.name in ("name", "parent")
                and REQUIRED not in behaviors(field)
                and not message.name.startswith("Stream")
            ):
                yield f"{field.full_name}: is required"
            if field.name in ("name", "parent") and not str(extension(field, resource_pb2.resource_reference)):
                yield f"{field.full_name}: of which resource?"
    for name in resources(contract):
        for field in contract.message(name).fields:
            if not behaviors(field):
                yield f"{field.full_name}: no behaviour"
            if field.name in ("create_time", "update_time", "uid") and OUTPUT_ONLY not in behaviors(field):
                yield f"{field.full_name}: is output only"


def check_methods(contract):
    for method in contract.methods:
        rule = extension(method, annotations_pb2.http)
        if method.client_streaming:
            if rule.WhichOneof("pattern"):
                yield f"{method.name}: HTTP cannot stream requests"
            continue
        verb = rule.WhichOneof("pattern")
        if verb is None:
            yield f"{method.name}: no HTTP annotation"
            continue
        path = getattr(rule, verb)
        if not path.startswith("/v1/"):
            yield f"{method.name}: path without version"
        if method.input_type.name != f"{method.name}Request":
            yield f"{method.name}: request is {method.input_type.name}"
        prefix = next((name for name in STANDARD if re.match(rf"{name}[A-Z]", method.name)), None)
        if prefix is not None:
            wanted = {"Get": "get", "List": "get", "Create": "post", "Update": "patch", "Delete": "delete"}[prefix]
            if verb != wanted or ":" in path.rpartition("}")[2]:
                yield f"{method.name}: is {wanted.upper()} on the resource"
            yield from check_standard(contract, method, prefix, rule)
        elif verb == "post" and rule.body != "*":
            yield f"{method.name}: a custom method takes its body whole"
        elif ":" not in path:
            yield f"{method.name}: a custom method has a verb"
        if verb in ("get", "delete") and rule.body:
            yield f"{method.name}: {verb.upper()} has no body"


def check_standard(contract, method, prefix, rule):
    noun = method.name.removeprefix(prefix)
    request, response = method.input_type, method.output_type
    if prefix in ("Get", "Create", "Update") and response.name != noun:
        yield f"{method.name}: answers with {noun}"
    if prefix == "Delete" and response.full_name != "google.protobuf.Empty":
        yield f"{method.name}: answers with Empty"
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", noun).lower()
    if prefix in ("Create", "Update") and rule.body != snake:
        yield f"{method.name}: the body is {snake}"
    if prefix == "Create" and f"{snake}_id" not in request.fields_by_name:
        yield f"{method.name}: {snake}_id"
    if prefix == "Update":
        mask = request.fields_by_name.get("update_mask")
        if mask is None or not is_message(mask, "google.protobuf.FieldMask"):
            yield f"{method.name}: update_mask"
        if not rule.patch.startswith(f"/v1/{{{snake}.name="):
            yield f"{method.name}: the name is {snake}.name"


def check_comments(contract):
    things = [*contract.services, *contract.methods, *contract.enums, *contract.fields]
    things += [message for message in contract.messages if not message.GetOptions().map_entry]
    things += [value for enum in contract.enums for value in enum.values]
    names = [thing.full_name for thing in things if not hasattr(thing, "type") or not hasattr(thing, "index")]
    names += [f"{enum.full_name}.{value.name}" for enum in contract.enums for value in enum.values]
    for name in names:
        if not name or name.endswith("Entry"):
            continue
        text = contract.comments.get(name)
        if not text:
            yield f"{name}: no comment"
        elif not re.search(r"[.:]$|^    ", text.splitlines()[-1]) and "    " not in text:
            yield f"{name}: comment is no sentence: {text!r}"


CHECKS = [
    check_resources,
    check_times_and_lengths,
    check_enums,
    check_pagination,
    check_behaviors,
    check_methods,
    check_comments,
]


@pytest.fixture(scope="module")
def contract(descriptor_set):
    return Contract(descriptor_set)


@pytest.mark.parametrize("check", CHECKS)
def test_the_contract_keeps_the_rules(contract, check):
    assert list(check(contract)) == []


def spoil(descriptors, change):
    copy = FileDescriptorSet()
    copy.CopyFrom(descriptors)
    change({message.name: message for file in copy.file for message in file.message_type}, copy)
    return Contract(copy)


def field_of(message, name):
    return next(field for field in message.field if field.name == name)


def rename(message, old, new):
    def change(messages, _):
        field_of(messages[message], old).name = new

    return change


def without_options(message, name):
    def change(messages, _):
        field_of(messages[message], name).ClearField("options")

    return change


def method_of(descriptors, name):
    return next(m for file in descriptors.file for s in file.service for m in s.method if m.name == name)


def without_http(messages, descriptors):
    method_of(descriptors, "PauseMonitor").ClearField("options")


def zero_renamed(messages, _):
    messages["Monitor"].enum_type[0].value[0].name = "KIND_NONE"


def resource_lost(messages, _):
    messages["Incident"].ClearField("options")


def comments_lost(_, descriptors):
    next(file for file in descriptors.file if file.name.endswith("incident.proto")).ClearField("source_code_info")


@pytest.mark.parametrize(
    ("check", "change", "says"),
    [
        (check_resources, resource_lost, "refers to tocsin/Incident"),
        (check_resources, without_options("Outage", "name"), "Outage: name = 1"),
        (check_times_and_lengths, rename("Incident", "open_time", "opened"), "a time ends in _time"),
        (check_times_and_lengths, rename("Incident", "failure_count", "age_seconds"), "unit in the name"),
        (check_enums, zero_renamed, "zero is KIND_UNSPECIFIED"),
        (check_pagination, rename("ListOutagesRequest", "page_token", "cursor"), "ListOutagesRequest: page_token"),
        (check_pagination, rename("ListOutagesResponse", "next_page_token", "more"), "next_page_token"),
        (check_behaviors, without_options("GetMonitorRequest", "name"), "required or optional?"),
        (check_behaviors, without_options("Monitor", "uid"), "is output only"),
        (check_methods, without_http, "PauseMonitor: no HTTP annotation"),
        (check_methods, rename("UpdateMonitorRequest", "update_mask", "mask"), "UpdateMonitor: update_mask"),
        (check_comments, comments_lost, "tocsin.v1.Incident: no comment"),
    ],
)
def test_every_rule_bites(descriptor_set, check, change, says):
    assert any(says in complaint for complaint in check(spoil(descriptor_set, change)))


def test_every_reason_has_its_code_and_metadata(contract):
    codes = "INVALID_ARGUMENT|NOT_FOUND|ALREADY_EXISTS|FAILED_PRECONDITION|ABORTED|RESOURCE_EXHAUSTED|UNAUTHENTICATED"
    codes += "|PERMISSION_DENIED|UNAVAILABLE|UNIMPLEMENTED|INTERNAL"
    reasons = next(enum for enum in contract.enums if enum.name == "ErrorReason")
    for value in reasons.values[1:]:
        text = contract.comments[f"{reasons.full_name}.{value.name}"]
        assert re.search(rf"Code: ({codes})\. Metadata: [^.]+\.$", text), value.name
