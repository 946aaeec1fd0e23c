"""Checks as use cases: many are planned together and written in one entry of the journal, all or none.

A partial update depends on what is there: that is read first, and written only if nobody changed it meanwhile; else it
is read again. Those of one check take turns, so that many at once do not undo each other's work. Subscriptions follow
when the checks are written: the same update, or deployment, again completes what a crash left. Of many checks other
requests get a turn in between.
"""

import asyncio
import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple
from weakref import WeakValueDictionary

from tocsin.dialects.checkly.checks import mapping
from tocsin.dialects.checkly.checks.mapping import Planned, is_check
from tocsin.dialects.checkly.checks.schema import Said
from tocsin.dialects.checkly.problems import Problems
from tocsin.dialects.checkly.services import Services
from tocsin.domain.commands import PutMonitor
from tocsin.domain.errors import Aborted, AlreadyExists, InvalidArgument, NotFound, Unavailable
from tocsin.domain.group import Group
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Monitor
from tocsin.domain.names import slugify
from tocsin.service.principal import Principal
from tocsin.store.port import MonitorWithHealth

_TURN: Final = 100  # checks between two turns of others
MANY: Final = 10_000  # checks that are written together
_SLICE: Final = 50  # checks after which others get a turn
_ID_MAX: Final = 100  # characters of a name that become an id
_ATTEMPTS: Final = 16  # to write before somebody else has: another protocol, or a deployment
# Fields of the domain → the attribute that a client wrote.
_ATTRIBUTES: Final = {
    "margin_ms": "heartbeat.grace",
    "schedules": "heartbeat.period",
    "ping_token": "heartbeat.pingToken",
    "tags": "tags",
    "group": "groupId",
}


class Wish(NamedTuple):
    """One check as it is asked for. `monitor_id` names the one to change, or what a new one is to be called."""

    monitor_id: str
    said: Said
    new: bool
    token: str = ""  # of a new one's ping URL, unless it is given one; "": a random one
    label: str = ""  # how problems name it; "": there is only this one


class Checks:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by uid of a monitor

    async def create(self, principal: Principal, said: Said, received: Instant) -> MonitorWithHealth:
        """Named after its name; where that is taken, with a 2 behind it, or a few random characters."""
        slug = monitor_id_of(said["name"])
        for attempt in range(_ATTEMPTS):
            monitor_id = slug if not attempt else f"{slug}-{2 if attempt == 1 else secrets.token_hex(4)}"
            try:
                (row,) = await self.apply(principal, [Wish(monitor_id, said, new=True)], received)
            except AlreadyExists as problem:
                if problem.reason != "MONITOR_ALREADY_EXISTS":
                    raise
            else:
                return row
        raise AlreadyExists(f"no id was free for {slug!r}", reason="MONITOR_ALREADY_EXISTS", metadata={})

    async def update(self, principal: Principal, monitor: Monitor, said: Said, received: Instant) -> MonitorWithHealth:
        async with self._turns.setdefault(monitor.uid, asyncio.Lock()):
            (row,) = await self.apply(principal, [Wish(monitor.id, said, new=False)], received)
        return row

    async def check(self, principal: Principal, wishes: Sequence[Wish], received: Instant, problems: Problems) -> None:
        """Tells everything that would be refused before anything is written, but for what is taken meanwhile."""
        await self._planned(principal, wishes, received, problems)

    async def apply(
        self, principal: Principal, wishes: Sequence[Wish], received: Instant, *, validate_only: bool = False
    ) -> list[MonitorWithHealth]:
        """As many as there are wishes, in their order. Refused 400 tells all that is wrong; then nothing is kept.

        AlreadyExists: an id or a ping token is taken. NotFound: one to change is gone. Unavailable: others change them
        all the time.
        """
        for _ in range(_ATTEMPTS):
            try:
                return await self._apply(principal, wishes, received, validate_only=validate_only)
            except Aborted:
                continue
        raise Unavailable("others are changing this at the same time; send it again", reason="ETAG_MISMATCH")

    async def _apply(
        self, principal: Principal, wishes: Sequence[Wish], received: Instant, *, validate_only: bool
    ) -> list[MonitorWithHealth]:
        problems = Problems()
        planned = await self._planned(principal, wishes, received, problems)
        problems.done()
        commands: list[PutMonitor] = []
        same: dict[str, MonitorWithHealth] = {}  # what says what is so already is not written: an entry may be long
        for index, (wish, known, one) in enumerate(planned, 1):
            if index % _SLICE == 0:
                await asyncio.sleep(0)
            if known is not None and one.change.apply(known.monitor, received) is known.monitor:
                same[wish.monitor_id] = known
                continue
            commands.append(
                PutMonitor(
                    principal.project.number,
                    wish.monitor_id,
                    one.change,
                    create=known is None,
                    update=known is not None,
                    etag=known.monitor.etag if known is not None else "",
                    validate_only=validate_only,
                )
            )
        written = await self._services.monitors.put_many(principal, commands, received, most=MANY, checked=True)
        by_id = same | {command.monitor_id: row for command, row in zip(commands, written, strict=True)}
        rows = [by_id[wish.monitor_id] for wish, _, _ in planned]
        if not validate_only:
            rows = await self._follow(
                principal, rows, {one.group.key: one.group for _, _, one in planned if one.group}.values(), received
            )
            wanted = {
                row.monitor.number: one.subscriptions
                for row, (_, _, one) in zip(rows, planned, strict=True)
                if one.subscriptions is not None
            }
            await self._subscribe(principal, wanted)
        return rows

    async def _follow(
        self, principal: Principal, rows: list[MonitorWithHealth], groups: Collection[Group], received: Instant
    ) -> list[MonitorWithHealth]:
        """Groups that were switched while their checks were written: whoever did so has not seen these as members."""
        if not groups:
            return rows
        keys, switched, gone = {group.key for group in groups}, set[str](), set[str]()
        for attempt in range(1, _ATTEMPTS + 1):
            now = await self._services.groups.named(principal, keys)
            switched |= {
                group.key for group in groups if (there := now.get(group.key)) and there.inactive != group.inactive
            }
            there_now = switched & now.keys()
            found = {row.monitor.id: row.monitor for row in rows if row.monitor.group in there_now}
            changes = {monitor.id: mapping.regrouping(monitor, None, now[monitor.group]) for monitor in found.values()}
            commands = [
                PutMonitor(principal.project.number, monitor_id, change, create=False, etag=found[monitor_id].etag)
                for monitor_id, change in changes.items()
                if change.inactive != found[monitor_id].inactive and monitor_id not in gone
            ]
            if not commands:
                break
            wanted = [command.monitor_id for command in commands]
            try:
                again = await self._services.monitors.put_many(principal, commands, received, most=MANY, checked=True)
            except (Aborted, NotFound):  # somebody has changed one, or deleted it
                if attempt == _ATTEMPTS:
                    raise
                again = await self._services.browsing.find_exactly(principal, ids=wanted)
                gone |= set(wanted) - {row.monitor.id for row in again}
            changed = {row.monitor.id: row for row in again}
            rows = [changed.get(row.monitor.id, row) for row in rows]
        return rows

    async def _subscribe(self, principal: Principal, wanted: Mapping[int, Sequence[tuple[int, bool]]]) -> None:
        """By number of the monitor. A channel, or a check, that was deleted a moment ago is left out."""
        if not wanted:
            return
        try:
            await self._services.subscriptions.replace_of_monitors(principal, wanted)
        except NotFound:
            numbers = sorted(wanted)
            rows = await self._services.browsing.find_exactly(principal, numbers=numbers)
            channels = {channel.number for channel in await self._services.channels.every(principal)}
            left = {
                number: [one for one in wanted[number] if one[0] in channels]
                for number in (row.monitor.number for row in rows)
            }
            await self._services.subscriptions.replace_of_monitors(principal, left)

    async def _planned(
        self, principal: Principal, wishes: Sequence[Wish], received: Instant, problems: Problems
    ) -> list[tuple[Wish, MonitorWithHealth | None, Planned]]:
        known = await self._known(principal, wishes)
        groups, numbered = await self._groups(principal, wishes, [row.monitor for row in known.values()])
        channels = await self._channels(principal, wishes)
        planned: list[tuple[Wish, MonitorWithHealth | None, Planned]] = []
        for index, wish in enumerate(wishes, 1):
            if index % _SLICE == 0:
                await asyncio.sleep(0)
            row = known.get(wish.monitor_id)
            monitor = row.monitor if row is not None else None
            mine = Problems()
            former = groups.get(monitor.group) if monitor is not None else None
            group = _group(wish.said, former, numbered, mine)
            for number, (channel, _) in enumerate(wish.said.get("alertChannelSubscriptions") or ()):
                if channel not in channels:
                    where = f"alertChannelSubscriptions[{number}].alertChannelId"
                    mine.wrong(where, f"there is no alert channel {channel}; create it first")
            token = wish.token or uuid.uuid4().hex
            one = mapping.plan(wish.said, monitor, former, group, received, token=token)
            try:
                self._services.check(one.change, "monitor")
            except InvalidArgument as problem:
                mine.wrong_by(problem, _attribute(problem))
            if mapping.too_long(one.change):
                mine.wrong("script", f"with all else that is kept of a check at most {mapping.KEPT_MAX} bytes of JSON")
            problems.found += [found._replace(resource=wish.label) for found in mine.found]
            planned.append((wish, row, one))
            if len(planned) % _TURN == 0:
                await asyncio.sleep(0)
        return planned

    async def _known(self, principal: Principal, wishes: Sequence[Wish]) -> dict[str, MonitorWithHealth]:
        """Those that are to be changed, by id. NotFound: one is gone, or is no check any more."""
        wanted = [wish.monitor_id for wish in wishes if not wish.new]
        if not wanted:
            return {}
        rows = await self._services.browsing.find_exactly(principal, ids=wanted)
        found = {row.monitor.id: row for row in rows if is_check(row.monitor)}
        for monitor_id in wanted:
            if monitor_id not in found:
                raise NotFound(f"no check {monitor_id!r}", reason="MONITOR_NOT_FOUND", metadata={"monitor": monitor_id})
        return found

    async def _groups(
        self, principal: Principal, wishes: Sequence[Wish], known: Collection[Monitor]
    ) -> tuple[Mapping[str, Group], Mapping[int, Group]]:
        """Groups that checks are in, by key; and that they shall be in, by number."""
        keys = {monitor.group for monitor in known if monitor.group}
        groups = await self._services.groups.named(principal, keys) if keys else {}
        numbered = {group.number: group for group in groups.values()}
        for number in {wish.said["groupId"] for wish in wishes if wish.said.get("groupId")} - numbered.keys():
            try:
                numbered[number] = (await self._services.groups.get_by_number(principal, number)).group
            except NotFound:
                continue  # told of each check that names it
        return groups, numbered

    async def _channels(self, principal: Principal, wishes: Sequence[Wish]) -> frozenset[int]:
        if not any(wish.said.get("alertChannelSubscriptions") for wish in wishes):
            return frozenset()
        return frozenset(channel.number for channel in await self._services.channels.every(principal))


def monitor_id_of(name: str) -> str:
    """What a new check is called here, as far as nobody else is."""
    return slugify(name, _ID_MAX) or f"check-{secrets.token_hex(4)}"


def _group(said: Said, former: Group | None, numbered: Mapping[int, Group], problems: Problems) -> Group | None:
    if "groupId" not in said:
        return former
    number: int | None = said["groupId"]
    if number is None:
        return None
    if number not in numbered:
        problems.wrong("groupId", f"there is no group {number}")
    return numbered.get(number)


def _attribute(problem: InvalidArgument) -> str:
    path: Any = problem.violations[0].field if problem.violations else ""
    return next((attribute for part, attribute in _ATTRIBUTES.items() if part in path), "")
