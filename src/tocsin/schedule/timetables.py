"""From schedules to a timetable number. Equal schedules share one number, and with it one window cache.

A monitor's schedules are compiled together: none is number 0 (never due), one is its own timetable, several are a union
that is due whenever any of them is. Everything that can be wrong with a schedule is found here and names its field.

    >>> compiler.compile((Cron("30 2 * * *", "Europe/Vienna"),), field="schedule")
    1
"""

import re
from collections.abc import Callable, Hashable

from tocsin._core import interval
from tocsin._core.cron import Cron as Masks
from tocsin._core.timetable import CENTURY_MS, MEMBERS_MAX, NEVER, UNITS_IN_CENTURY, Timetables
from tocsin.domain import errors
from tocsin.domain.schedule import Cron, Daily, DaylightPolicy, Interval, OnCalendar, Rolling, RRule, Schedule, Unit
from tocsin.schedule import cron_text, on_calendar, rrule
from tocsin.schedule.zones import Zones

NO_SCHEDULE = 0
SCHEDULES_MAX = 32
_TIMES_MAX = 288
_REMEMBERED_MAX = 65_536  # texts; timetables themselves are never forgotten
_NEVER_FROM_MS = 1_767_225_600_000  # 2026-01-01, before this program: what does not fire within 400 years never does
_UNITS = {
    Unit.SECOND: interval.SECOND,
    Unit.MINUTE: interval.MINUTE,
    Unit.HOUR: interval.HOUR,
    Unit.DAY: interval.DAY,
    Unit.WEEK: interval.WEEK,
    Unit.MONTH: interval.MONTH,
    Unit.YEAR: interval.YEAR,
}
_POLICIES = {policy: number for number, policy in enumerate(DaylightPolicy)}


class Compiler:
    """Compiles schedules into `timetables`, the core's registry, which answers by number."""

    def __init__(self, zones: Zones) -> None:
        self.zones = zones
        self.timetables = Timetables()
        self._numbers: dict[Hashable, int] = {}  # compiled form -> number
        self._remembered: dict[tuple[Schedule, ...], int] = {}
        self._zone_numbers: dict[str, int] = {}

    def compile(self, schedules: tuple[Schedule, ...], *, field: str = "schedule") -> int:
        """The number of the timetable of these schedules; `InvalidArgument` names the field under `field`."""
        number = self._remembered.get(schedules)
        if number is not None:
            return number
        if len(schedules) > SCHEDULES_MAX:
            raise errors.invalid(
                field, f"at most {SCHEDULES_MAX} schedules, got {len(schedules)}", reason="SCHEDULE_INVALID"
            )
        paths = [field if len(schedules) == 1 else f"{field}[{i}]" for i in range(len(schedules))]
        numbers = sorted({self._one(schedule, path) for schedule, path in zip(schedules, paths, strict=True)})
        if not numbers:
            number = NO_SCHEDULE
        elif len(numbers) == 1:
            number = numbers[0]
        else:
            key = ("union", *numbers)
            number = self._numbers.get(key)
            if number is None:
                number = self._numbers[key] = self._union(numbers, field)
        if len(self._remembered) >= _REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[schedules] = number
        return number

    def _union(self, numbers: list[int], field: str) -> int:
        try:
            return self.timetables.add_union(numbers)
        except ValueError as error:  # each daily time is a member; only the core has counted them
            raise errors.invalid(
                field, f"too many times in all: at most {MEMBERS_MAX} over all schedules", reason="SCHEDULE_INVALID"
            ) from error

    def next_after(self, number: int, instant_ms: int) -> int:
        """The next time strictly after an instant; NEVER if there is none. Intervals count from the instant itself."""
        return self.timetables.next_after(number, instant_ms)

    def prev_before(self, number: int, instant_ms: int) -> int:
        """The last time strictly before an instant; NEVER if there is none."""
        return self.timetables.prev_before(number, instant_ms)

    def rearm(self, number: int, expected_ms: int, judged_ms: int) -> int:
        """After a miss: the first time after `expected_ms` that does not lie before `judged_ms`."""
        return self.timetables.rearm(number, expected_ms, judged_ms)

    def is_grid(self, number: int) -> bool:
        """Whether the slots are fixed in time, whatever was reported."""
        return self.timetables.is_grid(number)

    def distance(self, number: int, slot_ms: int) -> int:
        """Milliseconds from the slot before; NEVER if there is none."""
        return self.timetables.distance(number, slot_ms)

    def _one(self, schedule: Schedule, field: str) -> int:
        match schedule:
            case Cron():
                return self._cron(schedule, f"{field}.cron")
            case Interval():
                return self._interval(schedule, f"{field}.interval")
            case Daily():
                return self._daily(schedule, f"{field}.daily")
            case Rolling(period_ms):
                if not 1000 <= period_ms <= CENTURY_MS:
                    raise errors.invalid(
                        f"{field}.rolling.period",
                        f"must be between 1 second and 100 years, got {period_ms} ms",
                        reason="SCHEDULE_INVALID",
                    )
                return self._interned(("rolling", period_ms), lambda: self.timetables.add_rolling(period_ms))
            case RRule():
                return self._rrule(schedule, f"{field}.rrule")
            case OnCalendar():
                return self._on_calendar(schedule, f"{field}.on_calendar")

    def _cron(self, schedule: Cron, field: str) -> int:
        cron = cron_text.parse(schedule.expression, field=f"{field}.expression")
        zone = self._zone(schedule.time_zone, field)
        return self._masks(cron, zone, _POLICIES[schedule.daylight], schedule.expression, f"{field}.expression")

    def _on_calendar(self, schedule: OnCalendar, field: str) -> int:
        cron, named = on_calendar.parse(schedule.expression, field=f"{field}.expression")
        if named:
            self.zones.get(named, field=f"{field}.expression")  # an unknown name is the expression's
        if named and schedule.time_zone not in ("", "UTC", named):
            raise errors.invalid(
                f"{field}.expression",
                f"names the time zone {named}, the schedule {schedule.time_zone}; leave one of them out",
                reason="SCHEDULE_INVALID",
            )
        zone = self._zone(named or schedule.time_zone or "UTC", field)
        policy = _POLICIES[DaylightPolicy.SKIP]  # as systemd does
        return self._masks(cron, zone, policy, schedule.expression, f"{field}.expression")

    def _masks(self, cron: Masks, zone: int, policy: int, expression: str, field: str) -> int:
        def add() -> int:
            number = self.timetables.add_cron(zone, cron, policy)
            return number if self.next_after(number, _NEVER_FROM_MS) != NEVER else NO_SCHEDULE

        number = self._interned(("cron", zone, policy, cron), add)
        if number == NO_SCHEDULE:
            raise errors.invalid(
                field,
                f"{expression!r} never fires: no date from now on matches all of its fields",
                reason="SCHEDULE_NEVER_FIRES",
                expression=expression,
            )
        return number

    def _interval(self, schedule: Interval, field: str) -> int:
        unit = _UNITS[schedule.unit]
        most = UNITS_IN_CENTURY[unit]
        if not 1 <= schedule.count <= most:
            raise errors.invalid(
                f"{field}.count",
                f"must be between 1 and {most} {schedule.unit.value}s, got {schedule.count}",
                reason="SCHEDULE_INVALID",
            )
        zone = self._zone(schedule.time_zone, field)
        key = (zone, schedule.count, unit, schedule.truncate_to_minute)
        return self._interned(("interval", *key), lambda: self.timetables.add_interval(*key))

    def _daily(self, schedule: Daily, field: str) -> int:
        if not 1 <= len(schedule.times_of_day) <= _TIMES_MAX:
            raise errors.invalid(
                f"{field}.times_of_day",
                f"must hold 1 to {_TIMES_MAX} times, got {len(schedule.times_of_day)}",
                reason="SCHEDULE_INVALID",
            )
        times = tuple(
            sorted({_second_of_day(text, f"{field}.times_of_day[{i}]") for i, text in enumerate(schedule.times_of_day)})
        )
        zone = self._zone(schedule.time_zone, field)
        policy = _POLICIES[schedule.daylight]
        return self._interned(
            ("daily", zone, policy, times), lambda: self.timetables.add_daily(zone, times, policy=policy)
        )

    def _rrule(self, schedule: RRule, field: str) -> int:
        zone = self.zones.get(schedule.time_zone, field=f"{field.rpartition('.')[0]}.time_zone")
        key = ("rrule", schedule.time_zone, schedule.rule)
        number = self._numbers.get(key)
        if number is None:
            occurrences = rrule.compile(schedule.rule, schedule.time_zone, zone, path=f"{field}.rule")
            if occurrences.next_after(_NEVER_FROM_MS // 1000) is None:
                raise errors.invalid(
                    f"{field}.rule",
                    "never fires again: no date matches, or the last one has passed",
                    reason="SCHEDULE_NEVER_FIRES",
                    expression=schedule.rule[:1000],
                )
            number = self._numbers[key] = self.timetables.add_table(occurrences.cover)
        return number

    def _zone(self, name: str, field: str) -> int:
        number = self._zone_numbers.get(name)
        if number is None:
            zone = self.zones.get(
                name, field=f"{field.rpartition('.')[0]}.time_zone"
            )  # the zone stands beside the rule
            number = self._zone_numbers[name] = self.timetables.add_zone(zone)
        return number

    def _interned(self, key: Hashable, add: Callable[[], int]) -> int:
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = add()
        return number


def _second_of_day(text: str, field: str) -> int:
    match = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text)
    if match:
        hour, minute, second = (int(part or 0) for part in match.groups())
        if hour < 24 and minute < 60 and second < 60:
            return hour * 3600 + minute * 60 + second
    raise errors.invalid(
        field, f'{text[:100]!r} is not a time of day; expected "HH:MM" or "HH:MM:SS"', reason="SCHEDULE_INVALID"
    )


def zone_name(schedule: Schedule) -> str:
    """The zone whose clocks a schedule goes by; "" if by none."""
    if isinstance(schedule, Rolling):
        return ""
    named = on_calendar.split_zone(schedule.expression)[1] if isinstance(schedule, OnCalendar) else ""
    return named or schedule.time_zone
