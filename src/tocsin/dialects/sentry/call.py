"""One request from arrival to answer: method, CORS, rejections and trouble, told as a Sentry client expects."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp

from tocsin.dialects.sentry import body
from tocsin.dialects.sentry.answers import Rejection, preflight
from tocsin.dialects.sentry.limits import Limits
from tocsin.dialects.sentry.refusals import DIALECT, Arrival, refusal
from tocsin.domain.errors import PermissionDenied, TocsinError, Unauthenticated, Unavailable
from tocsin.domain.instant import SECOND, Instant
from tocsin.http import raw
from tocsin.http.raw import Request
from tocsin.service.check_ins import CheckIns
from tocsin.service.principal import Principal

_DEFAULT_RETRY_AFTER: Final = SECOND  # milliseconds
_KEPT: Final = (400, 413, 415)  # what a sender can mend


@dataclass(slots=True)
class Call:
    """What is known of a request so far. `principal` is None until a key has been found good."""

    received: Instant
    client: str = ""
    principal: Principal | None = None
    monitor_id: str = ""  # that a rejection is filed under
    payload: str = ""  # what is kept with it

    def proven(self) -> Principal:
        """The principal; Rejection 401 when the request named no key."""
        if self.principal is None:
            raise Rejection(401, "missing authorization information", reason="auth")
        return self.principal

    def arrival(self) -> Arrival:
        return Arrival(self.proven().project.number, self.received, self.client)


Handler = Callable[[Request, Call], Awaitable[ASGIApp]]


class Endpoint(raw.Endpoint):
    """An ASGI application around a handler.

    What ends a request without a report is counted by `CheckIns.rejected`; when its key was good, it is kept as a
    refusal instead, and counted as that fact, so that whoever sends rubbish finds out in his own project. Never 429: a
    client that reads it stops sending the closing check-ins of all its jobs.
    """

    def __init__(self, handler: Handler, methods: Sequence[str], check_ins: CheckIns, limits: Limits) -> None:
        self._handler = handler
        self._methods = frozenset(methods)
        self._allow = ", ".join((*methods, "OPTIONS"))
        self._check_ins = check_ins
        self._limits = limits

    async def answer(self, request: Request) -> ASGIApp:
        if request.method == "OPTIONS":
            return preflight(self._allow)
        if request.method not in self._methods:
            detail = f"method {request.method[:20]} is not allowed; use {self._allow}"
            return self._counted(Rejection(405, detail, reason="invalid", headers={"Allow": self._allow}))
        call = Call(request.received)
        try:
            try:
                return await self._handler(request, call)
            except Rejection as rejection:
                if call.principal is not None:  # a stranger may find out by the connection's end
                    await body.linger(request, self._limits)
                return await self._rejected(call, rejection)
        except TocsinError as problem:
            return self._counted(rejection_of(problem))

    async def _rejected(self, call: Call, rejection: Rejection) -> ASGIApp:
        if call.principal is None or rejection.status not in _KEPT:
            return self._counted(rejection)
        kept = refusal(
            call.arrival(), rejection.kept_as, rejection.detail, monitor_id=call.monitor_id, payload=call.payload
        )
        await self._check_ins.refuse([kept])
        return rejection.response()

    def _counted(self, rejection: Rejection) -> ASGIApp:
        self._check_ins.rejected(DIALECT, rejection.reason)
        return rejection.response()


def rejection_of(problem: TocsinError) -> Rejection:
    if isinstance(problem, PermissionDenied | Unauthenticated):
        return Rejection(403, problem.message, reason="auth")
    if isinstance(problem, Unavailable):
        wait = problem.retry_after_ms or _DEFAULT_RETRY_AFTER
        headers = {"Retry-After": str(math.ceil(wait / SECOND))}
        return Rejection(503, problem.message, reason="overload", headers=headers)
    return Rejection(500, problem.message, reason="overload")
