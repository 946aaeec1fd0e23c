"""A receiver of webhooks that dies and comes back, in a thread: what reached it stays known."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from support.server import free_port


class Arrived(NamedTuple):
    """One request, whatever was answered."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    status: int  # of the answer


class Receiver:
    """`start`, `die`; the port stays the same. `statuses`: of the next answers; then 200."""

    def __init__(self) -> None:
        self.port = free_port()
        self.requests: list[tuple[str, dict[str, Any]]] = []  # key and body, in the order they came
        self.all: list[Arrived] = []
        self.statuses: list[int] = []
        self.arrived = threading.Condition()
        self._server: ThreadingHTTPServer | None = None

    @property
    def destination(self) -> str:
        return f"webhook:http://127.0.0.1:{self.port}/hook"

    @property
    def notices(self) -> list[dict[str, Any]]:
        """All that came, those of groups one by one."""
        return [one for _, body in list(self.requests) for one in body.get("notices", [body])]

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with receiver.arrived:
                    status = receiver.statuses.pop(0) if receiver.statuses else 200
                    receiver.all.append(Arrived(self.command, self.path, headers, body, status))
                    if status == 200 and body.startswith(b"{"):
                        receiver.requests.append((headers["idempotency-key"], json.loads(body)))
                    receiver.arrived.notify_all()
                self.send_response(status)
                self.end_headers()

            do_PUT = do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def die(self) -> None:
        """Nobody listens any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def wait(self, count: int, patience_s: float = 20.0) -> list[dict[str, Any]]:
        """All notices, once there are so many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.notices) >= count, patience_s), self.notices
        return self.notices

    def wait_for(self, count: int, patience_s: float = 20.0) -> list[Arrived]:
        """All requests, once there are so many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.all) >= count, patience_s), self.all
        return list(self.all)
