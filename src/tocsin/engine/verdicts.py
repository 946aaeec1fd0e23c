"""From an outcome to health, incidents and facts: the one place where a track's health moves."""

import msgspec

from tocsin.domain import errors
from tocsin.domain.check_in import CheckIn
from tocsin.domain.commands import AcknowledgeIncident, ResolveIncident
from tocsin.domain.facts import IncidentAcknowledged, IncidentContinued, IncidentOpened, IncidentResolved
from tocsin.domain.incident import Cause, Incident
from tocsin.domain.instant import Instant
from tocsin.domain.receipt import Receipt
from tocsin.domain.track import Health, Track, Verdict
from tocsin.engine import thresholds
from tocsin.engine.rules import HEALTH, Effect, Outcome
from tocsin.engine.state import MUTED, State
from tocsin.engine.subject import Subject

_CAUSES = {Verdict.ERROR: Cause.ERROR, Verdict.MISSED: Cause.MISSED, Verdict.TIMED_OUT: Cause.TIMED_OUT}


def succeed(subject: Subject, check_in: CheckIn, at: Instant, *, reset: bool = False) -> None:
    """An OK. `reset` recovers whatever the threshold says."""
    outcome = thresholds.count_ok(subject.track, subject.timing.policy.tolerance)
    subject.track.verdict = Verdict.OK
    _move(subject, Outcome.GOOD_ENOUGH if reset else outcome, check_in, at)


def fail(subject: Subject, check_in: CheckIn, verdict: Verdict, at: Instant) -> None:
    """An error, a miss or a time-out."""
    count = thresholds.count_miss if verdict is Verdict.MISSED else thresholds.count_failure
    outcome = count(subject.track, subject.timing.policy.tolerance)
    subject.track.verdict = verdict
    _move(subject, outcome, check_in, at)


def leave_unjudged(track: Track) -> None:
    """A slot or run became UNKNOWN: seen in the verdict, counted nowhere."""
    track.verdict = Verdict.UNKNOWN
    track.unknown_count += 1


def _move(subject: Subject, outcome: Outcome, check_in: CheckIn, at: Instant) -> None:
    state, track, monitor = subject.state, subject.track, subject.monitor
    health, effect = HEALTH[Health(track.health), outcome]
    track.health = health
    if effect is Effect.OPEN:
        incident = Incident(
            number=state.number("incident"),
            project=monitor.project,
            monitor=monitor.number,
            monitor_id=check_in.monitor_id,
            track=track.number,
            environment=subject.environment,
            cause=_CAUSES[Verdict(track.verdict)],
            open_time=at,
            first_check_in=check_in.id,
            last_check_in=check_in.id,
            failure_count=max(track.failures, track.misses),
            muted=monitor.muted(at) or bool(track.flags & MUTED),
        )
        track.incident = incident.number
        keep(state, incident)
        state.delta.facts.append(IncidentOpened(incident))
    elif effect is Effect.CONTINUE:
        known = state.incidents[track.incident]
        incident = msgspec.structs.replace(known, last_check_in=check_in.id, failure_count=known.failure_count + 1)
        keep(state, incident)
        state.delta.facts.append(IncidentContinued(incident))
    elif effect is Effect.RESOLVE:
        known = state.incidents.pop(track.incident)
        incident = msgspec.structs.replace(known, resolve_time=at, resolving_check_in=check_in.id)
        state.delta.incidents[incident.number] = incident
        track.incident = 0
        state.delta.facts.append(IncidentResolved(incident))


def attend(state: State, incident: int, at: Instant) -> None:
    """Somebody dealt with what an incident (its number, 0: none) is about: the time to call it broken begins anew."""
    if (known := state.incidents.get(incident)) is not None:
        keep(state, msgspec.structs.replace(known, attended_time=at))


def keep(state: State, incident: Incident) -> None:
    """An open one, new or changed."""
    state.incidents[incident.number] = state.delta.incidents[incident.number] = incident


def by_hand(state: State, command: AcknowledgeIncident | ResolveIncident, at: Instant) -> Receipt:
    """What people do about an open incident."""
    known = state.incidents.get(command.incident)
    if known is None or known.project != command.project:
        error = errors.FailedPrecondition(
            f"incident {command.incident} is not open",
            reason="INCIDENT_RESOLVED",
            metadata={"incident": str(command.incident)},
        )
        return Receipt(error=error)
    if isinstance(command, ResolveIncident):
        return _resolve(state, known, command, at)
    incident = msgspec.structs.replace(known, acknowledge_time=at, acknowledged_by=command.by, note=command.note)
    keep(state, incident)
    state.delta.facts.append(IncidentAcknowledged(incident))
    return Receipt(incident=incident)


def _resolve(state: State, known: Incident, command: ResolveIncident, at: Instant) -> Receipt:
    """Counters begin anew; the last verdict stays what it was."""
    state.write_back()
    track = state.track(state.tracks.column("incident").tolist().index(known.number))
    track.health, _ = HEALTH[Health(track.health), Outcome.GOOD_ENOUGH]
    track.failures = track.misses = track.recoveries = track.incident = 0
    del state.incidents[known.number]
    incident = msgspec.structs.replace(known, resolve_time=at, resolved_by=command.by, note=command.note or known.note)
    state.delta.incidents[incident.number] = incident
    state.delta.facts.append(IncidentResolved(incident))
    return Receipt(incident=incident)
