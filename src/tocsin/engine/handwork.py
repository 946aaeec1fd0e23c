"""What people do to incidents: take one on, or call it over."""

import msgspec

from tocsin.domain import errors
from tocsin.domain.commands import AcknowledgeIncident, ResolveIncident
from tocsin.domain.facts import IncidentAcknowledged
from tocsin.domain.incident import Incident
from tocsin.domain.instant import Instant
from tocsin.domain.receipt import Receipt
from tocsin.domain.track import Verdict
from tocsin.engine import naming, silence
from tocsin.engine.causes import Judgement, keep
from tocsin.engine.memory import Needs
from tocsin.engine.state import NOWHERE, State
from tocsin.engine.subject import Subject

_BAD = (Verdict.ERROR, Verdict.MISSED, Verdict.TIMED_OUT)


def acknowledge(state: State, command: AcknowledgeIncident, at: Instant) -> Receipt:
    known = _open(state, command)
    if known is None:
        return _over(command)
    incident = msgspec.structs.replace(known, acknowledge_time=at, acknowledged_by=command.by, note=command.note)
    keep(state, incident)
    state.delta.facts.append(IncidentAcknowledged(incident))
    return Receipt(incident=incident)


def need(state: State, needs: Needs, command: ResolveIncident) -> None:
    """What must be recalled before an incident can be resolved by hand: those of a burst do not name their monitors."""
    known = _open(state, command)
    if known is not None and not known.monitor_id:
        naming.need(state, needs, known.monitor)


def resolve(state: State, command: ResolveIncident, at: Instant) -> Receipt:
    """All its causes end and all counters begin anew; open runs and the slot waited for stay as they are."""
    known = _open(state, command)
    slot = _track(state, known) if known is not None else NOWHERE
    if slot != NOWHERE:
        silence.settle(state, slot, at)  # what was due before belongs to it
    known = _open(state, command)
    if known is None or slot == NOWHERE:
        return _over(command)
    subject = Subject.of(state, slot)
    track = subject.track
    track.failures = track.misses = track.recoveries = 0
    if track.verdict in _BAD:
        track.verdict = Verdict.OK
    keep(state, msgspec.structs.replace(known, resolved_by=command.by, note=command.note or known.note))
    judgement = Judgement(subject, None, at)
    judgement.end_all()
    return Receipt(incident=judgement.apply())


def _open(state: State, command: AcknowledgeIncident | ResolveIncident) -> Incident | None:
    known = state.incidents.get(command.incident)
    return known if known is not None and known.project == command.project else None


def _track(state: State, incident: Incident) -> int:
    """The slot of an open incident's track."""
    monitor_id = incident.monitor_id or naming.id_of(state, incident.project, incident.monitor)
    slot = state.find_monitor(incident.project, monitor_id) if monitor_id else NOWHERE
    return state.find_track(state.monitor(slot), incident.environment) if slot != NOWHERE else NOWHERE


def _over(command: AcknowledgeIncident | ResolveIncident) -> Receipt:
    error = errors.FailedPrecondition(
        f"incident {command.incident} is not open",
        reason="INCIDENT_RESOLVED",
        metadata={"incident": str(command.incident)},
    )
    return Receipt(error=error)
