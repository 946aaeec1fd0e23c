"""The `checkly` CLI as its users run it: a folder with a project, the environment that points it at this server."""

import subprocess
import textwrap
from pathlib import Path
from typing import Any, Final

from support import clients
from support.checkly import Checkly

VERSIONS: Final = ("checkly9", "checkly8", "checkly7", "checkly5")
"""By the names of their folders below tests/contract/clients."""

PREFERRED: Final = "checkly8"
OLDEST: Final = "checkly5"  # knows no other address than the one below
OLD_PORT: Final = 3000
# Where the oldest one would call its own address, it calls ours: Node loads this before the client, which stays as it is.
_REDIRECT: Final = """
const net = require("net");
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...given) {
  const [first] = given;
  const options = Array.isArray(first) ? first[0] : first;
  if (options && Number(options.port) === %d) options.port = %d;
  return connect.apply(this, given);
};
"""
_CONFIG: Final = """
const { defineConfig } = require("checkly");
module.exports = defineConfig({
  projectName: "Project %(name)s", logicalId: "%(name)s", repoUrl: "https://example.invalid/repo",
  checks: { tags: ["from-config"], checkMatch: "**/*.check.js" },
});
"""
# Names that differ between versions: the oldest knows heartbeats by another one, and groups of one kind only.
_NAMES: Final = """
const c = require("checkly/constructs");
const Heartbeat = c.HeartbeatMonitor || c.HeartbeatCheck;
const Group = c.CheckGroupV2 || c.CheckGroup;
const lasting = (period, periodUnit, grace, graceUnit) => ({ period, periodUnit, grace, graceUnit });
const HOURLY = lasting(1, "hours", 10, "minutes");
const beat = (id, more, length = HOURLY) => new Heartbeat(id, { name: id, ...more, ...length });
"""


class Cli:
    """One version, one project of the folder's own."""

    def __init__(self, version: str, installed: Path, folder: Path, checkly: Checkly, project: str) -> None:
        self.version, self.folder, self.checkly, self.project = version, folder, checkly, project
        self._write("checkly.config.js", _CONFIG % {"name": project})
        self._write("package.json", '{"name": "p", "private": true}')
        self._write("package-lock.json", '{"name": "p", "lockfileVersion": 3, "requires": true, "packages": {}}')
        self._write("redirect.cjs", _REDIRECT % (OLD_PORT, checkly.server.http_port))
        (folder / "node_modules").symlink_to(installed / "node_modules")

    def declare(self, text: str) -> None:
        """What the project declares from now on, in JavaScript; `c`, `beat`, `Group` and `HOURLY` are known."""
        self._write("all.check.js", _NAMES + textwrap.dedent(text))

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        inherited = {
            "PATH": f"{clients.node()}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "CI": "1",
            "CHECKLY_NO_DOTENV": "1",
            "CHECKLY_ENV": "local",
            "CHECKLY_API_URL": self.checkly.server.http_url,
            "CHECKLY_API_KEY": self.checkly.key,
            "CHECKLY_ACCOUNT_ID": self.checkly.account,
        }
        if self.version == OLDEST:
            inherited["NODE_OPTIONS"] = f"--require {self.folder / 'redirect.cjs'}"
        return subprocess.run(
            [self.folder / "node_modules/.bin/checkly", *arguments],
            cwd=self.folder,
            env={**inherited, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def ok(self, *arguments: str) -> str:
        """What it printed, of a command that must go well."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"{self.version} {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def refused(self, *arguments: str, **environment: str) -> str:
        """What it printed, of a command that must not go well, with its lines as one."""
        done = self.run(*arguments, **environment)
        assert done.returncode != 0, done.stdout
        return " ".join(f"{done.stdout} {done.stderr}".split())

    def checks(self) -> dict[str, Any]:
        """The project's checks as the API shows them, by logical id."""
        found = self.checkly.get("/v1/checks?limit=100")
        return {one["logicalId"]: one for one in found if (one["project"] or {}).get("logicalId") == self.project}

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
