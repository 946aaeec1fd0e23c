"""The stretch of time that a query names, and into how wide pieces it is cut."""

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from starlette.datastructures import QueryParams

from tocsin.dialects.cronitor.resources.query import wrong
from tocsin.domain.instant import DAY, HOUR, MINUTE, Instant, Millis
from tocsin.store.browse_port import Window

LENGTHS: Final = {
    "1h": HOUR,
    "6h": 6 * HOUR,
    "12h": 12 * HOUR,
    "24h": DAY,
    "3d": 3 * DAY,
    "7d": 7 * DAY,
    "14d": 14 * DAY,
    "30d": 30 * DAY,
    "90d": 90 * DAY,
    "180d": 180 * DAY,
    "365d": 365 * DAY,
}
NAMES: Final = (*LENGTHS, "today", "yesterday")
DEFAULT: Final = "24h"
POINTS: Final = 200
"""At most so many pieces, but for one at an end that is cut in two."""
_WIDTHS: Final = (
    *(minutes * MINUTE for minutes in (1, 5, 10, 30)),
    *(hours * HOUR for hours in (1, 2, 6, 12)),
    DAY,
    7 * DAY,
)
_LONGEST: Final = 1_000 * DAY
_LAST_S: Final = 253_402_300_799  # 9999-12-31T23:59:59Z, where dates end
_EPOCH: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


class Period(NamedTuple):
    since: Instant
    until: Instant  # not in it; later than `since`
    width: Millis  # of a piece; pieces begin at its multiples since 1970

    def whole(self, environments: tuple[str, ...]) -> Window:
        """In one piece."""
        return Window(self.since, self.until, self.until - self.since, environments)

    def pieces(self, environments: tuple[str, ...]) -> Window:
        return Window(self.first, self.until, self.width, environments)

    @property
    def first(self) -> Instant:
        """Where the first piece begins."""
        return self.since // self.width * self.width

    def starts(self) -> range:
        """Where the pieces begin."""
        return range(self.first, self.until, self.width)


def period_of(query: QueryParams, now: Instant) -> Period:
    """`time`, or `start` and `end` (seconds since 1970, or ISO 8601); the last day otherwise. Days are UTC's.

    Nothing is known of what is to come, so it ends now at the latest. Invalid.
    """
    start, end = query.get("start", "").strip(), query.get("end", "").strip()
    if start or end:
        until = min(instant_of(end, "end"), now) if end else now
        since = instant_of(start, "start") if start else until - LENGTHS[DEFAULT]
        if since >= until:
            raise wrong("start" if start else "end", "must lie before the end, and before now")
        if until - since > _LONGEST:
            raise wrong("start", f"at most {_LONGEST // DAY} days before the end")
    else:
        since, until = _named(query.get("time", "").strip() or DEFAULT, now)
    length = until - since
    return Period(since, until, next((width for width in _WIDTHS if length <= POINTS * width), _WIDTHS[-1]))


def _named(name: str, now: Instant) -> tuple[Instant, Instant]:
    midnight = now // DAY * DAY
    if name == "today":
        return midnight, max(now, midnight + 1)
    if name == "yesterday":
        return midnight - DAY, midnight
    if name not in LENGTHS:
        raise wrong("time", f"{name[:40]!r} is none of {', '.join(NAMES)}")
    return now - LENGTHS[name], now


def instant_of(text: str, name: str) -> Instant:
    """Of seconds since 1970, or of ISO 8601, which is UTC's without a zone. Invalid."""
    if _EPOCH.fullmatch(text) and float(text) <= _LAST_S:
        return int(float(text) * 1000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise wrong(name, f"{text[:40]!r} is neither seconds since 1970 nor ISO 8601") from None
    seconds = (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()
    if seconds >= _LAST_S + 1:  # of a zone west of Greenwich, on the last of all days
        raise wrong(name, f"{text[:40]!r} is after the year 9999")
    return max(int(seconds * 1000), 0)
