"""One request to the management API from arrival to answer: method, key, organisation, project, errors."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from tocsin.dialects.sentry import body
from tocsin.dialects.sentry.answers import Rejection
from tocsin.dialects.sentry.limits import MIB, Limits
from tocsin.dialects.sentry.management import auth, replies
from tocsin.dialects.sentry.management.form import Form
from tocsin.domain.errors import TocsinError
from tocsin.http import endpoint
from tocsin.http.endpoint import Asked
from tocsin.http.requests import raw_path
from tocsin.service.principal import Principals


@dataclass(frozen=True, slots=True)
class Door:
    """What every call needs to be let in and to name itself."""

    principals: Principals
    organization: str  # the slug of the one organisation
    public_url: str = ""  # how clients reach this server; "": as the request says
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Call(Asked):
    """A call that may be made: its key is good for the method, the organisation and the project of the path."""

    door: Door

    @property
    def url(self) -> str:
        """Without the query."""
        return self.base_of(self.door.public_url) + raw_path(self.request.scope)

    async def form(self) -> Form:
        """The body: a JSON object of at most 1 MiB. Refused 400, 413, 415."""
        return Form.parse(await body.whole(self.request, self.door.limits, MIB))


Handler = Callable[[Call], Awaitable[Response]]


class Endpoint(endpoint.Endpoint[Call]):
    def __init__(self, handlers: Mapping[str, Handler], door: Door) -> None:
        super().__init__(handlers)
        self._door = door

    async def let_in(self, request: Request, handler: Handler) -> Response:
        return await handler(self._admit(request))

    def worded(self, error: Exception) -> Response | None:
        if isinstance(error, replies.Invalid):
            return replies.reply(400, error.problems)
        if isinstance(error, replies.Refused | Rejection):
            return replies.reply(error.status, {"detail": error.detail})
        return replies.of_error(error) if isinstance(error, TocsinError) else None

    def refused(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
        return replies.reply(status, {"detail": text}, headers)

    def _admit(self, request: Request) -> Call:
        principal = auth.principal_of(request, self._door.principals)
        parts = request.path_params
        if "org" in parts:
            auth.check_organization(parts["org"], self._door.organization)
        if "project" in parts:
            auth.check_project(parts["project"], principal)
        return Call(request, principal, request.state.received, self._door)
