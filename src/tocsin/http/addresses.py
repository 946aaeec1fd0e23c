"""Whose request it is, where lanes bypass the framework: the peer, or what a trusted proxy says of its client."""

import os
from typing import Final

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tocsin.http.raw import Request

VARIABLE: Final = "FORWARDED_ALLOW_IPS"  # the HTTP server's own variable for proxies that are trusted
TRUSTED: Final = "127.0.0.1"
_MAX: Final = 64  # characters of an address


async def _nowhere(_scope: object, _receive: object, _send: object) -> None:
    """The application behind a middleware of which only the judgement is wanted."""


class Addresses:
    def __init__(self, trusted: str | None = None) -> None:
        """`trusted`: addresses and networks of proxies, by commas; None: what the environment says."""
        chosen = os.environ.get(VARIABLE, TRUSTED) if trusted is None else trusted
        self._trusted = ProxyHeadersMiddleware(_nowhere, chosen).trusted_hosts

    def of(self, request: Request) -> str:
        """The address, "192.0.2.7" or "2001:db8::7"; "" when nothing is known, as on a socket without any."""
        peer = request.scope.get("client")
        address = str(peer[0]) if peer else ""
        if "x-forwarded-for" in request.headers and address in self._trusted:
            said = ", ".join(request.headers.getlist("x-forwarded-for"))
            address = self._trusted.get_trusted_client_address(said)[0] or address
        return address[:_MAX]
