"""The cron endpoint's request → the same payload that an envelope carries: query, JSON or form body, merged. Pure.

What the body says wins over the query, and the slug in the path over both.
"""

import math
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import msgspec

from tocsin.dialects.sentry import forms, schema
from tocsin.dialects.sentry.answers import Rejection
from tocsin.dialects.sentry.forms import FormError
from tocsin.dialects.sentry.schema import CheckInPayload, SchemaError
from tocsin.domain import ids
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.refusals import RefusalReason

_JSON: Final = "application/json"
_SEEN_MAX: Final = 4_096  # characters of a value that are kept
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_TEXTS: Final = ("status", "check_in_id", "environment")


def slug_and_key(raw_path: str, decoded: str, project: str) -> tuple[str, str]:
    """The slug and the key ("" when absent) of ".../api/{project}/cron/{slug}[/{key}][/]", percent-decoded once.

    `decoded` is what the router found behind "cron/"; it is used when `raw_path` does not have the shape, for then a
    slash inside the slug cannot be told from one between the two. Rejection 404 for any other shape.
    """
    rest = raw_path.partition(f"/api/{project}/cron/")[2]
    parts = [unquote(part) for part in rest.split("/")] if rest else decoded.split("/")
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
    if len(parts) > 2 or not parts[0]:
        raise Rejection(404, "the path is /api/{project}/cron/{slug}/{key}/", reason="invalid")
    return parts[0], parts[1] if len(parts) == 2 else ""


def payload(slug: str, query: Mapping[str, str], content_type: str, body: bytes) -> CheckInPayload:
    """Rejection 400: no status, an id that is no UUID, a duration that is no number, a body that is no JSON.

    Everything else that may be wrong is found later and answered like Sentry does: accepted, then refused.
    """
    kind = content_type.strip().lower()
    found = CheckInPayload()
    if kind.startswith(_JSON) and body.strip():
        try:
            schema.check_text(body)
            found = schema.decode_check_in(body)
        except SchemaError as problem:
            raise _bad(f"body: {problem}") from None
    fallback: dict[str, str] = {name: value for name, value in query.items() if value}
    try:
        fallback |= forms.fields(content_type, body)
    except FormError as problem:
        raise _bad(f"form body: {problem}") from None
    changes: dict[str, object] = {name: fallback.get(name) for name in _TEXTS if getattr(found, name) is None}
    if found.duration is None and "duration" in fallback:
        changes["duration"] = _seconds(fallback["duration"])
    merged = msgspec.structs.replace(found, monitor_slug=slug, **changes)
    if not merged.status:
        raise _bad("status: required; one of in_progress, ok, error")
    if merged.check_in_id is not None:
        try:
            ids.normal_id(merged.check_in_id)
        except InvalidArgument as problem:
            raise _bad(problem.message, RefusalReason.CHECKIN_INVALID_GUID) from None
    return merged


def seen(slug: str, query: Mapping[str, str], content_type: str, body: bytes) -> bytes:
    """What is kept of a request that cannot be honoured: a JSON body as it is, otherwise JSON of all but the key."""
    if content_type.strip().lower().startswith(_JSON) and body.strip():
        return body
    fields = {"monitor_slug": slug[:_SEEN_MAX]}
    fields |= {name: value[:_SEEN_MAX] for name, value in query.items() if not name.startswith("sentry_")}
    if body:
        fields["body"] = body[:_SEEN_MAX].decode("utf-8", "replace")
    return msgspec.json.encode(fields)


def _seconds(text: str) -> float:
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise _bad(f"duration: {text[:40]!r} is not a number of seconds")
    return number


def _bad(detail: str, kept_as: RefusalReason = RefusalReason.CHECKIN_VALIDATION_FAILED) -> Rejection:
    return Rejection(400, detail, reason="invalid", kept_as=kept_as)
