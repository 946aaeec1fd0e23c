"""`--store postgresql://…`: a server and the commands beside it; who refuses, and what never shows a password."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.postgresql import Postgres
from support.server import Server

SECRET = "correct-horse"


@pytest.fixture
def url(postgres: Postgres):
    """Of an empty database, with a password that nobody asks for."""
    made = postgres.new_database(empty=True)
    yield made.replace("postgres@", f"postgres:{SECRET}@")
    postgres.drop(made)


def tocsin(
    *arguments: str, folder: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tocsin", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env={**os.environ, **(environment or {})},
    )


def test_a_server_and_the_commands_beside_it(new_server: Callable[..., Server], url: str, tmp_path: Path) -> None:
    environment = {"TOCSIN_STORE__URL": url, "TOCSIN_TELEMETRY__LOG_LEVEL": "debug"}
    server = new_server(environment=environment)
    server.start()
    made = tocsin(
        "keys", "create", "--project", "default", "--scope", "admin", folder=tmp_path, environment=environment
    )
    assert made.returncode == 0, made.stderr
    server.create_monitor("job", tolerance={"maxRuntime": "0s"})
    listed = tocsin("projects", "list", "--json", folder=tmp_path, environment=environment)
    assert [project["slug"] for project in json.loads(listed.stdout)] == ["default"]
    checked = tocsin("db", "check", folder=tmp_path, environment=environment)
    assert checked.returncode == 0
    upgraded = tocsin("db", "upgrade", folder=tmp_path, environment=environment)
    assert upgraded.returncode == 1
    assert "is in use by another tocsin, connected from 127.0.0.1 since" in upgraded.stderr
    second = new_server(environment=environment)
    second.start(wait=False)
    assert second.wait() == 1
    refused = second.log.read_text()
    assert "is in use by another tocsin" in refused
    assert "Traceback" not in refused
    assert server.request("POST", f"/report/job?key={server.ingest_key}", key="")[0] == 200
    assert server.stop() == 0
    assert tocsin("db", "upgrade", folder=tmp_path, environment=environment).returncode == 0
    assert list(tmp_path.glob("data")) == [], "a command needs no folder"
    for text in (server.log.read_text(), refused, upgraded.stderr, upgraded.stdout, checked.stdout, listed.stderr):
        assert SECRET not in text


def test_a_project_is_made_in_an_empty_database(url: str, tmp_path: Path) -> None:
    nowhere = tocsin("keys", "list", "--store", url, folder=tmp_path)
    assert nowhere.returncode == 1
    assert "there is no database at postgresql://postgres@127.0.0.1:" in nowhere.stderr
    assert "TOCSIN_STORE__URL" in nowhere.stderr, "a password on the command line is remarked on"
    made = tocsin("projects", "create", "acme", "--store", url, folder=tmp_path)
    assert made.returncode == 0
    again = tocsin("projects", "create", "acme", "--store", url, folder=tmp_path)
    assert "already" in again.stderr
    for done in (nowhere, made, again):
        assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"postgresql://ann:{SECRET}@127.0.0.1:1/tocsin", "cannot be reached"),
        (f"postgresql://ann:{SECRET}@[x/tocsin", "cannot be read"),
        (f"mysql://ann:{SECRET}@x/tocsin", "postgresql://"),
    ],
)
@pytest.mark.parametrize("command", [("db", "check"), ("db", "upgrade"), ("keys", "list"), ("projects", "list")])
def test_what_cannot_be_used_is_told(url: str, said: str, command: tuple[str, ...], tmp_path: Path) -> None:
    done = tocsin(*command, folder=tmp_path, environment={"TOCSIN_STORE__URL": url})
    assert done.returncode == 1
    assert said in done.stderr
    assert SECRET not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("url", [f"postgresql://ann:{SECRET}@[x/tocsin", f"mysql://ann:{SECRET}@x/tocsin"])
def test_a_server_does_not_start_on_a_url_that_is_none(url: str, tmp_path: Path) -> None:
    done = tocsin("serve", "--http", "127.0.0.1:0", folder=tmp_path, environment={"TOCSIN_STORE__URL": url})
    assert done.returncode == 1
    assert SECRET not in done.stderr
    assert "Traceback" not in done.stderr
