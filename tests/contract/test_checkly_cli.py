"""The `checkly` CLI from npm, four generations of it, against a live server: deploy, look, preview, destroy."""

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from support.checkly import Checkly
from support.checkly_cli import OLDEST, PREFERRED, VERSIONS, Cli
from support.readers import reader_key
from support.server import Server

MADE = "Successfully deployed project"
WHOLE = """
    const email = new c.EmailAlertChannel("email", { address: "ops@example.invalid" });
    const hook = new c.WebhookAlertChannel("hook", {
      name: "hook", url: "https://hook.invalid/x", method: "POST", template: '{"t": "{{ALERT_TITLE}}"}',
      headers: [{ key: "X-A", value: "b" }], webhookSecret: "s3cret",
    });
    const group = new Group("group", { name: "Cron jobs", tags: ["cron"], alertChannels: [email] });
    beat("nightly", { group, alertChannels: [email, hook] });
    beat("weekly", { tags: ["team:growth"], muted: true }, lasting(7, "days", 2, "hours"));
    new c.MaintenanceWindow("window", {
      name: "window", tags: ["cron"], startsAt: new Date("2030-01-01T00:00:00Z"),
      endsAt: new Date("2030-01-01T02:00:00Z"), repeatInterval: 1, repeatUnit: "DAY",
      repeatEndsAt: new Date("2030-02-01T00:00:00Z"),
    });
"""
Start = Callable[..., Cli]


@pytest.fixture
def start(sentry_client: Callable[[str], Path], server: Server, tmp_path: Path) -> Start:
    def make(version: str = PREFERRED, checkly: Checkly | None = None) -> Cli:
        folder = tmp_path / version
        folder.mkdir()
        found = checkly or Checkly(server)
        return Cli(version, sentry_client(version), folder, found, f"p-{uuid.uuid4().hex[:12]}")

    return make


@pytest.fixture(scope="module")
def read_key(server: Server) -> str:
    return reader_key(server)


@pytest.fixture(params=VERSIONS)
def cli(request: pytest.FixtureRequest, start: Start) -> Cli:
    return start(request.param)


def test_who_asks(cli: Cli) -> None:
    assert cli.checkly.account in cli.ok("whoami")


def test_a_project_is_deployed_deployed_again_and_destroyed(cli: Cli) -> None:
    cli.declare(WHOLE)
    printed = cli.ok("deploy", "--force", "--output")
    assert MADE in printed
    first = cli.checks()
    assert first.keys() == {"nightly", "weekly"}
    nightly, weekly = first["nightly"], first["weekly"]
    for check in (nightly, weekly):
        assert re.search(f"Ping URL of heartbeat check {check['name']} is http://.*{_path(check)}", printed)
    assert (nightly["heartbeat"]["period"], nightly["heartbeat"]["periodUnit"]) == (1, "hours")
    assert (weekly["tags"], weekly["muted"], weekly["groupId"]) == (["team:growth"], True, None)
    group = cli.checkly.get(f"/v1/check-groups/{nightly['groupId']}")
    assert (group["name"], group["tags"], group["checks"]) == ("Cron jobs", ["cron"], [nightly["id"]])
    channels = {
        one["projectBindings"]["owner"]["binding"]["logicalId"]: one
        for one in cli.checkly.get("/v1/alert-channels?limit=100")
        if (one["projectBindings"]["owner"] or {}).get("project", {}).get("logicalId") == cli.project
    }
    assert channels.keys() == {"email", "hook"}
    told = {(one["checkId"], one["groupId"]) for one in channels["email"]["subscriptions"]}
    assert told == {(nightly["id"], None), (None, group["id"])}
    assert channels["hook"]["config"]["template"] == '{"t": "{{ALERT_TITLE}}"}'

    assert cli.checkly.server.request("GET", _path(nightly), key="")[0] == 200
    before = _monitor(cli, nightly)
    assert MADE in cli.ok("deploy", "--force")
    assert cli.checks() == first
    assert _monitor(cli, nightly) == before  # its timer too, and its revision

    assert "successfully deleted" in cli.ok("destroy", "--force")
    assert cli.checks() == {}
    assert cli.checkly.call("GET", f"/v1/checks/{nightly['id']}").status == 404
    assert cli.checkly.call("GET", f"/v1/check-groups/{group['id']}").status == 404
    assert cli.checkly.call("GET", f"/v1/alert-channels/{channels['hook']['id']}").status == 404
    assert cli.checkly.call("GET", f"/v1/projects/{cli.project}").status == 404


def test_a_preview_writes_nothing(cli: Cli) -> None:
    cli.declare('beat("a"); beat("b");')
    printed = cli.ok("deploy", "--preview")
    assert "Create:" in printed
    assert MADE not in printed
    assert cli.checks() == {}
    cli.ok("deploy", "--force")
    cli.declare('beat("a");')
    printed = cli.ok("deploy", "--preview")
    assert "Delete:" in printed
    assert "Check: b" in printed
    assert "Update and Unchanged:" in printed
    assert cli.checks().keys() == {"a", "b"}
    assert MADE in cli.ok("deploy", "--force")
    assert cli.checks().keys() == {"a"}


def test_what_does_not_run_here_is_refused_by_name(cli: Cli) -> None:
    cli.declare("""
        beat("nightly");
        new c.ApiCheck("api", { name: "api", request: { method: "GET", url: "https://example.invalid" } });
        new c.Dashboard("wall", { header: "wall", customUrl: "wall" });
        new c.PrivateLocation("cellar", { name: "cellar", slugName: "cellar" });
    """)
    printed = cli.refused("deploy", "--force")
    for part in (
        "check 'api': checks of the type API are not run here",
        "dashboard 'wall': dashboard is not run here",
        "private-location 'cellar': private-location is not run here",
        "tocsin runs heartbeat checks",
    ):
        assert part in printed
    assert cli.checks() == {}


def test_a_key_that_is_none_and_one_that_only_reads(cli: Cli, read_key: str) -> None:
    cli.declare('beat("a");')
    assert re.search("401|[Aa]uthenticat", cli.refused("whoami", CHECKLY_API_KEY="cu_0123456789"))
    printed = cli.refused("deploy", "--force", CHECKLY_API_KEY=read_key)
    assert "this key has the scope 'read'" in printed or (cli.version == OLDEST and "403" in printed)
    assert cli.checks() == {}


@pytest.mark.parametrize("version", ["checkly9", "checkly8", "checkly7"])
def test_a_project_is_valid(start: Start, version: str) -> None:
    cli = start(version)
    cli.declare(WHOLE)
    assert "valid" in cli.ok("validate")


@pytest.mark.parametrize("version", ["checkly9", "checkly8"])
def test_who_does_not_force_is_asked_first(start: Start, version: str) -> None:
    cli = start(version)
    cli.declare('beat("a");')
    done = cli.run("deploy")
    assert done.returncode == 2
    assert "confirmation" in done.stdout.lower()
    assert cli.checks() == {}


@pytest.mark.parametrize("version", ["checkly9", "checkly8"])
def test_what_is_preserved_stays(start: Start, version: str) -> None:
    cli = start(version)
    cli.declare('beat("a"); beat("b");')
    cli.ok("deploy", "--force")
    gone = cli.checks()["b"]
    cli.declare('beat("a");')
    printed = cli.ok("deploy", "--force", "--preserve-resources", "--output")
    assert "Check: b" in printed
    assert cli.checks().keys() == {"a"}
    found = cli.checkly.get(f"/v1/checks/{gone['id']}")
    assert (found["project"], found["heartbeat"]) == (None, gone["heartbeat"])
    cli.ok("destroy", "--force", "--preserve-resources")
    assert cli.checks() == {}
    assert "successfully" in cli.ok("destroy", "--force")  # of what is not there any more
    for name in ("a", "b"):
        assert len(cli.checkly.get(f"/v1/checks?search={name}&limit=100")) >= 1


@pytest.mark.parametrize("version", ["checkly9", "checkly8"])
def test_checks_are_looked_at_and_deleted(start: Start, version: str) -> None:
    cli = start(version)
    tag = f"t-{uuid.uuid4().hex[:8]}"
    cli.declare(f'beat("nightly", {{ tags: ["{tag}"] }}); beat("weekly", {{ tags: ["other"] }});')
    cli.ok("deploy", "--force")
    check = cli.checks()["nightly"]
    cli.checkly.server.request("GET", _path(check), key="")
    listed = json.loads(cli.ok("checks", "list", "--tag", tag, "--type", "HEARTBEAT", "--output", "json"))
    assert [one["id"] for one in listed["data"]] == [check["id"]]
    assert check["id"] in cli.ok("checks", "list", "--search", "nightl", "--tag", tag, "--status", "passing")
    printed = cli.ok("checks", "get", check["id"])
    assert check["name"] in printed
    assert "100" in cli.ok("checks", "stats", check["id"])
    cli.ok("checks", "delete", check["id"], "--force")
    assert cli.checks().keys() == {"weekly"}
    cli.ok("deploy", "--force")  # it is declared, so it is made again
    assert cli.checks()["nightly"]["heartbeat"]["pingUrl"] != check["heartbeat"]["pingUrl"]


@pytest.mark.parametrize("version", ["checkly9", "checkly8"])
def test_channels_and_variables(start: Start, version: str) -> None:
    cli = start(version)
    cli.declare('beat("a", { alertChannels: [new c.EmailAlertChannel("e", { address: "e@example.invalid" })] });')
    cli.ok("deploy", "--force")
    (channel,) = cli.checks()["a"]["alertChannelSubscriptions"]
    number = str(channel["alertChannelId"])
    assert "e@example.invalid" in cli.ok("alert-channels", "list")
    assert "e@example.invalid" in cli.ok("alert-channels", "get", number)
    cli.ok("alert-channels", "logs", number)
    key = f"K{uuid.uuid4().hex[:8].upper()}"
    cli.ok("env", "add", key, "one")
    assert f"{key}=one" in cli.ok("env", "ls")
    cli.ok("env", "update", key, "two")
    assert f"{key}=two" in cli.ok("env", "ls")
    cli.ok("env", "rm", key, "--force")
    assert key not in cli.ok("env", "ls")


def test_a_channel_of_the_account_is_spoken_of_and_stays(start: Start) -> None:
    cli = start()
    channel = cli.checkly.ask(
        "POST", "/v1/alert-channels", {"type": "EMAIL", "config": {"address": "x@example.invalid"}}, status=201
    )
    cli.declare(f'beat("a", {{ alertChannels: [c.AlertChannel.fromId({channel["id"]})] }});')
    cli.ok("deploy", "--force")
    (told,) = cli.checks()["a"]["alertChannelSubscriptions"]
    assert told == {"alertChannelId": channel["id"], "activated": True}
    cli.ok("destroy", "--force")
    assert cli.checkly.get(f"/v1/alert-channels/{channel['id']}")["subscriptions"] == []
    cli.declare('beat("a", { alertChannels: [c.AlertChannel.fromId(987654)] });')
    assert "there is no alert-channel '987654'" in cli.refused("deploy", "--force")


def test_the_oldest_reaches_us_though_it_knows_one_address(start: Start, server: Server) -> None:
    assert server.http_port != 3000
    assert start(OLDEST).checkly.account in start("checkly7").ok("whoami")


def _path(check: dict[str, dict[str, str]]) -> str:
    return "/ping/" + check["heartbeat"]["pingUrl"].rpartition("/")[2]


def _monitor(cli: Cli, check: dict[str, str]) -> object:
    """What the native API says of it, its timer and its revision too."""
    listed = cli.checkly.server.get(f"/v1/projects/{cli.checkly.server.project_id}/monitors?pageSize=1000")
    (found,) = [one for one in listed["monitors"] if one["uid"] == check["id"].replace("-", "")]
    return found
