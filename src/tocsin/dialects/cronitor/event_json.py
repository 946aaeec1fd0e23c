"""Check-ins as Cronitor shows them: as the last event, as events, as invocations. Pure.

A check-in is a run or a lone signal, so it stands for up to two events: the one that opened it and the one that ended
it. What the newest was called is kept with it; where another protocol reported, its state says it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.instant import SECOND, Instant, Millis
from tocsin.domain.monitor import Kind

REPORTED: Final = frozenset(State) - {State.MISSED, State.UNKNOWN}
"""States that are there because somebody reported; the others are about silence."""
LIVELY: Final = REPORTED - {State.NOTE}
_SPOKEN: Final = ("", "tick")  # notes that are the last thing heard of a job
_INVOCATIONS: Final = {
    State.IN_PROGRESS: "running",
    State.OK: "complete",
    State.ERROR: "fail",
    State.TIMED_OUT: "fail",
}


def latest_json(check_in: CheckIn, kind: Kind) -> dict[str, Any]:
    """The last event of a check-in."""
    return events_of(check_in, kind)[0]


def events_of(check_in: CheckIn, kind: Kind) -> list[dict[str, Any]]:
    """Newest first."""
    if check_in.state is State.NOTE:
        return [_event(check_in, check_in.event, check_in.receive_time)]
    begun = check_in.start_time if check_in.start_time is not None else check_in.receive_time
    if check_in.state in (State.OK, State.ERROR):
        end = check_in.end_time if check_in.end_time is not None else check_in.update_time
        found = [_event(check_in, word_of(check_in, kind), end)]
        if check_in.start_time is not None and check_in.end_time is not None and check_in.start_time < end:
            found.append(_event(check_in, "run", begun, opening=True))
        return found
    return [_event(check_in, "run", begun)]


def word_of(check_in: CheckIn, kind: Kind) -> str:
    if check_in.event:
        return check_in.event
    if check_in.state is State.OK:
        return "tick" if kind is Kind.HEARTBEAT else "complete"
    return "fail" if check_in.state is State.ERROR else "run"


def invocation_json(check_in: CheckIn, kind: Kind) -> dict[str, Any]:
    return {
        "series": check_in.series or None,
        "state": _INVOCATIONS.get(check_in.state, "abandoned"),
        "start": seconds(check_in.start_time),
        "end": seconds(check_in.end_time),
        "duration": _length(check_in.duration_ms),
        "host": check_in.host or None,
        "ip": check_in.address or None,
        "client": check_in.client or None,
        "status": check_in.exit_code,
        "env": check_in.environment,
        "events": events_of(check_in, kind),
    }


def is_invocation(check_in: CheckIn) -> bool:
    return check_in.state is not State.NOTE


def is_inert(check_in: CheckIn) -> bool:
    """Whether it is recorded and no more: a marker of a log, or a state that means nothing."""
    return check_in.state is State.NOTE and check_in.event not in _SPOKEN


def latest(opened_last: Mapping[int, CheckIn], lively: Mapping[int, CheckIn]) -> dict[int, CheckIn]:
    """By track, what was heard last: of the check-in that was opened last, and the newest that is no note."""
    found = {track: one for track, one in opened_last.items() if not is_inert(one)}
    found |= {
        track: one
        for track, one in lively.items()
        if track not in found or one.update_time >= found[track].receive_time
    }
    return found


def newest_first(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(events, key=lambda event: event["stamp"], reverse=True)


def seconds(instant: Instant | None) -> float | None:
    return None if instant is None else instant / SECOND


def _event(check_in: CheckIn, word: str, at: Instant, *, opening: bool = False) -> dict[str, Any]:
    metrics: dict[str, float] = {}
    if not opening:
        metrics = dict(check_in.metrics)
        if check_in.duration_ms is not None:
            metrics.setdefault("duration", check_in.duration_ms / SECOND)
    return {
        "stamp": at / SECOND,
        "msg": check_in.message or None,
        "event": word,
        "metrics": metrics,
        "client": check_in.client or None,
        "host": check_in.host or None,
        "ip": check_in.address or None,
    }


def _length(millis: Millis | None) -> float | None:
    return None if millis is None else millis / SECOND
