"""A store, a dispatcher on it and a scripted world to tell: time is an argument, and nothing leaves the process."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from support import stores
from tocsin.domain.facts import (
    Fact,
    IncidentContinued,
    IncidentOpened,
    IncidentResolved,
    MonitorChanged,
    MonitorDeleted,
)
from tocsin.domain.incident import Cause, Incident
from tocsin.domain.monitor import EVENTS, AlertPolicy, Monitor, Policy, Tolerance
from tocsin.domain.notice import Content, Notice, NoticeKind, NoticeState
from tocsin.domain.notification import Subscription
from tocsin.engine.delta import Delta
from tocsin.node.delivering import Delivering, Delivery
from tocsin.node.dispatcher import Dispatcher
from tocsin.node.drafting import Surroundings
from tocsin.node.planning import Planning
from tocsin.notify.webhook import Outcome
from tocsin.store import SqlStore
from tocsin.store.notification import SqlNotification
from tocsin.store.nouns import SqlNouns
from tocsin.store.outbox import SqlOutbox
from tocsin.store.subscriptions import SqlSubscriptions
from tocsin.store.tellable import SqlTellable

NOW = stores.NOW
HOOK = "webhook:https://example.org/hook"
TAKEN = Outcome(sent=True)


@dataclass
class Clock:
    at: int = NOW

    def now(self) -> int:
        return self.at


@dataclass
class Counts:
    """Of what came of deliveries, by kind of destination."""

    seen: dict[str, int] = field(default_factory=dict)
    queued: int = 0

    def sent(self, kind: str, count: int) -> None:
        self._add(f"{kind} sent", count)

    def failed(self, kind: str, count: int, *, dead: bool) -> None:
        self._add(f"{kind} {'dead' if dead else 'again'}", count)

    def waiting(self, count: int) -> None:
        self.queued = count

    def _add(self, name: str, count: int) -> None:
        self.seen[name] = self.seen.get(name, 0) + count


class World:
    """`await world.told()` → what went out since, one list of "monitor kind sequence rule" for each request."""

    def __init__(self, store: SqlStore, *, surroundings: Surroundings | None = None, **delivery: int) -> None:
        self.store, self.clock, self.counts = store, Clock(), Counts()
        self.outbox, self.tellable = SqlOutbox(store.database), SqlTellable(store.database)
        self.nouns = SqlNotification(store.database)
        self.surroundings, self.delivery = surroundings, Delivery(**delivery)
        self.requests: list[tuple[str, list[str]]] = []
        self.keys: list[str] = []
        self.went_out = asyncio.Event()  # set with each request
        self.outcomes: list[Outcome] = []  # of the next requests; then all are taken
        self.incidents: dict[int, Incident] = {}
        self.start()

    def start(self) -> None:
        """A new dispatcher, as after a restart."""
        planning = Planning(self.outbox, self.tellable, self.clock, self.surroundings)
        self.dispatcher = Dispatcher(self.outbox, planning, self.clock)
        delivering = Delivering(self.outbox, self._send, self.clock, self.delivery, self.counts, self.dispatcher.wake)
        self.delivering = delivering
        self.dispatcher.deliver(delivering)

    async def _send(self, _project: int, destination: str, notices: Sequence[Notice]) -> Outcome:
        words = [
            f"{one.content.monitor_id} {one.kind.name.lower()} {one.sequence} {one.content.rule}" for one in notices
        ]
        self.requests.append((destination, words))
        self.keys += [one.idempotency_key for one in notices]
        self.went_out.set()
        return self.outcomes.pop(0) if self.outcomes else TAKEN

    # --- what happens

    def monitors(self, *numbers: int, delay_ms: int = 0, policy: AlertPolicy | None = None, **fields: object) -> None:
        """Own the partition and make these, each with its track in production."""
        stores.drain(self.store.load())
        made = [stores.monitor(number, alert_policy=policy or AlertPolicy(), **fields) for number in numbers]
        tracks = [stores.track(number, number) for number in numbers]
        common = {"policies": {1: Policy(tolerance=Tolerance(alert_delay_ms=delay_ms))}}
        self.commit(stores.delta(*made, *tracks, environments={1: "production", 2: "staging"}, **common))

    def tell(self, *destinations: str, key: str = "default", **fields: object) -> None:
        values = {"destinations": destinations, **fields}
        self.nouns.lists.put(1, key, values, self.clock.at, create=True, update_known=True)

    def silence(self, environment: str) -> None:
        """Nobody is told of it any more."""
        off = {"with_alerts": False}
        SqlNouns(self.store.database).put_environment(1, environment, off, self.clock.at, create=True, update=True)

    def opens(self, *monitors: int, cause: Cause = Cause.ERROR, **fields: object) -> None:
        """Each an incident of the same number."""
        made = [
            stores.incident(number, stores.track(number, number), cause=cause, open_time=self.clock.at, **fields)
            for number in monitors
        ]
        self._incidents(*(IncidentOpened(one) for one in made))

    def continues(self, number: int, failures: int = 2) -> None:
        self._incidents(IncidentContinued(msgspec.structs.replace(self.incidents[number], failure_count=failures)))

    def channel(self, key: str, **fields: object) -> int:
        """Makes it or changes it; its number. A webhook, unless told otherwise."""
        values = fields if "kind" in fields else {"url": "https://example.org/hook", **fields}
        return self.nouns.channels.put(1, key, values, self.clock.at, create=True, update_known=True).number

    def group(self, key: str, **fields: object) -> int:
        """Likewise."""
        put = SqlNouns(self.store.database).put_group
        return put(1, key, fields, self.clock.at, create=True, update=True).group.number

    def subscribe(self, channel: int, *, monitor: int = 0, group: int = 0, active: bool = True) -> None:
        SqlSubscriptions(self.store.database).put(Subscription(0, 1, channel, monitor, group, active))

    def resolves(self, *numbers: int, **fields: object) -> None:
        fields["resolve_time"] = self.clock.at
        ended = (msgspec.structs.replace(self.incidents[number], **fields) for number in numbers)
        self._incidents(*(IncidentResolved(one) for one in ended))

    def event(self, monitor: int, name: str, *, subject: int, environment: str = "production") -> None:
        content = Content("", "", name, environment, self.clock.at, self.clock.at)
        sequence = EVENTS.index(name) + 1
        notice = Notice(
            *(0, 1, monitor, subject, NoticeKind.EVENT, sequence, "", NoticeState.PLANNED, 0),
            *(self.clock.at, self.clock.at, None, "", content),
        )
        self.commit(stores.delta(clock=self.clock.at, notices=[notice]))

    def changes(self, number: int, **fields: object) -> None:
        with_health = self.store.get_monitor_by_number(1, number)
        assert with_health is not None
        changed: Monitor = msgspec.structs.replace(with_health.monitor, **fields)
        self.commit(stores.delta(changed, facts=[MonitorChanged(changed)]))

    def deletes(self, number: int) -> None:
        fact = MonitorDeleted(1, number, f"m-{number}")
        self.commit(stores.delta(deleted_monitors={number}, facts=[fact]))

    def _incidents(self, *facts: Fact) -> None:
        for fact in facts:
            self.incidents[fact.incident.number] = fact.incident
        rows = [fact.incident for fact in facts]
        self.commit(stores.delta(*rows, clock=self.clock.at, facts=list(facts)))

    def commit(self, made: Delta) -> None:
        stores.commit(self.store, made)
        self.dispatcher.observe(made)

    # --- what comes of it

    async def turn(self) -> int | None:
        """Plans and delivers until nothing is to be done now; when there will be more to do."""
        while True:
            until = await self.dispatcher.turn()
            await self.delivering.idle()
            times = [self.delivering.next_time(queue) for queue in self.outbox.queues(self.clock.at)]
            if not any(time <= self.clock.at for time in times):
                return min([until or 2**63, *times])

    async def told(self, minutes: float = 0) -> list[list[str]]:
        """After so many minutes, and all looks that were due until then."""
        end = self.clock.at + round(minutes * 60_000)
        while (until := await self.turn()) is not None and until <= end:
            self.clock.at = max(until, self.clock.at)
        self.clock.at = end
        found, self.requests = [words for _, words in self.requests], []
        return found

    def states(self) -> dict[str, int]:
        """How many notices are in which state."""
        found: dict[str, int] = {}
        for state in NoticeState:
            rows = self.outbox.page(1, states=[state], size=10_000).rows
            if rows:
                found[state.name] = len(rows)
        return found
