"""A new time zone database: every timetable is compiled again, and tracks whose slot has moved wait for the new one.

A slot is moved as by a change of the schedule, and no miss comes of it: under the new rules

    waiting for a slot to come     wait for the first slot to come; if reports were early for it, for the one after it
    waiting for one that is past   wait on if it still is a slot, otherwise for the first to come
    an interval, not yet missed    count again from the last report, or from now if that is past its deadline

What is compiled costs time and is done beforehand, on any thread (`compile_again`). The rest is one event of the
partition's loop at one instant: look at whole columns, put the new timings in force, then write the tracks that differ,
slice by slice, those due first before the others. Until that is done nothing is judged.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tocsin._core.timetable import Timetables
from tocsin.domain import errors
from tocsin.domain.instant import NEVER, Instant
from tocsin.domain.monitor import Policy
from tocsin.domain.schedule import Rolling
from tocsin.engine import silence
from tocsin.engine.state import State
from tocsin.engine.subject import Subject
from tocsin.engine.timing import Timing
from tocsin.schedule import Compiler, Zones
from tocsin.schedule.zones import same


@dataclass(frozen=True, slots=True)
class NewRules:
    """Everything compiled under a new database."""

    compiler: Compiler
    timings: dict[int, Timing]
    zones: frozenset[str]  # those whose rules differ
    gone: frozenset[str]  # those that the new database does not have: their old rules hold


def compile_again(old: Compiler, zones: Zones, policies: Iterable[tuple[int, Policy]]) -> NewRules:
    """`zones` are of the new database and empty. Touches nothing that the engine uses."""
    changed, gone = set(), set()
    for name, zone in old.zones.known().items():
        try:
            if not same(zone, zones.get(name)):
                changed.add(name)
        except errors.InvalidArgument:
            zones.keep(name, zone)
            gone.add(name)
    compiler = Compiler(zones)
    timings = {number: Timing.compile(number, policy, compiler) for number, policy in policies} if changed else {}
    return NewRules(compiler, timings, frozenset(changed), frozenset(gone))


def adopt(state: State, rules: NewRules, at: Instant, *, slice_size: int) -> Iterator[int]:
    """Puts the new rules in force at once, then moves tracks; yields after each slice how many there are in all."""
    state.write_back()
    old = state.timings
    new: list[Timing | None] = [None] * len(old)
    for timing in old:
        if timing is not None:
            new[timing.number] = rules.timings.get(timing.number) or Timing.compile(
                timing.number, timing.policy, rules.compiler
            )
    affected = {timing.number for timing in old if timing is not None and _names(timing.policy) & rules.zones}
    moves = _moves(state, old, new, affected, at)
    state.timings, state.compiler = new, rules.compiler
    moves.sort()
    for count, (_, slot, expected, moved) in enumerate(moves, start=1):
        _move(state, slot, expected, moved)
        if count % slice_size == 0:
            yield len(moves)
    yield len(moves)


def realign(state: State) -> int:
    """After loading: tracks on a grid that wait for what is no slot under the rules in force wait for the next one.

    The database may have changed while nobody ran, or the server ended in the middle of `adopt`.
    """
    numbers = {timing.number for timing in state.timings if timing is not None and timing.grid and _shifts(timing)}
    slots = _slots(state, numbers)
    if not slots:
        return 0
    expected = state.tracks.column("expected")
    timetables = _timetables(state, slots, state.timings)
    found = array("q", bytes(8 * len(slots)))
    state.compiler.timetables.next_many(timetables, array("q", [expected[slot] - 1 for slot in slots]), found)
    off = [
        (slot, number)
        for slot, number, slot_ms in zip(slots, timetables, found, strict=True)
        if slot_ms != expected[slot]
    ]
    for slot, number in off:
        _move(state, slot, expected[slot], state.compiler.next_after(number, state.clock))
    return len(off)


def _names(policy: Policy) -> set[str]:
    return {schedule.time_zone for schedule in policy.schedules if not isinstance(schedule, Rolling)}


def _shifts(timing: Timing) -> bool:
    return bool(_names(timing.policy) - {"UTC"})


def _slots(state: State, policies: set[int]) -> list[int]:
    """Open tracks of these policies that wait for a slot."""
    if not policies:
        return []
    wanted = array("b", [number in policies for number in range(len(state.timings))])
    policy, monitor = state.monitors.column("policy"), state.tracks.column("monitor")
    expected = state.tracks.column("expected")
    of_monitor = [number < len(wanted) and wanted[number] for number in policy]
    return [
        slot
        for slot, owner in enumerate(monitor)
        if owner < len(of_monitor) and of_monitor[owner] and expected[slot] != NEVER and state.tracks.is_open(slot)
    ]


def _timetables(state: State, slots: list[int], timings: list[Timing | None]) -> "array[int]":
    tables = [0 if timing is None else timing.timetable for timing in timings]
    policy, monitor = state.monitors.column("policy"), state.tracks.column("monitor")
    return array("I", [tables[policy[monitor[slot]]] for slot in slots])


def _moves(
    state: State, old: list[Timing | None], new: list[Timing | None], affected: set[int], at: Instant
) -> list[tuple[Instant, int, Instant, Instant]]:
    """(deadline, slot, expected so far, expected from now on) of the tracks that differ."""
    expected, deadline = state.tracks.column("expected"), state.tracks.column("deadline")
    grids = {number for number in affected if (timing := new[number]) is not None and timing.grid}
    found = []
    slots = _slots(state, grids)
    before, after = _timetables(state, slots, old), _timetables(state, slots, new)
    now = array("q", [at]) * len(slots)
    next_old, next_new, same_new = (array("q", bytes(8 * len(slots))) for _ in range(3))
    if slots:
        old_tables, new_tables = _tables(old), _tables(new)
        old_tables.next_many(before, now, next_old)
        new_tables.next_many(after, now, next_new)
        new_tables.next_many(after, array("q", [expected[slot] - 1 for slot in slots]), same_new)
    for i, slot in enumerate(slots):
        waiting = expected[slot]
        if waiting <= at:
            moved = waiting if same_new[i] == waiting else next_new[i]
        elif waiting == next_old[i]:
            moved = next_new[i]
        elif next_old[i] == next_new[i] and same_new[i] == waiting:
            moved = waiting
        else:
            moved = new_tables.next_after(after[i], next_new[i])
        if moved != waiting:
            found.append((deadline[slot], slot, waiting, moved))
    last = state.tracks.column("last_check_in")
    for slot in _slots(state, affected - grids):
        policy = state.monitors.get(state.tracks.get(slot, "monitor"), "policy")
        was, timing = old[policy], new[policy]
        assert was is not None
        assert timing is not None
        if timing.rolling or last[slot] == NEVER or was.next_after(last[slot]) != expected[slot]:
            continue  # counted from something else, in real time: it stays
        moved = timing.next_after(last[slot])
        if timing.deadline(moved) < at:
            moved = timing.next_after(at)
        if moved != expected[slot]:
            found.append((deadline[slot], slot, expected[slot], moved))
    return found


def _tables(timings: list[Timing | None]) -> Timetables:
    return next(timing.compiler.timetables for timing in timings if timing is not None)


def _move(state: State, slot: int, expected: Instant, moved: Instant) -> None:
    if not state.tracks.is_open(slot) or state.peek(slot).expected != expected:
        return  # it was reported, changed or deleted since, under the new rules
    silence.expect(Subject.of(state, slot), moved)
