"""uvicorn's HTTP/1.1 protocol with bounds on the head of a request, of which the parser has none.

Without them one client that sends headers for ever takes all memory, and clients that never finish a head pile up until
no connection is left for a check-in.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_MAX: Final = 64 * 1024  # bytes of request line and headers
HEAD_S: Final = 75.0  # from the connection, or the first byte of a further request, to the end of its headers
_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-type: text/plain\r\n"
    b"content-length: 35\r\n\r\nthe request's head is over 64 KiB\r\n"
)


class HttpProtocol(HttpToolsProtocol):
    _head_bytes = 0
    _field_bytes = 0  # of headers and trailers of the request in hand
    _in_head = True
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_MAX and not self.transport.is_closing():
                if self.cycle is None or self.cycle.response_complete:
                    self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes, self._field_bytes = True, 0, 0
        self._stop_timer()
        self._head_timer = self.loop.call_later(HEAD_S, self.transport.close)
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Trailers of a chunked body come here too, after the head: the same bound holds for all of them."""
        self._field_bytes += len(name) + len(value)
        if self._field_bytes > HEAD_MAX:
            self.transport.close()
            return
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
