"""An error event of Sentry's clients → what of it names the error behind a failed run. Pure.

An event is somebody else's business but for this: its trace may be that of a check-in. So four words are read of it,
leniently, and nothing that is wrong with it is ever an error.
"""

import contextlib
from typing import Final

import msgspec

from tocsin.dialects.sentry import schema
from tocsin.dialects.sentry.schema import SchemaError
from tocsin.domain import ids
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import SECOND, Instant
from tocsin.domain.trace_error import TraceError

TYPE_MAX: Final = 250  # characters
VALUE_MAX: Final = 1_000
PER_SECOND: Final = 100  # events of a project that are written down; an error tracker's flood is not ours to keep
_LEVELS: Final = ("error", "fatal")
_RAW: Final = msgspec.Raw()


class _Event(msgspec.Struct, frozen=True):
    level: msgspec.Raw = _RAW
    contexts: msgspec.Raw = _RAW
    exception: msgspec.Raw = _RAW
    message: msgspec.Raw = _RAW
    logentry: msgspec.Raw = _RAW


class _Exception(msgspec.Struct, frozen=True):
    type: msgspec.Raw = _RAW
    value: msgspec.Raw = _RAW


class _Values(msgspec.Struct, frozen=True):
    values: list[_Exception | None] | None = None


class _Message(msgspec.Struct, frozen=True):
    formatted: msgspec.Raw = _RAW
    message: msgspec.Raw = _RAW


def read(payload: bytes, project: int, at: Instant) -> TraceError | None:
    """None: not an error, of no trace, or nothing that can be read."""
    try:
        event = schema.decode_value(payload, _Event, "$")
        trace_id = ids.normal_id(schema.trace_id_of(event.contexts))
    except (SchemaError, InvalidArgument):
        return None
    level = schema.text_of(event.level) or "error"  # what the protocol takes an event for that does not say
    exception = _last_exception(event.exception)
    if trace_id == ids.LATEST or (exception is None and level not in _LEVELS):
        return None
    kind = schema.text_of(exception.type) if exception else ""
    value = schema.text_of(exception.value) if exception else _text(event)
    return TraceError(project, trace_id, at, level[:TYPE_MAX], kind[:TYPE_MAX], value[:VALUE_MAX])


def _last_exception(raw: msgspec.Raw) -> _Exception | None:
    """The one that was raised last: {"values": [...]}, a bare list, or one alone."""
    if schema.is_absent(raw):
        return None
    values: list[_Exception | None] = []
    with contextlib.suppress(SchemaError):
        values = schema.decode_value(raw, list[_Exception | None], "$.exception")
    with contextlib.suppress(SchemaError):
        values = schema.decode_value(raw, _Values, "$.exception").values or values
    with contextlib.suppress(SchemaError):
        alone = schema.decode_value(raw, _Exception, "$.exception")
        values = values or ([alone] if schema.text_of(alone.type) or schema.text_of(alone.value) else [])
    return next((one for one in reversed(values) if one is not None), None)


def _text(event: _Event) -> str:
    """Of an event without an exception: `logentry` or `message`, each either an object or, once, mere text."""
    for raw in (event.logentry, event.message):
        if schema.is_absent(raw):
            continue
        try:
            entry = schema.decode_value(raw, _Message, "$")
        except SchemaError:
            entry = _Message(message=raw)
        if text := schema.text_of(entry.formatted) or schema.text_of(entry.message):
            return text
    return ""


class Allowance:
    """How many of a project's events may still be written down in this second."""

    def __init__(self, per_second: int = PER_SECOND) -> None:
        self._per_second = per_second
        self._second: Instant = 0
        self._taken: dict[int, int] = {}

    def take(self, project: int, at: Instant, wanted: int) -> int:
        """How many of those `wanted` are allowed."""
        if at // SECOND != self._second:
            self._second, self._taken = at // SECOND, {}
        granted = min(wanted, self._per_second - self._taken.get(project, 0))
        self._taken[project] = self._taken.get(project, 0) + granted
        return granted
