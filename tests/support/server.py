"""A real server for tests: `tocsin serve` as a process of its own, on free ports and a fresh folder."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

START_S = 30.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """`start`, `kill`, `stop`; the ports and the folder stay the same over restarts."""

    def __init__(
        self, folder: Path, *, environment: dict[str, str] | None = None, arguments: tuple[str, ...] = ()
    ) -> None:
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.http_port, self.grpc_port = free_port(), free_port()
        self.environment = environment or {}
        self.arguments = arguments
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def grpc_address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def credentials(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data / "credentials.json").read_text())
        return found

    @property
    def admin_key(self) -> str:
        return str(self.credentials()["admin_key"])

    @property
    def ingest_key(self) -> str:
        return str(self.credentials()["ingest_key"])

    @property
    def project_id(self) -> int:
        return int(self.credentials()["project_id"])

    @property
    def sentry_dsn(self) -> str:
        return f"http://{self.ingest_key}@127.0.0.1:{self.http_port}/{self.project_id}"

    def start(self, *, wait: bool = True) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tocsin", "serve", "--data", str(self.data)),
                    *("--http", f"127.0.0.1:{self.http_port}", "--grpc", self.grpc_address),
                    *self.arguments,
                ],
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
            )
        if wait:
            self.wait_ready()

    def wait_ready(self) -> None:
        """Until /readyz says so: the one thing that is polled, because it is what a supervisor would poll."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log.read_text()}")
            try:
                with urllib.request.urlopen(f"{self.http_url}/readyz", timeout=5) as response:
                    if response.status == 200:
                        return
            except (OSError, urllib.error.HTTPError):
                pass
            time.sleep(0.02)
        raise AssertionError(f"the server was not ready in {START_S} s:\n{self.log.read_text()}")

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, at once."""
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        assert self.process is not None
        code = self.process.wait(timeout=30)
        self.process = None
        return code

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    # -- requests, with nothing but the standard library

    def request(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body; never raises for a status."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.http_url}{path}", data, method=method)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        if key != "":
            request.add_header("Authorization", f"Bearer {key or self.admin_key}")
        if data is not None and not isinstance(body, bytes):
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return response.status, dict(response.headers), response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """The JSON of an answer that must be 2xx."""
        status, _, content = self.request(method, path, body, key=key)
        assert 200 <= status < 300, f"{method} {path}: {status} {content.decode(errors='replace')}"
        return json.loads(content or b"{}")

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def until(self, path: str, field: str, count: int = 1) -> list[Any]:
        """The list of an answer, once so many are in it: what comes of a request that was answered before."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            found: list[Any] = self.get(path).get(field, [])
            if len(found) >= count:
                return found
            time.sleep(0.01)
        raise AssertionError(f"{path} has not {count} {field} in {START_S} s")

    def monitor_path(self, monitor: str) -> str:
        return f"/v1/projects/{self.project_id}/monitors/{monitor}"

    def check_ins(self, monitor: str) -> list[dict[str, Any]]:
        """All of a monitor's check-ins, newest first, page by page."""
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            page = self.get(f"{self.monitor_path(monitor)}/checkIns?pageSize=1000&pageToken={token}")
            found += page.get("checkIns", [])
            token = page.get("nextPageToken", "")
            if not token:
                return found

    def create_monitor(self, monitor: str, **fields: Any) -> dict[str, Any]:
        created: dict[str, Any] = self.call(
            "POST", f"/v1/projects/{self.project_id}/monitors?monitorId={monitor}", fields
        )
        return created

    def metric(self, series: str) -> float:
        """The value of one series of /metrics, written as it stands there."""
        _, _, text = self.request("GET", "/metrics")
        for line in text.decode().splitlines():
            if line.startswith(f"{series} "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(f"no series {series}")
