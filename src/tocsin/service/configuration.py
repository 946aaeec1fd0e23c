"""Whether a monitor's configuration can be used: schedules compile, numbers are within bounds. For every edge."""

from typing import Final

from tocsin.domain import errors
from tocsin.domain.monitor import MAX_MARGIN, MAX_MAX_RUNTIME, MAX_THRESHOLD, MonitorChange
from tocsin.domain.schedule import in_zone
from tocsin.schedule import Compiler

_BOUNDS: Final = {
    "margin_ms": (0, MAX_MARGIN),
    "max_runtime_ms": (0, MAX_MAX_RUNTIME),
    "failure_threshold": (1, MAX_THRESHOLD),
    "miss_threshold": (0, MAX_THRESHOLD),
    "recovery_threshold": (1, MAX_THRESHOLD),
    "alert_delay_ms": (0, MAX_MARGIN),
    "early_ms": (0, MAX_MARGIN),
}


class Configuration:
    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler

    def check(self, change: MonitorChange, field: str) -> None:
        """InvalidArgument with the path below `field` of what is wrong."""
        for name, value in change.tolerance.items():
            low, high = _BOUNDS[name]
            if value is not None and not (isinstance(value, int) and low <= value <= high):
                raise errors.invalid(f"{field}.tolerance.{name}", f"must be {low} to {high}, not {value}")
        schedules = change.policy.get("schedules")
        if isinstance(schedules, tuple):
            schedules, single = in_zone(schedules, "UTC"), len(schedules) == 1
            self._compiler.compile(schedules, field=f"{field}.schedules[0]" if single else f"{field}.schedules")
