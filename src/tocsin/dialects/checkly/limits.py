"""How many requests a minute one key may make, by kind of endpoint. Off unless somebody sets them."""

from collections.abc import Mapping
from enum import Enum

from tocsin.domain.instant import Instant, Millis
from tocsin.service.rates import Buckets, Rate

_MINUTE_S = 60.0


class Limited(Enum):
    """Kinds of endpoints that are counted apart, with what the vendor allows in a minute."""

    REQUESTS = "requests"  # 600
    RESULTS = "results"  # 60
    ANALYTICS = "analytics"  # 30
    NOTIFICATIONS = "notifications"  # 30: five in ten seconds
    PROMETHEUS = "prometheus"  # 50


def per_minute(number: int) -> Rate:
    """All of a minute's may come at once; 0: any number."""
    return Rate(number / _MINUTE_S, max(number, 1))


class Limits:
    def __init__(self, rates: Mapping[Limited, Rate] | None = None) -> None:
        given = rates or {}
        self._buckets = {kind: Buckets(given.get(kind, Rate())) for kind in Limited}

    def take(self, kind: Limited, key: int, at: Instant) -> Millis:
        """How long this key (`Key.number`) has to wait; 0: it may go on."""
        return self._buckets[kind].take(key, at)
