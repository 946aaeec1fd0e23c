"""uvicorn's HTTP/1.1 protocol with bounds: on connections, and on the head of a request, of which the parser has none.

Without them one client that sends headers for ever takes all memory, and clients that never finish a head or a body
pile up until no connection, or no room for a request, is left for a check-in: half of them are gone without a word. One
timer for each connection watches over them and over idle ones.
"""

import asyncio
from typing import Final
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tocsin.app.http_cycle import Cycle

HEAD_MAX: Final = 64 * 1024  # bytes of request line and headers
CONNECTIONS_MAX: Final = 20_000  # open at once; who comes then is told to come back
HEAD_S: Final = 75.0  # from the connection, or the first byte of a further request, to the end of its headers
BODY_S: Final = 75.0  # between two pieces of a body
_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-type: text/plain\r\n"
    b"content-length: 35\r\n\r\nthe request's head is over 64 KiB\r\n"
)


_BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\ncontent-type: text/plain\r\n"
    b"content-length: 27\r\n\r\ntoo many connections; retry\n"
)


class HttpProtocol(HttpToolsProtocol):
    connections_max = CONNECTIONS_MAX
    _head_bytes = 0
    _field_bytes = 0  # of headers and trailers of the request in hand
    _in_head = True
    _patient_until: float | None = None  # by the loop's time: then the connection is closed; None: a request is in hand
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > self.connections_max:
            self.turned_away()
            transport.write(_BUSY)
            transport.close()
            return
        self._be_patient(HEAD_S)
        self._timer = self.loop.call_later(HEAD_S, self._look)

    def turned_away(self) -> None:
        """For who counts them."""

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
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
        self._be_patient(HEAD_S)
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Trailers of a chunked body come here too, after the head: the same bound holds for all of them."""
        self._field_bytes += len(name) + len(value)
        if self._field_bytes > HEAD_MAX:
            self.transport.close()
            return
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._be_patient(BODY_S)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of the request is here: from now on the client waits for us, or has its answer already."""
        super().on_message_complete()
        if self.cycle.response_complete:
            self._be_patient(self.timeout_keep_alive)
        else:
            self._patient_until = None

    def on_headers_complete(self) -> None:
        """The request begins to be answered, or waits until the one before it is."""
        self._in_head = False
        self._be_patient(BODY_S)
        parser, scope = self.parser, self.scope
        version = parser.get_http_version()
        if version != "1.1":
            scope["http_version"] = version
        scope["method"] = parser.get_method().decode("ascii")
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = url.path
        scope["query_string"] = url.query or b""
        before = self.cycle
        self.cycle = Cycle(
            scope,
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            self.access_log,
            self.server_state.default_headers,
            asyncio.Event(),
            self.expect_100_continue,
            version != "1.0" and parser.should_keep_alive(),
            self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif not self._in_head:
            self._be_patient(self.timeout_keep_alive)

    def _be_patient(self, seconds: float) -> None:
        self._patient_until = self.loop.time() + seconds

    def _look(self) -> None:
        """Closes the connection of a client that was waited for long enough; otherwise looks again when it may be."""
        now = self.loop.time()
        if self._patient_until is not None and self.flow.read_paused:
            self._be_patient(BODY_S)  # it is we who do not listen
        elif self._patient_until is not None and self._patient_until <= now:
            self._timer = None
            self.transport.close()
            return
        wait = HEAD_S if self._patient_until is None else self._patient_until - now
        self._timer = self.loop.call_later(wait, self._look)
