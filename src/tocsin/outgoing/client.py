"""One request to somewhere else: guarded, bounded in time and in what is read, redirects looked at one by one.

The connection goes to the address that the guard has looked at, under the name that the URL has: for the Host header
and for the certificate. Connections and cookies are not kept: two names may share an address, and these are of one.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, Self

import httpx

from tocsin.outgoing.guard import Guard, Unresolved

_READ_ONLY: Final = ("GET", "HEAD")
_KEEPS_METHOD: Final = (307, 308)
_HARMLESS: Final = frozenset(("content-type", "idempotency-key", "x-checkly-signature", "x-checkly-timestamp"))
"""What goes to another origin, too. Any other header may hold a secret of the host that it was meant for."""


class Failed(Exception):
    """No answer came: the network, the name, a time-out. The same request may do better later."""


@dataclass(frozen=True, slots=True)
class Limits:
    timeout_s: float = 10.0  # from the first look-up to the last byte that is read
    body_bytes: int = 64 * 1024  # of the answer; the rest is not read
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes  # as far as it was read
    url: str  # that answered


class Client:
    """`async with Client(guard, "tocsin/1") as client`, or `close()` at the end."""

    def __init__(
        self, guard: Guard, user_agent: str, limits: Limits | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """`tls`: None: the system's store of authorities, where private ones are added."""
        self._guard, self._limits = guard, limits or Limits()
        self._http = httpx.AsyncClient(
            verify=tls or ssl.create_default_context(),
            trust_env=False,  # a proxy of the environment would resolve names by itself
            follow_redirects=False,
            timeout=None,  # noqa: S113 - one time-out for all of it, below
            limits=httpx.Limits(max_keepalive_connections=0),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # they would go by address: to others, too
            headers={"User-Agent": user_agent, "Accept-Encoding": "identity", "Connection": "close"},
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str | bytes] | None = None,
        body: bytes = b"",
        timeout_s: float | None = None,
    ) -> Answer:
        """The last answer. Refused: a target that may not be asked; Failed: there was no answer.

        A redirect is followed where that asks the same thing again: any of a GET, of others 307 and 308.
        """
        try:
            async with asyncio.timeout(timeout_s or self._limits.timeout_s):
                return await self._followed(method, httpx.URL(url), dict(headers or {}), body)
        except TimeoutError:
            raise Failed("no answer in time") from None
        except (httpx.HTTPError, Unresolved, OSError) as error:
            raise Failed(str(error) or type(error).__name__) from None
        except httpx.InvalidURL as error:
            raise Failed(f"no URL to ask: {error}") from None

    async def _followed(self, method: str, url: httpx.URL, headers: dict[str, str | bytes], body: bytes) -> Answer:
        for _ in range(self._limits.redirects + 1):
            answer = await self._once(method, url, headers, body)
            target = answer.headers.get("location", "")
            followed = 300 <= answer.status < 400 and (method in _READ_ONLY or answer.status in _KEEPS_METHOD)
            if not followed or not target:
                return answer
            try:
                following = url.join(target)
            except ValueError:  # besides InvalidURL
                raise Failed(f"redirected to what is no URL: {target[:200]!r}") from None
            if (following.scheme, following.host, following.port) != (url.scheme, url.host, url.port):
                headers = {name: value for name, value in headers.items() if name.lower() in _HARMLESS}
            url = following
        raise Failed(f"more than {self._limits.redirects} redirects")

    async def _once(self, method: str, url: httpx.URL, headers: Mapping[str, str | bytes], body: bytes) -> Answer:
        if url.scheme not in ("http", "https") or not url.host:
            raise Failed(f"{str(url)[:200]} is not of the form https://host/path")
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await self._guard.addresses(url.raw_host.decode("ascii"), port)
        for place, address in enumerate(addresses):
            request = self._http.build_request(
                method,
                url.copy_with(host=address),
                headers=[(name.encode(), _bytes(value)) for name, value in {**headers, "Host": url.netloc}.items()],
                content=body,
                extensions={"sni_hostname": url.raw_host.decode("ascii")},
            )
            try:
                return await self._read(request, str(url))
            except httpx.ConnectError:
                if place == len(addresses) - 1:
                    raise
        raise AssertionError("the guard answers with one address at least")

    async def _read(self, request: httpx.Request, url: str) -> Answer:
        response = await self._http.send(request, stream=True)
        try:
            read = bytearray()
            async for part in response.aiter_raw():
                read += part
                if len(read) >= self._limits.body_bytes:
                    break
        finally:
            await response.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, bytes(read[: self._limits.body_bytes]), url)


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
