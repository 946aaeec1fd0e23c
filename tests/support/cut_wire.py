"""A wire to PostgreSQL that is cut at a chosen moment: before a statement arrives, or before its answer does."""

import contextlib
import socket
import threading
from collections.abc import Callable


class Wire:
    """Passes bytes on between clients and a server on this machine until it is told to cut."""

    def __init__(self, port: int) -> None:
        """`port` is the server's; `self.port` the one to connect to."""
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._statement, self._before = b"", False
        self.cuts = 0
        self._down = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_before(self, statement: bytes) -> None:
        """Once: what a client sends never arrives."""
        self._statement, self._before = statement, True

    def cut_after(self, statement: bytes) -> None:
        """Once: it arrives, and the answer does not come back."""
        self._statement, self._before = statement, False

    def down(self) -> None:
        """All connections are cut, and new ones refused, until `up()`."""
        self._down = True
        self._cut()

    def up(self) -> None:
        self._down = False

    def close(self) -> None:
        self._listener.close()
        self._cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._down:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._server))
            self._pairs.append((client, server))
            answers = threading.Event()  # set: the next answer is not for the client
            for turn in (self._forth, self._back):
                threading.Thread(target=turn, args=(client, server, answers), daemon=True).start()

    def _forth(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        def see(data: bytes) -> bool:
            if not self._statement or self._statement not in data:
                return True
            self._statement = b""
            self.cuts += 1
            if self._before:
                return False
            silent.set()
            return True

        self._pump(client, server, see)

    def _back(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        self._pump(server, client, lambda _data: not silent.is_set())

    def _pump(self, here: socket.socket, there: socket.socket, see: Callable[[bytes], bool]) -> None:
        with contextlib.suppress(OSError):
            while data := here.recv(65_536):
                if not see(data):
                    break
                there.sendall(data)
        _hang_up(here, there)

    def _cut(self) -> None:
        for pair in self._pairs:
            _hang_up(*pair)
        self._pairs.clear()


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
