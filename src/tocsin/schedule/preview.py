"""The fire times of a monitor's schedules around an instant, and what the clocks of their zone do there."""

import enum
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from tocsin._core.timetable import LAST_MS, NEVER
from tocsin._core.zone import FOLD, Zone
from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.domain.schedule import OnCalendar, Rolling, Schedule
from tocsin.schedule.on_calendar import split_zone
from tocsin.schedule.timetables import Compiler, zone_name

_CHANGES_MAX = 50  # between two fire times; the last ones are told


class Placement(enum.Enum):
    """What a change of the clocks did to a fire time."""

    PLAIN = "plain"
    MOVED = "moved"  # its wall time does not exist that day
    FIRST = "first"  # its wall time exists twice
    SECOND = "second"


class ClockChange(NamedTuple):
    """The offset from UTC changes by `shift_s`: forward, or, when negative, back."""

    at_ms: Instant
    shift_s: int


class FireTime(NamedTuple):
    """One fire time, with the changes of the clocks since the one before, or since the start."""

    at_ms: Instant
    utc_offset_s: int
    changes: tuple[ClockChange, ...] = ()
    placement: Placement = Placement.PLAIN


def fire_times(
    compiler: Compiler,
    schedules: tuple[Schedule, ...],
    from_ms: Instant,
    count: int,
    *,
    until_ms: Instant | None = None,
    field: str = "schedule",
) -> list[FireTime]:
    """Up to `count` fire times after `from_ms`, `until_ms` included; an interval counts from there.

    Clocks are those of the first schedule that names a zone, UTC if none does.
    """
    number = compiler.compile(schedules, field=field)
    last = LAST_MS if until_ms is None else until_ms
    return _placed(compiler, schedules, from_ms, compiler.timetables.upcoming(number, from_ms, count, last), field)


def fire_times_before(
    compiler: Compiler, schedules: tuple[Schedule, ...], from_ms: Instant, count: int, *, field: str = "schedule"
) -> list[FireTime]:
    """Up to `count` fire times before `from_ms`, ascending; an interval counts back from there."""
    number = compiler.compile(schedules, field=field)
    times: list[Instant] = []
    at = from_ms
    while len(times) < count and (at := compiler.prev_before(number, at)) != NEVER:
        times.append(at)
    times.reverse()
    return _placed(compiler, schedules, times[0] if times else from_ms, times, field)


def _placed(
    compiler: Compiler, schedules: tuple[Schedule, ...], from_ms: Instant, times: Sequence[Instant], field: str
) -> list[FireTime]:
    zone = compiler.zones.get(next(filter(None, map(zone_name, schedules)), "UTC"), field=f"{field}.time_zone")
    found = []
    before = from_ms
    for at_ms in times:
        changes = _changes(zone, before // 1000, at_ms // 1000)
        placement = _placement(compiler, schedules, zone, at_ms // 1000)
        found.append(FireTime(at_ms, zone.offset_at(at_ms // 1000), changes, placement))
        before = at_ms
    return found


def _changes(zone: Zone, from_s: int, to_s: int) -> tuple[ClockChange, ...]:
    found: list[ClockChange] = []
    begin, _, offset = zone.segment(to_s)
    while begin is not None and begin > from_s and len(found) < _CHANGES_MAX:
        at = begin
        begin, _, earlier = zone.segment(at - 1)
        found.append(ClockChange(at * 1000, offset - earlier))
        offset = earlier
    return tuple(reversed(found))


def _placement(compiler: Compiler, schedules: tuple[Schedule, ...], zone: Zone, at_s: int) -> Placement:
    wall = zone.wall(at_s)
    first, second, kind = zone.utc(wall)
    if kind == FOLD:
        return Placement.FIRST if at_s == first else Placement.SECOND if at_s == second else Placement.PLAIN
    begin, _, offset = zone.segment(at_s)
    if begin is None:
        return Placement.PLAIN
    gap = offset - zone.offset_at(begin - 1)
    if not 0 <= at_s - begin < gap:
        return Placement.PLAIN
    return Placement.PLAIN if _on_any_wall(compiler, schedules, zone, wall) else Placement.MOVED


def _on_any_wall(compiler: Compiler, schedules: tuple[Schedule, ...], zone: Zone, wall: int) -> bool:
    """Whether a schedule names this wall time, so that nothing was moved to it: asked where clocks never change."""
    for schedule in schedules:
        if isinstance(schedule, Rolling) or compiler.zones.get(zone_name(schedule)) is not zone:
            return True  # of clocks that are not shown
        there = msgspec.structs.replace(schedule, time_zone="UTC")
        if isinstance(there, OnCalendar):
            there = msgspec.structs.replace(there, expression=split_zone(there.expression)[0])
        try:
            number = compiler.compile((there,))
        except errors.InvalidArgument:
            return True  # a rule that names its zone
        if not compiler.is_grid(number) or compiler.next_after(number, wall * 1000 - 1) == wall * 1000:
            return True
    return False
