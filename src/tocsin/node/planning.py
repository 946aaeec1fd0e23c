"""Plans what is to be told: reads incidents in slices, asks the planner, keeps what it says in one transaction a slice.

Slices are short and pause in between: on SQLite they share the one writer with check-ins, which must not wait.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec
import structlog

from tocsin.domain.escalation import holding
from tocsin.domain.instant import MINUTE, NEVER, Clock, Instant
from tocsin.domain.notice import Notice, NoticeState, Told
from tocsin.node import drafting
from tocsin.node.drafting import Surroundings
from tocsin.notify import planner, routing
from tocsin.notify.planner import Plan, Saying, Standing, Telling
from tocsin.store.outbox import Alert, SqlOutbox
from tocsin.store.tellable import Audience, Known, Named, SqlTellable

SLICE: Final = 100  # incidents a transaction
_PAUSE_S: Final = 0.002  # between two
_CURSOR_EVERY_MS: Final = MINUTE  # how often it is written when nobody is to be told of what opens
_UNDELAYED: Final = frozenset(("missed",))  # its margin was the wait

_log = structlog.get_logger("tocsin.planning")


class Planning:
    def __init__(
        self, outbox: SqlOutbox, tellable: SqlTellable, clock: Clock, surroundings: Surroundings | None = None
    ) -> None:
        self._outbox, self._tellable, self._clock = outbox, tellable, clock
        self._around = surroundings or Surroundings()
        self.counting: dict[int, int] = {}  # incidents that wait for so many failures
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
            for number in numbers[first : first + SLICE]:
                self.counting.pop(number, None)
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

    async def heard(self, monitors: Collection[int], groups: Collection[int], projects: Collection[int] = ()) -> None:
        """Open incidents of monitors, members of groups and projects, that somebody hears of since a moment ago.

        Where nobody did before, what was due up to now is passed over: only an escalation may have more to say.
        """
        if self._cursor is None:
            return
        found = await asyncio.to_thread(self._tellable.open_of, monitors, groups, projects)
        numbers = [number for number in found if number <= self._cursor]  # the others are still to be looked at
        for first in range(0, len(numbers), SLICE):
            some = numbers[first : first + SLICE]
            tracked = await asyncio.to_thread(self._outbox.tracked, some)
            await self.again(tracked)
            known = await asyncio.to_thread(self._tellable.incidents, set(some) - tracked.keys())
            now = self._clock.now()
            new = {one.number: alert for one in known.values() if (alert := self._passed(one, now)) is not None}
            alerts, notices = await self._plan([known[number] for number in new], new, now)
            if alerts:
                await asyncio.to_thread(self._outbox.keep, alerts, notices)
                self._around.planned(notices)
                await asyncio.sleep(_PAUSE_S)

    def _passed(self, one: Known, now: Instant) -> Alert | None:
        """As if it had been looked at so far, and there was nobody to tell."""
        telling = self._telling(one, ())
        if not telling.final_silence:
            return None
        told = planner.plan(self._standing(one, now, silent=False), telling, Told(), now).told
        return None if told is None else Alert(one.number, one.project, one.monitor, told, None)

    async def events(self) -> None:
        """Reports of which somebody wants to know: now is looked up who."""
        while events := await asyncio.to_thread(self._outbox.planned_events, SLICE):
            named = await asyncio.to_thread(self._tellable.monitors, {event.monitor for event in events})
            audiences = await asyncio.to_thread(self._tellable.audiences, {event.project for event in events})
            notices: list[Notice] = []
            for event in events:
                monitor, environment = named.get(event.monitor), event.content.environment
                audience = audiences[event.project]
                if monitor is None or monitor.group_quiet or environment in audience.silent:
                    continue
                at = event.create_time
                if self._around.silenced(event.project, event.monitor, environment, at, monitor.group_tags):
                    continue
                shown = self._around.shown_id(monitor.monitor_id, monitor.extras)
                content = msgspec.structs.replace(event.content, **drafting.naming(monitor, shown))
                draft = msgspec.structs.replace(event, state=NoticeState.PENDING, content=content)
                meant = _meant(monitor, environment, audience)
                notices += [drafting.addressed(draft, destination) for destination in meant]
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
                meant = () if silent else _meant(one, one.environment, audience)
                made = planner.plan(standing, self._telling(one, meant), told, now)
            except Exception:  # one that cannot be planned must not silence all others
                _log.exception("an incident cannot be told", incident=one.number)
                made = Plan((), told, None)
            if made.failures:
                self.counting[one.number] = made.failures
            look = None if made.look is None else max(made.look, now + 1)  # or it would be looked at for ever
            alerts.append(Alert(one.number, one.project, one.monitor, made.told, look))
            sayings += [(one, saying) for saying in made.sayings]
        return alerts, await self._drafted(sayings, now)

    async def _drafted(self, sayings: Sequence[tuple[Known, Saying]], now: Instant) -> list[Notice]:
        about = {(one.project, check_in) for one, saying in sayings if (check_in := drafting.about(one, saying))}
        found = await asyncio.to_thread(self._tellable.check_ins, about) if about else {}
        named = {
            (one.project, key)
            for one, saying in sayings
            for destination in saying.destinations
            if (key := drafting.channel_in(destination))
        }
        flags = await asyncio.to_thread(self._tellable.flags, named) if named else {}
        return [
            notice
            for one, saying in sayings
            for notice in drafting.notices(
                one, saying, now, found.get((one.project, drafting.about(one, saying))), self._around, flags
            )
        ]

    def _standing(self, one: Known, now: Instant, *, silent: bool) -> Standing:
        return Standing(
            opened=one.open_time,
            causes=one.causes,
            resolved=one.resolve_time,
            acknowledged=one.acknowledged,
            # Of an environment of which nobody is told, no recovery either; while it is open, there is nobody to tell.
            quiet_until=NEVER if silent and one.resolve_time is not None else self._quiet_until(one, now),
            failures=one.failures,
        )

    def _quiet_until(self, one: Known, now: Instant) -> Instant | None:
        if one.off or one.environment_muted or one.group_quiet:
            return NEVER
        until = max(one.paused_until or 0, one.muted_until or 0)
        if until > now:
            return until
        covered = self._around.silenced(one.project, one.monitor, one.environment, now, one.tags)
        return now + MINUTE if covered else None

    def _telling(self, one: Known, destinations: tuple[str, ...]) -> Telling:
        escalation = holding(one.policy, self._around.project_escalation(one.project), one.group_escalation)
        if escalation is None:
            return Telling(
                destinations,
                delay_ms=one.delay_ms,
                undelayed=_UNDELAYED if one.separate_causes else frozenset(),
                repeat_ms=one.policy.repeat_interval_ms,
                limit=one.policy.repeat_limit,
            )
        return Telling(
            destinations,
            delay_ms=escalation.delay_ms,
            repeat_ms=escalation.repeat_interval_ms,
            limit=escalation.repeat_limit,
            failures=escalation.failures,
            final_silence=True,
        )


def _meant(one: Known | Named, environment: str, audience: Audience) -> tuple[str, ...]:
    return routing.destinations(one.policy.channels, audience.lists, environment, one.subscribed)
