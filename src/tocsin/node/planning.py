"""Plans what is to be told: reads incidents in slices, asks the planner, keeps what it says in one transaction a slice.

Slices are short and pause in between: on SQLite they share the one writer with check-ins, which must not wait.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import structlog

from tocsin.domain.instant import MINUTE, NEVER, Clock, Instant
from tocsin.domain.notice import Content, Notice, NoticeKind, NoticeState, Told
from tocsin.domain.notification import NotificationList
from tocsin.notify import planner, routing
from tocsin.notify.planner import Plan, Saying, Standing, Telling
from tocsin.store.outbox import Alert, SqlOutbox
from tocsin.store.tellable import Known, SqlTellable

SLICE: Final = 100  # incidents a transaction
_PAUSE_S: Final = 0.002  # between two
_CURSOR_EVERY_MS: Final = MINUTE  # how often it is written when nobody is to be told of what opens
_UNDELAYED: Final = frozenset(("missed",))  # its margin was the wait

Lists = Mapping[int, Mapping[str, NotificationList]]
_log = structlog.get_logger("tocsin.planning")


class Surroundings(NamedTuple):
    """What telling asks of the rest of the server; answers come at once."""

    in_maintenance: Callable[[Known, Instant], bool] = lambda _known, _now: False
    is_silent: Callable[[int, str], bool] = lambda _project, _environment: False  # alerts of an environment are off
    shown_id: Callable[[str, Mapping[str, object]], str] = lambda monitor_id, _extras: monitor_id  # to people
    planned: Callable[[Sequence[Notice]], None] = lambda _notices: None  # is told of notices that were made


class Planning:
    def __init__(
        self, outbox: SqlOutbox, tellable: SqlTellable, clock: Clock, surroundings: Surroundings | None = None
    ) -> None:
        self._outbox, self._tellable, self._clock = outbox, tellable, clock
        self._around = surroundings or Surroundings()
        self._cursor: int | None = None
        self._kept_at: Instant = 0

    async def new(self) -> None:
        """Incidents that opened since the last time."""
        if self._cursor is None:
            self._cursor = await asyncio.to_thread(self._outbox.cursor)
        while True:
            known, last = await asyncio.to_thread(self._tellable.opened_after, self._cursor, SLICE)
            if last == self._cursor:
                return
            now = self._clock.now()
            alerts, notices = await self._plan(known, {}, now)
            alerts = [alert for alert in alerts if alert.told is not None]
            if alerts or notices or now - self._kept_at >= _CURSOR_EVERY_MS:
                await asyncio.to_thread(self._outbox.keep, alerts, notices, cursor=last)
                self._kept_at = now
                self._around.planned(notices)
                await asyncio.sleep(_PAUSE_S)
            self._cursor = last

    async def again(self, incidents: Collection[int]) -> None:
        """To which something happened, or whose time has come. Those that nobody is told of are passed over."""
        numbers = sorted(incidents)
        for first in range(0, len(numbers), SLICE):
            tracked = await asyncio.to_thread(self._outbox.tracked, numbers[first : first + SLICE])
            if not tracked:
                continue
            known = await asyncio.to_thread(self._tellable.incidents, tracked)
            alerts, notices = await self._plan(list(known.values()), tracked, self._clock.now())
            alerts += [
                Alert(alert.incident, alert.project, alert.monitor, None, None)  # gone without a word
                for alert in tracked.values()
                if alert.incident not in known
            ]
            alerts = [alert for alert in alerts if alert != tracked[alert.incident]]
            if alerts or notices:
                await asyncio.to_thread(self._outbox.keep, alerts, notices)
                self._around.planned(notices)
                await asyncio.sleep(_PAUSE_S)

    async def again_all(self) -> None:
        """After a start: what happened since is not known."""
        last = 0
        while numbers := await asyncio.to_thread(self._outbox.tracked_after, last, SLICE):
            await self.again(numbers)
            last = numbers[-1]

    async def again_due(self) -> None:
        """Those whose time has come. What is looked at gets another time, or none."""
        while numbers := await asyncio.to_thread(self._outbox.due, self._clock.now(), SLICE):
            await self.again(numbers)
            if len(numbers) < SLICE:
                return

    async def again_of(self, monitors: Collection[int]) -> None:
        """Those of monitors that have changed or are gone."""
        if monitors:
            await self.again(await asyncio.to_thread(self._outbox.tracked_of, monitors))

    async def events(self) -> None:
        """Reports of which somebody wants to know: now is looked up who."""
        while events := await asyncio.to_thread(self._outbox.planned_events, SLICE):
            policies = await asyncio.to_thread(self._tellable.policies_of, {event.monitor for event in events})
            lists = await asyncio.to_thread(self._tellable.lists, {event.project for event in events})
            notices: list[Notice] = []
            for event in events:
                policy = policies.get(event.monitor)
                environment = event.content.environment
                if policy is None or self._around.is_silent(event.project, environment):
                    continue
                meant = routing.destinations(policy.channels, lists[event.project], environment)
                notices += [addressed(event, destination) for destination in meant]
            await asyncio.to_thread(self._outbox.keep, (), notices, events=[event.number for event in events])
            self._around.planned(notices)
            await asyncio.sleep(_PAUSE_S)

    async def _plan(
        self, known: Sequence[Known], tracked: Mapping[int, Alert], now: Instant
    ) -> tuple[list[Alert], list[Notice]]:
        lists: Lists = await asyncio.to_thread(self._tellable.lists, {one.project for one in known}) if known else {}
        alerts: list[Alert] = []
        notices: list[Notice] = []
        for one in known:
            before = tracked.get(one.number)
            told = (before.told if before is not None else None) or Told()
            try:
                telling = self._telling(one, lists[one.project])
                made = planner.plan(self._standing(one, now), telling, told, now)
            except Exception:  # one that cannot be planned must not silence all others
                _log.exception("an incident cannot be told", incident=one.number)
                made = Plan((), told, None)
            look = None if made.look is None else max(made.look, now + 1)  # or it would be looked at for ever
            alerts.append(Alert(one.number, one.project, one.monitor, made.told, look))
            notices += [notice for saying in made.sayings for notice in self._notices(one, saying, now)]
        return alerts, notices

    def _standing(self, one: Known, now: Instant) -> Standing:
        return Standing(
            opened=one.open_time,
            causes=one.causes,
            resolved=one.resolve_time,
            acknowledged=one.acknowledged,
            quiet_until=self._quiet_until(one, now),
        )

    def _quiet_until(self, one: Known, now: Instant) -> Instant | None:
        if one.off or one.environment_muted:
            return NEVER
        until = max(one.paused_until or 0, one.muted_until or 0)
        if until > now:
            return until
        if one.resolve_time is not None and self._around.is_silent(one.project, one.environment):
            return NEVER
        return now + MINUTE if self._around.in_maintenance(one, now) else None

    def _telling(self, one: Known, lists: Mapping[str, NotificationList]) -> Telling:
        silent = self._around.is_silent(one.project, one.environment)
        return Telling(
            () if silent else routing.destinations(one.policy.channels, lists, one.environment),
            delay_ms=one.delay_ms,
            undelayed=_UNDELAYED if one.separate_causes else frozenset(),
            repeat_ms=one.policy.repeat_interval_ms,
            limit=one.policy.repeat_limit,
        )

    def _notices(self, one: Known, saying: Saying, now: Instant) -> Iterable[Notice]:
        shown = self._around.shown_id(one.monitor_id, one.extras)
        content = Content(
            monitor_id=shown,
            name=one.display_name or shown,
            rule=saying.rule,
            environment=one.environment,
            at=now,
            since=one.open_time,
            causes=() if saying.kind is NoticeKind.RECOVERY else one.causes,
            reminder=saying.reminder,
            group=one.group,
            resource_id="" if shown == one.monitor_id else one.monitor_id,
        )
        draft = Notice(
            number=0,
            project=one.project,
            monitor=one.monitor,
            subject=one.number,
            kind=saying.kind,
            sequence=saying.sequence,
            destination="",
            state=NoticeState.PENDING,
            attempts=0,
            create_time=now,
            next_time=now,
            end_time=None,
            error="",
            content=content,
        )
        return (addressed(draft, destination) for destination in saying.destinations)


def addressed(draft: Notice, destination: str) -> Notice:
    """To a destination; what nothing here can deliver to is over at once, and says so."""
    supported = routing.is_supported(destination)
    return msgspec.structs.replace(
        draft,
        number=0,
        destination=destination,
        state=NoticeState.PENDING if supported else NoticeState.UNSUPPORTED,
        end_time=None if supported else draft.create_time,
        error="" if supported else "this server cannot deliver to such a destination",
    )
