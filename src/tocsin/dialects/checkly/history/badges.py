"""Badges of checks, for whoever knows the id of one: no key is asked for, so none is served without the setting."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tocsin.dialects.checkly.checks.finding import track_of
from tocsin.dialects.checkly.checks.mapping import is_check, is_off
from tocsin.dialects.checkly.checks.statuses import is_failing
from tocsin.dialects.checkly.replies import not_found
from tocsin.http import badges
from tocsin.service.browsing import Browsing, uid_of


class Badges:
    def __init__(self, browsing: Browsing) -> None:
        self._browsing = browsing

    async def show(self, request: Request) -> Response:
        """One picture, whatever `style` and `theme` say."""
        uid = uid_of(request.path_params["id"])
        row = await self._browsing.anybodys_uid(uid) if uid is not None else None
        if row is None or not is_check(row.monitor):
            return not_found("no such check")
        name = row.monitor.display_name or row.monitor.id
        if is_off(row.monitor):
            return badges.answer(name, "paused")
        return badges.answer(name, "failing" if is_failing(track_of(row)) else "passing")


def routes(browsing: Browsing) -> list[BaseRoute]:
    show = Badges(browsing).show
    return [Route("/v1/badges/checks/{id}", show, methods=["GET"], name="checkly-badge")]
