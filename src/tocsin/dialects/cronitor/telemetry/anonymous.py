"""The old URLs, by a monitor's short code and without a key: /CODE[/STATE], /CODE/pause[/HOURS], /CODE.json, /CODE.csv.

Six characters are no secret, so none of it is served unless somebody wants it. A code that nobody has been given leads
nowhere, like any other path. Routes of everybody else come first, and what they begin with is never a code.
"""

from typing import Final, NamedTuple

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from tocsin.dialects.cronitor.birth import DIALECT
from tocsin.dialects.cronitor.telemetry import answers
from tocsin.dialects.cronitor.telemetry.history import CSV, JSON, History
from tocsin.dialects.cronitor.telemetry.intake import Intake
from tocsin.dialects.cronitor.telemetry.limits import Limits
from tocsin.dialects.cronitor.telemetry.mapping import Number
from tocsin.dialects.cronitor.telemetry.routes import METHODS, UNKNOWN_KEY, event_of, let_go, wrong_method
from tocsin.domain import errors
from tocsin.domain.instant import DAY, HOUR, NEVER, Instant
from tocsin.domain.monitor import MonitorChange
from tocsin.domain.project import Project, Scope
from tocsin.http import problems
from tocsin.http.addresses import Addresses
from tocsin.http.raw import Endpoint, Request
from tocsin.service.monitors import Monitors
from tocsin.service.principal import Principal, Principals

_LONGEST_PAUSE: Final = 100 * 365 * DAY  # beyond it is for ever


class _Part(Convertor[str]):
    """A part of a path that looks like its `regex`."""

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Code(_Part):
    regex = "[0-9a-z]{6}"


class _Form(_Part):
    regex = f"{JSON}|{CSV}"


class _Digits(_Part):
    regex = "[0-9]+"


register_url_convertor("monitor_code", _Code())
register_url_convertor("history_form", _Form())
register_url_convertor("digits", _Digits())


class Found(NamedTuple):
    project: Project
    monitor_id: str

    def principal(self, scope: Scope) -> Principal:
        """Whoever knows the code may do as much."""
        return Principal(self.project, scope)


class Finder:
    def __init__(self, number_of: Number, monitors: Monitors, principals: Principals) -> None:
        self._number_of = number_of
        self._monitors = monitors
        self._principals = principals

    async def find(self, code: str) -> Found | None:
        """Blocks nobody; None: no monitor has the code."""
        number = self._number_of(code)
        owner = await self._monitors.owner(number) if number is not None else None
        project = self._principals.project(owner[0]) if owner is not None else None
        return Found(project, owner[1]) if owner is not None and project is not None else None

    def agrees(self, key: str | None, found: Found) -> bool:
        """Whether a key that was sent along, if one was, is of the monitor's project."""
        if not key:
            return True
        principal = self._principals.find(key)
        return principal is not None and principal.project.number == found.project.number


class _ByCode(Endpoint):
    def __init__(self, intake: Intake, finder: Finder, addresses: Addresses, limits: Limits) -> None:
        self._intake = intake
        self._finder = finder
        self._addresses = addresses
        self._limits = limits

    async def answer(self, request: Request) -> ASGIApp:
        if request.method not in METHODS:
            return wrong_method()
        if request.has_body:
            await let_go(request)
        address = self._addresses.of(request)
        if wait := self._limits.of_address(address, request.received):
            return self._intake.over_limit(wait)
        found = await self._finder.find(request.variables["code"])
        if found is None:
            return _nothing(request)
        if not self._finder.agrees(request.query().get("auth_key"), found):
            return self._intake.stranger(UNKNOWN_KEY)
        try:
            return await self._of(request, found, address)
        except errors.Unavailable as problem:
            return answers.unavailable(problem)

    async def _of(self, request: Request, found: Found, address: str) -> ASGIApp:
        raise NotImplementedError


class Event(_ByCode):
    """T4."""

    async def _of(self, request: Request, found: Found, address: str) -> ASGIApp:
        project = found.project.number
        if wait := self._limits.of_monitor(project, found.monitor_id, request.received):
            return self._intake.over_limit(wait)
        place = f"{found.monitor_id}/{request.variables.get('state', '')}"
        event = event_of(request, project, place, address)
        return await self._intake.take(found.principal(Scope.INGEST), event, create=False)


class Pause(_ByCode):
    """T5: nobody is told for so many hours; 0 ends it, and no number is for ever."""

    def __init__(
        self, intake: Intake, finder: Finder, addresses: Addresses, limits: Limits, monitors: Monitors
    ) -> None:
        super().__init__(intake, finder, addresses, limits)
        self._monitors = monitors

    async def _of(self, request: Request, found: Found, address: str) -> ASGIApp:  # noqa: ARG002 - as all by code
        until = _until(request.variables.get("hours"), request.received)
        change = MonitorChange(muted_until=until, origin=DIALECT, by_hand=True)
        await self._monitors.change(found.principal(Scope.ADMIN), found.monitor_id, change, request.received)
        return answers.OK


class Told(_ByCode):
    """T6."""

    def __init__(self, intake: Intake, finder: Finder, addresses: Addresses, limits: Limits, history: History) -> None:
        super().__init__(intake, finder, addresses, limits)
        self._history = history

    async def _of(self, request: Request, found: Found, address: str) -> ASGIApp:  # noqa: ARG002 - as all by code
        principal = found.principal(Scope.READ)
        return await self._history.answer(principal, found.monitor_id, request.query(), request.variables["form"])


def _until(hours: str | None, now: Instant) -> Instant | None:
    if hours is None:
        return NEVER
    length = int(hours.lstrip("0")[:9] or "0") * HOUR
    if not length:
        return None
    return now + length if length <= _LONGEST_PAUSE else NEVER


def _nothing(request: Request) -> ASGIApp:
    path = str(request.scope["path"])[:200]
    return problems.to_response(
        errors.NotFound(f"nothing is served at {path}; /docs lists what is", reason="PATH_NOT_FOUND", metadata={})
    )


def routes(
    intake: Intake, finder: Finder, monitors: Monitors, history: History, addresses: Addresses, limits: Limits
) -> list[BaseRoute]:
    """To be put behind the routes of everybody else. The first one that fits a path answers."""
    common = intake, finder, addresses, limits
    event, pause, told = Event(*common), Pause(*common, monitors), Told(*common, history)
    table: tuple[tuple[str, Endpoint], ...] = (
        ("/{code:monitor_code}.{form:history_form}", told),
        ("/{code:monitor_code}/pause/{hours:digits}", pause),
        ("/{code:monitor_code}/pause", pause),
        ("/{code:monitor_code}/{state}", event),
        ("/{code:monitor_code}", event),
    )
    return [
        Route(f"{path}{slash}", endpoint, name=f"cronitor-code-{place}{slash}")
        for place, (path, endpoint) in enumerate(table)
        for slash in ("", "/")
    ]
