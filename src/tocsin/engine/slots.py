"""A report and the slot it satisfies: filed under it, on schedule or late, and the slot waited for moves on."""

import msgspec

from tocsin.domain import ids
from tocsin.domain.check_in import CheckIn, Report
from tocsin.domain.instant import NEVER, Instant
from tocsin.engine import silence
from tocsin.engine.state import UNHEARD
from tocsin.engine.subject import Subject


def meet(
    subject: Subject, sent: Report, run: CheckIn, time: Instant, *, begins: bool, paused: bool
) -> tuple[CheckIn, bool | None]:
    """The run, filed, and whether it was on schedule; None: it is older news. The slot waited for never moves backward.

    `time`: when it happened. `begins`: it opens a run or stands alone.
    """
    track, timing = subject.track, subject.timing
    expected = track.expected
    on_schedule = _on_schedule(subject, time, begins=begins)
    if begins:
        run = _filed(subject, sent, run, time)
    if track.last_check_in != NEVER and time < track.last_check_in:
        return run, None  # recorded, but what is waited for has moved on
    track.last_check_in = time
    if paused or (timing.start_anchored and not begins):
        return run, on_schedule
    after = time
    if begins and expected != NEVER and expected - timing.early(expected) <= time < expected:
        after = expected  # a little early is on time
    following = timing.next_after(after)
    if expected == NEVER or following > expected:
        silence.expect(subject, following)
    return run, on_schedule


def _filed(subject: Subject, sent: Report, run: CheckIn, time: Instant) -> CheckIn:
    track = subject.track
    expected = track.expected if track.expected != NEVER else None
    lapse, lapse_slot = track.last_lapse, track.last_lapse_slot
    if not lapse or time < lapse_slot:
        return msgspec.structs.replace(run, expected_time=expected)
    if subject.timing.rolling and not (track.flags & UNHEARD and sent.time is not None):
        track.last_lapse, track.last_lapse_slot = 0, NEVER  # a timer that began anew: it answers what is expected now
        return msgspec.structs.replace(run, expected_time=expected)
    on_time = expected is not None and time >= expected - subject.timing.early(expected)
    track.last_lapse, track.last_lapse_slot = 0, NEVER
    if on_time:
        return msgspec.structs.replace(run, expected_time=expected)
    late = msgspec.structs.replace(run, expected_time=lapse_slot, late=True, satisfies=lapse)
    if track.flags & UNHEARD and sent.time is not None:
        # The job did run while we could not listen: its own record takes the place of the unknown one.
        made = late.id if late.client_chosen else ids.public_id(lapse)
        late = msgspec.structs.replace(late, number=lapse, id=made, satisfies=None)
    return late


def _on_schedule(subject: Subject, time: Instant, *, begins: bool) -> bool:
    """Whether it is no later than it should be; asked before it moves anything, and of interest after misses only."""
    track, timing = subject.track, subject.timing
    if not track.misses or track.expected == NEVER:
        return True
    if timing.grid:
        return time >= track.expected - (timing.early(track.expected) if begins else 0)
    if timing.start_anchored:
        return begins and not (track.last_lapse and time < track.expected)
    return track.last_check_in == NEVER or time <= timing.deadline(timing.next_after(track.last_check_in))
