"""How a monitor, an instant and a length are shown."""

from tocsin.dialects.cronitor.reading import kept_of, key_of
from tocsin.domain.instant import SECOND, Instant, Millis, to_rfc3339
from tocsin.domain.monitor import Monitor

__all__ = ["iso", "key_of", "name_of", "seconds", "stamp"]


def name_of(monitor: Monitor) -> str:
    """As people call it; its key where nobody said."""
    default = kept_of(monitor).get("defaultName")
    return monitor.display_name or (default if isinstance(default, str) and default else key_of(monitor))


def stamp(at: Instant) -> float:
    """Seconds since 1970."""
    return at / SECOND


def seconds(length: Millis | float | None) -> float | None:
    return None if length is None else round(length / SECOND, 3)


def iso(at: Instant | None) -> str | None:
    return None if at is None else to_rfc3339(at)
