"""One request to Checkly's REST API from arrival to answer: method, key, account, rate, errors."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from starlette.requests import Request
from starlette.responses import Response

from tocsin.dialects.checkly import bodies, ids, replies
from tocsin.dialects.checkly.limits import Limited, Limits
from tocsin.dialects.checkly.problems import Refused
from tocsin.domain.errors import TocsinError
from tocsin.domain.instant import Instant
from tocsin.domain.project import Scope as KeyScope
from tocsin.http import endpoint
from tocsin.http.auth import key_of
from tocsin.http.endpoint import CLIENT_MAX, READS, Asked, needed
from tocsin.service.browsing import uid_of
from tocsin.service.principal import Principal, Principals

DIALECT: Final = "checkly"
ACCOUNT: Final = "x-checkly-account"
_TOLD: Final = ("x-checkly-source", "x-checkly-cli-version", "x-checkly-operator", "x-checkly-ci-name", "user-agent")
_log = structlog.get_logger("tocsin.checkly")


@dataclass(frozen=True, slots=True)
class Door:
    """What every call needs to be let in, and to name what it shows."""

    principals: Principals
    limits: Limits = field(default_factory=Limits)
    public_url: str = ""  # how clients reach this server; "": as the request says
    ping_url: str = ""  # what ping URLs begin with, without the slash at its end; "": the above and /ping


@dataclass(frozen=True, slots=True)
class Call(Asked):
    """A call that may be made: its key is good for the method, and for the account that it names."""

    door: Door

    @property
    def account(self) -> str:
        """The dashed UUID of the key's account."""
        return self.principal.project.account_id

    @property
    def base(self) -> str:
        """The address of this server, without a slash at its end."""
        return self.base_of(self.door.public_url)

    def ping_url(self, token: str) -> str:
        """Of a token of 32 hex characters."""
        return f"{self.door.ping_url.rstrip('/') or f'{self.base}/ping'}/{ids.dashed(token)}"

    def uid(self, name: str = "id") -> str:
        """A UUID of the path as 32 hex characters; Refused 400."""
        return ids.uid_in_path(self.part(name), name)

    def number(self, name: str = "id") -> int:
        """A positive integer of the path; Refused 400."""
        return ids.number_in_path(self.part(name), name)

    async def body(self, most: int = bodies.BODY_MAX) -> bytes:
        """All of it, unpacked."""
        return await bodies.read(self.request, most)

    async def json(self, most: int = bodies.BODY_MAX) -> dict[str, Any]:
        """The body, which must be a JSON object; Refused."""
        return bodies.json_object(await self.body(most))


Handler = Callable[[Call], Awaitable[Response]]
Calls = Mapping[str, Mapping[str, Handler]]  # path → method → handler


class Endpoint(endpoint.Endpoint[Call]):
    def __init__(
        self,
        handlers: Mapping[str, Handler],
        door: Door,
        scope: KeyScope | None = None,
        limit: Limited = Limited.REQUESTS,
    ) -> None:
        """`scope`: what a key must have for any method; None: `read` to read, else `admin`."""
        super().__init__(handlers)
        self._door, self._scope, self._limit = door, scope, limit

    async def let_in(self, request: Request, handler: Handler) -> Response:
        principal = self._door.principals.resolve(_key_of(request))
        principal.require(self._scope or needed(request.method))
        require_account(request.headers.get(ACCOUNT, ""), principal)
        received: Instant = request.state.received
        if wait := self._door.limits.take(self._limit, principal.key, received):
            return replies.too_many(f"too many requests of this key; wait {wait} ms", wait)
        response = await handler(Call(request, principal, received, self._door))
        if request.method not in READS:
            about = {name.removeprefix("x-"): request.headers.get(name, "")[:CLIENT_MAX] for name in _TOLD}
            told = {name.replace("-", "_"): value for name, value in about.items() if value}
            _log.info(
                "a change", project=principal.project.slug, key=principal.key, status=response.status_code, **told
            )
        return response

    def worded(self, error: Exception) -> Response | None:
        if isinstance(error, Refused):
            return replies.refused(error.status, error.text, **error.more)
        return replies.of_error(error) if isinstance(error, TocsinError) else None

    def refused(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
        return replies.refused(status, text, headers)


def require_account(named: str, principal: Principal) -> None:
    """Refused 403 when an account is named, and it is not the key's."""
    if named.strip() and uid_of(named.strip()) != uid_of(principal.project.account_id):
        raise Refused(403, f"this key belongs to another account than {named[:64]!r}; see {ACCOUNT}")


def _key_of(request: Request) -> str | None:
    """Wherever our keys may be, and alone in the header, as the vendor's examples have it."""
    authorization = request.headers.get("authorization", "").strip()
    if authorization and " " not in authorization and authorization.lower() not in ("bearer", "basic"):
        return authorization
    return key_of(request)
