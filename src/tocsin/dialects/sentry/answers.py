"""Answers: JSON bodies, CORS headers, and the exception that ends a request with a status."""

from collections.abc import Mapping, Sequence

import msgspec

from tocsin.domain.facts import CheckInRefused
from tocsin.domain.refusals import RefusalReason
from tocsin.http.raw import CONTENT_TYPE, Answer, length

_CORS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"x-sentry-error, x-sentry-rate-limits, retry-after"),
)
_JSON = (CONTENT_TYPE, b"application/json")
_STRICT = {"MONITOR_NOT_FOUND": 404, "MONITOR_DISABLED": 403, "INTERNAL": 500}  # everything else: 400
_ALLOWED_HEADERS = "x-sentry-auth, content-type, content-encoding, authorization, sentry-trace, baggage"


class Rejection(Exception):
    """The request ends here with `status` and `{"detail": detail}`.

    `reason` is the label under which it is counted: auth, invalid, too_large, overload. `kept_as` is the refusal that
    it becomes when the sender is known.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        reason: str,
        headers: Mapping[str, str] | None = None,
        kept_as: RefusalReason = RefusalReason.CHECKIN_VALIDATION_FAILED,
    ) -> None:
        super().__init__(detail)
        self.kept_as = kept_as
        self.status = status
        self.detail = detail
        self.reason = reason
        self.headers = dict(headers or {})

    def response(self) -> Answer:
        return json_response(self.status, {"detail": self.detail}, self.headers)


def json_response(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Answer:
    content = msgspec.json.encode(body)
    return Answer(status, (*_CORS, *_encoded(headers), length(content), _JSON), content)


def empty_response(status: int) -> Answer:
    return Answer(status, (*_CORS, length(b"")))


def refused_response(refusals: Sequence[CheckInRefused]) -> Answer | None:
    """What a strict project answers instead of "taken" when a check-in was dropped; None: it was not."""
    dropped = [refused for refused in refusals if refused.dropped]
    if not dropped:
        return None
    causes = [f"{refused.reason}: {refused.detail}" for refused in refusals]
    if configuration := dropped[0].data.get("configuration"):
        causes.append(f"{RefusalReason.MONITOR_INVALID_CONFIG.name}: {configuration}")
    return json_response(_STRICT.get(dropped[0].reason, 400), {"detail": causes[0], "causes": causes})


def preflight(methods: str) -> Answer:
    """The answer to OPTIONS: any origin may send what a Sentry client sends."""
    headers = {
        "Allow": methods,
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
        "Access-Control-Max-Age": "3600",
    }
    return Answer(200, (*_CORS, *_encoded(headers), length(b"")))


def _encoded(headers: Mapping[str, str] | None) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
