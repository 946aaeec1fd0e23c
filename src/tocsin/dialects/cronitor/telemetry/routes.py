"""The telemetry paths that name an API key, as raw lanes: /p/KEY/MONITOR[/STATE], the same below /ping, and /ping.

Every method but GET, HEAD and POST is 405. A body says nothing and is read to be let go.
"""

import re
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from tocsin.dialects.cronitor.birth import DIALECT
from tocsin.dialects.cronitor.telemetry import answers
from tocsin.dialects.cronitor.telemetry.clients import short_name
from tocsin.dialects.cronitor.telemetry.intake import Intake
from tocsin.dialects.cronitor.telemetry.limits import Limits
from tocsin.dialects.cronitor.telemetry.mapping import PAYLOAD_MAX, Event
from tocsin.domain.errors import Unavailable
from tocsin.http.addresses import Addresses
from tocsin.http.front import Busy
from tocsin.http.raw import Endpoint, Request
from tocsin.http.tokens import NO_TOKEN
from tocsin.service.principal import Principals

METHODS: Final = ("GET", "HEAD", "POST")
_SECRET: Final = re.compile(r"(?<![^&])(?:auth_)?key=[^&]*&?")
_ALLOW: Final = ", ".join(METHODS)
_BODY_MAX: Final = 10 * 1024 * 1024


def _busy(problem: Unavailable) -> ASGIApp:
    return answers.unavailable(problem)


BUSY: Final = (Busy("/p/", DIALECT, _busy), Busy("/ping", DIALECT, _busy))


class Telemetry(Endpoint):
    """T1 to T3: a monitor's key, perhaps a state, behind an API key."""

    def __init__(self, intake: Intake, principals: Principals, addresses: Addresses, limits: Limits) -> None:
        self._intake = intake
        self._principals = principals
        self._addresses = addresses
        self._limits = limits

    async def answer(self, request: Request) -> ASGIApp:
        if request.method not in METHODS:
            return wrong_method()
        principal = self._principals.find(request.variables["key"])
        if request.has_body:
            await let_go(request)
        address, place = self._addresses.of(request), request.variables.get("rest", "")
        if wait := self._limits.of_address(address, request.received):
            return self._intake.over_limit(wait)
        if principal is None:
            return self._intake.stranger(request.variables["key"], place, address, request.received)
        project = principal.project.number
        if wait := self._limits.of_monitor(project, place.partition("/")[0], request.received):
            return self._intake.over_limit(wait)
        return await self._intake.take(principal, event_of(request, project, place, address))


class Alive(Endpoint):
    """T7: whether anybody listens."""

    async def answer(self, request: Request) -> ASGIApp:
        return answers.OK if request.method in METHODS else wrong_method()


def event_of(request: Request, project: int, place: str, address: str) -> Event:
    query: bytes = request.scope["query_string"]
    text = query.decode("utf-8", "replace")  # some clients do not encode what is not ASCII
    sent = f"{place}?{_SECRET.sub('', text)}" if query else place
    return Event(
        project=project,
        received=request.received,
        place=place,
        query=request.query_pairs if query.isascii() else parse_qsl(text, keep_blank_values=True),
        client=short_name(request.headers.get("user-agent")),
        address=address,
        payload=sent[:PAYLOAD_MAX],
    )


async def let_go(request: Request) -> None:
    """Reads a body of any usual size; the connection of a longer one does not live on. Nobody's error."""
    total = 0
    try:
        while not request.over and total <= _BODY_MAX:
            total += len(await request.piece())
    except ClientDisconnect:
        return  # what was to be said is in the query


def wrong_method() -> ASGIApp:
    return answers.text(405, f"use {_ALLOW}\n", {"allow": _ALLOW})


def routes(
    intake: Intake, principals: Principals, addresses: Addresses, limits: Limits | None = None
) -> list[BaseRoute]:
    """Every request must carry, in the state of its scope, `received` and `hold`."""
    telemetry, alive = Telemetry(intake, principals, addresses, limits or Limits()), Alive()
    named = [
        Route(f"/{word}/{{key:{NO_TOKEN}}}{rest}", telemetry, name=f"cronitor-{word}{len(rest)}")
        for word in ("p", "ping")
        for rest in ("/{rest:path}", "")  # without a monitor: a refusal, and never a redirection
    ]
    return [
        *named,
        Route("/ping", alive, name="cronitor-alive"),
        Route("/ping/", alive, name="cronitor-alive-slash"),
    ]
