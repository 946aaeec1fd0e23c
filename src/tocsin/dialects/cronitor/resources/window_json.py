"""A maintenance window as Cronitor writes it. Pure."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tocsin.dialects.cronitor.resources import shown
from tocsin.domain.instant import MINUTE, Instant
from tocsin.domain.maintenance import MaintenanceWindow

STATES: Final = ("past", "ongoing", "upcoming")


class Span(NamedTuple):
    """The occurrence that is shown: the one that goes on, or the next, or the last."""

    start: Instant | None  # None: there is none
    end: Instant | None


def state_of(span: Span, now: Instant) -> str:
    if span.start is None or span.end is None or span.end <= now:
        return "past"
    return "upcoming" if span.start > now else "ongoing"


def window_json(window: MaintenanceWindow, span: Span, now: Instant, keys: Mapping[str, str]) -> dict[str, Any]:
    """`keys`: of monitors, by their ids; a pattern is shown as it is."""
    length = None if span.start is None or span.end is None else (span.end - span.start) // MINUTE
    return {
        "key": window.id,
        "name": window.display_name or window.id,
        "start": shown.iso(span.start),
        "end": shown.iso(span.end),
        "state": state_of(span, now),
        "duration": length,
        "monitors": [keys.get(name, name) for name in window.monitors],
        "groups": [],
        "statuspages": [],
        "environments": list(window.environments),
        "created": shown.iso(window.create_time),
    }
