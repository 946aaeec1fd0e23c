"""The next fire times of a monitor's schedules, and where a change of the clocks lies between two of them."""

from typing import NamedTuple

from tocsin.domain.schedule import OnCalendar, Rolling, Schedule
from tocsin.schedule.on_calendar import split_zone
from tocsin.schedule.timetables import Compiler


class FireTime(NamedTuple):
    """One fire time. `clock_changed`: the zone's offset differs from the fire time before, or from the start."""

    at_ms: int
    utc_offset_s: int
    clock_changed: bool


def fire_times(
    compiler: Compiler, schedules: tuple[Schedule, ...], from_ms: int, count: int, *, field: str = "schedule"
) -> list[FireTime]:
    """Up to `count` fire times strictly after `from_ms`; an interval is counted from there, as if a report came then.

    Offsets are those of the first schedule that names a zone, UTC if none does.
    """
    number = compiler.compile(schedules, field=field)
    zone = compiler.zones.get(next(filter(None, map(_zone_name, schedules)), "UTC"), field=f"{field}.time_zone")
    found: list[FireTime] = []
    before = zone.offset_at(from_ms // 1000)
    for at_ms in compiler.timetables.upcoming(number, from_ms, count):
        offset = zone.offset_at(at_ms // 1000)
        found.append(FireTime(at_ms, offset, offset != before))
        before = offset
    return found


def _zone_name(schedule: Schedule) -> str:
    if isinstance(schedule, Rolling):
        return ""
    named = split_zone(schedule.expression)[1] if isinstance(schedule, OnCalendar) else ""
    return named or schedule.time_zone
