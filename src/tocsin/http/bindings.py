"""google.api.http annotations, read from the descriptors: which verb and path call which method."""

from collections.abc import Iterator
from dataclasses import dataclass

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from tocsin.http.templates import Template, parse


@dataclass(frozen=True, slots=True)
class Binding:
    """One way to call one method: an HTTP verb, a path, and where the body goes ("", "*" or a field's name)."""

    method: MethodDescriptor
    verb: str
    template: Template
    body: str


def bindings(service: ServiceDescriptor) -> Iterator[Binding]:
    """All bindings of a service, additional ones included, in the order of the contract."""
    for method in service.methods:
        if method.client_streaming:
            continue
        rule = method.GetOptions().Extensions[annotations_pb2.http]
        for each in (rule, *rule.additional_bindings):
            if pattern := each.WhichOneof("pattern"):
                yield _binding(method, each, pattern)


def _binding(method: MethodDescriptor, rule: http_pb2.HttpRule, pattern: str) -> Binding:
    if pattern == "custom":
        return Binding(method, rule.custom.kind, parse(rule.custom.path), rule.body)
    return Binding(method, pattern.upper(), parse(getattr(rule, pattern)), rule.body)
