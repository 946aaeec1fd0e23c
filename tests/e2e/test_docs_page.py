"""The page that describes the REST API, in a real browser."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.server import Server


@pytest.mark.system
def test_the_page_shows_every_service(server: Server, tmp_path: Path, debian_program: Callable[[str], str]) -> None:
    shown = subprocess.run(
        [
            debian_program("chromium"),
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            f"--user-data-dir={tmp_path}",
            *("--virtual-time-budget=10000", "--dump-dom", f"{server.http_url}/docs"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    for word in ("MonitorService", "BatchCreateCheckIns", "SendHeartbeat", "AcknowledgeIncident", "EnvironmentHealth"):
        assert word in shown
    assert "Creates a monitor." in shown  # the contract's own words
