"""Open runs: filed by their state, looked at again when silence may have done something to them, and ended by it."""

import msgspec

from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.facts import TimedOut, Unjudged
from tocsin.domain.instant import NEVER, Instant
from tocsin.domain.track import Verdict
from tocsin.engine import verdicts
from tocsin.engine.deadlines import RUN
from tocsin.engine.subject import Subject


def settle(subject: Subject, run: CheckIn) -> None:
    """Files a run as open or closed, by its state, and keeps counts and time-out deadline true."""
    state, slot, track = subject.state, subject.slot, subject.track
    if run.state is State.IN_PROGRESS:
        state.runs.put(slot, run)
    else:
        state.runs.remove(run)
    count, track.run_deadline = state.runs.summary(slot)
    track.open_runs = min(count, 0xFFFF)
    state.deadlines.put(slot, RUN, track.run_deadline)


def limit(subject: Subject, since: Instant | None) -> None:
    """Open runs without a limit have their longest time from `since`; None: while nothing is judged, none has one."""
    timeout = None if since is None else subject.timing.timeout(since)
    for run in subject.state.runs.of(subject.slot):
        if (run.timeout_time is None) != (timeout is None):
            limited = msgspec.structs.replace(run, timeout_time=timeout)
            subject.state.record(limited)
            settle(subject, limited)


def judge(subject: Subject, due: Instant, at: Instant) -> None:
    """What is due of the runs of a track at `due`, found at `at`."""
    for run in subject.state.runs.of(subject.slot):
        if run.timeout_time is not None and run.timeout_time <= due:
            time_out(subject, run, at)


def time_out(subject: Subject, run: CheckIn, at: Instant, *, deaf: bool = False) -> None:
    """Ends a run that passed its limit: TIMED_OUT, or UNKNOWN when its end may have been lost in an outage."""
    state, track, deadline = subject.state, subject.track, run.timeout_time
    assert deadline is not None
    unknown = deaf or run.deafened
    ended = msgspec.structs.replace(
        run, state=State.UNKNOWN if unknown else State.TIMED_OUT, update_time=deadline, timeout_time=None
    )
    state.record(ended)
    settle(subject, ended)
    if unknown:
        verdicts.leave_unjudged(track)
        state.delta.facts.append(Unjudged(ended))
        return
    track.timed_out_count += 1
    if track.last_start == NEVER or run.receive_time >= track.last_start:  # otherwise a newer run has spoken already
        verdicts.fail(subject, ended, Verdict.TIMED_OUT, deadline)
    state.delta.facts.append(TimedOut(ended, deadline, at))
