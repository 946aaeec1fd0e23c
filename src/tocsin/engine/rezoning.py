"""A new time zone database: every timetable is compiled again, and tracks whose slot has moved wait for the new one.

A slot is moved as by a change of the schedule, and no miss comes of it: under the new rules

    waiting for a slot to come     wait for the first slot to come; if reports were early for it, for the one after it
    waiting for one that is past   wait on if it still is a slot, otherwise for the first to come
    an interval, not yet missed    count again from the last report, or from now if that is past its deadline

Compiling and looking at every track cost time: `compile_again` may run on any thread at any time, `plan` on any thread
while the partition's loop waits for it. `adopt` then puts the new timings in force at once, an event between two
entries at the engine's clock, and moves the tracks that differ, slice by slice, those due first before the others.
Until that is done no tick judges; a report or deaf time that looks at one track moves that one first.
"""

import contextlib
from array import array
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from tocsin._core.filling import not_following, waiting
from tocsin._core.timetable import FIRST_MS, LAST_MS
from tocsin.domain import errors
from tocsin.domain.instant import NEVER, Instant
from tocsin.domain.monitor import Policy
from tocsin.domain.track import Track
from tocsin.engine import silence
from tocsin.engine.state import NOWHERE, State
from tocsin.engine.subject import Subject
from tocsin.engine.timing import Timing
from tocsin.schedule import Compiler, Zones, zone_name
from tocsin.schedule.zones import same


@dataclass(frozen=True, slots=True)
class NewRules:
    """Everything compiled under a new database."""

    compiler: Compiler
    timings: dict[int, Timing]
    zones: frozenset[str]  # those whose rules differ
    gone: frozenset[str]  # those that the new database does not have: their old rules hold


def compile_again(old: Compiler, zones: Zones, policies: Iterable[tuple[int, Policy]], at: Instant) -> NewRules:
    """`zones` are of the new database and empty. Touches nothing that the engine uses.

    Each timetable is asked for its slots about `at`, so that the plan finds their tables made.
    """
    changed, gone = set(), set()
    policies = list(policies)
    for name, zone in old.zones.known().items():
        try:
            if not same(zone, zones.get(name)):
                changed.add(name)
        except errors.InvalidArgument:
            zones.keep(name, zone)
            gone.add(name)
    for name in set().union(*(_names(policy) for _, policy in policies)) - old.zones.known().keys():
        with contextlib.suppress(errors.InvalidArgument):  # it could not be read when the server started
            zones.get(name)
            changed.add(name)
    compiler = Compiler(zones)
    timings = {number: Timing.read(number, policy, compiler) for number, policy in policies} if changed else {}
    for timing in timings.values():
        timing.next_after(at)
    return NewRules(compiler, timings, frozenset(changed), frozenset(gone))


@dataclass(frozen=True, slots=True)
class Plan:
    """The new timings by policy number, and the tracks that differ: (deadline, slot, expected so far, from now on)."""

    compiler: Compiler
    timings: list[Timing | None]
    moves: list[tuple[Instant, int, Instant, Instant]]


def plan(state: State, rules: NewRules) -> Plan:
    """What to change as of the clock. Reads the state between two batches, and changes nothing."""
    old = state.timings
    new: list[Timing | None] = [None] * len(old)
    for timing in old:
        if timing is not None:
            new[timing.number] = rules.timings.get(timing.number) or Timing.read(
                timing.number, timing.policy, rules.compiler
            )
    affected = {timing.number for timing in old if timing is not None and _names(timing.policy) & rules.zones}
    grids = {number for number in affected if (timing := new[number]) is not None and timing.grid}
    back = {timing.number for timing in old if timing and not timing.readable and timing.number in affected}
    moves = _grid_moves(state, old, new, grids - back) + _interval_moves(state, old, new, affected - grids - back)
    moves += [(NEVER, slot, NEVER, expected) for slot, expected in _waits(state, new, back)]
    return Plan(rules.compiler, new, sorted(moves))


def adopt(state: State, plan: Plan, *, slice_size: int) -> Iterator[int]:
    """Puts the new timings in force. What it returns moves tracks and yields after each slice how many it has seen."""
    state.use_timings(plan.timings, plan.compiler)
    state.moves = {slot: (expected, moved) for _, slot, expected, moved in plan.moves}
    return _move_all(state, plan, slice_size)


def _move_all(state: State, plan: Plan, slice_size: int) -> Iterator[int]:
    for count, (_, slot, _, _) in enumerate(plan.moves, start=1):
        silence.follow(state, slot)
        if count % slice_size == 0:
            yield count
    yield len(plan.moves)


def realign(state: State) -> int:
    """After loading: tracks on a grid that wait for what is no slot under the rules in force wait for the next one.

    The database may have changed while nobody ran, or the server ended in the middle of `adopt`. Returns how many.
    """
    grids = {timing.number for timing in state.timings if timing and timing.grid and _zoned(timing.policy)}
    slots, tables, before = waiting(state.tracks, state.monitors, _tables(state.timings, grids), False)
    found = array("q", bytes(before.nbytes))
    state.compiler.timetables.next_many(tables, before, found)
    off = not_following(before, found)
    for i in off:
        subject = Subject.of(state, slots[i])
        silence.expect(subject, _first(subject.timing, subject.track, state.clock))
    return len(off)


def realign_unread(state: State) -> dict[str, int]:
    """After loading: tracks whose zone cannot be read wait for nothing, and wait again once it can.

    Returns how many monitors each such zone keeps from being judged.
    """
    unread = {timing.number for timing in state.timings if timing and not timing.readable}
    if unread:
        for slot in waiting(state.tracks, state.monitors, _tables(state.timings, unread), False)[0]:
            silence.stop_waiting(Subject.of(state, slot))
    zoned = {timing.number for timing in state.timings if timing and timing.readable and _zoned(timing.policy)}
    for slot, expected in _waits(state, state.timings, zoned):
        silence.expect(Subject.of(state, slot), expected)
    found: dict[str, int] = {}
    for number in state.monitors.column("policy") if unread else ():
        timing = state.timings[number] if number in unread else None
        for name in _names(timing.policy) - state.compiler.zones.known().keys() if timing else ():
            found[name] = found.get(name, 0) + 1
    return found


def _zoned(policy: Policy) -> bool:
    return bool(_names(policy) - {"UTC"})


def _waits(state: State, timings: list[Timing | None], wanted: set[int]) -> list[tuple[int, Instant]]:
    """Tracks of these policies that wait for nothing and should: they did not while their zone could not be read."""
    if not wanted:
        return []
    found = []
    # Columns first: most tracks that wait for nothing are new, and a million of them are looked at when it starts.
    for slot in waiting(state.tracks, state.monitors, _tables(timings, wanted), True)[0]:
        monitor = state.monitor(state.tracks.get(slot, "monitor"))
        timing, track = timings[monitor.policy], state.peek(slot)
        if timing is None or not silence.begun(timing, track.last_check_in, track.last_lapse):
            continue
        if timing.start_anchored or monitor.flags or monitor.paused_until:
            continue  # it waits for nothing until a run begins, or until a pause ends, which arms it then
        awaited = silence.awaited(track, timing, state.clock, fresh=False)
        if awaited is not None and awaited != NEVER:
            found.append((slot, _first(timing, track, state.clock) if timing.grid else awaited))
    return found


def _tables(timings: list[Timing | None], wanted: Collection[int]) -> "array[int]":
    """The timetables of these policies, by policy."""
    return array("I", [timing.timetable if timing and timing.number in wanted else NOWHERE for timing in timings])


def _first(timing: Timing, track: Track, clock: Instant) -> Instant:
    """The first slot to come that has not been judged yet and that the last report was not early for."""
    comes = timing.next_after(_judged(clock, track.last_check_in, track.last_lapse_slot))
    met = track.last_check_in != NEVER and track.last_check_in >= comes - timing.early(comes)
    return timing.next_after(comes) if met else comes


def _judged(clock: Instant, last_check_in: Instant, last_lapse_slot: Instant) -> Instant:
    """Up to where a track has been judged: in a burst, or by a report, that is later than the engine's clock."""
    return max(clock, *(at for at in (last_check_in, last_lapse_slot, clock) if at != NEVER))


def _names(policy: Policy) -> set[str]:
    return {zone_name(schedule) for schedule in policy.schedules} - {""}


def _waiting(state: State, wanted: set[int]) -> tuple[list[int], list[int]]:
    """Tracks of these policies that wait for a slot, and the policy of each. Closed ones may be among them."""
    if not wanted:
        return [], []
    policy, owner = state.monitors.column("policy"), state.tracks.column("monitor")
    of_monitor = [number if number in wanted else 0 for number in policy]
    of_monitor.append(0)
    last = len(of_monitor) - 1
    found = [of_monitor[min(last, monitor)] for monitor in owner]
    expected = state.tracks.column("expected")
    slots = [slot for slot, (number, due) in enumerate(zip(found, expected, strict=True)) if number and due != NEVER]
    slots = [slot for slot in slots if FIRST_MS < expected[slot] <= LAST_MS]
    return slots, [found[slot] for slot in slots]


def _timetables(policies: list[int], timings: list[Timing | None]) -> "array[int]":
    tables = [0 if timing is None else timing.timetable for timing in timings]
    return array("I", [tables[number] for number in policies])


def _next_many(compiler: Compiler, timetables: "array[int]", instants: "array[int]") -> "array[int]":
    found = array("q", bytes(8 * len(instants)))
    compiler.timetables.next_many(timetables, instants, found)
    return found


def _grid_moves(
    state: State, old: list[Timing | None], new: list[Timing | None], grids: set[int]
) -> list[tuple[Instant, int, Instant, Instant]]:
    slots, policies = _waiting(state, grids)
    if not slots:
        return []
    before, after = (next(timing.compiler for timing in timings if timing) for timings in (old, new))
    tables = _timetables(policies, new)
    heard, lapsed = state.tracks.column("last_check_in"), state.tracks.column("last_lapse_slot")
    judged = array("q", [_judged(state.clock, heard[slot], lapsed[slot]) for slot in slots])
    next_old, next_new = _next_many(before, _timetables(policies, old), judged), _next_many(after, tables, judged)
    expected, deadline = state.tracks.column("expected"), state.tracks.column("deadline")
    found = []
    for slot, number, at, coming, comes in zip(slots, policies, judged, next_old, next_new, strict=True):
        waiting, timing = expected[slot], new[number]
        if timing is None or waiting == coming == comes or not state.tracks.is_open(slot):
            continue
        still = timing.next_after(waiting - 1) == waiting
        if waiting <= at and still:
            moved = waiting
        elif waiting <= coming:
            moved = _first(timing, state.peek(slot), state.clock)
        else:
            moved = waiting if coming == comes and still else timing.next_after(comes)
        if moved != waiting:
            found.append((deadline[slot], slot, waiting, moved))
    return found


def _interval_moves(
    state: State, old: list[Timing | None], new: list[Timing | None], others: set[int]
) -> list[tuple[Instant, int, Instant, Instant]]:
    found = []
    for slot, number in zip(*_waiting(state, others), strict=True):
        was, timing = old[number], new[number]
        if was is None or timing is None or not state.tracks.is_open(slot):
            continue
        track = state.peek(slot)
        if timing.rolling or track.last_check_in == NEVER or was.next_after(track.last_check_in) != track.expected:
            continue  # counted from something else, in real time: it stays
        moved = timing.next_after(track.last_check_in)
        if timing.deadline(moved) < state.clock:
            moved = timing.next_after(state.clock)
        if moved != track.expected:
            found.append((track.deadline, slot, track.expected, moved))
    return found
