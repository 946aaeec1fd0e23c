"""The ingest endpoints: envelope, cron, store. Each a few lines; what they mean is in the modules beside this one."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from starlette.convertors import register_url_convertor
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from tocsin.dialects.sentry import auth, body, cron, events, mapping, schema
from tocsin.dialects.sentry.answers import Rejection, empty_response, json_response, refused_response
from tocsin.dialects.sentry.call import Call, Endpoint, rejection_of
from tocsin.dialects.sentry.delivery import deliver
from tocsin.dialects.sentry.envelope import CHECK_IN, CLIENT_REPORT, EVENT, EnvelopeError, EnvelopeTooLargeError, Parser
from tocsin.dialects.sentry.limits import Limits
from tocsin.dialects.sentry.refusals import DIALECT, excerpt
from tocsin.dialects.words import Unclaimed
from tocsin.domain import ids
from tocsin.domain.errors import InvalidArgument, Unavailable
from tocsin.domain.project import Scope
from tocsin.domain.project_settings import DEFAULTS, ProjectSettings
from tocsin.http.front import Busy
from tocsin.http.raw import Request
from tocsin.service.check_ins import CheckIns
from tocsin.service.principal import Principals

ObserveItem = Callable[[str, int, int], None]  # (item type, project, how many)
ObserveLoss = Callable[[str, int, int], None]  # (reason, project, check-ins that the client says it lost)
SettingsOf = Callable[[int], ProjectSettings]  # by project, every field set
ITEM_TYPES: Final = frozenset(
    (
        "check_in",
        "client_report",
        "event",
        "transaction",
        "span",
        "attachment",
        "profile",
        "profile_chunk",
        "replay_event",
        "replay_recording",
        "replay_video",
        "user_report",
        "feedback",
        "session",
        "sessions",
        "log",
        "trace_metric",
        "statsd",
        "metric_buckets",
    )
)
LOSS_REASONS: Final = frozenset(
    ("backpressure", "before_send", "buffer_overflow", "cache_overflow", "event_processor", "insufficient_data",
     "internal_sdk_error", "network_error", "queue_overflow", "ratelimit_backoff", "sample_rate", "send_error")
)  # fmt: skip
# For paths below it that are none: beginning, and answer to what says so.
NOT_FOUND: Final = (("/api/", lambda detail: json_response(404, {"detail": detail})),)
BUSY: Final = Busy("/api/", DIALECT, lambda problem: rejection_of(problem).response())
register_url_convertor("sentry_project", Unclaimed())
OTHER: Final = "other"  # what an item type or a reason that we do not know is counted as
_WINDOW: Final = 8 * 1024 * 1024  # of what it put out last, a decoder may still hold so many bytes
_MAX_LOSS: Final = 1_000_000  # in one line of a client report; more is not believed


class Ingest:
    """The three handlers over the use cases."""

    def __init__(
        self,
        check_ins: CheckIns,
        principals: Principals,
        limits: Limits,
        observe_item: ObserveItem,
        observe_loss: ObserveLoss,
        settings_of: SettingsOf,
    ) -> None:
        self._check_ins = check_ins
        self._principals = principals
        self._limits = limits
        self._observe_item = observe_item
        self._observe_loss = observe_loss
        self._settings_of = settings_of
        self._allowance = events.Allowance()

    async def envelope(self, request: Request, call: Call) -> ASGIApp:
        project = auth.project_number(request.variables["project"])
        claim = self._claimed(request, call, project)
        parser = Parser(self._limits)
        identified = False
        expanded = 0
        try:
            async for piece in body.pieces(request, self._limits):
                parser.feed(piece)
                expanded += len(piece)
                request.hold.set(parser.held + min(expanded, _WINDOW))
                if not identified and parser.header is not None:
                    self._identify(parser.header, claim, project, call)  # before more of the body is worked on
                    identified = True
            parser.close()
        except EnvelopeTooLargeError as problem:
            raise Rejection(413, str(problem), reason="too_large") from None
        except EnvelopeError as problem:
            call.proven()
            raise Rejection(400, f"malformed envelope: {problem}", reason="invalid") from None
        header = parser.header or schema.EnvelopeHeader()
        if not identified:
            self._identify(header, claim, project, call)
        arrival = call.arrival()
        outcomes = [mapping.from_json(item.payload, arrival) for item in parser.items if item.type == CHECK_IN]
        payloads = [item.payload for item in parser.items if item.type == EVENT]
        delivery = deliver(self._check_ins, call.proven(), outcomes)
        if payloads and outcomes:  # what is only a courtesy delays no check-in
            await asyncio.gather(delivery, self._remember(payloads, project, call))
        else:
            await delivery
            await self._remember(payloads, project, call)
        self._observe(parser, project)
        event_id = _event_id(schema.text_of(header.event_id))
        return json_response(200, {"id": event_id} if event_id else {})

    async def cron(self, request: Request, call: Call) -> ASGIApp:
        segment = request.variables["project"]
        project = auth.project_number(segment)
        raw_path = request.scope.get("raw_path") or b""
        slug, key = cron.slug_and_key(raw_path.decode("latin-1"), request.variables["rest"], segment)
        self._claimed(request, call, project, key)
        principal = call.proven()
        call.monitor_id = mapping.monitor_id_of(slug)
        content = await body.whole(request, self._limits, self._limits.cron_body)
        request.hold.set(len(content))
        sent = slug, request.query(), request.headers.get("content-type"), content
        call.payload = excerpt(cron.seen(*sent))
        payload = cron.payload(*sent)
        outcome = mapping.to_report(payload, call.arrival(), call.payload)
        refusals = await deliver(self._check_ins, principal, [outcome])
        self._observe_item(CHECK_IN, project, 1)
        if refusals and self._settings_of(project).strict:
            return refused_response(refusals) or empty_response(202)
        return empty_response(202)

    async def store(self, request: Request, call: Call) -> ASGIApp:
        """A legacy event: read to its end, counted, let go but for the error that it names."""
        segment = request.variables.get("project")
        project = None if segment is None else auth.project_number(segment)
        self._claimed(request, call, project)
        principal = call.proven()
        held = bytearray()
        async for piece in body.pieces(request, self._limits):
            if len(held) <= self._limits.held:
                held += piece
                request.hold.set(len(held))
        if len(held) <= self._limits.event:
            await self._remember([bytes(held)], principal.project.number, call)
        self._observe_item(EVENT, principal.project.number, 1)
        return json_response(200, {"id": _event_id(schema.event_id_of(bytes(held))) or ids.new_id()})

    async def _remember(self, payloads: Sequence[bytes], project: int, call: Call) -> None:
        """Writes down the errors that events name. Never a reason to refuse the request."""
        found = [error for payload in payloads if (error := events.read(payload, project, call.received))]
        found = found[: self._allowance.take(project, call.received, len(found))]
        with contextlib.suppress(Unavailable):
            await self._check_ins.remember(found)

    def _claimed(self, request: Request, call: Call, project: int | None, path_key: str = "") -> auth.Claim | None:
        """What the request names without its body; a key among it is looked up at once."""
        claim = auth.claim(request.headers, request.query_pairs, path_key)
        call.client = (claim.client if claim else "") or request.headers.get("user-agent")
        if claim is not None:
            self._authenticate(claim.key, project, call)
        body.check_head(request, self._limits)
        return claim

    def _identify(self, header: schema.EnvelopeHeader, claim: auth.Claim | None, project: int, call: Call) -> None:
        """What the envelope's header adds: the DSN, which must agree with everything else, and the SDK's name."""
        call.client = schema.sdk_of(header.sdk) or call.client
        if header.dsn is not None:
            dsn = auth.parse_dsn(header.dsn)
            if dsn.project != project or (claim is not None and claim.key != dsn.key):
                raise Rejection(400, "the dsn in the envelope header disagrees with the request", reason="auth")
            if claim is None:
                self._authenticate(dsn.key, project, call)
        call.proven()

    def _authenticate(self, key: str, project: int | None, call: Call) -> None:
        principal = self._principals.find(key)
        if principal is None or not principal.may(Scope.INGEST):
            raise Rejection(403, "this key is unknown, revoked, or may not send check-ins", reason="auth")
        if project is not None and principal.project.number != project:
            raise Rejection(403, f"this key does not belong to project {project}", reason="auth")
        call.principal = principal

    def _observe(self, parser: Parser, project: int) -> None:
        for item_type, count in parser.counts.items():
            known = item_type if item_type in ITEM_TYPES else OTHER
            self._observe_item(known, project, count)
        for item in parser.items:
            if item.type == CLIENT_REPORT:
                self._observe_losses(item.payload, project)

    def _observe_losses(self, payload: bytes, project: int) -> None:
        """A client report with the category "monitor" says that check-ins were lost before they reached us."""
        try:
            report = schema.decode_client_report(payload)
        except schema.SchemaError:
            return  # it is a courtesy of the client; nothing depends on it
        for line in report.discarded_events:
            if line.category == "monitor" and line.quantity > 0:
                reason = line.reason if line.reason in LOSS_REASONS else OTHER
                self._observe_loss(reason, project, min(line.quantity, _MAX_LOSS))


def routes(
    check_ins: CheckIns,
    principals: Principals,
    *,
    path_prefix: str = "",
    limits: Limits | None = None,
    observe_item: ObserveItem = lambda _type, _project, _count: None,
    observe_loss: ObserveLoss = lambda _reason, _project, _quantity: None,
    settings_of: SettingsOf = lambda _project: DEFAULTS,
) -> list[BaseRoute]:
    """The routes below `path_prefix` ("" or "/sentry"), for the application to mount.

    Every request must carry, in the state of its scope, `received`, the instant (ms) at which it was accepted, and
    `hold`, what it takes of the memory. `observe_item` is
    called for each item of each accepted envelope, `observe_loss` for each line of a client report about check-ins;
    types come from `ITEM_TYPES` and reasons from `LOSS_REASONS`, or are `OTHER`: no client makes labels. `settings_of`
    answers a project's settings, resolved.
    """
    bounds = limits or Limits()
    ingest = Ingest(check_ins, principals, bounds, observe_item, observe_loss, settings_of)
    prefix = path_prefix.rstrip("/")
    envelope = Endpoint(ingest.envelope, ("POST",), check_ins, bounds)
    ping = Endpoint(ingest.cron, ("GET", "HEAD", "POST"), check_ins, bounds)
    store = Endpoint(ingest.store, ("POST",), check_ins, bounds)
    table: Iterable[tuple[str, Endpoint, str]] = (
        ("/api/{project:sentry_project}/envelope", envelope, "sentry-envelope"),
        ("/api/{project:sentry_project}/store", store, "sentry-store"),
        ("/api/store", store, "sentry-store-bare"),
    )
    found: list[BaseRoute] = [
        Route(f"{prefix}{path}{slash}", endpoint, name=name) for path, endpoint, name in table for slash in ("/", "")
    ]
    return [*found, Route(f"{prefix}/api/{{project:sentry_project}}/cron/{{rest:path}}", ping, name="sentry-cron")]


def _event_id(text: str) -> str:
    """32 hex characters, or "" for what is no UUID: it is answered, not judged."""
    try:
        return ids.normal_id(text)
    except InvalidArgument:
        return ""
