"""Open runs: each is looked at again when the first thing is due that silence does to it.

    time-out       the run passed its longest time: TIMED_OUT, a failure
    bound          the run passed the upper bound that an assertion sets its duration: a violation, and the run goes on
    abandonment    nobody will end it any more: ABANDONED, which counts for nothing

Bounds and abandonment are not kept with the run: they follow from the policy and from when the run began. Which bounds
have been judged follows from the track, which waits for the first thing that has not.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.facts import Abandoned, TimedOut, Unjudged
from tocsin.domain.instant import DAY, MINUTE, NEVER, Instant, ceil_second
from tocsin.domain.track import Verdict
from tocsin.engine import verdicts
from tocsin.engine.deadlines import RUN
from tocsin.engine.subject import Subject
from tocsin.engine.timing import Timing

SPOOL_GRACE: Final = MINUTE  # a run whose start was delivered late has at least this long to deliver its end
ABANDONED_AFTER: Final = DAY  # at least
SLOTS: Final = 3  # distances between them, if that is longer


def settle(subject: Subject, run: CheckIn, at: Instant) -> None:
    """Files a run as open or closed, by its state, and keeps counts and deadline true.

    `at`: what was due of its bounds strictly before has been judged.
    """
    state, slot, track = subject.state, subject.slot, subject.track
    if run.state is State.IN_PROGRESS:
        state.runs.put(slot, run, next_look(subject, run, at))
    else:
        state.runs.remove(run)
    count, track.run_deadline = state.runs.summary(slot)
    track.open_runs = min(count, 0xFFFF)
    state.deadlines.put(slot, RUN, track.run_deadline)


def next_look(subject: Subject, run: CheckIn, at: Instant) -> Instant:
    """When the first thing is due of an open run that was not judged before `at`; NEVER: nothing is."""
    timing = subject.timing
    first = NEVER if run.timeout_time is None else run.timeout_time
    if timing.policy.abandon_runs:
        first = min(first, _abandoned(timing, run))
    if _is_bounded(subject, run):
        first = min([first, *(due for due, _ in _bounds(timing, run) if due >= at)])
    return first


def limit(subject: Subject, at: Instant, *, judged: bool) -> None:
    """Open runs without a limit have their longest time from `at`; while nothing is `judged`, none has one."""
    timeout = subject.timing.timeout(at) if judged else None
    for run in subject.state.runs.of(subject.slot):
        if (run.timeout_time is None) != (timeout is None):
            run = msgspec.structs.replace(run, timeout_time=timeout)  # noqa: PLW2901 - it is another from here on
            subject.state.record(run)
        elif not subject.timing.bounds:
            continue
        settle(subject, run, at)


def judge(subject: Subject, due: Instant, at: Instant) -> None:
    """What is due of the runs of a track at `due`, found at `at`."""
    timing = subject.timing
    for run in subject.state.runs.of(subject.slot):
        if run.timeout_time is not None and run.timeout_time <= due:
            time_out(subject, run, at)
            continue
        if timing.policy.abandon_runs and _abandoned(timing, run) <= due:
            _abandon(subject, run, due)
            continue
        passed = [(text, False) for bound, text in _bounds(timing, run) if bound == due]
        if passed and _is_bounded(subject, run):
            verdicts.measure(subject, run, passed, due)
            settle(subject, run, due + 1)
    if subject.track.run_deadline <= due:  # it was due by slots that have moved since
        for run in subject.state.runs.of(subject.slot):
            settle(subject, run, due + 1)


def time_out(subject: Subject, run: CheckIn, at: Instant, *, deaf: bool = False) -> None:
    """Ends a run that passed its limit: TIMED_OUT, or UNKNOWN when its end may have been lost in an outage."""
    state, track, deadline = subject.state, subject.track, run.timeout_time
    assert deadline is not None
    unknown = deaf or run.deafened
    ended = msgspec.structs.replace(
        run, state=State.UNKNOWN if unknown else State.TIMED_OUT, update_time=deadline, timeout_time=None
    )
    state.record(ended)
    settle(subject, ended, deadline)
    if unknown:
        verdicts.leave_unjudged(track)
        state.delta.facts.append(Unjudged(ended))
        return
    track.timed_out_count += 1
    if track.last_start == NEVER or run.receive_time >= track.last_start:  # otherwise a newer run has spoken already
        verdicts.fail(subject, ended, Verdict.TIMED_OUT, deadline)
    state.delta.facts.append(TimedOut(ended, deadline, at))


def abandon_oldest(subject: Subject, at: Instant) -> None:
    """Makes room for one more run of the track."""
    _abandon(subject, subject.state.runs.of(subject.slot)[0], at)


def _abandon(subject: Subject, run: CheckIn, due: Instant) -> None:
    ended = msgspec.structs.replace(run, state=State.ABANDONED, update_time=due, timeout_time=None)
    subject.state.record(ended)
    settle(subject, ended, due)
    subject.state.delta.facts.append(Abandoned(ended))


def _abandoned(timing: Timing, run: CheckIn) -> Instant:
    return ceil_second(run.receive_time + max(ABANDONED_AFTER, SLOTS * timing.distance(run.receive_time)))


def _is_bounded(subject: Subject, run: CheckIn) -> bool:
    """Not while nothing is judged, and not when the run's end may have been lost in an outage."""
    return bool(subject.timing.bounds) and not run.deafened and not subject.monitor.quiet(run.receive_time)


def _bounds(timing: Timing, run: CheckIn) -> Iterator[tuple[Instant, str]]:
    """When a run has passed each of the bounds, and whose they are."""
    began = run.start_time if run.start_time is not None else run.receive_time
    for one in timing.bounds:
        assert one.longest is not None
        passed = began + one.longest
        yield ceil_second(passed if passed > run.receive_time else run.receive_time + SPOOL_GRACE), one.text
