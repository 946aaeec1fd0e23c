"""One request to the management API from arrival to answer: method, key, organisation, project, errors."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from tocsin.dialects.sentry import body
from tocsin.dialects.sentry.answers import Rejection
from tocsin.dialects.sentry.endpoint import Answering
from tocsin.dialects.sentry.limits import MIB, Limits
from tocsin.dialects.sentry.management import auth, replies
from tocsin.dialects.sentry.management.form import Form
from tocsin.domain.errors import TocsinError
from tocsin.domain.instant import Instant
from tocsin.http.requests import raw_path
from tocsin.service.principal import Principal, Principals


@dataclass(frozen=True, slots=True)
class Door:
    """What every call needs to be let in and to name itself."""

    principals: Principals
    organization: str  # the slug of the one organisation
    public_url: str = ""  # how clients reach this server; "": as the request says
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may be made: its key is good for the method, the organisation and the project of the path."""

    request: Request
    principal: Principal
    received: Instant
    door: Door

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

    @property
    def url(self) -> str:
        """Without the query."""
        base = self.door.public_url or str(self.request.base_url)
        return base.rstrip("/") + raw_path(self.request.scope)

    def part(self, name: str) -> str:
        """A variable of the path, decoded."""
        return str(self.request.path_params[name])

    async def form(self) -> Form:
        """The body: a JSON object of at most 1 MiB. Refused 400, 413, 415."""
        return Form.parse(await body.whole(self.request, self.door.limits, MIB))


Handler = Callable[[Call], Awaitable[Response]]


class Endpoint(Answering):
    """An ASGI application around the handlers of one path, by method."""

    def __init__(self, handlers: Mapping[str, Handler], door: Door) -> None:
        self._handlers = dict(handlers)
        if "GET" in self._handlers:
            self._handlers.setdefault("HEAD", self._handlers["GET"])
        self._allow = ", ".join((*self._handlers, "OPTIONS"))
        self._door = door

    async def answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(b"", 200, {"Allow": self._allow})
        handler = self._handlers.get(request.method)
        if handler is None:
            detail = f"method {request.method[:20]} is not allowed; use {self._allow}"
            return replies.reply(405, {"detail": detail}, {"Allow": self._allow})
        try:
            return await handler(self._admit(request))
        except replies.Invalid as problem:
            return replies.reply(400, problem.problems)
        except (replies.Refused, Rejection) as problem:
            return replies.reply(problem.status, {"detail": problem.detail})
        except TocsinError as problem:
            return replies.of_error(problem)

    def _admit(self, request: Request) -> Call:
        principal = auth.principal_of(request, self._door.principals)
        parts = request.path_params
        if "org" in parts:
            auth.check_organization(parts["org"], self._door.organization)
        if "project" in parts:
            auth.check_project(parts["project"], principal)
        return Call(request, principal, request.state.received, self._door)
