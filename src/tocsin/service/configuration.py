"""Whether a monitor's configuration can be used: schedules and assertions can be read, numbers are within bounds."""

import re
from functools import lru_cache
from typing import Final

from tocsin._core.zone import Zone
from tocsin.domain import errors
from tocsin.domain.assertion import check_all
from tocsin.domain.group import check_group_key, check_tags
from tocsin.domain.monitor import MAX_MARGIN, MAX_MAX_RUNTIME, MAX_THRESHOLD, Kind, MonitorChange
from tocsin.domain.schedule import Schedule, in_zone, placed
from tocsin.schedule import Compiler, Zones

_BOUNDS: Final = {
    "margin_ms": (0, MAX_MARGIN),
    "max_runtime_ms": (0, MAX_MAX_RUNTIME),
    "failure_threshold": (1, MAX_THRESHOLD),
    "miss_threshold": (0, MAX_THRESHOLD),
    "recovery_threshold": (1, MAX_THRESHOLD),
    "alert_delay_ms": (0, MAX_MARGIN),
    "early_ms": (0, MAX_MARGIN),
}

_TOKEN: Final = re.compile(r"[0-9a-f]{32}")
_SCRATCH_MAX: Final = 1_000  # schedules compiled on trial before they are forgotten


class Configuration:
    """Compiles on trial, apart from the engine: what is only asked about, or refused, must not stay in memory."""

    def __init__(self, zones: Zones, database: str = "unknown") -> None:
        """`database` is the release that the zones are of."""
        self.database = database
        self._zones = zones
        self._scratch = Compiler(zones)
        self._compiled = 0

    def use(self, zones: Zones, database: str) -> None:
        """From now on these zones: another time zone database."""
        self.database = database
        self._zones, self._scratch, self._compiled = zones, Compiler(zones), 0

    def compile(self, schedules: tuple[Schedule, ...], field: str) -> tuple[Compiler, int]:
        """A compiler and its number for the schedules, good until the next call. InvalidArgument names the field."""
        self._compiled += 1
        if self._compiled > _SCRATCH_MAX:
            self._scratch, self._compiled = Compiler(self._zones), 1
        return self._scratch, self._scratch.compile(schedules, field=field)

    def zone(self, name: str, field: str) -> Zone:
        """TIME_ZONE_UNKNOWN, about `field`, when there is no such zone."""
        return self._zones.get(name, field=field)

    def check_zone(self, name: str, field: str) -> None:
        """TIME_ZONE_UNKNOWN, about `field`, when there is no such zone."""
        self._zones.get(name, field=field)

    def check(self, change: MonitorChange, field: str) -> None:
        """InvalidArgument with the path below `field` of what is wrong."""
        for name, value in change.tolerance.items():
            low, high = _BOUNDS[name]
            if value is not None and not (isinstance(value, int) and low <= value <= high):
                raise errors.invalid(f"{field}.tolerance.{name}", f"must be {low} to {high}, not {value}")
        assertions, kind = change.policy.get("assertions"), change.policy.get("kind", Kind.JOB)
        if isinstance(assertions, tuple) and isinstance(kind, Kind):  # what is for a job is for a heartbeat too
            try:
                _read(assertions, kind.value)
            except errors.InvalidArgument:
                check_all(assertions, kind.value, f"{field}.assertions")  # which says where
        schedules = change.policy.get("schedules")
        if isinstance(schedules, tuple):
            schedules, single = in_zone(placed(schedules, "UTC"), "UTC"), len(schedules) == 1
            self.compile(schedules, f"{field}.schedules[0]" if single else f"{field}.schedules")
        if change.group:
            check_group_key(change.group, f"{field}.group")
        if change.ping_token and not _TOKEN.fullmatch(change.ping_token):
            raise errors.invalid(f"{field}.ping_token", "must be a UUID as 32 lower-case hex characters")
        if change.tags:
            check_tags(change.tags, f"{field}.tags")


@lru_cache(maxsize=4_096)
def _read(assertions: tuple[str, ...], kind: str) -> None:
    """Thousands of monitors that are put together say the same."""
    check_all(assertions, kind)
