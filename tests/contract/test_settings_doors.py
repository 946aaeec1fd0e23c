"""What a project decides, over every door of a running server, and still after a restart."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.server import Server
from tocsin.client import Client, ClientError


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for what changes a whole project."""
    server = Server(
        tmp_path_factory.mktemp("settings"),
        environment={"TOCSIN_PROJECTS__MARGIN_SECONDS": "120", "TOCSIN_PROJECTS__DENIED_MONITORS": "tmp-*, x"},
    )
    server.start()
    yield server
    server.stop()


def cli(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    connection = ("--key", server.admin_key, "--url", server.http_url)
    command = [sys.executable, "-m", "tocsin", "projects", "settings", *arguments, *connection]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def decided(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = server.get("/v1/projects/-/settings")
    return found


def test_the_server_decides_where_the_project_does_not(own: Server) -> None:
    found = decided(own)
    assert found["name"] == f"projects/{own.project_id}/settings"
    assert found["effective"]["margin"] == "120s"
    assert found["effective"]["deniedMonitors"] == {"patterns": ["tmp-*", "x"]}
    assert found["effective"]["checkInsPerMinute"] == 0
    assert found["effective"]["strict"] is False


def test_a_change_is_in_force_when_it_is_answered_and_after_a_restart(own: Server) -> None:
    own.call("PATCH", "/v1/projects/-/settings?updateMask=margin,strict", {"margin": "300s"})
    assert decided(own)["margin"] == "300s"
    key = own.ingest_key
    body = json.dumps({"monitor_config": {"schedule": {"type": "crontab", "value": "0 3 * * *"}}}).encode()
    url = f"{own.http_url}/api/{own.project_id}/cron/by-upsert/{key}/?status=ok"
    with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"})) as answer:
        assert answer.status == 202
    assert own.get("/v1/projects/-/monitors/by-upsert")["tolerance"]["margin"] == "300s"
    own.kill()
    own.start()
    assert decided(own)["margin"] == "300s"
    own.call("PATCH", "/v1/projects/-/settings?updateMask=margin", {})
    assert decided(own)["effective"]["margin"] == "120s"
    assert "margin" not in decided(own)


def test_the_client(own: Server) -> None:
    with Client(own.grpc_address, own.admin_key) as client:
        changed = client.put_project_settings(max_runtime=90, allowed_environments=["prod*"], ok_after_error=True)
        assert changed.max_runtime.seconds == 90
        assert list(changed.effective.allowed_environments.patterns) == ["prod*"]
        assert client.project_settings().effective.ok_after_error
        back = client.put_project_settings(max_runtime=None, allowed_environments=None, ok_after_error=None)
        assert not back.HasField("max_runtime")
        with pytest.raises(ClientError, match=r"project_settings\.failure_threshold"):
            client.put_project_settings(failure_threshold=0)
        with pytest.raises(ClientError, match="Nowhere/Land"):
            client.put_project_settings(time_zone="Nowhere/Land")
        with pytest.raises(TypeError, match="colour"):
            client.put_project_settings(colour="red")
    with Client(own.grpc_address, own.ingest_key) as client, pytest.raises(ClientError, match="scope"):
        client.project_settings()


def test_the_command(own: Server) -> None:
    done = cli(own, "margin=5m", "max_environments=7", "denied_monitors=a,b*", "ok_after_error=true")
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines()}
    assert rows["margin"] == ["margin", "300s", "project"]
    assert rows["max_environments"] == ["max_environments", "7", "project"]
    assert rows["denied_monitors"] == ["denied_monitors", "a,", "b*", "project"]
    assert rows["strict"] == ["strict", "false", "server"]
    own_number = str(own.project_id)
    back = cli(own, own_number, "margin=", "max_environments=", "denied_monitors=", "ok_after_error=", "--json")
    assert "margin" not in json.loads(back.stdout)
    for wrong, said in (("colour=red", "colour"), ("margin=soon", "margin"), ("max_monitors=x", "no number")):
        done = cli(own, wrong)
        assert done.returncode != 0
        assert said in done.stderr


def test_a_server_with_a_setting_that_cannot_be_used_does_not_start(tmp_path: Path) -> None:
    config = tmp_path / "tocsin.toml"
    config.write_text('[projects]\ntime_zone = "Nowhere/Land"\n')
    command = [sys.executable, "-m", "tocsin", "serve", "--data", str(tmp_path / "data"), "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "projects.time_zone" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_limit_of_a_minute_is_told_natively_and_kept_for_sentry(own: Server) -> None:
    own.create_monitor("often", checkInsPerMinute=1)
    sentry = f"/api/{own.project_id}/cron/often/{own.ingest_key}/?status=ok"
    for _ in range(4):  # two minutes may be touched, and each takes one
        assert own.request("GET", sentry, key="")[0] == 202
    answers = [own.request("GET", f"/report/often?key={own.ingest_key}", key="") for _ in range(3)]
    headers, content = next(rest for status, *rest in answers if status == 429)
    assert 0 < int(headers["retry-after"]) <= 60
    assert json.loads(content)["error"]["details"][0]["reason"] == "RATE_LIMITED"
    found = own.get("/v1/projects/-/monitors/often/refusals")["refusals"]
    assert {row["reason"] for row in found} == {"REASON_MONITOR_ENVIRONMENT_RATE_LIMITED"}
    assert len(own.check_ins("often")) <= 2
    assert own.get("/v1/projects/-/monitors/often")["checkInsPerMinute"] == 1
