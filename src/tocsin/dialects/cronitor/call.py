"""One request to Cronitor's REST API from arrival to answer: method, key, errors. The Host header does not matter."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from tocsin.dialects.cronitor import replies
from tocsin.dialects.cronitor.problems import Invalid, Refused
from tocsin.domain.codes import Codes
from tocsin.domain.errors import TocsinError
from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.domain.project import Scope as KeyScope
from tocsin.http import endpoint
from tocsin.http.auth import key_of
from tocsin.http.endpoint import Asked, needed
from tocsin.http.requests import read_capped
from tocsin.service.principal import Principals

BODY_MAX = 32 * 1024 * 1024  # bytes; ten thousand monitors are four million


@dataclass(frozen=True, slots=True)
class Door:
    """What every call needs to be let in and to name what it shows."""

    principals: Principals
    codes: Callable[[], Codes]  # known once the server has started, as the secret is
    secret: Callable[[], bytes]
    public_url: str = ""  # how clients reach this server; "": as the request says


@dataclass(frozen=True, slots=True)
class Call(Asked):
    """A call that may be made. There are GETs that write, so use cases ask for the scope that they need."""

    door: Door

    @property
    def codes(self) -> Codes:
        return self.door.codes()

    @property
    def base(self) -> str:
        """The address of this server, without a slash at its end."""
        return self.base_of(self.door.public_url)

    @property
    def environment(self) -> str:
        """Whose state is shown."""
        return self.query.get("env") or DEFAULT_ENVIRONMENT

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("true", "1", "yes")

    async def body(self) -> bytes:
        """All of it. BODY_TOO_LARGE past the bound, Refused 415 when it is packed."""
        encoding = self.request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise Refused(415, f"content-encoding {encoding[:40]!r} is not taken here; send it plain")
        return await read_capped(self.request, BODY_MAX)


Handler = Callable[[Call], Awaitable[Response]]


class Endpoint(endpoint.Endpoint[Call]):
    def __init__(self, handlers: Mapping[str, Handler], door: Door, scope: KeyScope | None = None) -> None:
        """`scope`: what a key must have for any method; None: `read` to read, else `admin`."""
        super().__init__(handlers)
        self._door, self._scope = door, scope

    async def let_in(self, request: Request, handler: Handler) -> Response:
        principal = self._door.principals.resolve(key_of(request))
        principal.require(self._scope or needed(request.method))
        return await handler(Call(request, principal, request.state.received, self._door))

    def worded(self, error: Exception) -> Response | None:
        if isinstance(error, Invalid):
            return replies.invalid(error.problems)
        if isinstance(error, Refused):
            return replies.refused(error.status, error.text)
        return replies.of_error(error) if isinstance(error, TocsinError) else None

    def refused(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
        return replies.refused(status, text, headers)
