"""What silence means: slots missed, runs timed out, judged track by track in the order of their deadlines.

A deadline is judged strictly before `at`: a report in the same millisecond is on time. After long silence of the loop
(slow, not deaf) every slot is judged in order; each is counted from the deadline of the one before, never from the tick.
"""

import msgspec

from tocsin.domain import ids
from tocsin.domain.check_in import CheckIn, State as CheckInState
from tocsin.domain.facts import Missed, TimedOut, Unjudged
from tocsin.domain.instant import NEVER, Instant
from tocsin.domain.monitor import ExpectFrom
from tocsin.domain.track import Track, TrackFlag, Verdict
from tocsin.engine import verdicts
from tocsin.engine.deadlines import RUN, SLOT
from tocsin.engine.state import DISABLED, INACTIVE, MonitorEntry, State
from tocsin.engine.timing import Timing


def expect(state: State, slot: int, track: Track, timing: Timing, expected: Instant) -> None:
    """Waits for a slot. NEVER waits for nothing."""
    track.expected = expected
    track.deadline = timing.deadline(expected)
    track.flags &= ~TrackFlag.DEAFENED
    state.deadlines.put(slot, SLOT, track.deadline)


def stop_waiting(state: State, slot: int, track: Track, wake: Instant = NEVER) -> None:
    """Waits for no slot; looks at the track again at `wake` (the end of a pause)."""
    track.expected = track.deadline = NEVER
    track.flags &= ~TrackFlag.DEAFENED
    state.deadlines.put(slot, SLOT, wake)


def rearm(state: State, slot: int, track: Track, monitor: MonitorEntry, timing: Timing, at: Instant) -> None:
    """Decides anew what a track waits for: after a change of its monitor, or at the end of a pause."""
    if monitor.flags & (DISABLED | INACTIVE):
        stop_waiting(state, slot, track)
    elif monitor.paused(at):
        stop_waiting(state, slot, track, monitor.paused_until)
    elif track.last_check_in != NEVER:
        expected = timing.next_after(track.last_check_in)
        if timing.deadline(expected) < at:  # a change must not make a miss of what nobody waited for
            expected = timing.next_after(at)
        expect(state, slot, track, timing, expected)
    elif timing.policy.expect_from is ExpectFrom.CREATION or track.last_lapse:
        expect(state, slot, track, timing, timing.next_after(at))
    else:
        stop_waiting(state, slot, track)


def settle(state: State, slot: int, at: Instant) -> None:
    """Judges everything of one track that was due strictly before `at`."""
    track = state.peek(slot)
    monitor = state.monitor(track.monitor)
    if min(track.deadline, track.run_deadline) >= at and not (track.deadline == NEVER and 0 < monitor.paused_until <= at):
        return
    track = state.track(slot)
    timing = state.timing(monitor)
    if 0 < monitor.paused_until <= at and track.deadline == NEVER:
        _end_pause(state, slot, track, monitor, timing)
    while (due := min(track.deadline, track.run_deadline)) < at:
        if track.run_deadline == due:
            _judge_runs(state, slot, track, monitor, timing, due, at)
        else:
            _judge_slot(state, slot, track, monitor, timing, at)


def park(state: State, slot: int, leaf: int) -> None:
    """Puts a deadline back that the heap handed out and that was not due: beyond its range, or moved meanwhile."""
    if not state.tracks.is_open(slot):
        return
    track = state.peek(slot)
    if leaf == RUN:
        state.deadlines.put(slot, RUN, track.run_deadline)
        return
    monitor = state.monitor(track.monitor)
    waiting = track.deadline != NEVER or not monitor.paused_until
    state.deadlines.put(slot, SLOT, track.deadline if waiting else monitor.paused_until)


def _end_pause(state: State, slot: int, track: Track, monitor: MonitorEntry, timing: Timing) -> None:
    end = monitor.paused_until
    monitor.paused_until = 0
    state.write_monitor(track.monitor, monitor)
    for sibling_slot in state.tracks_of(monitor):
        sibling = state.track(sibling_slot)
        if sibling.last_check_in != NEVER or timing.policy.expect_from is ExpectFrom.CREATION:
            expect(state, sibling_slot, sibling, timing, timing.next_after(end))
        else:
            stop_waiting(state, sibling_slot, sibling)


def _judge_slot(state: State, slot: int, track: Track, monitor: MonitorEntry, timing: Timing, at: Instant) -> None:
    expected, deadline = track.expected, track.deadline
    skip = not timing.policy.miss_while_running and track.open_runs
    if track.flags & TrackFlag.DEAFENED:
        lapse(state, track, monitor, CheckInState.UNKNOWN, deadline)
    elif not skip:
        check_in = lapse(state, track, monitor, CheckInState.MISSED, deadline)
        track.missed_count += 1
        verdicts.fail(state, monitor, timing, track, check_in, Verdict.MISSED, deadline)
        state.delta.facts.append(Missed(check_in, deadline, at))
    expect(state, slot, track, timing, timing.after_miss(expected, deadline))


def lapse(state: State, track: Track, monitor: MonitorEntry, outcome: CheckInState, at: Instant) -> CheckIn:
    """Records a slot for which nothing came, dated to the slot. UNKNOWN ones are counted here; misses by the caller."""
    number = state.check_in_number(at)
    check_in = CheckIn(
        number=number,
        id=ids.public_id(number),
        project=monitor.project,
        monitor=monitor.number,
        monitor_id="",  # the engine keeps no names; readers join them
        track=track.number,
        environment=state.environments[track.environment],
        state=outcome,
        receive_time=track.expected,
        update_time=at,
        expected_time=track.expected,
        dialect="tocsin",
    )
    state.record(check_in, new=True)
    track.last_lapse, track.last_lapse_slot = number, track.expected
    if outcome is CheckInState.UNKNOWN:
        verdicts.leave_unjudged(track)
        state.delta.facts.append(Unjudged(check_in))
    return check_in


def _judge_runs(
    state: State, slot: int, track: Track, monitor: MonitorEntry, timing: Timing, due: Instant, at: Instant
) -> None:
    for run in state.runs.of(slot):
        if run.timeout_time is not None and run.timeout_time <= due:
            time_out(state, slot, track, monitor, timing, run, at)


def time_out(
    state: State, slot: int, track: Track, monitor: MonitorEntry, timing: Timing, run: CheckIn, at: Instant, *, deaf: bool = False
) -> None:
    """Ends a run that passed its limit: TIMED_OUT, or UNKNOWN when its end may have been lost in an outage."""
    deadline = run.timeout_time
    assert deadline is not None
    unknown = deaf or run.deafened
    ended = msgspec.structs.replace(
        run, state=CheckInState.UNKNOWN if unknown else CheckInState.TIMED_OUT, update_time=deadline, timeout_time=None
    )
    state.record(ended)
    state.settle_run(slot, track, ended)
    if unknown:
        verdicts.leave_unjudged(track)
        state.delta.facts.append(Unjudged(ended))
        return
    track.timed_out_count += 1
    if track.last_start == NEVER or run.receive_time >= track.last_start:  # a newer run has spoken already
        verdicts.fail(state, monitor, timing, track, ended, Verdict.TIMED_OUT, deadline)
    state.delta.facts.append(TimedOut(ended, deadline, at))
