"""How a monitor, an instant and a length are shown."""

import msgspec

from tocsin.domain.instant import SECOND, Instant, Millis, to_rfc3339
from tocsin.domain.monitor import Monitor

DIALECT = "cronitor"


class _Known(msgspec.Struct):
    key: str = ""


_decode = msgspec.json.Decoder(_Known).decode


def key_of(monitor: Monitor) -> str:
    """As its client wrote it; of a monitor of any other protocol its id."""
    known = monitor.extras.get(DIALECT)
    if known is None:
        return monitor.id
    try:
        return _decode(known).key or monitor.id
    except msgspec.DecodeError:
        return monitor.id


def name_of(monitor: Monitor) -> str:
    return monitor.display_name or key_of(monitor)


def stamp(at: Instant) -> float:
    """Seconds since 1970."""
    return at / SECOND


def seconds(length: Millis | float | None) -> float | None:
    return None if length is None else round(length / SECOND, 3)


def iso(at: Instant | None) -> str | None:
    return None if at is None else to_rfc3339(at)
