"""Instants and lengths as this API writes them, and the stretches of time that its queries name."""

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from starlette.datastructures import QueryParams

from tocsin.dialects.sentry.management.replies import Refused
from tocsin.domain.instant import DAY, HOUR, MINUTE, NEVER, SECOND, Instant, Millis, to_rfc3339

_UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_LENGTH: Final = re.compile(r"([0-9]{1,9})([smhdw]?)")
_EPOCH: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
_LAST: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z, where datetime ends
MAX_BUCKETS: Final = 10_000


class Series(NamedTuple):
    """Buckets of `width` from `since` on; the last one begins before `until`."""

    since: Instant
    until: Instant
    width: Millis

    def starts(self) -> range:
        return range(self.since, self.until, self.width)


def iso(instant: Instant | None) -> str | None:
    """None for none and never; "2026-11-22T10:00:00Z" otherwise."""
    if instant is None or instant == NEVER:
        return None
    return to_rfc3339(min(instant, _LAST))


def length_of(text: str, name: str) -> Millis:
    """Milliseconds of "60", "60s", "5m", "24h", "14d" or "2w". Refused 400."""
    match = _LENGTH.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise Refused(400, f"{name}: {text[:40]!r} is not a length of time such as 30m, 24h or 14d")
    return int(match[1]) * _UNITS[match[2] or "s"]


def range_of(query: QueryParams, now: Instant) -> tuple[Instant | None, Instant | None]:
    """What `statsPeriod`, or `start` and `end`, say; None where they say nothing. Refused 400."""
    period = query.get("statsPeriod") or query.get("stats_period") or ""
    start, end = query.get("start") or "", query.get("end") or ""
    if period:
        if start or end:
            raise Refused(400, "send statsPeriod, or start and end, not both")
        return max(now - length_of(period, "statsPeriod"), 0), None
    if bool(start) != bool(end):
        raise Refused(400, "start and end belong together; send both")
    if not start:
        return None, None
    since, until = _moment(start, "start"), _moment(end, "end")
    if until < since:
        raise Refused(400, "end must not lie before start")
    return since, until


def series_of(query: QueryParams, now: Instant) -> Series:
    """`since`, `until` (epoch seconds), `resolution` or `rollup`; the last day in hours when nothing is said.

    Or `statsPeriod`, or `start` and `end`. Buckets begin at whole multiples of their width since 1970. Refused 400.
    """
    since, until = range_of(query, now)
    if query.get("until"):
        until = _moment(query["until"], "until")
    if query.get("since"):
        since = _moment(query["since"], "since")
    until = now if until is None else until
    since = max(until - DAY, 0) if since is None else since
    if until < since:
        raise Refused(400, "until must not lie before since")
    asked = query.get("resolution") or query.get("rollup") or query.get("interval") or ""
    width = length_of(asked, "resolution") if asked else (HOUR if until - since <= 31 * DAY else DAY)
    first = since // width * width
    if (until - first) // width >= MAX_BUCKETS:
        raise Refused(
            400, f"resolution: more than {MAX_BUCKETS} buckets; ask for a shorter time or a longer resolution"
        )
    return Series(first, max(until, first + 1), width)


def _moment(text: str, name: str) -> Instant:
    """Epoch seconds, or ISO 8601; without a zone it is UTC."""
    if _EPOCH.fullmatch(text):
        return min(int(float(text) * 1000), _LAST)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(400, f"{name}: {text[:40]!r} is neither ISO 8601 nor seconds since 1970") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max(int(moment.timestamp() * 1000), 0)
