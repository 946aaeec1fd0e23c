"""`cronitor` from npm, unmodified, with the README's recipe for its address, against a live server."""

import json
import subprocess
import textwrap
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from support import clients, recipes
from support.cronitor import Cronitor
from support.server import Server

PROLOGUE = """
const {{key, apiKey, folder, shim}} = {given};
const cronitor = require(shim)(require("cronitor")(apiKey, {options}));
const assert = require("assert");
async function main() {{
const {{Monitor, Event}} = cronitor;
{body}
}}
main().catch((error) => {{ console.error(error); process.exit(4); }});
"""


class Client(NamedTuple):
    installed: Path
    folder: Path
    cronitor: Cronitor
    key: str

    def run(self, body: str, options: str = "{}") -> str:
        """What the body of an async function printed that has `cronitor`, `Monitor`, `Event`, `key` and `folder`."""
        shim = str(self.folder / "tocsin-cronitor.js")
        given = json.dumps({"key": self.key, "apiKey": self.cronitor.key, "folder": str(self.folder), "shim": shim})
        text = PROLOGUE.format(given=given, options=options, body=textwrap.dedent(body))
        done = subprocess.run(
            [clients.node() / "node", "--input-type=commonjs", "--eval", text],
            cwd=self.installed,
            env={"TOCSIN_URL": f"{self.cronitor.server.http_url}/", "HOSTNAME": "host-1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not done.stderr, done.stderr
        return done.stdout

    def get(self, path: str = "", key: str = "") -> Any:
        return self.cronitor.get(f"/api/monitors/{key or self.key}{path}")


@pytest.fixture
def client(sentry_client: Callable[[str], Path], server: Server, tmp_path: Path) -> Client:
    installed = sentry_client("cronitor-node")
    recipes.write("tocsin-cronitor.js", tmp_path)
    return Client(installed, tmp_path, Cronitor(server), f"js-{uuid.uuid4().hex[:10]}")


def test_put_of_one_is_bare_and_of_many_a_list(client: Client) -> None:
    client.run("""
        const one = await Monitor.put({type: "job", key, schedule: "0 0 * * *", notify: ["default"]});
        assert.equal(one.data.schedule, "0 0 * * *");
        const both = await Monitor.put([{type: "job", key: key + "-a"},
                                        {type: "heartbeat", key: key + "-b", schedule: "every 45 seconds"}]);
        assert.deepEqual(both.map((monitor) => monitor.key), [key + "-a", key + "-b"]);
        await Monitor.put({type: "job", key: key + "-never"}, {rollback: true});
        await assert.rejects(Monitor.put({type: "job", key, schedule: "every five"}), /400/);
    """)
    assert client.get(key=f"{client.key}-b")["schedule"] == "every 45 seconds"
    assert client.cronitor.call("GET", f"/api/monitors/{client.key}-never").status == 404


def test_a_wrapped_function_tells_of_its_runs(client: Client) -> None:
    client.run("""
        assert.equal(await cronitor.wrap(key, async () => "out text")(), "out text");
        await cronitor.wrap(key + "-fails", async () => { throw new Error("kaput"); })();
    """)
    found = client.get("?withInvocations=true")
    (run,) = found["latest_invocations"]
    assert (run["state"], run["host"], run["client"]) == ("complete", "host-1", "cronitor-js")
    assert run["events"][0]["msg"] == "out text"
    failed = client.get(key=f"{client.key}-fails")
    assert (failed["passing"], failed["latest_event"]["msg"]) == (False, "Error: kaput")


def test_an_event_flushes_its_counts(client: Client) -> None:
    client.run("""
        const event = new Event(key, {intervalSeconds: 30});
        event.tick(); event.tick(4); event.error();
        await event.stop();
    """)
    found = client.get()
    assert (found["type"], found["latest_event"]["event"]) == ("heartbeat", "tick")
    assert found["latest_event"]["metrics"] == {"count": 5, "error_count": 1, "duration": 30}


def test_pings_pause_data_and_delete(client: Client) -> None:
    client.run(
        """
        const monitor = new Monitor(key);
        assert(await monitor.ping({state: "run", message: "hello & bye", series: "abc 1"}));
        assert(await monitor.ping({state: "complete", series: "abc 1", metrics: {count: 3, duration: 2.5}}));
        assert(await monitor.pause(24));
        assert.equal((await monitor.loadData()).paused, true);
        assert(await monitor.unpause());
        assert.equal((await monitor.loadData()).paused, false);
        assert(await monitor.ok());
        """,
        '{environment: "staging"}',
    )
    found = client.get("?env=staging&withInvocations=true")
    assert found["latest_invocations"][-1]["series"] == "abc 1"
    assert "staging" in found["environments"]
    client.run("""
        assert(await new Monitor(key).delete());
        assert.equal((await new Monitor(key).loadData()).status, 404);
    """)


def test_a_file_is_validated_applied_and_written(client: Client) -> None:
    config = {
        "jobs": {f"{client.key}-nightly": {"schedule": "0 0 * * *", "group": client.key}},
        "heartbeats": {f"{client.key}-deploy": {"notify": {"alerts": ["default"], "events": True}}},
    }
    (client.folder / "cronitor.yaml").write_text(yaml.safe_dump(config))
    printed = client.run("""
        const path = folder + "/cronitor.yaml", written = folder + "/written.yaml";
        assert(await cronitor.validateConfig({path}));
        assert.equal((await new Monitor(key + "-nightly").loadData()).status, 404);
        assert(await cronitor.applyConfig({path}));
        assert(await cronitor.generateConfig({path: written, group: key}));
        assert(await cronitor.applyConfig({path: written}));
    """)
    assert printed.count("successfully") == 3
    assert client.get(key=f"{client.key}-deploy")["notify"] == {"alerts": ["default"], "events": True}
    written = yaml.safe_load((client.folder / "written.yaml").read_text())
    assert written == {
        "jobs": {f"{client.key}-nightly": config["jobs"][f"{client.key}-nightly"]},
        "checks": {},
        "heartbeats": {},
    }
    assert client.get(key=f"{client.key}-nightly")["attributes"]["group_name"] == client.key
