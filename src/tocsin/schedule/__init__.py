"""From text to a timetable: cron expressions, time zones, compiled schedules, previews and words.

It knows what a schedule means and asks `tocsin._core` when that is. It imports `domain` and `_core` only, reads no file
and no clock: zones come through a function that whoever wires the program provides.
"""

from tocsin.schedule.preview import ClockChange, FireTime, Placement, fire_times, fire_times_before
from tocsin.schedule.timetables import NO_SCHEDULE, Compiler, zone_name
from tocsin.schedule.words import describe
from tocsin.schedule.zones import Zones

__all__ = [
    "NO_SCHEDULE",
    "ClockChange",
    "Compiler",
    "FireTime",
    "Placement",
    "Zones",
    "describe",
    "fire_times",
    "fire_times_before",
    "zone_name",
]
