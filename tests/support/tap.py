"""A wire between a client and a server that notes what the client sent, byte by byte, and changes nothing.

One thread carries all connections, so what was sent first arrives first, as without it.
"""

import contextlib
import re
import selectors
import socket
import threading
from types import TracebackType
from typing import NamedTuple, Self

_HEAD = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.1\r\n(.*?\r\n)\r\n", re.DOTALL)
PIECE = 64 * 1024


class Head(NamedTuple):
    """One request's first line and headers, names in lower case."""

    method: str
    target: str
    headers: dict[str, str]


class _End(NamedTuple):
    """One end of a connection: where to pass on what it says, and where to note it."""

    other: socket.socket
    noted: bytearray


class Tap:
    """Listens on a free port of loopback while it is entered; `port` instead of the server's is all a client needs."""

    def __init__(self, server_port: int) -> None:
        self._server = ("127.0.0.1", server_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sent: list[bytearray] = []  # one for each connection
        self._over, self._hang_up = socket.socketpair()
        self._thread = threading.Thread(target=self._carry, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._hang_up.close()
        self._thread.join()

    def heads(self) -> list[Head]:
        """Of all requests that have been sent, connection by connection."""
        found = []
        for sent in list(self._sent):
            for method, target, lines in _HEAD.findall(bytes(sent)):
                pairs = (line.partition(":") for line in lines.decode("latin-1").splitlines())
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                found.append(Head(method.decode(), target.decode("latin-1"), headers))
        return found

    def _carry(self) -> None:
        with selectors.DefaultSelector() as ready, contextlib.ExitStack() as opened:
            for one in (opened.enter_context(self._listener), opened.enter_context(self._over)):
                ready.register(one, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fileobj is self._over:
                        return
                    if key.data is not None:
                        _pass_on(ready, key)
                        continue
                    client, server = self._listener.accept()[0], socket.create_connection(self._server)
                    self._sent.append(bytearray())
                    ready.register(opened.enter_context(client), selectors.EVENT_READ, _End(server, self._sent[-1]))
                    ready.register(opened.enter_context(server), selectors.EVENT_READ, _End(client, bytearray()))


def _pass_on(ready: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    end: _End = key.data
    try:
        piece = key.fileobj.recv(PIECE)
        end.noted.extend(piece)
        end.other.sendall(piece)
    except OSError:  # one of the two has gone
        piece = b""
    if not piece:
        ready.unregister(key.fileobj)
        with contextlib.suppress(OSError):
            end.other.shutdown(socket.SHUT_WR)
