"""A key that may read and not write, of a server that runs."""

import json
import os
import subprocess
import sys
import time

from support.server import Server


def reader_key(server: Server) -> str:
    """Of the server's first project; good as soon as this returns."""
    where = ("--data", str(server.data), "--project", str(server.project_id))
    command = [sys.executable, "-m", "tocsin", "keys", "create", *where, "--scope", "read", "--json"]
    found = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, **server.environment}
    )
    key = str(json.loads(found.stdout)["key"])
    until = time.monotonic() + 30  # the server reads new keys once a second
    while server.request("GET", "/v1/projects/-/monitors", key=key)[0] != 200:
        assert time.monotonic() < until, "the server does not take the new key"
    return key
