"""Causes: what is wrong with a track, each arising and ending for itself. An incident is open while there is any.

A cause has a name: "missed", "error", "timeout", or the text of an assertion. Misses, errors and time-outs are one and
the same thing under most policies, called by what came first; with `separate_causes` each is one of its own.
"""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from tocsin.domain.check_in import CheckIn
from tocsin.domain.facts import IncidentContinued, IncidentOpened, IncidentResolved
from tocsin.domain.incident import Cause, Incident
from tocsin.domain.instant import Instant
from tocsin.domain.track import Health
from tocsin.engine.rules import HEALTH, Effect, Outcome
from tocsin.engine.state import MUTED, State
from tocsin.engine.subject import Subject

MISSED: Final = frozenset((Cause.MISSED.value,))
FAILED: Final = frozenset((Cause.ERROR.value, Cause.TIMED_OUT.value))
TOGETHER: Final = MISSED | FAILED

Held = tuple[str, bool]  # an assertion's text, and whether it holds


class Judgement:
    """What one event says of a track. It is gathered first, so that an incident moves but once."""

    def __init__(self, subject: Subject, check_in: CheckIn | None, at: Instant) -> None:
        """`check_in`: of the event; None when somebody decides by hand."""
        self._subject, self._check_in, self._at = subject, check_in, at
        track = subject.track
        self._known = subject.state.incidents[track.incident] if track.incident else None
        self._active: tuple[str, ...] = self._known.causes if self._known else ()
        self._health = Health.HEALTHY if track.health == Health.UNHEALTHY else Health(track.health)  # without causes
        self._arisen: dict[str, Cause] = {}
        self._ended: set[str] = set()
        self._failed = False

    def outcome(self, outcome: Outcome, of: Collection[str], cause: Cause | None = None) -> None:
        """What the table says of an outcome that is about the causes `of` these names; it may give rise to `cause`."""
        active = [name for name in self._active if name in of]
        health, effect = HEALTH[Health.UNHEALTHY if active else self._health, outcome]
        if effect is Effect.RESOLVE:
            self._ended.update(active)
        elif effect is not Effect.NONE:
            assert cause is not None
            self._failed = True
            if effect is Effect.OPEN:
                self._arisen[cause.value] = cause
        if not active and health != Health.UNHEALTHY:
            self._health = health

    def measured(self, held: Iterable[Held]) -> None:
        """Assertions that were evaluated. What one run or event violates counts once, however often it is found."""
        for text, holds in held:
            if holds:
                self._ended.add(text)
            elif text not in self._active:
                self._arisen[text] = Cause.ASSERTION
            elif self._known and self._check_in and self._known.last_check_in != self._check_in.id:
                self._failed = True

    def end(self, names: Collection[str]) -> None:
        self._ended.update(names)

    def end_all(self, *, but: Collection[str] = ()) -> None:
        self._ended.update(name for name in self._active if name not in but)

    def apply(self) -> Incident | None:
        """Moves health and incident; the incident if it did anything to one."""
        left = tuple(name for name in self._active if name not in self._ended)
        causes = (*left, *self._arisen)
        track, known = self._subject.track, self._known
        track.health = Health.UNHEALTHY if causes else self._health
        if known is None:
            return self._open(causes) if causes else None
        if not causes:
            return self._resolve(known)
        if self._failed or causes != self._active:
            return self._go_on(known, causes)
        return None

    def _open(self, causes: tuple[str, ...]) -> Incident:
        state, track, monitor = self._subject.state, self._subject.track, self._subject.monitor
        assert self._check_in is not None
        cause = self._arisen[causes[0]]
        incident = Incident(
            number=state.number("incident"),
            project=monitor.project,
            monitor=monitor.number,
            monitor_id=self._check_in.monitor_id,
            track=track.number,
            environment=self._subject.environment,
            cause=cause,
            open_time=self._at,
            first_check_in=self._check_in.id,
            last_check_in=self._check_in.id,
            failure_count=max(track.failures, track.misses, 1),
            muted=monitor.muted(self._at) or bool(track.flags & MUTED),
            causes=causes,
            assertion=causes[0] if cause is Cause.ASSERTION else "",
        )
        track.incident = incident.number
        keep(state, incident)
        state.delta.facts.append(IncidentOpened(incident))
        return incident

    def _go_on(self, known: Incident, causes: tuple[str, ...]) -> Incident:
        changes: dict[str, object] = {"causes": causes}
        if self._check_in is not None and (self._failed or self._arisen):
            changes |= {"last_check_in": self._check_in.id, "failure_count": known.failure_count + 1}
        incident = msgspec.structs.replace(known, **changes)
        keep(self._subject.state, incident)
        ended = tuple(name for name in self._active if name in self._ended)
        facts = [IncidentContinued(incident, added=name) for name in self._arisen] or [IncidentContinued(incident)]
        facts[0] = msgspec.structs.replace(facts[0], ended=ended)
        self._subject.state.delta.facts.extend(facts)
        return incident

    def _resolve(self, known: Incident) -> Incident:
        state, track = self._subject.state, self._subject.track
        resolving = self._check_in.id if self._check_in is not None else ""
        incident = msgspec.structs.replace(known, resolve_time=self._at, resolving_check_in=resolving)
        state.incidents.pop(known.number)
        state.delta.incidents[incident.number] = incident
        track.incident = 0
        state.delta.facts.append(IncidentResolved(incident))
        return incident


def keep(state: State, incident: Incident) -> None:
    """An open one, new or changed."""
    state.incidents[incident.number] = state.delta.incidents[incident.number] = incident
