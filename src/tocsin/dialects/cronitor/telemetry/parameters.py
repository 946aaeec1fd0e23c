"""The query of a telemetry URL, read. Nothing in it is an error: what cannot be read is left out and remarked upon."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from tocsin.dialects.cronitor.telemetry import metrics
from tocsin.dialects.cronitor.telemetry.states import name_of
from tocsin.domain.check_in import MAX_DURATION
from tocsin.domain.instant import Instant, Millis

MESSAGE_MAX: Final = 2_000  # characters
SERIES_MAX: Final = 255
HOST_MAX: Final = 255
_STAMP_MAX: Final = 100_000_000_000  # seconds: the year 5138; what is later is no number of seconds
_INT32: Final = 1 << 31
_SHOWN: Final = 80
DURATION: Final = "duration"


class Parameters(msgspec.Struct, frozen=True, omit_defaults=True):
    state: str = ""  # "": none
    message: str = ""
    series: str = ""
    host: str = ""
    environment: str = ""  # as sent
    stamp: Instant | None = None  # the client's clock
    attempt: int = 0  # 0: not said
    next_time: Instant | None = None  # when the client will run next
    duration_ms: Millis | None = None
    exit_code: int | None = None
    metrics: dict[str, float] = {}  # without the duration
    remarks: tuple[str, ...] = ()


def read(pairs: Sequence[tuple[str, str]]) -> Parameters:
    """`pairs`: decoded, in order. Of a name that came more than once the last value counts, of metrics all."""
    if not pairs:
        return _NONE
    last = dict(pairs)
    remarks: list[str] = []
    sent = [value for name, value in pairs if name == "metric"]
    measured = metrics.read(sent) if sent else None
    lasted = _number(last, DURATION, remarks, _millis)
    values: dict[str, float] = {}
    if measured is not None:
        values = measured.values
        remarks += measured.remarks
        seconds = values.pop(DURATION, None)
        if lasted is None and seconds is not None:
            lasted = _millis(seconds)
            if lasted is None:
                remarks.append(f"metric: the duration {seconds:g} {_DURATION_BOUNDS}")
    return Parameters(
        state=name_of(last.get("state", "")),
        message=(last.get("message") or last.get("msg") or "")[:MESSAGE_MAX],
        series=last.get("series", "")[:SERIES_MAX],
        host=last.get("host", "")[:HOST_MAX],
        environment=last.get("env", ""),
        stamp=_number(last, "stamp", remarks, _instant),
        attempt=_number(last, "try", remarks, _count) or 0,
        next_time=_number(last, "schedule", remarks, _instant),
        duration_ms=lasted,
        exit_code=_number(last, "status_code" if last.get("status_code") else "exit_code", remarks, _exit_code),
        metrics=values,
        remarks=tuple(remarks),
    )


_NONE: Final = Parameters()
_DURATION_BOUNDS: Final = f"is not within 0 to {MAX_DURATION / 1000} seconds"


def _number(
    last: Mapping[str, str], name: str, remarks: list[str], convert: Callable[[float], int | None]
) -> int | None:
    text = last.get(name)
    if not text:
        return None
    value = metrics.number(text)
    converted = None if value is None else convert(value)
    if converted is None:
        remarks.append(f"{name}: {text[:_SHOWN]!r} {_WANTED[name]}")
    return converted


_WANTED: Final = {
    "stamp": "is no number of seconds since 1970",
    "schedule": "is no number of seconds since 1970",
    "try": "is no number of tries",
    "duration": _DURATION_BOUNDS,
    "status_code": "is no exit code",
    "exit_code": "is no exit code",
}


def _instant(seconds: float) -> Instant | None:
    return round(seconds * 1000) if 0 <= seconds < _STAMP_MAX else None


def _millis(seconds: float) -> Millis | None:
    millis = round(seconds * 1000) if 0 <= seconds <= MAX_DURATION else -1
    return millis if 0 <= millis <= MAX_DURATION else None


def _count(value: float) -> int | None:
    return int(value) if 0 <= value < _INT32 and value.is_integer() else None


def _exit_code(value: float) -> int | None:
    """Windows has codes up to 2^32, which are negative ones."""
    if not value.is_integer() or not -_INT32 <= value < 2 * _INT32:
        return None
    return int(value) - (2 * _INT32 if value >= _INT32 else 0)
