"""Tables `[[maintenance]]` of the settings: maintenance windows that hold in every project."""

import datetime
from collections.abc import Iterable

import msgspec

from tocsin.domain import maintenance
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.schedule import Cron, Daily, OnCalendar, RRule, Schedule
from tocsin.schedule import Compiler


class Maintenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str = ""  # for people
    start: datetime.datetime | None = None  # of a single window, with its offset: 2026-12-24T18:00:00+01:00
    end: datetime.datetime | None = None
    cron: str = ""  # when a recurring window begins; one of the four
    rrule: str = ""
    on_calendar: str = ""
    daily: tuple[str, ...] = ()
    time_zone: str = "UTC"  # of these
    minutes: float = 0  # how long each occurrence lasts
    monitors: tuple[str, ...] = ()  # patterns; none: all
    environments: tuple[str, ...] = ()  # likewise


def windows_of(tables: Iterable[Maintenance], compiler: Compiler) -> tuple[MaintenanceWindow, ...]:
    """In order. ValueError names the setting that cannot be used."""
    return tuple(_window(table, index, compiler) for index, table in enumerate(tables))


_NAMES = {"start_time": "start", "end_time": "end", "duration": "minutes", "display_name": "name"}


def _window(table: Maintenance, index: int, compiler: Compiler) -> MaintenanceWindow:
    path = f"maintenance[{index}]"
    window = MaintenanceWindow(
        number=0,
        project=0,
        id=f"server-{index}",
        display_name=table.name,
        start_time=_instant(table.start, f"{path}.start"),
        end_time=_instant(table.end, f"{path}.end"),
        recurrence=_recurrence(table, path),
        duration_ms=round(table.minutes * 60_000) if abs(table.minutes) < maintenance.LONGEST else -1,
        monitors=table.monitors,
        environments=table.environments,
    )
    try:
        maintenance.check(window, path)
        if window.recurrence is not None:
            compiler.compile((window.recurrence,), field=path)
    except InvalidArgument as error:
        head, _, rest = error.message.removeprefix(f"{path}.").partition(":")
        raise ValueError(f"{path}.{_NAMES.get(head, head)}:{rest}") from None
    return window


def _instant(given: datetime.datetime | None, path: str) -> int | None:
    if given is None:
        return None
    if given.tzinfo is None:
        raise ValueError(f"{path}: needs an offset, such as 2026-12-24T18:00:00+01:00 or …Z")
    return int(given.timestamp()) * 1000


def _recurrence(table: Maintenance, path: str) -> Schedule | None:
    given: list[Schedule] = []
    if table.cron:
        given.append(Cron(table.cron, table.time_zone))
    if table.rrule:
        given.append(RRule(table.rrule, table.time_zone))
    if table.on_calendar:
        given.append(OnCalendar(table.on_calendar, table.time_zone))
    if table.daily:
        given.append(Daily(table.daily, table.time_zone))
    if len(given) > 1:
        raise ValueError(f"{path}: has more than one of cron, rrule, on_calendar and daily; make a table for each")
    return given[0] if given else None
