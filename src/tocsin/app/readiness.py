"""What operators may see: whether a server is ready, or what keeps it from it; and whether its metrics need a key."""

import time
from typing import Any, Final

from tocsin.app.settings import Settings, host_port
from tocsin.domain.instant import Instant

_CLOCK_AHEAD_S: Final = 10.0  # less is a clock being adjusted


def told(
    readiness: dict[str, Any], judged: Instant, trouble: str, loading: tuple[int, int] | None = None
) -> dict[str, Any]:
    """`judged` is how far silence was judged, `trouble` what the database says while it cannot, "" when it can.

    `loading`: how many rows a start has read, of how many.

    Not ready while the clock stands: it was set ahead once, and nothing is judged until this machine catches up.
    """
    ahead = judged / 1000 - time.time()
    if trouble:
        problem = f"the store cannot now: {trouble}"
    elif ahead > _CLOCK_AHEAD_S:
        problem = f"the clock was set back by {ahead:.0f} s; nothing is judged until it has caught up"
    elif loading and not readiness["ready"]:
        return readiness | {"loading": dict(zip(("read", "of"), loading, strict=True))}
    else:
        return dict(readiness)
    return readiness | {"ready": False, "problem": problem}


def metrics_are_open(settings: Settings) -> bool:
    if settings.telemetry.open_metrics is not None:
        return settings.telemetry.open_metrics
    if settings.listen.public_url:
        return False  # a proxy in front makes loopback public
    host, _ = host_port(settings.listen.http, "listen.http")
    return host in ("localhost", "::1") or host.startswith("127.")
