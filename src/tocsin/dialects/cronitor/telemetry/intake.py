"""One event with a key that is known: make a report of it, have it recorded, keep what was not honoured, answer."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp

from tocsin.dialects.cronitor.birth import DIALECT
from tocsin.dialects.cronitor.telemetry import answers, mapping
from tocsin.dialects.cronitor.telemetry.mapping import Event, Number, about
from tocsin.domain.check_in import Report
from tocsin.domain.errors import InvalidArgument, ResourceExhausted, TocsinError, Unavailable
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.instant import Millis
from tocsin.domain.project import Scope
from tocsin.domain.project_settings import DEFAULTS, ProjectSettings
from tocsin.domain.refusals import RefusalReason
from tocsin.service.check_ins import CheckIns
from tocsin.service.principal import Principal

NO_SCOPE: Final = "this key may not send telemetry; its scope is {scope!r}"


@dataclass(frozen=True, slots=True)
class Options:
    create: bool = True  # whether an event makes the monitor that it names
    creating_not: Collection[int] = ()  # numbers of keys by which it makes none
    strict: bool = False  # whether who sends is told of what was dropped; a project may want that for itself


class Intake:
    def __init__(
        self,
        check_ins: CheckIns,
        number_of: Number,
        options: Options,
        settings_of: Callable[[int], ProjectSettings] = lambda _project: DEFAULTS,
    ) -> None:
        """`number_of(text)`: the number of the monitor whose code it would be; None when it is no code.

        `settings_of` answers a project's settings, resolved.
        """
        self._settings_of = settings_of
        self._check_ins = check_ins
        self._number_of = number_of
        self._options = options

    async def take(self, principal: Principal, event: Event, *, create: bool = True) -> ASGIApp:
        """Answers when it is durable, or durably refused. `create`: it may make its monitor, if the options let it."""
        try:
            if not principal.may(Scope.INGEST):
                return await self._may_not(principal, event)
            dropped = await self._take(principal, event, create=create)
        except Unavailable as problem:
            self._check_ins.rejected(DIALECT, "overload")
            return answers.unavailable(problem)
        return answers.refused(dropped) if dropped is not None and self._strict(event) else answers.OK

    def stranger(self, text: str, status: int = 403) -> ASGIApp:
        """The answer to somebody without a key that is known: there is nobody whose event it would be."""
        self._check_ins.rejected(DIALECT, "auth")
        return answers.text(status, f"{text}\n") if self._options.strict else answers.OK

    def over_limit(self, wait_ms: Millis) -> ASGIApp:
        """Said at once and nowhere else: to write down what is too much would be more of it."""
        self._check_ins.rejected(DIALECT, "rate_limited")
        return answers.too_many(wait_ms)

    async def _take(self, principal: Principal, event: Event, *, create: bool) -> CheckInRefused | None:
        """Why it was dropped; None: it was recorded."""
        create = create and self._options.create and principal.key not in self._options.creating_not
        report, refusals = mapping.to_report(event, self._number_of, create=create)
        dropped = refusals[0] if report is None else None
        if report is not None:
            kept, trouble = await self._record(principal, report)
            refusals = (*trouble, *refusals)
            dropped = kept or next(iter(trouble), None)
        if refusals:
            await self._check_ins.refuse(refusals)
        return dropped

    async def _may_not(self, principal: Principal, event: Event) -> ASGIApp:
        detail = NO_SCOPE.format(scope=principal.scope.value)
        await self._check_ins.refuse([mapping.refused(event, RefusalReason.CHECKIN_VALIDATION_FAILED, detail)])
        return answers.text(403, f"{detail}\n") if self._strict(event) else answers.OK

    def _strict(self, event: Event) -> bool:
        return self._options.strict or bool(self._settings_of(event.project).strict)

    async def _record(
        self, principal: Principal, report: Report
    ) -> tuple[CheckInRefused | None, tuple[CheckInRefused, ...]]:
        """What the engine refused, which is kept already; and what did not get so far, which is not."""
        try:
            receipt = await self._check_ins.report(principal, report)
        except Unavailable:
            raise
        except TocsinError as problem:
            return None, (about(report, _reason_of(problem), problem.message),)
        return receipt.refusal, ()


def _reason_of(problem: TocsinError) -> RefusalReason:
    """The refusal reason of trouble that the use case met with one report."""
    if isinstance(problem, ResourceExhausted):
        return RefusalReason.MONITOR_ENVIRONMENT_RATELIMITED
    if isinstance(problem, InvalidArgument):
        return RefusalReason.CHECKIN_VALIDATION_FAILED
    return RefusalReason.INTERNAL
