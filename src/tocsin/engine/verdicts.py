"""From an outcome to counters, health and incidents: what each thing that can happen says of a track."""

from collections.abc import Collection, Iterable

import msgspec

from tocsin.domain.check_in import CheckIn
from tocsin.domain.incident import BY_DEACTIVATION, Cause
from tocsin.domain.instant import NEVER, Instant
from tocsin.domain.track import Health, Track, Verdict
from tocsin.engine import thresholds
from tocsin.engine.causes import FAILED, MISSED, TOGETHER, Held, Judgement, keep
from tocsin.engine.rules import Outcome
from tocsin.engine.state import BEGUN, State
from tocsin.engine.subject import Subject

_CAUSES = {Verdict.ERROR: Cause.ERROR, Verdict.MISSED: Cause.MISSED, Verdict.TIMED_OUT: Cause.TIMED_OUT}


def succeed(
    subject: Subject,
    check_in: CheckIn,
    at: Instant,
    *,
    reset: bool = False,
    on_schedule: bool = True,
    held: Iterable[Held] = (),
) -> None:
    """An OK. `reset` recovers whatever the thresholds say, and ends all causes; `held`: assertions, see `Judgement`."""
    track, policy = subject.track, subject.timing.policy
    outcome = thresholds.count_ok(track, policy, on_schedule=on_schedule or reset)
    track.verdict = Verdict.OK
    judgement = Judgement(subject, check_in, at)
    judgement.outcome(Outcome.GOOD_ENOUGH if reset else outcome, FAILED if policy.separate_causes else TOGETHER)
    if policy.separate_causes:
        judgement.end(MISSED)
    judgement.measured(held)
    if reset:
        judgement.end_all()
    judgement.apply()


def fail(
    subject: Subject,
    check_in: CheckIn,
    verdict: Verdict,
    at: Instant,
    *,
    on_schedule: bool = False,
    held: Iterable[Held] = (),
) -> None:
    """An error, a miss or a time-out."""
    track, policy = subject.track, subject.timing.policy
    if verdict is Verdict.MISSED:
        outcome = thresholds.count_miss(track, policy)
    else:
        outcome = thresholds.count_failure(track, policy, on_schedule=on_schedule)
    track.verdict = verdict
    cause = _CAUSES[verdict]
    judgement = Judgement(subject, check_in, at)
    judgement.outcome(outcome, (cause.value,) if policy.separate_causes else TOGETHER, cause)
    if policy.separate_causes and verdict is Verdict.ERROR:
        judgement.end(MISSED)  # it did run
    judgement.measured(held)
    judgement.apply()


def appear(subject: Subject, check_in: CheckIn, at: Instant, *, on_schedule: bool, held: Collection[Held] = ()) -> None:
    """A run began or showed life: where causes are apart, nothing is missing any more."""
    track, apart = subject.track, subject.timing.policy.separate_causes
    if not apart and not held:
        return
    judgement = Judgement(subject, check_in, at)
    if apart:
        if on_schedule:
            track.misses = 0
        if track.verdict == Verdict.MISSED:
            track.verdict = Verdict.NONE
        judgement.end(MISSED)
    judgement.measured(held)
    judgement.apply()


def measure(subject: Subject, check_in: CheckIn, held: Iterable[Held], at: Instant) -> None:
    """Assertions that were evaluated, and nothing else."""
    judgement = Judgement(subject, check_in, at)
    judgement.measured(held)
    judgement.apply()


def leave_unjudged(track: Track) -> None:
    """A slot or run became UNKNOWN: seen in the verdict, counted nowhere."""
    track.verdict = Verdict.UNKNOWN
    track.unknown_count += 1


def drop_assertions(subject: Subject, at: Instant) -> None:
    """Assertions that the policy does not have any more are no causes any more."""
    if subject.track.incident:
        judgement = Judgement(subject, None, at)
        judgement.end_all(but=TOGETHER.union(subject.timing.policy.assertions))
        judgement.apply()


def drop_misses(subject: Subject, at: Instant) -> None:
    """Without a schedule nothing is missing. Where causes are together, what is wrong is what happened last."""
    track, policy = subject.track, subject.timing.policy
    track.misses = 0
    missing = track.verdict == Verdict.MISSED
    if missing:
        track.verdict = Verdict.NONE
        if not policy.separate_causes:
            track.failures = 0
    if track.incident and (missing or policy.separate_causes):
        judgement = Judgement(subject, None, at)
        judgement.end(MISSED)
        judgement.apply()


def forget(subject: Subject, at: Instant) -> None:
    """It was switched off: what went well or wrong before counts for nothing, and nobody is told that it is over."""
    state, track = subject.state, subject.track
    if (known := state.incidents.get(track.incident)) is not None:
        keep(state, msgspec.structs.replace(known, resolved_by=BY_DEACTIVATION))
        judgement = Judgement(subject, None, at)
        judgement.end_all()
        judgement.apply()
    track.failures = track.misses = track.recoveries = 0
    track.verdict, track.health = Verdict.NONE, Health.NEW
    track.last_lapse, track.last_lapse_slot = 0, NEVER
    track.flags &= ~BEGUN


def attend(state: State, incident: int, at: Instant) -> None:
    """Somebody dealt with what an incident (its number, 0: none) is about: the time to call it broken begins anew."""
    if (known := state.incidents.get(incident)) is not None:
        keep(state, msgspec.structs.replace(known, attended_time=at))
