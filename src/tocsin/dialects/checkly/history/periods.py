"""Stretches of time that are asked about: by name, by both ends, or by one of them. Pure. Days are those of UTC."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from starlette.datastructures import QueryParams

from tocsin.dialects.checkly import queries
from tocsin.domain.instant import DAY, SECOND, Instant, Millis

LAST_DAY: Final = "last24Hours"
LAST_WEEK: Final = "last7Days"
_LENGTHS: Final = {LAST_DAY: DAY, LAST_WEEK: 7 * DAY, "last30Days": 30 * DAY}
QUICK: Final = (*_LENGTHS, "thisWeek", "thisMonth", "lastWeek", "lastMonth")


class Period(NamedTuple):
    """From `since` to just before `until`."""

    since: Instant
    until: Instant

    @property
    def cuts(self) -> tuple[Instant, Instant, Instant]:
        """Its ends, and before them the beginning of the one before, which is as long."""
        return max(self.since - (self.until - self.since), 0), self.since, self.until


def quick(name: str, now: Instant) -> Period:
    """One of `QUICK`. Weeks begin on Monday."""
    if name in _LENGTHS:
        return Period(max(now - _LENGTHS[name], 0), now)
    today = datetime.fromtimestamp(now // SECOND, UTC).replace(hour=0, minute=0, second=0)
    if name.endswith("Week"):
        begin = today - timedelta(days=today.weekday())
        before = begin - timedelta(days=7)
    else:
        begin = today.replace(day=1)
        before = (begin - timedelta(days=1)).replace(day=1)
    return Period(_instant(begin), now) if name.startswith("this") else Period(_instant(before), _instant(begin))


def period_of(
    query: QueryParams, now: Instant, *, names: tuple[str, str] = ("from", "to"), length: Millis = DAY
) -> Period:
    """What a query says of both ends; without one of them it is `length` long, without both it ends now."""
    since, until = (queries.moment(query, name) for name in names)
    if since is None and until is None:
        return Period(max(now - length, 0), now)
    if until is None:
        assert since is not None
        until = max(now, since)
    if since is None:
        since = max(until - length, 0)
    if since > until:
        raise queries.bad(names[0], f"must not be after {names[1]}")
    return Period(since, until)


def asked(query: QueryParams, now: Instant, default: str = LAST_DAY) -> Period:
    """`from` and `to` where either is there, else `quickRange`."""
    name = quick_name(query, default)
    if query.get("from", "").strip() or query.get("to", "").strip():
        return period_of(query, now)
    return quick(name, now)


def quick_name(query: QueryParams, default: str = LAST_DAY, known: Sequence[str] = QUICK) -> str:
    return queries.one_of(query, "quickRange", known) or default


def window_of(query: QueryParams, now: Instant, longest: Millis) -> Period:
    """As `period_of`, of at most `longest`; with only its beginning it is as long as that."""
    since, until = (queries.moment(query, name) for name in ("from", "to"))
    if until is None:
        until = now if since is None else since + longest
    if since is None:
        since = max(until - longest, 0)
    if not 0 <= until - since <= longest:
        raise queries.bad("from", f"must be before `to`, and at most {longest // SECOND} seconds")
    return Period(since, until)


def _instant(moment: datetime) -> Instant:
    return int(moment.timestamp()) * SECOND
