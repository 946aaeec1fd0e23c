"""What a stranger or a slip must not achieve: endless trailers, readable files, a blind server that looks ready."""

import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from support.server import Server
from support.stores import sqlite_url
from tocsin.engine.delta import Delta
from tocsin.store import SqlStore


def test_endless_trailers_are_cut_off(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as stranger:
        stranger.sendall(b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
        trailer = b"X-Trailer: " + b"y" * 1000 + b"\r\n"
        sent = 0
        try:
            while sent < 64 * 1024 * 1024:
                stranger.sendall(trailer)
                sent += len(trailer)
        except OSError:
            pass  # cut off, as it should be
    assert sent < 16 * 1024 * 1024  # the bound is 64 KiB; sockets buffer some


def test_what_a_server_writes_is_its_owners_alone(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    for path in server.data.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name


@pytest.mark.sqlite
def test_a_server_whose_clock_was_set_back_is_not_ready(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.data.mkdir()
    store = SqlStore(sqlite_url(server.data))
    try:
        store.load()
        store.commit(Delta(clock=int((time.time() + 3600) * 1000), sequences={"monitor": 1}), 1)
    finally:
        store.close()
    server.start(wait=False)
    deadline = time.monotonic() + 30
    found = ""
    while "set back" not in found and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{server.http_url}/readyz", timeout=5).close()
        except urllib.error.HTTPError as error:
            with error:
                found = error.read().decode()
        except OSError:
            pass  # not listening yet
        time.sleep(0.05)
    assert "set back by" in found
    _, _, metrics = server.request("GET", "/metrics")
    ahead = next(line for line in metrics.decode().splitlines() if line.startswith("tocsin_clock_ahead_seconds "))
    assert 3500 < float(ahead.split()[1]) < 3601


def tocsin(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tocsin", *arguments], capture_output=True, text=True, check=False)


def test_a_project_is_made_once_and_only_where_it_was_asked_for(tmp_path: Path) -> None:
    nowhere = tocsin("keys", "list", "--data", str(tmp_path / "typo"))
    assert nowhere.returncode == 1
    assert "there is no database" in nowhere.stderr
    assert not (tmp_path / "typo" / "tocsin.db").exists()
    data = str(tmp_path / "data")
    assert tocsin("projects", "create", "acme", "--data", data).returncode == 0
    again = tocsin("projects", "create", "acme", "--data", data)
    assert again.returncode == 1
    assert "already" in again.stderr
    assert "needs a name" in tocsin("projects", "create", " ", "--data", data).stderr
