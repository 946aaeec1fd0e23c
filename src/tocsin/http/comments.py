"""The comments of the contract, by full name: read from the descriptor set that the build writes beside the modules."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet

# Field numbers in FileDescriptorProto, DescriptorProto, EnumDescriptorProto and ServiceDescriptorProto, which make up
# the paths of source info: (4, 0, 2, 1) is the second field of the first message.
_MESSAGES, _ENUMS, _SERVICES = 4, 5, 6
_FIELDS, _NESTED, _INNER_ENUMS, _ONEOFS = 2, 3, 4, 8
_VALUES, _METHODS = 2, 2

Comments = Mapping[str, str]


def load() -> dict[str, str]:
    """Full name → comment, for all of the contract that has one; empty where the build left no descriptor set."""
    path = files("tocsin.v1") / "descriptors.binpb"
    if not path.is_file():
        return {}
    return read(FileDescriptorSet.FromString(path.read_bytes()))


def read(descriptors: FileDescriptorSet) -> dict[str, str]:
    """The same of any descriptor set with source info. Line breaks inside a paragraph become blanks."""
    found: dict[str, str] = {}
    for file in descriptors.file:
        by_path = {
            tuple(place.path): text
            for place in file.source_code_info.location
            if (text := tidy(place.leading_comments))
        }
        found |= {name: by_path[path] for name, path in _names(file) if path in by_path}
    return found


def summary(comment: str) -> str:
    """The first sentence."""
    first = comment.partition("\n")[0]
    sentence, dot, _ = first.partition(". ")
    return sentence.removesuffix(".") + "." if dot or first.endswith(".") else first


def _names(file: Any) -> Iterator[tuple[str, tuple[int, ...]]]:
    for index, message in enumerate(file.message_type):
        yield from _of_message(message, f"{file.package}.{message.name}", (_MESSAGES, index))
    for index, enum in enumerate(file.enum_type):
        yield from _of_enum(enum, f"{file.package}.{enum.name}", (_ENUMS, index))
    for index, service in enumerate(file.service):
        name = f"{file.package}.{service.name}"
        yield name, (_SERVICES, index)
        for place, method in enumerate(service.method):
            yield f"{name}.{method.name}", (_SERVICES, index, _METHODS, place)


def _of_message(message: Any, name: str, path: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield name, path
    for kind, parts in ((_FIELDS, message.field), (_ONEOFS, message.oneof_decl)):
        for index, part in enumerate(parts):
            yield f"{name}.{part.name}", (*path, kind, index)
    for index, nested in enumerate(message.nested_type):
        yield from _of_message(nested, f"{name}.{nested.name}", (*path, _NESTED, index))
    for index, enum in enumerate(message.enum_type):
        yield from _of_enum(enum, f"{name}.{enum.name}", (*path, _INNER_ENUMS, index))


def _of_enum(enum: Any, name: str, path: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield name, path
    for index, value in enumerate(enum.value):
        yield f"{name}.{value.name}", (*path, _VALUES, index)


def tidy(comment: str) -> str:
    """Paragraphs on one line each; indented lines, which are examples, as they are."""
    lines: list[str] = []
    for line in comment.splitlines():
        text = line.removeprefix(" ").rstrip()
        if lines and text and lines[-1] and not text.startswith(" ") and not lines[-1].startswith(" "):
            lines[-1] += f" {text}"
        else:
            lines.append(text)
    return "\n".join(lines).strip()
