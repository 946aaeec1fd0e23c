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
from tocsin.notify import planner, routing
from tocsin.notify.planner import Plan, Saying, Standing, Telling
from tocsin.schedule import describe
from tocsin.store.outbox import Alert, SqlOutbox
from tocsin.store.tellable import Audience, Known, Named, SqlTellable

SLICE: Final = 100  # incidents a transaction
_PAUSE_S: Final = 0.002  # between two
_CURSOR_EVERY_MS: Final = MINUTE  # how often it is written when nobody is to be told of what opens
_SILENCE: Final = ("missed", "timeout")
_UNDELAYED: Final = frozenset(("missed",))  # its margin was the wait

_log = structlog.get_logger("tocsin.planning")


class Surroundings(NamedTuple):
    """What telling asks of the rest of the server; answers come at once."""

    # (project, number of the monitor, environment, at)
    in_maintenance: Callable[[int, int, str, Instant], bool] = lambda _project, _monitor, _environment, _at: False
    shown_id: Callable[[str, Mapping[str, object]], str] = lambda monitor_id, _extras: monitor_id  # to people
    shown_schedule: Callable[[Mapping[str, object]], str] = lambda _extras: ""  # "": in words of ours
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
            named = await asyncio.to_thread(self._tellable.monitors, {event.monitor for event in events})
            audiences = await asyncio.to_thread(self._tellable.audiences, {event.project for event in events})
            notices: list[Notice] = []
            for event in events:
                monitor, environment = named.get(event.monitor), event.content.environment
                audience = audiences[event.project]
                if monitor is None or environment in audience.silent:
                    continue
                if self._around.in_maintenance(event.project, event.monitor, environment, event.create_time):
                    continue
                shown = self._around.shown_id(monitor.monitor_id, monitor.extras)
                content = msgspec.structs.replace(event.content, **_naming(monitor, shown))
                draft = msgspec.structs.replace(event, state=NoticeState.PENDING, content=content)
                meant = routing.destinations(monitor.policy.channels, audience.lists, environment)
                notices += [addressed(draft, destination) for destination in meant]
            await asyncio.to_thread(self._outbox.keep, (), notices, events=[event.number for event in events])
            self._around.planned(notices)
            await asyncio.sleep(_PAUSE_S)

    async def _plan(
        self, known: Sequence[Known], tracked: Mapping[int, Alert], now: Instant
    ) -> tuple[list[Alert], list[Notice]]:
        projects = {one.project for one in known}
        audiences = await asyncio.to_thread(self._tellable.audiences, projects) if known else {}
        alerts: list[Alert] = []
        sayings: list[tuple[Known, Saying]] = []
        for one in known:
            before = tracked.get(one.number)
            told = (before.told if before is not None else None) or Told()
            try:
                audience = audiences[one.project]
                silent = one.environment in audience.silent
                standing = self._standing(one, now, silent=silent)
                made = planner.plan(standing, _telling(one, () if silent else _meant(one, audience)), told, now)
            except Exception:  # one that cannot be planned must not silence all others
                _log.exception("an incident cannot be told", incident=one.number)
                made = Plan((), told, None)
            look = None if made.look is None else max(made.look, now + 1)  # or it would be looked at for ever
            alerts.append(Alert(one.number, one.project, one.monitor, made.told, look))
            sayings += [(one, saying) for saying in made.sayings]
        failed = {(one.project, one.last_check_in) for one, saying in sayings if _has_words(one, saying)}
        words = await asyncio.to_thread(self._tellable.messages, failed) if failed else {}
        return alerts, [
            notice
            for one, saying in sayings
            for notice in self._notices(one, saying, now, words.get((one.project, one.last_check_in), ""))
        ]

    def _standing(self, one: Known, now: Instant, *, silent: bool) -> Standing:
        return Standing(
            opened=one.open_time,
            causes=one.causes,
            resolved=one.resolve_time,
            acknowledged=one.acknowledged,
            # Of an environment of which nobody is told, no recovery either; while it is open, there is nobody to tell.
            quiet_until=NEVER if silent and one.resolve_time is not None else self._quiet_until(one, now),
        )

    def _quiet_until(self, one: Known, now: Instant) -> Instant | None:
        if one.off or one.environment_muted:
            return NEVER
        until = max(one.paused_until or 0, one.muted_until or 0)
        if until > now:
            return until
        covered = self._around.in_maintenance(one.project, one.monitor, one.environment, now)
        return now + MINUTE if covered else None

    def _notices(self, one: Known, saying: Saying, now: Instant, message: str) -> Iterable[Notice]:
        shown = self._around.shown_id(one.monitor_id, one.extras)
        content = Content(
            **_naming(one, shown),
            rule=saying.rule,
            schedule=self._around.shown_schedule(one.extras) or describe(one.schedules),
            environment=one.environment,
            at=now,
            since=one.open_time,
            causes=() if saying.kind is NoticeKind.RECOVERY else one.causes,
            reminder=saying.reminder,
            message=message if _has_words(one, saying) else "",
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


def _has_words(one: Known, saying: Saying) -> bool:
    """Whether it is about a report, which may have said something; silence says nothing."""
    return saying.kind is NoticeKind.ALERT and saying.rule not in _SILENCE and bool(one.last_check_in)


def _meant(one: Known, audience: Audience) -> tuple[str, ...]:
    return routing.destinations(one.policy.channels, audience.lists, one.environment)


def _telling(one: Known, destinations: tuple[str, ...]) -> Telling:
    return Telling(
        destinations,
        delay_ms=one.delay_ms,
        undelayed=_UNDELAYED if one.separate_causes else frozenset(),
        repeat_ms=one.policy.repeat_interval_ms,
        limit=one.policy.repeat_limit,
    )


def _naming(monitor: Known | Named, shown: str) -> dict[str, str]:
    """Fields of `Content` that say which monitor it is."""
    return {
        "monitor_id": shown,
        "name": monitor.display_name or shown,
        "group": monitor.group,
        "resource_id": "" if shown == monitor.monitor_id else monitor.monitor_id,
    }


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
