"""What to say of an incident, to whom and when: a pure function of what is known, what was told and the time.

    plan(standing, telling, told, now) → what to say now, what to remember, when to look again

An alert goes out when a cause has lasted for its delay: one for each cause, then reminders, up to the limit. A recovery
goes to all who were told something. While silence is wanted nothing is said; if the incident is open when it ends,
one alert says so. Who looks late says what was due before the recovery, once, and does not repeat reminders.

Under an escalation an alert also waits for so many failures, and silence is final: what falls due in it, or while there
is nobody to tell, is passed over, and only what falls due later is said. A recovery then goes to those who were told of
something. Reminders in such a silence are not looked at one by one: they are counted when it is over.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from tocsin.domain.instant import MINUTE, NEVER, Instant, Millis
from tocsin.domain.notice import NoticeKind, Told


class Standing(NamedTuple):
    """What is known of an incident now."""

    opened: Instant
    causes: tuple[str, ...]  # what is wrong now; of a resolved one, what was wrong last
    resolved: Instant | None = None
    acknowledged: bool = False
    gone: bool = False  # with its monitor, or its environment
    quiet_until: Instant | None = None  # silence is wanted up to then; NEVER: until something changes; None: it is not
    failures: int = 1  # counted into it


class Telling(NamedTuple):
    """What the monitor's alert policy means here."""

    destinations: tuple[str, ...]
    delay_ms: Millis = 0
    undelayed: frozenset[str] = frozenset()  # causes that have been waited for already
    repeat_ms: Millis = 0  # 0: no reminders
    limit: int = 0  # alerts; 0: any number
    failures: int = 1  # of the incident, before anything is said
    final_silence: bool = False  # what falls due while silence is wanted is not said afterwards


class Saying(NamedTuple):
    kind: NoticeKind
    sequence: int
    rule: str
    destinations: tuple[str, ...]
    reminder: bool = False
    remaining: bool = False  # said later than at the first failure
    reminder_sequence: int = 0  # of a reminder: how many alerts fell due before


class Plan(NamedTuple):
    sayings: tuple[Saying, ...]
    told: Told | None  # to be kept; None: it is over
    look: Instant | None  # when to look again, unless something happens before; None: not before
    failures: int = 0  # look again too when so many are counted; 0: they do not matter


OVER = Plan((), None, None)


def plan(standing: Standing, telling: Telling, told: Told, now: Instant) -> Plan:
    """`told` is `Told()` of an incident that was not looked at before."""
    if standing.gone:
        return OVER
    if standing.resolved is not None:
        return _recovered(standing, telling, told, standing.resolved)
    told = _noted(standing, told, now)
    if standing.quiet_until is not None and not telling.final_silence:
        hushed = msgspec.structs.replace(told, hushed=True)
        return Plan((), hushed, None if standing.quiet_until == NEVER else standing.quiet_until)
    if not telling.destinations and not telling.final_silence:
        return _to_nobody(telling, told, now)
    speech = _Speech(standing, telling, told, now)
    speech.alerts()
    return OVER if speech.over() else Plan(tuple(speech.sayings), speech.told, speech.look(), speech.count())


def _to_nobody(telling: Telling, told: Told, now: Instant) -> Plan:
    """What nobody is to be told when it opens is over. Later there may be somebody again."""
    if not told.sent + told.passed:
        return OVER
    waits = told.last + telling.repeat_ms > now
    kept = told if waits else msgspec.structs.replace(told, last=now)
    return Plan((), kept, kept.last + telling.repeat_ms if telling.repeat_ms else None)


def _recovered(standing: Standing, telling: Telling, told: Told, resolved: Instant) -> Plan:
    if standing.quiet_until is not None:
        return OVER
    told = _noted(standing, told, resolved)
    speech = _Speech(standing, telling, told, resolved)
    if not told.sent + told.passed and not told.hushed:
        speech.causes()  # due before it recovered, and nobody had looked
    recipients = speech.told.recipients
    if recipients:
        rule = (*standing.causes, *speech.told.causes, "")[0]
        speech.sayings.append(Saying(NoticeKind.RECOVERY, speech.told.sent + 1, rule, recipients))
    return Plan(tuple(speech.sayings), None, None)


def _noted(standing: Standing, told: Told, now: Instant) -> Told:
    """With what is wrong now: since when, as far as it was not told. What has ended may begin anew."""
    first = not told.sent + told.passed and not told.seen and not told.hushed
    since = standing.opened if first else now
    causes = tuple(cause for cause in told.causes if cause in standing.causes)
    seen = {cause: told.seen.get(cause, since) for cause in standing.causes if cause not in causes}
    return msgspec.structs.replace(told, causes=causes, seen=seen)


class _Speech:
    """What is said at one look, or passed over in silence."""

    def __init__(self, standing: Standing, telling: Telling, told: Told, now: Instant) -> None:
        self.standing, self.telling, self.told, self.now = standing, telling, told, now
        self.sayings: list[Saying] = []
        self._silence = standing.quiet_until
        if self._silence is None and not telling.destinations:  # who comes may come unseen: asked ever more seldom
            self._silence = now + max(MINUTE, now - (told.last or now))

    def alerts(self) -> None:
        if self._silence is None:
            self._pass_over()
        before = self._due_before()
        self.causes()
        told = self.told
        if self._silence is not None or self._due_before() > before or not before or self.standing.acknowledged:
            pass
        elif told.hushed or self._reminder() <= self.now:
            self._alert((*self.standing.causes, *told.causes)[:1], reminder=True)
        self.told = msgspec.structs.replace(self.told, hushed=False, silence=self._silence or 0)

    def _pass_over(self) -> None:
        """Reminders that fell due in the silence before."""
        told, every = self.told, self.telling.repeat_ms
        end = min(self.now, told.silence)
        if self._due_before() and every and end > told.last and not self.standing.acknowledged:
            many = int(min((end - 1 - told.last) // every, max(self._left(), 0)))
            self.told = msgspec.structs.replace(told, passed=told.passed + many, last=told.last + many * every)

    def causes(self) -> None:
        """One alert for each cause that has lasted for its delay, once there are enough failures."""
        if self._counted():
            self._alert([cause for cause, since in self.told.seen.items() if self._due(cause, since) <= self.now])

    def look(self) -> Instant | None:
        times = list(self._times())
        return min(times) if times else None

    def over(self) -> bool:
        """Nobody was told anything, and nothing can follow that somebody could be told."""
        waits = self.told.seen and not self._counted()
        reminds = self.telling.repeat_ms and self._left() > 0
        return not (self.telling.destinations or self.told.sent or waits or reminds or self.look() is not None)

    def count(self) -> int:
        return 0 if self._counted() or self._left() <= 0 else self.telling.failures

    def _times(self) -> Iterator[Instant]:
        if self._left() <= 0:
            return
        if self._counted():
            for cause, since in self.told.seen.items():
                yield self._due(cause, since)
        if self._due_before() and not self.standing.acknowledged and self._reminder() != NEVER:
            if self._silence is None:
                yield self._reminder()
            elif self._silence != NEVER:  # the first one after it
                every = self.telling.repeat_ms
                yield max(self._reminder(), self.told.last + -((self.told.last - self._silence) // every) * every)

    def _alert(self, causes: Iterable[str], *, reminder: bool = False) -> None:
        for cause in causes:
            told = self.told
            if self._left() <= 0:
                return
            sequence = told.sent + 1
            if self._silence is None:
                late = reminder or self.telling.failures > 1 or self._delay(cause) > 0
                which = self._due_before() if reminder else 0
                said = Saying(NoticeKind.ALERT, sequence, cause, self.telling.destinations, reminder, late, which)
                self.sayings.append(said)
                heard = tuple(dict.fromkeys((*told.recipients, *self.telling.destinations)))
                told = msgspec.structs.replace(told, sent=sequence, recipients=heard)
            else:
                told = msgspec.structs.replace(told, passed=told.passed + 1)
            self.told = msgspec.structs.replace(
                told,
                last=self.now,
                causes=told.causes if reminder else (*told.causes, cause),
                seen={other: since for other, since in told.seen.items() if other != cause},
            )

    def _due_before(self) -> int:
        """Alerts that have fallen due."""
        return self.told.sent + self.told.passed

    def _left(self) -> float:
        """Alerts that may still fall due."""
        return self.telling.limit - self._due_before() if self.telling.limit else float("inf")

    def _counted(self) -> bool:
        return self.telling.failures <= 1 or self.standing.failures >= self.telling.failures

    def _due(self, cause: str, since: Instant) -> Instant:
        return since + self._delay(cause)

    def _delay(self, cause: str) -> Millis:
        return 0 if cause in self.telling.undelayed else self.telling.delay_ms

    def _reminder(self) -> Instant:
        return self.told.last + self.telling.repeat_ms if self.telling.repeat_ms else NEVER
