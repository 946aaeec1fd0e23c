"""Check-ins, their counts, and what was refused, as Sentry shows them. Pure."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

import msgspec

from tocsin.dialects.sentry.management.times import Series, iso
from tocsin.domain import ids
from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.instant import MINUTE
from tocsin.domain.refusals import RefusalReason
from tocsin.domain.trace_error import TraceError
from tocsin.store.browse_port import Count

SHOWN: Final = frozenset(State) - {State.NOTE}  # a note is no run; Sentry has no word for it
_VERDICTS: Final = (State.OK, State.ERROR, State.MISSED, State.TIMED_OUT, State.UNKNOWN)
_WORDS: Final = {State.ABANDONED: State.UNKNOWN.value}  # where Sentry has another
_ERROR_ID: Final = 32  # hex digits


def check_in_json(check_in: CheckIn, config: dict[str, Any]) -> dict[str, Any]:
    """`config` is the monitor's when it was recorded. `timeoutAt` and `traceId` are ours."""
    recorded = ids.instant_of(check_in.number)
    return {
        "id": str(UUID(check_in.id)),
        "environment": check_in.environment,
        "status": _WORDS.get(check_in.state, check_in.state.value),
        "duration": check_in.duration_ms,
        "dateCreated": iso(check_in.receive_time),
        "dateAdded": iso(check_in.receive_time),
        "dateUpdated": iso(check_in.update_time),
        "dateClock": iso(recorded // MINUTE * MINUTE),
        "dateInProgress": iso(check_in.start_time),
        "expectedTime": iso(check_in.expected_time),
        "timeoutAt": iso(check_in.timeout_time),
        "traceId": check_in.trace_id or None,
        "monitorConfig": config,
    }


def groups_json(error: TraceError | None) -> list[dict[str, Any]]:
    """What went wrong in the trace of a run, as its only group; there is no issue behind it, so the trace is its id."""
    if error is None:
        return []
    name = error.type or error.value
    return [
        {"id": error.trace_id, "shortId": name[:100], "level": error.level, "type": error.type, "value": error.value}
    ]


def stats_json(counts: Iterable[Count], series: Series) -> list[dict[str, Any]]:
    """One object for each bucket, also for those in which nothing happened. `duration` is the mean, in milliseconds."""
    rows: dict[int, dict[str, Any]] = {
        start: {"ts": start // 1000, **dict.fromkeys((state.value for state in _VERDICTS), 0)}
        for start in series.starts()
    }
    lengths = {start: [0, 0] for start in rows}
    for count in counts:
        row = rows[count.start]
        if count.state.value in row:
            row[count.state.value] += count.number
        lengths[count.start][0] += count.duration
        lengths[count.start][1] += count.durations
    for start, (total, number) in lengths.items():
        rows[start]["duration"] = total // number if number else None
    return list(rows.values())


def grouped_stats_json(counts: Iterable[Count], series: Series) -> list[list[Any]]:
    """[[ts, {environment: {status: count}}], …] of one monitor."""
    rows: dict[int, dict[str, dict[str, int]]] = {start: {} for start in series.starts()}
    words = [State.IN_PROGRESS, *_VERDICTS]
    for count in counts:
        if count.state in words:
            of = rows[count.start].setdefault(count.environment, dict.fromkeys((word.value for word in words), 0))
            of[count.state.value] += count.number
    return [[start // 1000, environments] for start, environments in rows.items()]


def processing_error_json(refusal: CheckInRefused) -> dict[str, Any]:
    """The number of the type is Sentry's; `reason` says it in words."""
    error = {"type": number_of_reason(refusal.reason), **refusal.data, "reason": refusal.detail}
    message = {
        "message_type": "check_in",
        "project_id": refusal.project,
        "start_time": refusal.at / 1000,
        "payload": refusal.payload,
    }
    return {
        "id": error_id(refusal.number),
        "checkin": {"ts": iso(refusal.at), "partition": 0, "message": message, "payload": _payload(refusal)},
        "errors": [error],
    }


def error_id(number: int) -> str:
    return f"{number:0{_ERROR_ID}x}"


def error_number(text: str) -> int | None:
    """The number in an id of ours, dashed or not; None for any other text."""
    try:
        number = int(ids.normal_id(text), 16)
    except InvalidArgument:
        return None
    return number if number < 1 << 63 else None


def number_of_reason(reason: str) -> int:
    return RefusalReason[reason].value if reason in RefusalReason.__members__ else RefusalReason.INTERNAL.value


def reasons_of_number(number: int) -> tuple[str, ...]:
    return tuple(reason.name for reason in RefusalReason if reason.value == number)


def _payload(refusal: CheckInRefused) -> Any:
    """What the client sent over what is known of it otherwise; what was cut, or is no JSON, is not told."""
    known = {
        "check_in_id": refusal.check_in_id or None,
        "monitor_slug": refusal.monitor_id or None,
        "environment": refusal.environment or None,
    }
    try:
        payload = msgspec.json.decode(refusal.payload) if refusal.payload else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return known
    return {**known, **payload} if isinstance(payload, dict) else known
