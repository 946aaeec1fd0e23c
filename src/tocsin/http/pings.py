"""Plain pings for shell users: GET, POST or HEAD /report/{monitor}[/start|ok|fail|log|<exit code>].

Answers "OK" and the run's id once the report is durable. The key is a header or `?key=`; `?run=` names the run, so
that overlapping runs pair up; `?environment=`, `?duration=` seconds, `?message=`. A body is kept as the message, up to
a cap.
"""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tocsin.domain import errors, ids, names
from tocsin.domain.check_in import MAX_MESSAGE, Report, ReportKind
from tocsin.domain.instant import Instant
from tocsin.http import problems
from tocsin.http.auth import key_of
from tocsin.service.check_ins import CheckIns, refusal_error
from tocsin.service.principal import Principals

BODY_KEPT: Final = MAX_MESSAGE
_WORDS: Final[Mapping[str, ReportKind]] = {
    "": ReportKind.OK,
    "ok": ReportKind.OK,
    "start": ReportKind.START,
    "fail": ReportKind.ERROR,
    "log": ReportKind.NOTE,
}


class Pings:
    def __init__(self, check_ins: CheckIns, principals: Principals, failed: Callable[[str, str], None]) -> None:
        """`failed(dialect, error reason)` is told of pings that were refused."""
        self._check_ins = check_ins
        self._principals = principals
        self._failed = failed

    def routes(self) -> list[Route]:
        methods = ["GET", "POST", "HEAD"]
        return [
            Route("/report/{monitor}", self._ping, methods=methods),
            Route("/report/{monitor}/", self._ping, methods=methods),
            Route("/report/{monitor}/{word}", self._ping, methods=methods),
        ]

    async def _ping(self, request: Request) -> Response:
        received: Instant = request.state.received
        try:
            principal = self._principals.resolve(key_of(request))
            report = _report(request, principal.project.number, received, await _body(request))
            receipt = await self._check_ins.report(principal, report)
            if receipt.refusal is not None:
                raise refusal_error(receipt.refusal)
        except errors.TocsinError as error:
            self._failed("native", error.reason)
            return problems.to_response(error)
        except ClientDisconnect:
            self._failed("native", "BODY_MALFORMED")
            return Response(status_code=400)  # nobody is there to read it
        run = receipt.check_in
        headers = {"cache-control": "no-store"} | ({"x-tocsin-run": run.id} if run else {})
        return PlainTextResponse(f"OK {run.id}\n" if run else "OK\n", headers=headers)


def _report(request: Request, project: int, received: Instant, body: str) -> Report:
    query = request.query_params
    monitor = names.check_monitor_id(request.path_params["monitor"], "monitor")
    kind, exit_code = _kind(request.path_params.get("word", ""))
    run = query.get("run") or query.get("rid")
    return Report(
        project=project,
        monitor_id=monitor,
        kind=kind,
        received=received,
        environment=names.check_environment(query.get("environment")) if query.get("environment") else "",
        check_in_id=ids.normal_id(run, "run") if run else None,
        duration_ms=_duration(query.get("duration")),
        exit_code=exit_code,
        message=body or query.get("message", "")[:MAX_MESSAGE],
        host=query.get("host", "")[:200],
        dialect="native",
        client=request.headers.get("user-agent", "")[:200],
        retry_safe=True,
    )


def _kind(word: str) -> tuple[ReportKind, int | None]:
    if word in _WORDS:
        return _WORDS[word], None
    if word.isdecimal() and len(word) <= 3 and int(word) <= 255:
        return (ReportKind.ERROR if int(word) else ReportKind.OK), int(word)
    raise errors.invalid("path", f"{word[:40]!r} must be start, ok, fail, log or an exit code from 0 to 255")


def _duration(text: str | None) -> int | None:
    if not text:
        return None
    try:
        milliseconds = float(text) * 1000
    except ValueError:
        milliseconds = -1.0
    if not 0 <= milliseconds <= 2**31 - 1:
        raise errors.invalid("duration", f"{text[:40]!r} must be seconds, 0 to 2147483.647")
    return int(milliseconds)


async def _body(request: Request) -> str:
    """The first bytes of the body as text; the rest is read and dropped, so that the client is not cut off."""
    kept = bytearray()
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > 10 * 1024 * 1024:
            raise errors.InvalidArgument("the body is over 10 MiB", reason="BODY_TOO_LARGE", metadata={"field": "body"})
        if len(kept) < BODY_KEPT:
            kept += chunk[: BODY_KEPT - len(kept)]
    return kept.decode("utf-8", "replace")
