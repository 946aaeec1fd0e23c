"""A badge: a small picture of how a monitor is in one environment, for whoever has its address."""

import hmac
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from tocsin.dialects.cronitor.badges import digest_of
from tocsin.dialects.cronitor.resources import shown
from tocsin.domain.codes import Codes
from tocsin.domain.instant import Instant
from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.domain.track import Health
from tocsin.http import badges
from tocsin.service.browsing import Browsing
from tocsin.store.port import MonitorWithHealth


class Badges:
    def __init__(self, browsing: Browsing, codes: Callable[[], Codes], secret: Callable[[], bytes]) -> None:
        self._browsing = browsing
        self._codes = codes
        self._secret = secret

    async def show(self, request: Request) -> Response:
        """404, without saying why, unless the address is one that was handed out and the monitor is there."""
        code, environment = request.path_params["code"], request.path_params["env"]
        number = self._codes().number_of(code)
        good = hmac.compare_digest(
            request.path_params["digest"].encode(), digest_of(self._secret(), code, environment).encode()
        )
        found = await self._browsing.anybodys(number) if good and number is not None else None
        state = state_of(found, environment, request.state.received) if found is not None else ""
        if found is None or not state:
            return Response("not found\n", 404, media_type="text/plain")
        return badges.answer(shown.name_of(found.monitor), state)


def state_of(found: MonitorWithHealth, environment: str, now: Instant) -> str:
    """Passing, failing or paused; empty for an environment that the monitor does not have."""
    track = dict(found.tracks).get(environment)
    if track is None and environment != DEFAULT_ENVIRONMENT:
        return ""
    monitor = found.monitor
    if monitor.disabled or monitor.inactive or max(monitor.paused_until or 0, monitor.muted_until or 0) > now:
        return "paused"
    return "failing" if track is not None and track.health == Health.UNHEALTHY else "passing"
