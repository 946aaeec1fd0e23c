"""An incident: a track past its thresholds, from the first failure that counted to the run that recovered it."""

import enum
from typing import Final

import msgspec

from tocsin.domain.instant import Instant

BY_DEACTIVATION: Final = "deactivation"  # `Incident.resolved_by`: its monitor was switched off, so nobody is told


class Cause(enum.Enum):
    """What was wrong; stored and on the wire."""

    MISSED = "missed"
    TIMED_OUT = "timeout"
    ERROR = "error"
    ASSERTION = "assertion"  # one of the monitor's assertions did not hold


class Incident(msgspec.Struct, frozen=True, omit_defaults=True):
    number: int
    project: int
    monitor: int
    monitor_id: str
    track: int
    environment: str
    cause: Cause  # of the failure that opened it
    open_time: Instant
    first_check_in: str = ""  # id of the failure that opened it
    last_check_in: str = ""  # id of the newest failure in it
    failure_count: int = 0  # failures counted into it, those below the threshold included
    resolve_time: Instant | None = None
    resolving_check_in: str = ""
    acknowledge_time: Instant | None = None
    acknowledged_by: str = ""
    note: str = ""
    muted: bool = False  # opened while muted: nobody was told
    broken_time: Instant | None = None  # when its owner was told that nobody seems to care
    broken_mute_time: Instant | None = None  # when its environment was muted, because nobody did
    attended_time: Instant | None = None  # when somebody last unmuted, resumed or enabled what it is about
    causes: tuple[
        str, ...
    ] = ()  # what is wrong, oldest first; when it is over, what was last. Values of Cause, or texts
    assertion: str = ""  # the text of the one that opened it
    resolved_by: str = ""  # who did, in their own words; "": a check-in did, or they did not say


class Outage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A time in which nobody could listen. What fell due in it is UNKNOWN."""

    number: int
    start_time: Instant
    end_time: Instant
    reason: str  # restart, suspend, clock_jump, store, overload
    unknown_count: int = 0  # slots and runs that became UNKNOWN because of it
    shown: bool = True  # long enough (30 s by default) to be listed
