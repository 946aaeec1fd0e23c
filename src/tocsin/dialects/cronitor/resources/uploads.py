"""Logs of runs: an address that takes one upload within ten minutes, and lets go of what comes.

What a run printed last is kept with its check-in, as its message. The whole of it has no place here yet; clients that
send it must still find somebody who listens.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp

from tocsin.dialects.cronitor import replies
from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.replies import reply
from tocsin.dialects.cronitor.resources.body import Body
from tocsin.domain.instant import MINUTE, Instant
from tocsin.domain.project import Scope
from tocsin.http.raw import Endpoint, Request

PATH: Final = "/api/logs/uploads/{token}"
UPLOAD_MAX: Final = 100 * 1024 * 1024  # bytes
_VALID: Final = 10 * MINUTE
_PERSON: Final = b"tocsin log"  # another use of the secret makes other digests
_NONCE, _TIME, _DIGEST = 8, 6, 16  # bytes
_REMEMBERED: Final = 100_000  # tokens that were used and could still be
_TEXT_MAX: Final = 255  # characters of a job's key and of a series


class Tokens:
    """One-time tokens, signed: none is kept before it is used. After a restart a used one may come again."""

    def __init__(self, secret: Callable[[], bytes]) -> None:
        self._secret = secret
        self._used: dict[bytes, Instant] = {}  # in the order of their use

    def make(self, now: Instant) -> str:
        body = secrets.token_bytes(_NONCE) + (now + _VALID).to_bytes(_TIME)
        return urlsafe_b64encode(body + self._digest(body)).decode().rstrip("=")

    def use(self, token: str, now: Instant) -> bool:
        """Whether it is one of ours, still valid, and used for the first time."""
        try:
            data = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return False
        body, digest = data[: _NONCE + _TIME], data[_NONCE + _TIME :]
        if len(data) != _NONCE + _TIME + _DIGEST or not hmac.compare_digest(digest, self._digest(body)):
            return False
        expires = int.from_bytes(body[_NONCE:])
        if expires < now or body in self._used:
            return False
        self._forget(now)
        self._used[body] = expires
        return True

    def _forget(self, now: Instant) -> None:
        """Those that have run out, from the oldest on; and the oldest of too many."""
        while self._used:
            oldest = next(iter(self._used))
            if self._used[oldest] >= now and len(self._used) < _REMEMBERED:
                return
            del self._used[oldest]

    def _digest(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, key=self._secret()[:64], digest_size=_DIGEST, person=_PERSON).digest()


class LogCalls:
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def presign(self, call: Call) -> Response:
        """{job_key, series} → {url}; by whoever may report."""
        call.principal.require(Scope.INGEST)
        body = await Body.of(call)
        for name in ("job_key", "series"):
            body.text(name, _TEXT_MAX)
        token = self._tokens.make(call.received)
        return reply(200, {"url": call.base + PATH.replace("{token}", token)})


class Uploads(Endpoint):
    """A lane, because what goes through it is held by nobody."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def answer(self, request: Request) -> ASGIApp:
        if request.method != "PUT":
            return replies.refused(405, "use PUT", {"Allow": "PUT"})
        announced = request.headers.get("content-length")
        if announced.isdecimal() and int(announced[:20]) > UPLOAD_MAX:
            return _too_large()
        if not self._tokens.use(request.variables["token"], request.received):
            return replies.refused(403, "this address was used, or has run out; ask for another")
        total = 0
        while not request.over:
            total += len(await request.piece())
            if total > UPLOAD_MAX:
                return _too_large()
        return replies.empty(200)


def _too_large() -> Response:
    return replies.refused(413, f"a log is at most {UPLOAD_MAX} bytes")
