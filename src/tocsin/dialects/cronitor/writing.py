"""Bodies of monitors → what is stored: all of them in one entry of the journal, or none.

What a partial update means depends on what is there, so that is read first, and written only if nobody changed it
meanwhile; else it is read again. Of many monitors other requests get a turn in between.
"""

import asyncio
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog

from tocsin.dialects.cronitor import mapping, names, phrases, reading, references, schema
from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.problems import Invalid, Problem, Problems
from tocsin.dialects.cronitor.schema import CHECK, Said
from tocsin.dialects.cronitor.services import Services
from tocsin.domain import notification
from tocsin.domain.commands import PutMonitor
from tocsin.domain.errors import Aborted, AlreadyExists, InvalidArgument, NotFound
from tocsin.domain.monitor import Monitor, MonitorChange
from tocsin.store.port import MonitorWithHealth

MANY: Final = 20_000
"""Monitors of one request."""
_ATTEMPTS: Final = 16  # of writers at the same time one gets through each time
_SLICE: Final = 50  # monitors after which others get a turn
_TOLD: Final = 1_000  # monitors after which the log is told how far it is
_CELERY: Final = "cronitor-python"
_log = structlog.get_logger("tocsin.cronitor")


@dataclass(frozen=True, slots=True)
class Wish:
    """One monitor as it was asked for. `reference` is how it was named, "" when nobody named it."""

    reference: str
    said: Said
    paused: bool | None
    problems: Problems
    named: tuple[str, ...] = ()  # notification lists that are named already where it comes from


@dataclass(frozen=True, slots=True)
class Written:
    wish: Wish
    found: MonitorWithHealth


def wish_of(body: Any, index: int, *, key: str = "") -> Wish:
    """`key`: the path has named it, and a body must not name another."""
    problems = Problems(key or f"monitors[{index}]")
    if not isinstance(body, Mapping):
        problems.found.append(Problem("must be a hash of attributes", problems.key))
        return Wish("", {}, None, problems)
    sent = schema.key_of(body, problems) or ("" if key else _code(body, problems))
    problems.key = key or sent or problems.key
    return Wish(key or sent, schema.read(body, problems), schema.paused_of(body, problems), problems)


async def save(
    services: Services, call: Call, wishes: Sequence[Wish], *, create: bool = True, validate_only: bool = False
) -> list[Written]:
    """As many as there are wishes, in their order. Invalid tells all that is wrong; then nothing is kept.

    Of two wishes for one monitor the later one holds.
    """
    if len(wishes) > MANY:
        raise Invalid(Problem(f"monitors: at most {MANY}, not {len(wishes)}", "", "monitors"))
    if call.client.startswith(_CELERY):
        for wish in wishes:
            if schedules := wish.said.get("schedules"):
                wish.said["schedules"] = [phrases.as_meant(text) for text in schedules]
    if problems := [problem for wish in wishes for problem in wish.problems.found]:
        raise Invalid(*problems)
    attempt = 0
    while True:
        attempt += 1
        try:
            return await _Plan(services, call, wishes, create=create, validate_only=validate_only).carry_out()
        except (Aborted, AlreadyExists, NotFound):
            if attempt == _ATTEMPTS:
                raise


class _Plan:
    """One look at what is there, and what follows from it."""

    def __init__(
        self, services: Services, call: Call, wishes: Sequence[Wish], *, create: bool, validate_only: bool
    ) -> None:
        self._services, self._call, self._wishes = services, call, wishes
        self._create, self._validate_only = create, validate_only
        self._zone = services.zone(call)
        self._lists: Collection[str] = ()
        self._problems: list[Problem] = []

    async def carry_out(self) -> list[Written]:
        call = self._call
        known = await references.many(self._services, call, [wish.reference for wish in self._wishes])
        if any(wish.said.get("notify") for wish in self._wishes):
            self._lists = await self._services.shared.lists(call.principal)
        ids: list[str] = []
        commands: dict[str, PutMonitor] = {}
        for index, (wish, there) in enumerate(zip(self._wishes, known, strict=True), 1):
            monitor_id = there.monitor.id if there is not None else names.monitor_id_of(wish.reference)
            ids.append(monitor_id)
            commands[monitor_id] = self._command(wish, monitor_id, there.monitor if there is not None else None)
            await self._pause(index)
        if self._problems:
            raise Invalid(*self._problems)
        named = dict(zip(ids, self._wishes, strict=True)).values()
        groups = {group for wish in named if (group := wish.said.get("group"))}
        await self._ensure(groups, validate_only=True)
        rows = await self._services.monitors.put_many(
            call.principal, list(commands.values()), call.received, most=MANY, checked=True
        )
        if not self._validate_only:
            await self._ensure(groups, validate_only=False)  # a write that is refused leaves none
        by_id = {row.monitor.id: row for row in rows}
        if len(self._wishes) >= _TOLD:
            _log.info("monitors written", done=len(rows), of=len(self._wishes), kept=not self._validate_only)
        return [Written(wish, by_id[monitor_id]) for wish, monitor_id in zip(self._wishes, ids, strict=True)]

    def _command(self, wish: Wish, monitor_id: str, known: Monitor | None) -> PutMonitor:
        problems = Problems(wish.reference)
        self._check_lists(wish, known, problems)
        change = self._creation(wish, problems) if known is None else self._alteration(wish, known, problems)
        if not problems.found:
            try:
                self._services.check(change, "monitor")
            except InvalidArgument as problem:
                problems.wrong_by(problem)
        self._problems += problems.found
        return PutMonitor(
            self._call.principal.project.number,
            monitor_id,
            mapping.paused(change, wish.paused, known, self._call.received),
            create=known is None and self._create,
            update=known is not None,
            etag=known.etag if known is not None else "",
            validate_only=self._validate_only,
        )

    def _creation(self, wish: Wish, problems: Problems) -> MonitorChange:
        said = mapping.merged({"key": wish.reference}, wish.said)
        if "type" not in said:
            problems.wrong("type", "required to create a monitor: job, check or heartbeat")
            return MonitorChange()
        self._check_zone(said, problems)
        meaning = mapping.meaning_of(said, self._zone, problems, anchor=self._call.received)
        return mapping.creation(said, meaning)

    def _alteration(self, wish: Wish, known: Monitor, problems: Problems) -> MonitorChange:
        before, meant = reading.said_of(known, self._zone)
        after = mapping.merged(before, wish.said)
        after["type"] = after.get("type") or before["type"]
        if before["type"] == CHECK != after["type"] and "schedules" not in wish.said:
            after.pop("schedules", None)
        self._check_zone(wish.said, problems)
        resets = "timezone" in wish.said and wish.said["timezone"] is None
        zone, wrong = self._zone if resets else reading.zone_of(known, self._zone), Problems(problems.key)
        meaning = mapping.meaning_of(after, zone, wrong, anchor=known.create_time)
        if wrong.found:  # what no phrase says, by another protocol, is not this request's fault
            old = Problems(problems.key)
            mapping.meaning_of(before, zone, old, anchor=known.create_time)
            problems.found += [problem for problem in wrong.found if problem not in old.found]
        change = mapping.alteration(known, meant, after, meaning)
        if not reading.is_known(known):
            change = msgspec.structs.replace(change, extras=mapping.extras_of(after))
        return change

    def _check_zone(self, said: Said, problems: Problems) -> None:
        if said.get("timezone"):
            try:
                self._services.check_zone(said["timezone"], "timezone")
            except InvalidArgument as problem:
                problems.wrong_by(problem, "timezone")
                said["timezone"] = "UTC"  # so that schedules are not blamed for it

    def _check_lists(self, wish: Wish, known: Monitor | None, problems: Problems) -> None:
        """Making a list that nobody filled would hide a typing error. One that was named before may be gone since."""
        named = (*wish.named, *(known.alert_policy.channels if known is not None else ()))
        for piece in mapping.alerts_of(wish.said):
            if notification.parts(piece) is None and piece not in self._lists and piece not in named:
                problems.wrong("notify", f"there is no notification list {piece[:80]!r}")

    async def _ensure(self, groups: Collection[str], *, validate_only: bool) -> None:
        if groups:
            call, shared = self._call, self._services.shared
            await shared.ensure_groups(call.principal, groups, call.received, validate_only=validate_only)

    async def _pause(self, done: int) -> None:
        if done % _SLICE == 0:
            await asyncio.sleep(0)
        if done % _TOLD == 0:
            _log.info("monitors checked", done=done, of=len(self._wishes), wrong=len(self._problems))


def _code(body: Mapping[str, Any], problems: Problems) -> str:
    """A monitor may be named by its code alone."""
    return schema.key_of(body, problems, "code")


def generated_key() -> str:
    """Of a monitor that nobody named: no code is as long."""
    return secrets.token_hex(4)
