"""What telemetry answers: "ok", whatever became of the event; errors only where somebody asked for them."""

import math
from collections.abc import Mapping
from typing import Final

from tocsin.domain.errors import Unavailable
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.instant import SECOND
from tocsin.http.raw import CONTENT_TYPE, Answer, length

_TEXT: Final = (CONTENT_TYPE, b"text/plain; charset=utf-8")
_UNCACHED: Final = (b"cache-control", b"no-store")
_STATUS: Final = {"MONITOR_NOT_FOUND": 404, "MONITOR_DISABLED": 403, "INTERNAL": 500}  # everything else: 400


def text(status: int, body: str, headers: Mapping[str, str] | None = None) -> Answer:
    content = body.encode()
    more = tuple((name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items())
    return Answer(status, (_UNCACHED, *more, length(content), _TEXT), content)


OK: Final = text(200, "ok")


def refused(refusal: CheckInRefused) -> Answer:
    """For who wants to be told that an event was dropped."""
    return text(_STATUS.get(refusal.reason, 400), f"{refusal.reason}: {refusal.detail}\n")


def unavailable(problem: Unavailable) -> Answer:
    """The one thing that is never called ok: an event that may not be durable. Clients try again."""
    return text(503, f"{problem.message}\n", retry_after(problem.retry_after_ms))


def too_many(wait_ms: int) -> Answer:
    return text(429, "too many events; try again later\n", retry_after(wait_ms))


def retry_after(wait_ms: int | None) -> dict[str, str]:
    return {"retry-after": str(max(math.ceil((wait_ms or SECOND) / SECOND), 1))}
