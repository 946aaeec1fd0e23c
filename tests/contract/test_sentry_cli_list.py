"""sentry-cli against the management API of a live server: `monitors list`, its pages, its token."""

import os
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from support import clients
from support.server import Server

PAGES = 3
PER_PAGE = 100  # what the API gives when nobody says, and sentry-cli says nothing

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cli(sentry_client: Callable[[str], Path]) -> Cli:
    """Runs sentry-cli with a URL, a token (the administrator's unless told) and an organisation, and no DSN."""
    program = sentry_client("cli") / "node_modules/.bin/sentry-cli"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SENTRY_")}

    def run(
        server: Server, *command: str, token: str = "", organization: str = "tocsin"
    ) -> "subprocess.CompletedProcess[str]":
        path = f"{clients.node()}{os.pathsep}{inherited.get('PATH', '')}"
        given = {"SENTRY_URL": server.http_url, "SENTRY_AUTH_TOKEN": token or server.admin_key}
        return subprocess.run(
            [program, *command],
            env={**inherited, "PATH": path, "SENTRY_ORG": organization, **given},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def _rows(text: str) -> dict[str, str]:
    """Slug → status of the table that it prints."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    head, *rows = lines
    return {row[head.index("Slug")]: row[head.index("Status")] for row in rows}


def test_what_the_programs_reported_is_listed(cli: Cli, server: Server) -> None:
    slug = f"listed-{uuid.uuid4().hex[:12]}"
    body = {"monitor_config": {"schedule": {"type": "crontab", "value": "0 4 * * *"}}, "status": "ok"}
    path = f"/api/{server.project_id}/cron/{slug}/{server.ingest_key}/"
    status, _, _ = server.request("POST", path, body, key="")
    assert status == 202
    done = cli(server, "monitors", "list")
    assert done.returncode == 0, done.stderr
    assert _rows(done.stdout)[slug] == "active"


def test_every_page_is_followed(cli: Cli, new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    wanted = {f"paged-{number}" for number in range((PAGES - 1) * PER_PAGE + 1)}
    for slug in wanted:
        server.create_monitor(slug, schedules=[{"cron": {"expression": "0 4 * * *"}}])
    done = cli(server, "monitors", "list")
    assert done.returncode == 0, done.stderr
    assert set(_rows(done.stdout)) == wanted


@pytest.mark.parametrize(
    ("token", "organization", "told"),
    [("0" * 32, "tocsin", "http status: 401"), ("", "nobody", "not found")],
)
def test_a_refusal_is_told(cli: Cli, server: Server, token: str, organization: str, told: str) -> None:
    done = cli(server, "monitors", "list", token=token, organization=organization)
    assert done.returncode != 0
    assert told in done.stderr


def test_the_token_is_good(cli: Cli, server: Server) -> None:
    """`info` is what people run first; it fails when the token does."""
    done = cli(server, "info")
    assert done.returncode == 0, done.stderr
    assert "project:admin" in done.stdout
