"""What silence means: slots missed, and what is due of runs, judged track by track in the order of their deadlines.

A deadline is judged strictly before `at`: a report in the same millisecond is on time. After long silence of the loop
(slow, not deaf) every slot is judged in order; each counts from the deadline of the one before, never from the tick.
"""

from tocsin.domain import ids
from tocsin.domain.check_in import CheckIn
from tocsin.domain.check_in import State as CheckInState
from tocsin.domain.facts import Missed, Unjudged
from tocsin.domain.instant import NEVER, Instant, Millis, ceil_second
from tocsin.domain.monitor import ExpectFrom
from tocsin.domain.track import Track, Verdict
from tocsin.engine import open_runs, verdicts
from tocsin.engine.deadlines import RUN, SLOT
from tocsin.engine.state import BEGUN, DEAFENED, UNHEARD, State
from tocsin.engine.subject import Subject
from tocsin.engine.timing import Timing


def expect(subject: Subject, expected: Instant) -> None:
    """Waits for a slot. NEVER waits for nothing."""
    track = subject.track
    track.expected = expected
    track.deadline = subject.timing.deadline(expected)
    track.flags &= ~DEAFENED
    subject.state.deadlines.put(subject.slot, SLOT, track.deadline)


def stop_waiting(subject: Subject, wake: Instant = NEVER) -> None:
    """Waits for no slot; looks at the track again at `wake` (the end of a pause)."""
    track = subject.track
    track.expected = track.deadline = NEVER
    track.flags &= ~DEAFENED
    subject.state.deadlines.put(subject.slot, SLOT, wake)


def hold(subject: Subject, end: Instant) -> None:
    """A rolling timer stands still until a maintenance window is over, and then has its whole period.

    It is held while its deadline, which is the end of the window, lies before what it expects.
    """
    track = subject.track
    track.expected, track.deadline = subject.timing.next_after(end), ceil_second(end)
    track.flags &= ~DEAFENED
    subject.state.deadlines.put(subject.slot, SLOT, track.deadline)


def is_held(track: Track) -> bool:
    return track.deadline < track.expected


def keep_slot(subject: Subject, longer: Millis) -> None:
    """Goes on waiting for the same slot when the margin became so much longer. What an outage added stays."""
    track = subject.track
    if is_held(track):
        return
    deadline = subject.timing.deadline(track.expected)
    if track.flags & DEAFENED:
        deadline = max(deadline, ceil_second(track.deadline + longer))
    track.deadline = deadline
    subject.state.deadlines.put(subject.slot, SLOT, deadline)


def fail_at_once(subject: Subject, at: Instant) -> None:
    """A rolling timer whose margin became so short that it has run out: it does so now, not some time ago."""
    if subject.timing.rolling and subject.track.deadline < at:
        subject.track.deadline = at
        _judge_slot(subject, at)


def begin(subject: Subject) -> None:
    """A rolling timer runs from now on although no signal came: somebody switched it on. `rearm` starts it."""
    if subject.timing.rolling:
        subject.track.flags |= BEGUN


def rearm(subject: Subject, at: Instant, *, fresh: bool) -> None:
    """Decides anew what a track waits for. `fresh`: after a quiet time, a full chance from `at` for slots and runs."""
    track, monitor, timing = subject.track, subject.monitor, subject.timing
    if monitor.quiet(at):
        stop_waiting(subject, NEVER if monitor.flags else monitor.paused_until)
        open_runs.limit(subject, at, judged=False)
        return
    if fresh:
        open_runs.limit(subject, at, judged=True)
    expected = awaited(track, timing, at, fresh=fresh)
    if expected is not None and expected < at:
        expected = timing.next_after(at)  # its grace may last, but nobody waited for it before this change
    if expected is None:
        stop_waiting(subject)
    else:
        expect(subject, expected)


def awaited(track: Track, timing: Timing, at: Instant, *, fresh: bool) -> Instant | None:
    """What a track that is not quiet waits for when it starts to wait at `at`; None: for its first report."""
    if timing.rolling:  # one that runs starts anew, also where it was switched on and never heard of
        runs = track.expected != NEVER or track.flags & BEGUN or begun(timing, track.last_check_in, track.last_lapse)
        return timing.next_after(at) if runs else None
    if track.last_check_in != NEVER and not fresh:
        expected = timing.next_after(track.last_check_in)
        if timing.deadline(expected) < at:  # a change must not make a miss of what nobody waited for
            expected = timing.next_after(at)
        return expected
    return timing.next_after(at) if begun(timing, track.last_check_in, track.last_lapse) else None


def begun(timing: Timing, last_check_in: Instant, last_lapse: int) -> bool:
    """Whether a track waits for slots at all; otherwise for its first report."""
    return last_check_in != NEVER or last_lapse != 0 or timing.policy.expect_from is ExpectFrom.CREATION


def settle(state: State, slot: int, at: Instant) -> None:
    """Judges everything of one track that was due strictly before `at`. One that is left out is not judged."""
    if left_out(state, slot):
        return
    follow(state, slot)
    track = state.peek(slot)
    if track.deadline == NEVER:
        wake(state, slot, at)
        track = state.peek(slot)
    if min(track.deadline, track.run_deadline) >= at:
        return
    subject = Subject.of(state, slot)
    track = subject.track
    while (due := min(track.deadline, track.run_deadline)) < at:
        if track.run_deadline == due:
            open_runs.judge(subject, due, at)
        else:
            _judge_slot(subject, at)


def left_out(state: State, slot: int) -> bool:
    """Whether judging the track has broken an engine before this one."""
    return bool(state.left_out) and state.peek(slot).number in state.left_out


def follow(state: State, slot: int) -> None:
    """Moves a track to where a new time zone database has its slot, if that is still to be done."""
    move = state.moves.pop(slot, None)
    if move is not None and state.peek(slot).expected == move[0]:
        expect(Subject.of(state, slot), move[1])


def wake(state: State, slot: int, at: Instant) -> None:
    """Ends the pause of a track's monitor if it is over at `at`: all its environments count again from its end."""
    track = state.peek(slot)
    if track.deadline != NEVER:
        return
    monitor = state.monitor(track.monitor)
    end = monitor.paused_until
    if not 0 < end <= at:
        return
    monitor.paused_until = 0
    state.write_monitor(track.monitor, monitor)
    for sibling in state.tracks_of(monitor):
        if state.peek(sibling).deadline == NEVER and not left_out(state, sibling):
            rearm(Subject.of(state, sibling), end, fresh=True)
            verdicts.attend(state, state.peek(sibling).incident, end)


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


def _judge_slot(subject: Subject, at: Instant) -> None:
    track, timing = subject.track, subject.timing
    expected, deadline = track.expected, track.deadline
    if timing.rolling:
        end = maintained(subject)
        if end is not None or is_held(track):
            _go_on_after(subject, end)
            return
    elif excused(subject):
        expect(subject, timing.after_excused(expected, deadline))
        return
    if track.flags & DEAFENED:
        lapse(subject, CheckInState.UNKNOWN, deadline)
    elif timing.policy.miss_while_running or not track.open_runs:
        check_in = lapse(subject, CheckInState.MISSED, deadline)
        track.missed_count += 1
        verdicts.fail(subject, check_in, Verdict.MISSED, deadline)
        subject.state.delta.facts.append(Missed(check_in, deadline, at))
    expect(subject, timing.after_miss(expected, deadline))


def excused(subject: Subject) -> bool:
    """Whether the slot waited for lies in a maintenance window: nothing was due."""
    state, track = subject.state, subject.track
    if subject.timing.rolling:
        return is_held(track) or maintained(subject) is not None
    monitor = subject.monitor
    return bool(state.windows) and state.windows.cover(
        state.compiler, monitor.project, monitor.number, subject.environment, track.expected
    )


def maintained(subject: Subject) -> Instant | None:
    """When the maintenance is over that what a rolling timer expects, or its deadline, lies in; None: neither does."""
    track, windows = subject.track, subject.state.windows
    if not windows:
        return None
    of = (subject.state.compiler, subject.monitor.project, subject.monitor.number, subject.environment)
    end = windows.until(*of, track.deadline)
    return windows.until(*of, track.expected) if end is None and not is_held(track) else end


def _go_on_after(subject: Subject, end: Instant | None) -> None:
    """At the deadline of a rolling timer in maintenance that ends then; None: that has ended for which it was held."""
    track, timing = subject.track, subject.timing
    if end is None:
        expect(subject, track.expected)
    elif end > track.deadline:
        hold(subject, end)
    else:
        expect(subject, timing.next_after(end))


def pass_over_excused(state: State, slot: int, at: Instant) -> None:
    """Slots before `at` that lie in a maintenance window are passed over now, as they would be at their deadlines.

    A rolling timer in a window that goes on is held up to now, and looked at again under whatever holds then.
    """
    if left_out(state, slot):
        return
    seen = Subject.seen(state, slot)
    if seen.timing.rolling:
        _hold_up_to(seen, at)
        return
    if seen.track.expected >= at or not excused(seen):  # a track that waits for nothing has no slot to ask about
        return
    subject = Subject.of(state, slot)
    track, timing = subject.track, subject.timing
    while track.expected < at and excused(subject):
        expect(subject, timing.after_excused(track.expected, track.deadline))


def _hold_up_to(seen: Subject, at: Instant) -> None:
    """`seen` is not written to."""
    state, slot, track, windows = seen.state, seen.slot, seen.track, seen.state.windows
    if is_held(track):
        hold(Subject.of(state, slot), at)
        return
    of = (state.compiler, seen.monitor.project, seen.monitor.number, seen.environment)
    while windows and track.expected < at and (end := windows.until(*of, track.expected)) is not None:
        subject = Subject.of(state, slot)
        track = subject.track
        if end > at:
            hold(subject, at)
        else:
            expect(subject, subject.timing.next_after(end))


def lapse(subject: Subject, outcome: CheckInState, at: Instant) -> CheckIn:
    """Records a slot for which nothing came, dated to the slot. UNKNOWN ones are counted here; misses by the caller."""
    state, track = subject.state, subject.track
    number = state.check_in_number(at)
    check_in = CheckIn(
        number=number,
        id=ids.public_id(number),
        project=subject.monitor.project,
        monitor=subject.monitor.number,
        monitor_id="",  # the engine keeps no names; readers join them
        track=track.number,
        environment=subject.environment,
        state=outcome,
        receive_time=track.expected,
        update_time=at,
        expected_time=track.expected,
        policy=subject.monitor.policy,
        dialect="tocsin",
    )
    state.record(check_in, new=True)
    track.last_lapse, track.last_lapse_slot = number, track.expected
    track.flags = track.flags & ~UNHEARD | (UNHEARD if outcome is CheckInState.UNKNOWN else 0)
    if outcome is CheckInState.UNKNOWN:
        verdicts.leave_unjudged(track)
        state.delta.facts.append(Unjudged(check_in))
    return check_in
