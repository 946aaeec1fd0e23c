"""Answers: JSON bodies, CORS headers, and the exception that ends a request with a status."""

from collections.abc import Mapping, Sequence

import msgspec
from starlette.responses import Response

from tocsin.domain.facts import CheckInRefused
from tocsin.domain.refusals import RefusalReason

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "x-sentry-error, x-sentry-rate-limits, retry-after",
}
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

    def response(self) -> Response:
        return json_response(self.status, {"detail": self.detail}, self.headers)


def json_response(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, {**_CORS, **(headers or {})}, "application/json")


def empty_response(status: int) -> Response:
    return Response(b"", status, _CORS)


def refused_response(refusals: Sequence[CheckInRefused]) -> Response | None:
    """What a strict project answers instead of "taken" when a check-in was dropped; None: it was not."""
    dropped = [refused for refused in refusals if refused.dropped]
    if not dropped:
        return None
    causes = [f"{refused.reason}: {refused.detail}" for refused in refusals]
    if configuration := dropped[0].data.get("configuration"):
        causes.append(f"{RefusalReason.MONITOR_INVALID_CONFIG.name}: {configuration}")
    return json_response(_STRICT.get(dropped[0].reason, 400), {"detail": causes[0], "causes": causes})


def preflight(methods: str) -> Response:
    """The answer to OPTIONS: any origin may send what a Sentry client sends."""
    return Response(
        b"",
        200,
        {
            **_CORS,
            "Allow": methods,
            "Access-Control-Allow-Methods": methods,
            "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
            "Access-Control-Max-Age": "3600",
        },
    )
