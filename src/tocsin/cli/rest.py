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
        chosen = key or os.environ.get("TOCSIN_KEY", "")
        if not chosen:
            raise click.ClickException("no key: set TOCSIN_KEY or pass --key (tocsin keys create makes one)")
        base = (url or os.environ.get("TOCSIN_URL") or DEFAULT_URL).rstrip("/")
        if urllib.parse.urlsplit(base).scheme not in ("http", "https"):
            raise click.ClickException(f"TOCSIN_URL: {base!r} must begin with http:// or https://")
        return cls(base, chosen, timeout_s)

    def call(self, method: str, path: str, body: object = None, query: Mapping[str, object] | None = None) -> Any:
        """The answer's JSON. ApiError: refused, or (status 0) nobody answered."""
        url = f"{self.url}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        data = None if body is None else msgspec.json.encode(body)
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
                raise ApiError(_message(error.read(65_536)) or str(error), status=error.code) from None
        except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
            raise ApiError(f"{self.url}: {getattr(error, 'reason', error)}", status=0) from None


def _message(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body)["error"]["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return ""
