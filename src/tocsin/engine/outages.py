"""Deaf time is not silence: what fell due while nobody could listen becomes UNKNOWN, never a miss.

For deaf [since, until]:

    deadline of the slot inside      the slot is UNKNOWN; wait for the next one after `until`
    … and the slot in a maintenance  nothing was due; likewise
    window [slot, deadline] overlaps the deadline moves by the overlap; if it then runs out, UNKNOWN
    run due inside                   the run is UNKNOWN; a late end still closes it
    run open across, due later       its time-out moves by the time it lost; if it then runs out, UNKNOWN
    pause that ends inside           the wait that follows it, by the lines above
    everything else                  untouched
"""

import msgspec

from tocsin.domain.check_in import CheckIn
from tocsin.domain.check_in import State as CheckInState
from tocsin.domain.facts import OutageRecorded
from tocsin.domain.incident import Outage
from tocsin.domain.instant import HOUR, NEVER, Instant, Millis, ceil_second
from tocsin.engine import open_runs, silence
from tocsin.engine.deadlines import SLOT
from tocsin.engine.state import DEAFENED, State
from tocsin.engine.subject import Subject

REMEMBERED = HOUR  # what is shorter says nothing about who has been silent for days


def deaf_between(state: State, since: Instant, until: Instant) -> Millis:
    """How much of a time was spent in long outages."""
    return sum(max(min(until, end) - max(since, start), 0) for start, end in state.outages)


def affected(state: State, since: Instant, until: Instant) -> list[int]:
    """Slots of tracks whose wait, open run or pause [since, until] may touch."""
    if until <= since:
        return []
    state.write_back()
    touched = set(state.runs.tracks())
    touched.update(state.moves)
    touched.update(slot for slot, at in enumerate(state.tracks.column("expected")) if at < until)
    ending = {slot for slot, at in enumerate(state.monitors.column("pause_until")) if 0 < at < until}
    if ending:
        touched.update(slot for slot, monitor in enumerate(state.tracks.column("monitor")) if monitor in ending)
    return [slot for slot in sorted(touched) if state.tracks.is_open(slot)]


def pass_over(state: State, slot: int, since: Instant, until: Instant) -> int:
    """Applies the table above to one track. Returns how many slots and runs became UNKNOWN."""
    silence.settle(state, slot, since)  # what was due before is judged as ever: we were slow, not deaf
    silence.wake(state, slot, until)  # a pause that ends inside gives way to a wait that began inside
    subject = Subject.of(state, slot)
    track = subject.track
    before = track.unknown_count
    if track.deadline != NEVER and since <= track.deadline <= until:
        if not silence.excused(subject):
            silence.lapse(subject, CheckInState.UNKNOWN, until)
        silence.expect(subject, subject.timing.after_outage(until, track.number))
    elif track.deadline != NEVER and track.deadline > until and track.expected < until:
        overlap = until - max(track.expected, since)
        track.deadline = ceil_second(track.deadline + overlap)
        track.flags |= DEAFENED
        state.deadlines.put(slot, SLOT, track.deadline)
    for run in state.runs.of(slot):
        _pass_over_run(subject, run, since, until)
    return track.unknown_count - before


def _pass_over_run(subject: Subject, run: CheckIn, since: Instant, until: Instant) -> None:
    if run.receive_time >= until:
        return
    timeout = run.timeout_time
    if timeout is not None and timeout <= until:
        open_runs.time_out(subject, run, until, deaf=True)
        return
    if timeout is not None:
        timeout = ceil_second(timeout + until - max(run.receive_time, since))
    elif run.deafened:
        return
    moved = msgspec.structs.replace(run, timeout_time=timeout, deafened=True)
    subject.state.record(moved)
    open_runs.settle(subject, moved, until)


def record(state: State, since: Instant, until: Instant, reason: str, unknown: int, shown: bool) -> None:
    outage = Outage(
        number=state.number("outage"),
        start_time=since,
        end_time=until,
        reason=reason,
        unknown_count=unknown,
        shown=shown,
    )
    state.delta.outages.append(outage)
    if until - since >= REMEMBERED:
        state.outages.append((since, until))
    state.delta.facts.append(OutageRecorded(outage, until - since))
