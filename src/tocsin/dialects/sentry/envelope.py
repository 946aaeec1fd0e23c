"""Envelope framing, sans-I/O: bytes go in as they arrive, check-ins come out, everything else is counted and let go.

    envelope  = header LF *( item LF )          the last LF may be absent
    item      = item-header LF payload          a payload without a "length" in its header ends at the next LF

Headers are one JSON object on one line. Only LF ends a line; blanks before a header, empty lines included, are skipped.
A payload that nobody reads is never held: memory is bounded by `Limits.held`, whatever the envelope's size.
"""

import enum
import re
from typing import Final, NamedTuple

from tocsin.dialects.sentry.limits import Limits
from tocsin.dialects.sentry.schema import EnvelopeHeader, SchemaError, decode_envelope_header, decode_item_header

CHECK_IN: Final = "check_in"
CLIENT_REPORT: Final = "client_report"
EVENT: Final = "event"
_BLANKS: Final = re.compile(rb"[ \t\r\n]*")
_LF: Final = 0x0A


class EnvelopeError(ValueError):
    """The envelope breaks the framing rules; `offset` is the byte of the decoded body where that shows."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"{message} (at byte {offset} of the envelope)")
        self.offset = offset


class EnvelopeTooLargeError(EnvelopeError):
    """Well formed so far, but more than `Limits` lets us hold."""


class Item(NamedTuple):
    """An item that is read: a check-in, a client report or an error event. `offset` is where its header begins."""

    type: str
    payload: bytes
    offset: int


class _Expect(enum.Enum):
    ENVELOPE_HEADER = enum.auto()
    ITEM_HEADER = enum.auto()
    SIZED_PAYLOAD = enum.auto()  # `length` was given
    LINE_PAYLOAD = enum.auto()  # ends with the line
    SEPARATOR = enum.auto()  # the LF after a sized payload


class Parser:
    """Feed it pieces of any size, then `close()`. Both raise EnvelopeError and nothing else.

    `header` is None until its line is complete. `items` holds what is read, in order; `counts` the number of items of
    every type, the read ones included.
    """

    def __init__(self, limits: Limits) -> None:
        self.header: EnvelopeHeader | None = None
        self.items: list[Item] = []
        self.counts: dict[str, int] = {}
        self._limits = limits
        self._expect = _Expect.ENVELOPE_HEADER
        self._before = 0  # bytes fed before the current piece
        self._held = 0
        self._aside = 0  # held of what is read only as a courtesy
        self._courtesies = {CLIENT_REPORT: limits.check_in, EVENT: limits.event}
        self._line = bytearray()  # of a header
        self._payload: bytearray | None = None  # None: discarded
        self._type = ""
        self._start = 0  # offset of the current header
        self._declared = 0
        self._remaining = 0

    @property
    def held(self) -> int:
        """Bytes of headers and of payloads that are read."""
        return self._held + self._aside + len(self._payload or b"")

    def feed(self, data: bytes) -> None:
        position, size = 0, len(data)
        while position < size:
            if self._expect is _Expect.SIZED_PAYLOAD:
                position = self._sized(data, position)
            elif self._expect is _Expect.LINE_PAYLOAD:
                position = self._to_line_end(data, position)
            elif self._expect is _Expect.SEPARATOR:
                if data[position] != _LF:
                    message = f"a line feed must follow the {self._declared} bytes that the item header announced"
                    raise EnvelopeError(message, self._before + position)
                self._expect = _Expect.ITEM_HEADER
                position += 1
            else:
                position = self._header_line(data, position)
        self._before += size

    def close(self) -> None:
        """The body has ended; so has a header or an item that was waiting for its line feed."""
        if self._expect in (_Expect.ENVELOPE_HEADER, _Expect.ITEM_HEADER) and self._line:
            self._header_complete()
        if self._expect is _Expect.ENVELOPE_HEADER:
            raise EnvelopeError("the envelope is empty; it begins with a header line, at least {}", self._before)
        if self._expect is _Expect.SIZED_PAYLOAD:
            got = self._declared - self._remaining
            raise EnvelopeError(
                f"the item header announced {self._declared} bytes, {got} came before the end", self._before
            )
        if self._expect is _Expect.LINE_PAYLOAD:
            self._item_complete()

    def _header_line(self, data: bytes, position: int) -> int:
        if not self._line:
            blanks = _BLANKS.match(data, position)
            position = blanks.end() if blanks else position
            self._start = self._before + position
        end = data.find(b"\n", position)
        stop = len(data) if end < 0 else end
        if len(self._line) + stop - position > self._limits.header:
            raise EnvelopeTooLargeError(f"a header line is longer than {self._limits.header} bytes", self._start)
        self._hold(stop - position)
        self._line += data[position:stop]
        if end < 0:
            return stop
        self._header_complete()
        return end + 1

    def _header_complete(self) -> None:
        line = bytes(self._line)
        self._line.clear()
        if self._expect is _Expect.ENVELOPE_HEADER:
            try:
                self.header = decode_envelope_header(line)
            except SchemaError as problem:
                raise EnvelopeError(f"envelope header: {problem}", self._start) from None
            self._expect = _Expect.ITEM_HEADER
            return
        try:
            header = decode_item_header(line)
        except SchemaError as problem:
            raise EnvelopeError(f"item header: {problem}", self._start) from None
        self._type = header.type
        self._payload = bytearray() if self._is_read() else None
        if header.length is None:
            self._expect = _Expect.LINE_PAYLOAD
            return
        if header.length < 0:
            raise EnvelopeError(f"item header: $.length: {header.length} is negative", self._start)
        self._room_for(header.length)
        self._declared = self._remaining = header.length
        self._expect = _Expect.SIZED_PAYLOAD
        if not self._remaining:
            self._item_complete(_Expect.SEPARATOR)

    def _sized(self, data: bytes, position: int) -> int:
        stop = min(len(data), position + self._remaining)
        self._remaining -= stop - position
        self._keep(data, position, stop)
        if not self._remaining:
            self._item_complete(_Expect.SEPARATOR)
        return stop

    def _to_line_end(self, data: bytes, position: int) -> int:
        end = data.find(b"\n", position)
        stop = len(data) if end < 0 else end
        self._keep(data, position, stop)
        if end < 0:
            return stop
        self._item_complete()
        return end + 1

    def _is_read(self) -> bool:
        if self._type == EVENT:
            return self.counts.get(EVENT, 0) < self._limits.events
        return self._type in (CHECK_IN, CLIENT_REPORT)

    def _keep(self, data: bytes, start: int, stop: int) -> None:
        if self._payload is not None:
            self._room_for(len(self._payload) + stop - start)
        if self._payload is not None:  # there was room
            if self._type == CHECK_IN:
                self._hold(stop - start)
            self._payload += data[start:stop]

    def _room_for(self, size: int) -> None:
        """A check-in past its limit ends the request; what is read as a courtesy and past it is merely not read."""
        if self._payload is None:
            return
        if self._type != CHECK_IN:
            if size > self._courtesies[self._type] or self._aside + size > self._limits.aside:
                self._payload = None
        elif size > self._limits.check_in:
            raise EnvelopeTooLargeError(f"a check_in item is longer than {self._limits.check_in} bytes", self._start)

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self._limits.held:
            message = f"headers and check-ins of this envelope are longer than {self._limits.held} bytes"
            raise EnvelopeTooLargeError(message, self._start)

    def _item_complete(self, then: _Expect = _Expect.ITEM_HEADER) -> None:
        count = self.counts[self._type] = self.counts.get(self._type, 0) + 1
        if self._type == CHECK_IN and count > self._limits.check_ins:
            raise EnvelopeTooLargeError(
                f"more than {self._limits.check_ins} check_in items in one envelope", self._start
            )
        if self._payload is not None:
            if self._type != CHECK_IN:
                self._aside += len(self._payload)
            self.items.append(Item(self._type, bytes(self._payload), self._start))
            self._payload = None
        self._expect = then


def parse(body: bytes, limits: Limits | None = None) -> Parser:
    """A whole envelope at once: the closed parser, its `header` set."""
    parser = Parser(limits or Limits())
    parser.feed(body)
    parser.close()
    return parser
