"""uvicorn's request and response, with answers that are whole written at once: one system call and one packet.

The framework hands over an answer in two messages, its head and its body. A head that announces a length is held until
the body comes; a stream has none, and its head goes out at once.
"""

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

_LENGTH: Final = b"content-length"
_LINES_MAX: Final = 1_000
_lines: dict[tuple[bytes, bytes], bytes] = {}  # headers that were checked → as they are written; most come again


class Cycle(RequestResponseCycle):
    _head: Any = None  # the message that begins the answer, until its body comes

    async def send(self, message: Any) -> None:
        if not self.response_started and message["type"] == "http.response.start" and _announced(message) is not None:
            self.response_started = True
            self._head = message
            return
        head, self._head = self._head, None
        if head is None:
            await super().send(message)
            return
        if message["type"] == "http.response.body" and not message.get("more_body") and not self.flow.write_paused:
            self._write(head, message.get("body", b""))
            return
        self.response_started = False
        await super().send(head)
        await super().send(message)

    def _write(self, head: Any, body: bytes) -> None:
        if self.disconnected:
            return
        self.waiting_for_100_continue = False
        bodyless = self.scope["method"] == "HEAD"
        if not bodyless and _announced(head) != len(body):
            raise RuntimeError("the body is not as long as its head says")
        content = [STATUS_LINE[head["status"]], *map(_line, self.default_headers)]
        closing = False
        for header in head["headers"]:
            content.append(_line(header))
            closing = closing or (header[0] == b"connection" and b"close" in header[1].lower())
        if closing:
            self.keep_alive = False
        elif not self.keep_alive:
            content.append(b"connection: close\r\n")
        content.append(b"\r\n")
        if not bodyless:
            content.append(body)
        self.transport.write(b"".join(content))
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


def _announced(head: Any) -> int | None:
    """The length that the head of an answer announces."""
    return next((int(value) for name, value in head.get("headers", ()) if name == _LENGTH), None)


def _line(header: tuple[bytes, bytes]) -> bytes:
    """A header as it is written. RuntimeError when it would end its line or the head early."""
    header = (header[0], header[1])
    line = _lines.get(header)
    if line is None:
        name, value = header
        if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
            raise RuntimeError(f"not a header: {name!r}")
        if len(_lines) >= _LINES_MAX:
            _lines.clear()
        line = _lines[header] = b"%b: %b\r\n" % (name.lower(), value)
    return line
