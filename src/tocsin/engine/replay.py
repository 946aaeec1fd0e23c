"""Check-ins after the watermark, applied again to tracks as the store had them: the end of a start.

Each of them was plain (see `_core.apply`): it changed nothing but its track's times and counts. So nothing is judged,
recorded or told here; the arithmetic alone is done once more, in the order of the numbers, by a kernel, and here what
that cannot do. What the database of time zones says of the slot waited for may have changed since: `rezoning.realign`
comes after this.
"""

from collections.abc import Iterable

from tocsin._core.replay import Replay
from tocsin.domain.instant import NEVER, Instant, Millis
from tocsin.engine import silence, thresholds
from tocsin.engine.memory import AfterRow
from tocsin.engine.state import State
from tocsin.engine.subject import Subject


def replay(state: State, chunks: Iterable[list[AfterRow]], applied: "dict[int, int]") -> int:
    """How many were applied. `applied`: by track slot, the newest check-in that its row contained, if any did."""
    if state.applier is None:
        return _one_by_one(state, chunks, applied)
    kernel: Replay | None = None
    done = 0
    for rows in chunks:
        kernel = kernel or Replay(state.applier, state.compiler.timetables, applied)
        kernel.read(rows)
        row = 0
        while True:
            row, moved = kernel.step(row)
            done += moved
            if row == len(rows):
                break
            _, _, at, duration = rows[row]
            again(state, kernel.slot(row), at, duration)
            state.keep_moved()
            row, done = row + 1, done + 1
    return done


def _one_by_one(state: State, chunks: Iterable[list[AfterRow]], applied: "dict[int, int]") -> int:
    slots: dict[int, int] = {}
    done = 0
    for rows in chunks:
        slots = slots or state.track_slots()
        for number, track, at, duration in rows:
            slot = slots.get(track)
            if slot is None or number <= applied.get(slot, 0):
                continue  # deleted since, or written by a rule
            again(state, slot, at, duration)
            done += 1
        state.keep_moved()
    return done


def again(state: State, slot: int, at: Instant, duration: Millis | None) -> None:
    """What `_core.apply` and `filing` do with a lone OK."""
    subject = Subject.of(state, slot)
    track, timing = subject.track, subject.timing
    expected, after = track.expected, at
    if expected != NEVER and expected - timing.early(expected) <= at < expected:
        after = expected
    following = timing.next_after(after)
    if expected == NEVER or following > expected:
        silence.expect(subject, following)
    thresholds.count_ok(track, timing.policy)
    track.ok_count += 1
    if duration is not None:
        track.last_duration = duration
    track.last_success = at if track.last_success == NEVER else max(at, track.last_success)
    track.last_check_in = track.last_start = at
