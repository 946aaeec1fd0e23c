"""Who sends: the ways in which a Sentry client names its key, and what holds when several are used. Pure.

A client may give its key in `X-Sentry-Auth`, in `Authorization` (as Sentry, Basic or Bearer), in the query, in the path
of the cron endpoint, and in the DSN of an envelope's header. Several that agree are one, several that disagree none.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from tocsin.dialects.sentry.answers import Rejection
from tocsin.http.raw import Fields

MAX_VERSION: Final = 7
_PARAMETER: Final = "sentry_"
_VERSION: Final = re.compile(r"([0-9]{1,9})(\.[0-9]+)?")
_PROJECT: Final = re.compile(r"[0-9]{1,18}")
MISSING: Final = "missing authorization information"
MULTIPLE: Final = "multiple authorization payloads that disagree"


class Claim(NamedTuple):
    """The key that a request names, without its flags, and how its client calls itself ("sentry.python/2.75.0")."""

    key: str
    client: str = ""


class Dsn(NamedTuple):
    key: str
    project: int


def claim(headers: Fields, query: Iterable[tuple[str, str]], path_key: str = "") -> Claim | None:
    """The one claim of everything but the body; None when there is none.

    Rejection 401: several keys; 400: a protocol version that does not exist yet.
    """
    found = [
        parsed
        for parsed in (
            *(found for value in headers.getlist("x-sentry-auth") for found in _sentry(value)),
            *(found for value in headers.getlist("authorization") for found in _authorization(value)),
            *_claims(query),
            Claim(_bare(path_key)),
        )
        if parsed.key
    ]
    if not found:
        return None
    if len({one.key for one in found}) > 1:
        raise Rejection(401, MULTIPLE, reason="auth")
    return Claim(found[0].key, next((one.client for one in found if one.client), ""))


def parse_dsn(text: str) -> Dsn:
    """The key and project of "https://KEY[:SECRET]@host[:port][/prefix]/42". Rejection 400 when it is no DSN."""
    try:
        parts = urlsplit(text)
        key = _bare(unquote(parts.username or ""))
    except ValueError:
        key, parts = "", urlsplit("")
    project = parts.path.rstrip("/").rpartition("/")[2]
    if not key or not _PROJECT.fullmatch(project):
        raise Rejection(400, "envelope header: $.dsn is not of the form https://KEY@HOST/PROJECT", reason="invalid")
    return Dsn(key, int(project))


def project_number(text: str) -> int:
    """The project of the path. Rejection 400 unless it is decimal digits."""
    if not _PROJECT.fullmatch(text):
        raise Rejection(400, f"the project id {text[:40]!r} is not a decimal number", reason="invalid")
    return int(text)


def _authorization(value: str) -> list[Claim]:
    scheme, _, rest = value.strip().partition(" ")
    match scheme.lower():
        case "sentry":
            return _sentry(value)
        case "basic":
            return _basic(rest)
        case "bearer":
            return [Claim(_bare(rest.strip()))]
        case _:
            return []  # a proxy's own business


def _basic(encoded: str) -> list[Claim]:
    try:
        user = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return []
    return [Claim(_bare(user))]


def _sentry(value: str) -> list[Claim]:
    """The claims in "Sentry sentry_key=K, sentry_version=7, ...", pairs in any order."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "sentry":
        return []
    pairs = [pair.partition("=") for pair in rest.split(",")]
    return _claims((name.strip(), content.strip()) for name, _, content in pairs)


def _claims(named: Iterable[tuple[str, str]]) -> list[Claim]:
    """A claim for every sentry_key, so that two different ones are seen."""
    pairs = [(name, value) for name, value in named if name.startswith(_PARAMETER)]
    others = [(name, value) for name, value in pairs if name != "sentry_key"]
    keys = [(name, value) for name, value in pairs if name == "sentry_key"]
    return [_pairs([*others, key]) for key in keys] or [_pairs(others)]


def _pairs(pairs: Iterable[tuple[str, str]]) -> Claim:
    fields = dict(pairs)
    version = fields.get("sentry_version", "")
    if version:
        match = _VERSION.fullmatch(version)
        if match is None or int(match[1]) > MAX_VERSION:
            detail = f"unsupported sentry_version {version[:20]!r}; the newest protocol version is {MAX_VERSION}"
            raise Rejection(400, detail, reason="auth")
    return Claim(_bare(fields.get("sentry_key", "")), fields.get("sentry_client", ""))


def _bare(key: str) -> str:
    """Without the flags that may follow a key after a dot."""
    return key.partition(".")[0].strip()
