"""A few calls of the native REST API, with nothing but the standard library: what the client commands need."""

import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import click
import msgspec

DEFAULT_URL: Final = "http://127.0.0.1:8000"


class ApiError(Exception):
    """The server answered with an error; `retryable` when the same request may succeed later."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status
        self.retryable = status in (0, 408, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Rest:
    """The key's own project is `projects/-`."""

    url: str
    key: str
    timeout_s: float = 10.0

    @classmethod
    def from_environment(cls, url: str | None = None, key: str | None = None, timeout_s: float = 10.0) -> "Rest":
        chosen = (key or os.environ.get("TOCSIN_KEY", "")).strip()
        if not chosen:
            raise click.ClickException("no key: set TOCSIN_KEY or pass --key (tocsin keys create makes one)")
        if not (chosen.isascii() and chosen.isprintable()):  # it goes into a header; it is never shown
            raise click.ClickException("TOCSIN_KEY: the key has characters that no key has")
        base = (url or os.environ.get("TOCSIN_URL") or DEFAULT_URL).strip().rstrip("/")
        _check_url(base)
        return cls(base, chosen, timeout_s)

    def call(self, method: str, path: str, body: object = None, query: Mapping[str, object] | None = None) -> Any:
        """The answer's JSON. ApiError: refused, or (status 0) nobody answered."""
        url = f"{self.url}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        try:
            return self._exchange(method, url, None if body is None else msgspec.json.encode(body))
        except (OSError, http.client.HTTPException, msgspec.DecodeError, ValueError) as error:
            raise ApiError(f"{self.url}: {getattr(error, 'reason', error)}", status=0) from None

    def _exchange(self, method: str, url: str, data: bytes | None) -> Any:
        request = urllib.request.Request(url, data, method=method)  # noqa: S310 - http and https only, see above
        request.add_header("Authorization", f"Bearer {self.key}")
        request.add_header("User-Agent", "tocsin-cli")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as response:  # noqa: S310
                return msgspec.json.decode(response.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                raise ApiError(_message(error) or str(error), status=error.code) from None


def _check_url(url: str) -> None:
    try:
        parts = urllib.parse.urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise click.ClickException(f"TOCSIN_URL: {url!r}: {error}") from None
    if not usable:
        raise click.ClickException(f"TOCSIN_URL: {url!r} must begin with http:// or https:// and name a host")


def _message(answer: urllib.error.HTTPError) -> str:
    """What the server says about it, if it can be read: the status counts without it."""
    try:
        return str(msgspec.json.decode(answer.read(65_536))["error"]["message"])
    except (OSError, http.client.HTTPException, msgspec.DecodeError, KeyError, TypeError):
        return ""
