"""`cronitor` from PyPI, unmodified, with the README's recipe for its address, against a live server."""

import subprocess
import textwrap
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from support import recipes
from support.clients import python_of
from support.cronitor import Cronitor
from support.server import Server

PROLOGUE = """
import json, sys
import cronitor, tocsin_cronitor
from cronitor import Monitor

key = sys.argv[1]
"""


class Client(NamedTuple):
    python: Path
    folder: Path
    cronitor: Cronitor
    key: str

    def run(self, body: str, **environment: str) -> str:
        """What a program printed that has `cronitor`, `Monitor` and `key`."""
        program = self.folder / "program.py"
        program.write_text(PROLOGUE + textwrap.dedent(body))
        given = {"TOCSIN_URL": self.cronitor.server.http_url + "/", "CRONITOR_API_KEY": self.cronitor.key}
        done = subprocess.run(
            [self.python, program, self.key],
            cwd=self.folder,
            env={"PYTHONPATH": str(self.folder), **given, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, path: str = "", key: str = "") -> Any:
        return self.cronitor.get(f"/api/monitors/{key or self.key}{path}")


@pytest.fixture
def client(sentry_client: Callable[[str], Path], server: Server, tmp_path: Path) -> Client:
    python = python_of(sentry_client("cronitor"))
    recipes.write("tocsin_cronitor.py", tmp_path)
    return Client(python, tmp_path, Cronitor(server), f"py-{uuid.uuid4().hex[:10]}")


def test_put_of_one_is_bare_and_of_many_a_list(client: Client) -> None:
    client.run("""
        one = Monitor.put(type="job", key=key, schedule="0 0 * * *", notify=["default"],
                          assertions=["metric.duration < 15min"])
        assert one.data.schedule == "0 0 * * *"
        assert one.data.attributes.key == key
        both = Monitor.put([{"type": "job", "key": key + "-a", "schedule": "every 5 minutes"},
                            {"type": "check", "key": key + " Home", "schedule": "every 45 seconds",
                             "request": {"url": "http://127.0.0.1:9/"},
                             "assertions": ["response.code = 200", "response.time < 600ms"]}])
        assert [monitor.data.key for monitor in both] == [key + "-a", key + " Home"]
        Monitor.put([{"type": "job", "key": key + "-never"}, {"type": "job", "key": key + "-b"}], rollback=True)
        print(Monitor(key + " Home").data.request.url)
    """)
    assert client.get()["assertions"] == ["metric.duration < 15min"]
    assert client.get(key=f"{client.key}%20Home")["schedule"] == "every 45 seconds"
    assert client.cronitor.call("GET", f"/api/monitors/{client.key}-never").status == 404


def test_errors_are_the_clients_own(client: Client) -> None:
    printed = client.run("""
        def told(work):
            try:
                work()
            except Exception as error:
                print(type(error).__name__, error)
        told(lambda: Monitor.put(type="job", key=key, schedule="every five"))
        told(lambda: Monitor(key).data)
        told(lambda: Monitor(key).delete())
        told(lambda: Monitor.put(type="job", key=key, api_key="wrong-key-0000"))
    """)
    invalid, missing, gone, forbidden = printed.splitlines()
    assert invalid.startswith("APIValidationError")
    assert "cannot parse 'every five'" in invalid
    assert missing.startswith("MonitorNotFound")
    assert gone.startswith("MonitorNotFound")
    assert forbidden.startswith("APIError")
    assert "Invalid API key" in forbidden


def test_a_decorated_job_is_synced_and_its_runs_are_told(client: Client) -> None:
    client.run("""
        @cronitor.job(key, attributes={"type": "job", "schedule": "at 9:00"})
        def works():
            return "result text"

        @cronitor.job(key + "-fails")
        def fails():
            raise ValueError("exploded")

        works()
        try:
            fails()
        except ValueError:
            pass
    """)
    found = client.get("?withInvocations=true")
    assert found["schedule"] == "at 9:00"
    (run,) = found["latest_invocations"]
    assert (run["state"], run["client"]) == ("complete", "cronitor-python")
    assert run["events"][0]["msg"] == "result text"
    assert run["duration"] is not None
    failed = client.get("?withInvocations=true", key=f"{client.key}-fails")
    assert (failed["passing"], failed["latest_event"]["msg"]) == (False, "exploded")
    assert [run["state"] for run in failed["latest_invocations"]] == ["fail"]


def test_pings_pause_and_delete(client: Client) -> None:
    client.run("""
        monitor = Monitor.put(type="job", key=key)
        assert monitor.ping(state="run", series="s-1", message="starting").status_code == 200
        monitor.ping(state="complete", series="s-1", metrics={"duration": 12.5, "count": 100, "error_count": 3})
        staging = Monitor(key, env="staging")
        staging.ping(state="fail", message="boom", host="web-1")
        assert monitor.pause(24).status_code == 200
    """)
    found = client.get()
    assert found["paused"]
    assert found["latest_event"]["metrics"] == {"duration": 12.5, "count": 100, "error_count": 3}
    assert found["passing"]
    staging = client.get("?env=staging")
    assert (staging["passing"], staging["latest_event"]["host"]) == (False, "web-1")
    assert sorted(staging["environments"]) == ["production", "staging"]
    client.run("""
        assert Monitor(key).unpause().status_code == 200
        assert not Monitor(key).data.paused
        Monitor(key, env="staging").ok()
        assert Monitor(key).delete() is True
    """)
    assert client.cronitor.call("GET", f"/api/monitors/{client.key}").status == 404


def test_a_list_is_turned_to_its_end(client: Client) -> None:
    printed = client.run("""
        Monitor.put([{"type": "job", "key": f"{key}-{number}", "tags": [key]} for number in range(5)])
        print(len(Monitor.list(type="job", tag=key, pageSize=2, auto_paginate=True)))
        print(len(Monitor.list(tag=key)), len(Monitor.list(tag=key, page=2, pageSize=3)))
        print(len(Monitor.list([f"{key}-1", f"{key}-2"])))
    """)
    assert printed.split() == ["5", "5", "2", "2"]


def test_a_file_is_validated_applied_and_written(client: Client) -> None:
    config = {
        "jobs": {f"{client.key}-nightly": {"schedule": "0 0 * * *", "assertions": ["metric.duration < 5 minutes"]}},
        "heartbeats": {f"{client.key}-deploy": {"notify": {"alerts": ["default"], "events": True}}},
    }
    path = client.folder / "cronitor.yaml"
    path.write_text(yaml.safe_dump(config))
    client.run("""
        cronitor.config = "cronitor.yaml"
        assert cronitor.validate_config() is True
        try:
            Monitor(key + "-nightly").data
        except cronitor.MonitorNotFound:
            pass
        else:
            sys.exit("validating must not save")
        assert cronitor.apply_config() is True
        cronitor.config = "written.yaml"
        cronitor.generate_config()
        assert cronitor.validate_config() is True
    """)
    assert client.get(key=f"{client.key}-deploy")["notify"] == {"alerts": ["default"], "events": True}
    written = yaml.safe_load((client.folder / "written.yaml").read_text())
    assert written["jobs"][f"{client.key}-nightly"] == config["jobs"][f"{client.key}-nightly"]
    path.write_text(yaml.safe_dump({"jobs": {client.key: {"schedule": "every five"}}}))
    client.run("""
        cronitor.config = "cronitor.yaml"
        assert cronitor.apply_config() is False
    """)
