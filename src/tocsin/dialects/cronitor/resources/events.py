"""A check-in → the events that it was made of, as a history shows them. Pure.

A run is one check-in with up to two events: its start, where the client told of it, and its end.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from tocsin.dialects.cronitor.event_json import word_of
from tocsin.dialects.cronitor.resources import shown
from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.incident import Cause, Incident
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Kind, Monitor

RUN, COMPLETE, FAIL, TICK, MESSAGE = "run", "complete", "fail", "tick", "message"
_WORDS: Final = {
    RUN: "Started",
    COMPLETE: "Completed",
    FAIL: "Failed",
    TICK: "Heartbeat",
    MESSAGE: "Message",
    "ok": "Reset to passing",
    "logs": "Logs were sent",
}
_CAUSES: Final = {
    Cause.MISSED: "Did not run on schedule",
    Cause.TIMED_OUT: "Did not complete in time",
    Cause.ERROR: "Failed",
}


class Event(NamedTuple):
    at: Instant
    event: str
    description: str
    environment: str
    check_in: CheckIn | None = None  # None: an alert
    ends: bool = False  # the run ended with it, so that its length belongs here
    message: str = ""


def of_check_in(check_in: CheckIn, kind: Kind) -> list[Event]:
    """Oldest first; none of what nobody sent: a miss, an unknown slot."""
    if check_in.state in (State.MISSED, State.UNKNOWN):
        return []
    if check_in.state is State.NOTE:
        return [_event(check_in, check_in.receive_time, check_in.event or MESSAGE)]
    found = []
    if check_in.start_time is not None:
        found.append(_event(check_in, check_in.start_time, RUN))
    end = check_in.end_time if check_in.end_time is not None else check_in.receive_time
    if check_in.state in (State.OK, State.ERROR):
        found.append(_event(check_in, end, word_of(check_in, kind), ends=True))
    return found


def of_incident(incident: Incident) -> list[Event]:
    """That it opened, and that it was resolved."""
    found = [Event(incident.open_time, "alert", _CAUSES[incident.cause], incident.environment, message=incident.note)]
    if incident.resolve_time is not None:
        found.append(Event(incident.resolve_time, "recovery", "Recovered", incident.environment))
    return found


def newest(events: Iterable[Event], limit: int) -> list[Event]:
    """Newest first. Of two at the same instant the one that came later is shown first."""
    ranked = sorted(enumerate(events), key=lambda pair: (pair[1].at, pair[0]), reverse=True)
    return [event for _, event in ranked[:limit]]


def event_json(event: Event, monitor: Monitor, code: str) -> dict[str, Any]:
    check_in = event.check_in
    return {
        "stamp": shown.stamp(event.at),
        "monitor_name": shown.name_of(monitor),
        "monitor_code": code,
        "description": event.description,
        "from": (check_in.host or check_in.client or None) if check_in else None,
        "message": event.message or None,
        "event": event.event,
        "status": check_in.exit_code if check_in and event.ends else None,
        "duration": shown.seconds(check_in.duration_ms) if check_in and event.ends else None,
        "created": shown.iso(check_in.receive_time if check_in else event.at),
        "env": event.environment,
    }


def _event(check_in: CheckIn, at: Instant, event: str, *, ends: bool = False) -> Event:
    """A run that has ended keeps the message of its end."""
    closed = check_in.state is not State.IN_PROGRESS
    message = "" if event == RUN and closed else check_in.message
    return Event(at, event, _WORDS.get(event, f"Event {event}"), check_in.environment, check_in, ends, message)
