"""Where a request's key is: Bearer token, Basic user, `X-API-Key` header, or `?key=`."""

import base64
import binascii

from starlette.requests import Request

from tocsin.http import raw


def key_of(request: Request) -> str | None:
    """The key as sent, first that is there; None when there is none."""
    headers = request.headers
    sent = key_in(headers.get("authorization", ""))
    return headers.get("x-api-key") or request.query_params.get("key") or None if sent is None else sent or None


def raw_key_of(request: raw.Request) -> str | None:
    """The same of a request without a framework."""
    sent = key_in(request.headers.get("authorization"))
    return request.headers.get("x-api-key") or request.query().get("key") or None if sent is None else sent or None


def key_in(authorization: str) -> str | None:
    """The key in the header's value; "" when it is of a kind that has one, and has none; None: look elsewhere."""
    scheme, _, rest = authorization.partition(" ")
    scheme, rest = scheme.lower(), rest.strip()
    if scheme == "bearer" and rest:
        return rest
    if scheme != "basic":
        return None
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
