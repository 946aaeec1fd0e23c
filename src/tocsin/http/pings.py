"""Plain pings for shell users: GET, POST or HEAD /report/{monitor}[/start|ok|fail|log|<exit code>].

Answers "OK" and the run's id once the report is durable. The key is a header or `?key=`; `?run=` names the run, so
that overlapping runs pair up; `?environment=`, `?duration=` seconds, `?message=`. A body is kept as the message, up to
a cap.
"""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tocsin.domain import errors, ids, names
from tocsin.domain.check_in import MAX_MESSAGE, Report, ReportKind
from tocsin.http import problems
from tocsin.http.auth import raw_key_of
from tocsin.http.raw import CONTENT_TYPE, Answer, Endpoint, Request, length
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


_UNCACHED: Final = (b"cache-control", b"no-store")
_TEXT: Final = (CONTENT_TYPE, b"text/plain; charset=utf-8")
_BODY_MAX: Final = 10 * 1024 * 1024


class Pings(Endpoint):
    def __init__(self, check_ins: CheckIns, principals: Principals, failed: Callable[[str, str], None]) -> None:
        """`failed(dialect, error reason)` is told of pings that were refused."""
        self._check_ins = check_ins
        self._principals = principals
        self._failed = failed

    def routes(self) -> list[Route]:
        paths = "/report/{monitor}", "/report/{monitor}/", "/report/{monitor}/{word}"
        return [Route(path, self, methods=["GET", "POST", "HEAD"], name="ping") for path in paths]

    async def answer(self, request: Request) -> ASGIApp:
        try:
            principal = self._principals.resolve(raw_key_of(request))
            body = await _body(request) if request.has_body else ""
            receipt = await self._check_ins.report(principal, _report(request, principal.project.number, body))
            if receipt.refusal is not None:
                raise refusal_error(receipt.refusal)
        except errors.TocsinError as error:
            self._failed("native", error.reason)
            return problems.to_response(error)
        except ClientDisconnect:
            self._failed("native", "BODY_MALFORMED")
            return Response(status_code=400)  # nobody is there to read it
        run = receipt.check_in
        if run is None:
            return Answer(200, (_UNCACHED, length(b"OK\n"), _TEXT), b"OK\n")
        number = run.id.encode()
        content = b"OK %b\n" % number
        return Answer(200, (_UNCACHED, (b"x-tocsin-run", number), length(content), _TEXT), content)


def _report(request: Request, project: int, body: str) -> Report:
    query = request.query().get if request.query_pairs else _nothing
    monitor = names.check_monitor_id(request.variables["monitor"], "monitor")
    kind, exit_code = _kind(request.variables.get("word", ""))
    run = query("run") or query("rid")
    environment = query("environment")
    return Report(
        project=project,
        monitor_id=monitor,
        kind=kind,
        received=request.received,
        environment=names.check_environment(environment) if environment else "",
        check_in_id=ids.normal_id(run, "run") if run else None,
        duration_ms=_duration(query("duration")),
        exit_code=exit_code,
        message=body or (query("message") or "")[:MAX_MESSAGE],
        host=(query("host") or "")[:200],
        dialect="native",
        client=request.headers.get("user-agent")[:200],
        retry_safe=True,
    )


def _nothing(_name: str) -> str | None:
    """The value of a parameter when there are none."""
    return None


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
    while not request.over:
        piece = await request.piece()
        total += len(piece)
        if total > _BODY_MAX:
            raise errors.InvalidArgument("the body is over 10 MiB", reason="BODY_TOO_LARGE", metadata={"field": "body"})
        if len(kept) < BODY_KEPT:
            kept += piece[: BODY_KEPT - len(kept)]
    return kept.decode("utf-8", "replace")
