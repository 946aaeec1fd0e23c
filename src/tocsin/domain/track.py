"""A track: one monitor in one environment, and how it is doing. The word is internal; the wire says environment."""

import enum
from typing import Final

import msgspec

from tocsin.domain.instant import NEVER, Instant, Millis


class Health(enum.IntEnum):
    """Whether the thresholds have been crossed. Numbers are stored."""

    NEW = 0  # no verdict yet
    HEALTHY = 1
    UNHEALTHY = 2  # an incident is open


class Verdict(enum.IntEnum):
    """The last judged outcome. Numbers are stored."""

    NONE = 0
    OK = 1
    ERROR = 2
    MISSED = 3
    TIMED_OUT = 4
    UNKNOWN = 5


FAILURES: Final = frozenset((Verdict.ERROR, Verdict.MISSED, Verdict.TIMED_OUT))


class TrackFlag(enum.IntFlag):
    DEAFENED = 1  # the window now waited for overlaps an outage: running out means UNKNOWN
    UNHEARD = 2  # the newest lapse is UNKNOWN, not MISSED; says nothing without a lapse
    MUTED = 4  # judged, not told, in this environment; the monitor's own mute mutes all
    BEGUN = 8  # its rolling timer was switched on: it runs whether a signal ever came or not


class Track(msgspec.Struct):
    """Hot state, mutable: the engine's working copy of one row of the roster. Field order is the roster's."""

    number: int
    monitor: int  # slot of the monitor in the monitor roster while in the engine; Monitor.number in the store
    environment: int  # number of the interned environment name in the engine and in the store
    next_track: int  # engine only: next track of the same monitor
    health: int = Health.NEW
    verdict: int = Verdict.NONE
    flags: int = 0
    failures: int = 0  # consecutive; misses included unless they are counted apart
    misses: int = 0  # consecutive
    recoveries: int = 0  # consecutive OKs since the incident opened
    open_runs: int = 0
    incident: int = 0  # Incident.number, 0: none
    expected: Instant = NEVER  # the slot now waited for
    deadline: Instant = NEVER  # when it is called missed; whole seconds
    run_deadline: Instant = NEVER  # earliest time-out of an open run
    last_check_in: Instant = NEVER
    last_success: Instant = NEVER
    last_start: Instant = NEVER  # newest run start or lone report: what an error must not be older than
    last_duration: Millis = -1
    ok_count: int = 0
    error_count: int = 0
    started_count: int = 0
    missed_count: int = 0
    timed_out_count: int = 0
    unknown_count: int = 0
    last_lapse: int = 0  # number of the newest missed or unknown check-in that no report has answered yet, 0: none
    last_lapse_slot: Instant = NEVER  # its slot


class DisplayState(enum.Enum):
    """`tocsin_monitor_state`; first that holds, in this order of precedence: see `display_state`."""

    PAUSED = "paused"
    MISSED = "missed"
    TIMEOUT = "timeout"
    ERROR = "error"
    LATE = "late"
    RUNNING = "running"
    UNKNOWN = "unknown"
    OK = "ok"
    NEW = "new"


_FAILED = {
    Verdict.MISSED: DisplayState.MISSED,
    Verdict.TIMED_OUT: DisplayState.TIMEOUT,
    Verdict.ERROR: DisplayState.ERROR,
}


def display_state(*, paused: bool, verdict: int, expected: Instant, open_runs: int, now: Instant) -> DisplayState:
    """Paused > missed, timeout or error (the last verdict, until an OK) > late > running > unknown > ok > new."""
    if paused:
        return DisplayState.PAUSED
    if verdict in _FAILED:
        return _FAILED[Verdict(verdict)]
    if expected < now:
        return DisplayState.LATE
    if open_runs:
        return DisplayState.RUNNING
    if verdict == Verdict.UNKNOWN:
        return DisplayState.UNKNOWN
    return DisplayState.OK if verdict == Verdict.OK else DisplayState.NEW
