"""The JSON that Sentry clients send, typed as strictly as needed and no more.

Decoding is in two steps: what decides whether a run counts is checked at once, everything around it (`msgspec.Raw`) is
looked at later and apart, so that a bad configuration, trace or release never costs the run. Unknown fields are
ignored; of a key that comes twice the last one holds.
"""

import re
from typing import Final, TypeVar

import msgspec

T = TypeVar("T")
_PLACE: Final = re.compile(r"(?s)(.*?)(?: - at `\$(.*)`)?")
_PROBLEMS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ABSENT: Final = (b"", b"null")


class SchemaError(ValueError):
    """JSON that is none, or has the wrong shape. The text begins with the JSON path: "$.duration: expected ..."."""


class Sdk(msgspec.Struct, frozen=True):
    name: str = ""
    version: str = ""


class EnvelopeHeader(msgspec.Struct, frozen=True):
    """What of an envelope header is used. `event_id` and `sdk` may be anything; a `dsn` must be text."""

    dsn: str | None = None
    event_id: msgspec.Raw = msgspec.Raw()
    sdk: msgspec.Raw = msgspec.Raw()


class ItemHeader(msgspec.Struct, frozen=True):
    type: str
    length: int | None = None  # bytes


class CheckInPayload(msgspec.Struct, frozen=True):
    """A `check_in` item, or the JSON body of the cron endpoint. `duration` is in seconds."""

    check_in_id: str | None = None
    monitor_slug: str | None = None
    status: str | None = None
    duration: float | None = None
    environment: str | None = None
    monitor_config: msgspec.Raw = msgspec.Raw()
    contexts: msgspec.Raw = msgspec.Raw()
    release: msgspec.Raw = msgspec.Raw()
    sdk: msgspec.Raw = msgspec.Raw()
    server_name: msgspec.Raw = msgspec.Raw()


class Discarded(msgspec.Struct, frozen=True):
    """One line of a client report: so many things of a category were lost at the client."""

    category: str = ""
    reason: str = ""
    quantity: int = 0


class ClientReport(msgspec.Struct, frozen=True):
    discarded_events: list[Discarded] = []


class _Trace(msgspec.Struct, frozen=True):
    trace_id: str | None = None


class _Contexts(msgspec.Struct, frozen=True):
    trace: _Trace | None = None


class _SlugOnly(msgspec.Struct, frozen=True):
    monitor_slug: msgspec.Raw = msgspec.Raw()


class _EventIdOnly(msgspec.Struct, frozen=True):
    event_id: msgspec.Raw = msgspec.Raw()


_envelope_header = msgspec.json.Decoder(EnvelopeHeader)
_item_header = msgspec.json.Decoder(ItemHeader)
_check_in = msgspec.json.Decoder(CheckInPayload)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _decode(decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw, path: str = "$") -> T:
    try:
        return decoder.decode(data)
    except _PROBLEMS as problem:
        raise _told(problem, path) from None


def _told(problem: Exception, path: str) -> SchemaError:
    """What the library found wrong, with the whole JSON path in front."""
    if isinstance(problem, RecursionError):
        return SchemaError(f"{path}: nested too deeply")
    if isinstance(problem, UnicodeDecodeError):
        return SchemaError(f"{path}: text is not valid UTF-8")
    match = _PLACE.fullmatch(str(problem))
    text, place = (match[1], match[2] or "") if match else (str(problem), "")
    begun = text[:1].lower() if text[1:2].islower() else text[:1]  # "JSON is malformed" keeps its capitals
    return SchemaError(f"{path}{place}: {begun}{text[1:]}")


def decode_envelope_header(line: bytes) -> EnvelopeHeader:
    check_text(line)
    return _decode(_envelope_header, line)


def decode_item_header(line: bytes) -> ItemHeader:
    return _decode(_item_header, line)


def decode_check_in(payload: bytes) -> CheckInPayload:
    """SchemaError: not an object, not JSON, or one of the first five fields has the wrong type."""
    return _decode(_check_in, payload)


def check_text(data: bytes) -> None:
    """SchemaError unless all of it is UTF-8: the decoders pass over what they do not read."""
    try:
        data.decode()
    except UnicodeDecodeError as problem:
        raise _told(problem, "$") from None


def decode_object(data: bytes | msgspec.Raw, path: str) -> dict[str, msgspec.Raw]:
    """A JSON object by its keys, values untouched; `path` is where it stands, for the error's text."""
    return _decode(_object, data, path)


def decode_value(data: bytes | msgspec.Raw, wanted: type[T], path: str) -> T:
    try:
        return msgspec.json.decode(data, type=wanted)
    except _PROBLEMS as problem:
        raise _told(problem, path) from None


def decode_client_report(payload: bytes) -> ClientReport:
    return decode_value(payload, ClientReport, "$")


def is_absent(raw: msgspec.Raw) -> bool:
    """Missing and null are one."""
    return bytes(raw) in _ABSENT


def text_of(raw: msgspec.Raw) -> str:
    """The text, or "" for anything else."""
    if is_absent(raw):
        return ""
    try:
        return decode_value(raw, str, "$")
    except SchemaError:
        return ""


def sdk_of(raw: msgspec.Raw) -> str:
    """{"name": "sentry.python", "version": "2.75.0"} → "sentry.python/2.75.0"; anything else → ""."""
    if is_absent(raw):
        return ""
    try:
        sdk = decode_value(raw, Sdk, "$.sdk")
    except SchemaError:
        return ""
    return f"{sdk.name}/{sdk.version}" if sdk.name and sdk.version else sdk.name


def trace_id_of(contexts: msgspec.Raw) -> str:
    """`contexts.trace.trace_id` as it was sent; "" when there is none that could be read."""
    if is_absent(contexts):
        return ""
    try:
        trace = decode_value(contexts, _Contexts, "$.contexts").trace
    except SchemaError:
        return ""
    return trace.trace_id or "" if trace else ""


def slug_of(payload: bytes) -> str:
    """The slug of a check-in that could not be decoded, so that its refusal can be filed; "" when not even that."""
    try:
        return text_of(decode_value(payload, _SlugOnly, "$").monitor_slug)
    except SchemaError:
        return ""


def event_id_of(payload: bytes) -> str:
    """The `event_id` of a legacy event as it was sent; "" when there is none."""
    try:
        return text_of(decode_value(payload, _EventIdOnly, "$").event_id)
    except SchemaError:
        return ""
