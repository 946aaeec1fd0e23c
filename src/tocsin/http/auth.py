"""Where a request's key is: Bearer token, Basic user, `X-API-Key` header, or `?key=`."""

import base64
import binascii

from starlette.requests import Request


def key_of(request: Request) -> str | None:
    """The key as sent, first that is there; None when there is none."""
    header = request.headers.get("authorization", "")
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[0] or None
        except (binascii.Error, UnicodeDecodeError):
            return None
    return request.headers.get("x-api-key") or request.query_params.get("key") or None
