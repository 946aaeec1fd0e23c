"""The reading half of Checkly's API on a real store whose rows a test writes itself, at a fixed instant."""

import contextlib
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import httpx

from support.stores import NOW, check_in, commit, delta, drain, monitor, track
from tocsin.dialects.checkly import prometheus
from tocsin.dialects.checkly.call import Door
from tocsin.dialects.checkly.history import badges
from tocsin.dialects.checkly.history import routes as history
from tocsin.dialects.checkly.ids import dashed
from tocsin.dialects.checkly.limits import Limited
from tocsin.dialects.checkly.routes import BUSY, NOT_FOUND, made
from tocsin.domain import ids
from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.instant import HOUR, MINUTE
from tocsin.domain.monitor import Kind, Monitor, Policy, Tolerance
from tocsin.domain.project import Scope, digest_of
from tocsin.domain.schedule import Cron, Rolling
from tocsin.domain.track import Track
from tocsin.http.app import application
from tocsin.service.browsing import Browsing
from tocsin.service.check_ins import CheckIns
from tocsin.service.groups import Groups
from tocsin.service.history import History
from tocsin.service.monitors import Monitors
from tocsin.service.principal import Principals
from tocsin.service.room import Room
from tocsin.store import SqlStore
from tocsin.store.browse import SqlBrowse
from tocsin.store.nouns import SqlNouns
from tocsin.store.weeks import WEEK

KEY = "a" * 32
EMPTY = "d" * 32  # of an account without checks
GRACE = 10 * MINUTE
CHECK = Policy((Rolling(HOUR),), Tolerance(margin_ms=GRACE, max_runtime_ms=0), Kind.HEARTBEAT)
JOB = Policy((Cron("* * * * *"),))
MANY = 10**6


class Edge:
    """Monitors 1 and 2 are checks, 3 is none, 4 is a check of another project."""

    def __init__(self, store: SqlStore, max_samples: int = MANY) -> None:
        self.store = store
        self.count = 0
        project = store.create_project("Team", NOW)
        other = store.create_project("Others", NOW)
        self.account, self.other_account = project.account_id, other.account_id
        for scope, key in ((Scope.READ, KEY), (Scope.INGEST, "b" * 32), (Scope.ADMIN, "c" * 32)):
            store.create_key(project.number, scope, digest_of(key), "", NOW)
        empty = store.create_project("Empty", NOW)
        self.empty_account = empty.account_id
        store.create_key(empty.number, Scope.READ, digest_of(EMPTY), "", NOW)
        drain(store.load())
        self.checks = [
            monitor(1, project=project.number, display_name="Backup", tags=("team:db", "nightly"), policy=CHECK),
            monitor(2, project=project.number, policy=CHECK, inactive=True),
            monitor(3, project=project.number, policy=JOB),
            monitor(4, project=other.number, policy=CHECK),
        ]
        rows = [(one, 2 if one.number == 3 else 1) for one in self.checks]
        first = delta(policies={1: CHECK, 2: JOB}, environments={1: "production", 2: "staging"})
        first.monitors = {one.number: (one, policy) for one, policy in rows}
        first.tracks = {one.number: track(one.number, one.number) for one in self.checks}
        commit(store, first)
        for weeks in range(-5, 1):
            store.prepare(NOW + weeks * WEEK)
        principals = Principals(store)
        principals.refresh()
        browse = SqlBrowse(store.database)
        services: Any = SimpleNamespace(
            monitors=Monitors(None, store, None),  # type: ignore[arg-type] # nothing is written here
            browsing=Browsing(browse),
            history=History(browse),
            groups=Groups(None, SqlNouns(store.database)),  # type: ignore[arg-type]
            check_ins=CheckIns(None, store, *[lambda *_: None] * 4),  # type: ignore[arg-type]
        )
        door = Door(principals)
        found = [
            *history.made(services, door),
            *badges.routes(services.browsing),
            *made(prometheus.calls(services, max_samples), door, limit=Limited.PROMETHEUS),
        ]
        self.app = application(
            found, lambda: contextlib.nullcontext(NOW), Room(99, 2**40), lambda *_: None, worded=NOT_FOUND, busy=BUSY
        )

    def path(self, number: int = 1) -> str:
        return dashed(f"{number:032x}")

    def add(self, *rows: CheckIn | Track | Monitor) -> None:
        commit(self.store, delta(*rows))

    def ping(self, at: int, *, expected: int | None = None, of: int = 1, **fields: Any) -> CheckIn:
        """One that is not stored yet."""
        self.count += 1
        number = ids.check_in_number(at, self.count)
        made = {
            "end_time": at,
            "expected_time": expected,
            "policy": 1,
            "project": self.checks[of - 1].project,
            **fields,
        }
        return check_in(number, track(of, of), State.OK, **made)

    def miss(self, slot: int, *, of: int = 1, state: State = State.MISSED, grace: int = GRACE) -> CheckIn:
        self.count += 1
        number = ids.check_in_number(slot + grace, self.count)
        fields = {"receive_time": slot, "update_time": slot + grace, "expected_time": slot, "policy": 1}
        return check_in(number, track(of, of), state, project=self.checks[of - 1].project, **fields)

    async def call(
        self,
        path: str,
        method: str = "GET",
        body: Any = None,
        *,
        key: str = KEY,
        headers: Sequence[tuple[str, str]] = (),
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://checkly.test") as client:
            sent = [("Authorization", f"Bearer {key}"), *headers] if key else list(headers)
            if isinstance(body, bytes):
                return await client.request(method, path, content=body, headers=sent)
            return await client.request(method, path, json=body, headers=sent)

    async def get(self, path: str) -> Any:
        answer = await self.call(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, path: str, method: str = "GET", body: Any = None, **more: Any) -> int:
        answer = await self.call(path, method, body, **more)
        found = answer.json()
        assert found["statusCode"] == answer.status_code >= 400
        assert found["error"]
        assert found["message"]
        return answer.status_code
