"""Messages in wire formats that are legal and that no library writes: orders, repetitions, long varints, unknown fields."""

import struct

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

VARINT, FIXED64, DELIMITED, GROUP, GROUP_END, FIXED32 = range(6)
UNKNOWN = 100  # field numbers from here on are in no message of the contract


def varint(value: int, padding: int = 0) -> bytes:
    """Two's complement in 64 bits, with bytes that add nothing."""
    value &= 2**64 - 1
    digits = [value & 127]
    while value := value >> 7:
        digits.append(value & 127)
    digits += [0] * padding
    return bytes([*(digit | 128 for digit in digits[:-1]), digits[-1]])


def tag(number: int, kind: int, padding: int = 0) -> bytes:
    return varint(number << 3 | kind, padding)


@st.composite
def odd(draw, message: Message) -> bytes:
    """The fields of a message, oddly written. What it means, the generated class says."""
    parts: list[list[bytes]] = []  # those inside one list stay in their order
    for field, value in message.ListFields():
        parts.append([_field(draw, field, one) for one in _ones(draw, field, value)])
    parts += [[draw(unknown())] for _ in range(draw(st.integers(0, 2)) * draw(st.booleans()))]
    order = [index for index, part in enumerate(parts) for _ in part]
    if draw(st.booleans()):
        order = draw(st.permutations(order))
    return b"".join(parts[index].pop(0) for index in order)


def _ones(draw, field: FieldDescriptor, value):
    if field.is_repeated:
        return (
            [field.message_type._concrete_class(key=key, value=value[key]) for key in value] if _map(field) else value
        )
    if draw(st.integers(0, 9)) == 0:  # twice: the last one counts, and messages are put together
        return [value, value]
    return [value]


def _map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _field(draw, field: FieldDescriptor, value) -> bytes:
    most = draw(st.sampled_from((0, 0, 0, 3)))
    padding = draw(st.integers(0, most)) if most else 0
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return tag(field.number, FIXED64, padding) + struct.pack("<d", value)
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        value = draw(odd(value))
    elif field.type == FieldDescriptor.TYPE_STRING:
        value = value.encode()
    else:
        return tag(field.number, VARINT, padding) + varint(int(value), padding)
    room = 5 - len(varint(len(value)))
    return tag(field.number, DELIMITED, padding) + varint(len(value), min(padding, room)) + value


@st.composite
def unknown(draw, depth: int = 3) -> bytes:
    """A field that nobody knows, perhaps a group."""
    number = draw(st.integers(UNKNOWN, 2**29 - 1))
    kind = draw(st.sampled_from((VARINT, FIXED64, DELIMITED, FIXED32, *[GROUP] * (depth > 0))))
    if kind == VARINT:
        return tag(number, kind) + varint(draw(st.integers(0, 2**64 - 1)))
    if kind == DELIMITED:
        text = draw(st.binary(max_size=200))
        return tag(number, kind) + varint(len(text)) + text
    if kind != GROUP:
        size = 8 if kind == FIXED64 else 4
        return tag(number, kind) + draw(st.binary(min_size=size, max_size=size))
    inner = b"".join(draw(st.lists(unknown(depth - 1), max_size=2)))
    return tag(number, GROUP) + inner + tag(number, GROUP_END)


@st.composite
def damaged(draw, data: bytes) -> bytes:
    """A few bytes changed, cut out, put in or cut off."""
    damaged = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(damaged)))
        match draw(st.integers(0, 3)):
            case 0 if place < len(damaged):
                damaged[place] = draw(st.integers(0, 255) | st.sampled_from((0, 2, 0x0A, 0x12, 0x7F, 0x80, 0xFF)))
            case 1:
                del damaged[place : place + draw(st.integers(1, 4))]
            case 2:
                damaged[place:place] = draw(st.binary(min_size=1, max_size=4))
            case _:
                del damaged[place:]
    return bytes(damaged)
