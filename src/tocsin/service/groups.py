"""Groups: put, fill, mute, delete, read. A group goes to the store, what it does to monitors to the journal."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from tocsin.domain import errors
from tocsin.domain.commands import PutMonitor, PutMonitors
from tocsin.domain.escalation import check as check_escalation
from tocsin.domain.group import NAME_MAX, Group, check_group_key, check_tags
from tocsin.domain.instant import NEVER, Instant
from tocsin.domain.monitor import Monitor, MonitorChange
from tocsin.domain.project import Scope
from tocsin.journal.port import Journal
from tocsin.service.principal import Principal
from tocsin.store.nouns_port import CountedGroup, Nouns
from tocsin.store.port import Page

MEMBERS_MAX: Final = 10_000  # that one request may name
_TOGETHER: Final = 1_000  # monitors of one journal entry
_PAGE: Final = 1_000
_TELLING: Final = frozenset(("muted", "inactive", "escalation", "project_escalation"))  # decide who is told, and when


class Groups:
    def __init__(
        self, journal: Journal, nouns: Nouns, look_at: Callable[[Collection[int]], None] = lambda _monitors: None
    ) -> None:
        """`look_at(monitors)` tells, by number, of whom others may have to be told now."""
        self._journal = journal
        self._nouns = nouns
        self._look_at = look_at

    async def put(
        self,
        principal: Principal,
        key: str,
        values: Mapping[str, Any],
        received: Instant,
        *,
        create: bool = True,
        update: bool = True,
    ) -> CountedGroup:
        """Writes the named fields of `Group`, as far as it may; `extras` only of the dialects that it names.

        What `inactive` does to members is up to who writes it. GROUP_NOT_FOUND, GROUP_ALREADY_EXISTS.
        """
        principal.require(Scope.ADMIN)
        _check(values)
        if create:
            check_group_key(key)
        project = principal.project.number
        found = await asyncio.to_thread(
            self._nouns.put_group, project, key, values, received, create=create, update=update
        )
        if _TELLING.intersection(values) and found.monitors:
            members = await asyncio.to_thread(self._nouns.members, project, [key])
            self._look_at([monitor.number for monitor in members[key]])
        return found

    async def ensure(
        self, principal: Principal, keys: Collection[str], received: Instant, *, validate_only: bool = False
    ) -> None:
        """Creates those of these groups that do not exist, each with its key for a name: all of them, or none."""
        principal.require(Scope.ADMIN)
        wanted = {key for key in keys if key}
        for key in wanted:
            check_group_key(key)
        project = principal.project.number
        known = await asyncio.to_thread(self._nouns.known_groups, project, wanted) if wanted else wanted
        if wanted - known:  # only then is there something to write
            missing = wanted - known
            await asyncio.to_thread(self._nouns.ensure_groups, project, missing, received, validate_only=validate_only)

    async def require(self, principal: Principal, wanted: Mapping[str, str]) -> None:
        """GROUP_UNKNOWN when one of these keys is no group; `wanted` tells in which field of the request each is."""
        if not wanted:
            return
        known = await asyncio.to_thread(self._nouns.known_groups, principal.project.number, wanted.keys())
        for key, field in wanted.items():
            if key not in known:
                raise errors.invalid(
                    field, f"there is no group {key[:64]!r}; create it first", reason="GROUP_UNKNOWN", group=key[:64]
                )

    async def get(self, principal: Principal, key: str) -> CountedGroup:
        principal.require(Scope.READ)
        found = await asyncio.to_thread(self._nouns.get_group, principal.project.number, key)
        if found is None:
            raise not_found(key)
        return found

    async def get_by_number(self, principal: Principal, number: int) -> CountedGroup:
        principal.require(Scope.READ)
        found = await asyncio.to_thread(self._nouns.get_group_by_number, principal.project.number, number)
        if found is None:
            raise not_found(str(number))
        return found

    async def named(self, principal: Principal, keys: Collection[str]) -> dict[str, Group]:
        """Those of these keys that exist, by key."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._nouns.groups_named, principal.project.number, keys)

    async def numbered_page(
        self, principal: Principal, *, size: int, offset: int = 0
    ) -> tuple[list[CountedGroup], int]:
        """Some of them, oldest first, and how many there are in all."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._nouns.numbered_groups, principal.project.number, size=size, offset=offset)

    async def page(self, principal: Principal, *, size: int, token: str) -> Page[CountedGroup]:
        """By key."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._nouns.list_groups, principal.project.number, size=size, token=token)

    async def every(self, principal: Principal) -> list[CountedGroup]:
        """All groups of the project, by key; they are at most 10,000."""
        found: list[CountedGroup] = []
        token = ""
        while True:
            page = await self.page(principal, size=_PAGE, token=token)
            found += page.rows
            token = page.next_token
            if not token:
                return found

    async def members(self, principal: Principal, keys: Collection[str]) -> dict[str, list[Monitor]]:
        """The monitors of each of these groups, by id; one that does not exist has none."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._nouns.members, principal.project.number, keys)

    async def set_members(
        self, principal: Principal, key: str, monitor_ids: Sequence[str], received: Instant, *, origin: str = "native"
    ) -> CountedGroup:
        """Makes these its members, and no others. MONITOR_NOT_FOUND: one does not exist; then nothing has changed."""
        principal.require(Scope.ADMIN)
        if len(monitor_ids) > MEMBERS_MAX:
            raise errors.invalid("monitors", f"at most {MEMBERS_MAX}, not {len(monitor_ids)}")
        await self.get(principal, key)
        project = principal.project.number
        wanted = set(monitor_ids)
        known = await asyncio.to_thread(self._nouns.known_monitors, project, wanted)
        for index, monitor_id in enumerate(monitor_ids):
            if monitor_id not in known:
                raise errors.NotFound(
                    f"monitors[{index}]: no monitor {monitor_id[:128]!r} in this project",
                    reason="MONITOR_NOT_FOUND",
                    metadata={"monitor": monitor_id[:128]},
                )
        before = await self._member_ids(principal, key)
        await self._change(project, sorted(wanted - before), MonitorChange(group=key, origin=origin), received)
        await self._change(project, sorted(before - wanted), MonitorChange(group="", origin=origin), received)
        return await self.get(principal, key)

    async def mute(
        self, principal: Principal, key: str, until: Instant | None, received: Instant, *, origin: str = "native"
    ) -> CountedGroup:
        """Mutes those that are members now until then; None unmutes them, NEVER is until further notice."""
        principal.require(Scope.ADMIN)
        if until is not None and until != NEVER and until <= received:
            raise errors.invalid("expire_time", "must be in the future; leave it unset to last until further notice")
        await self.get(principal, key)
        members = sorted(await self._member_ids(principal, key))
        await self._change(principal.project.number, members, MonitorChange(muted_until=until, origin=origin), received)
        return await self.get(principal, key)

    async def delete(
        self,
        principal: Principal,
        key: str,
        received: Instant,
        *,
        allow_missing: bool = False,
        origin: str = "native",
    ) -> None:
        """Its monitors stay, and are in no group."""
        principal.require(Scope.ADMIN)
        members = sorted(await self._member_ids(principal, key))
        await self._change(principal.project.number, members, MonitorChange(group="", origin=origin), received)
        gone = await asyncio.to_thread(self._nouns.delete_group, principal.project.number, key)
        if not gone and not allow_missing:
            raise not_found(key)

    async def _member_ids(self, principal: Principal, key: str) -> set[str]:
        found = await asyncio.to_thread(self._nouns.members, principal.project.number, [key])
        return {monitor.id for monitor in found[key]}

    async def _change(self, project: int, monitor_ids: Sequence[str], change: MonitorChange, received: Instant) -> None:
        """The same change to each of these, some hundreds at once; one that was deleted meanwhile is left out."""
        for first in range(0, len(monitor_ids), _TOGETHER):
            left = list(monitor_ids[first : first + _TOGETHER])
            while left:
                puts = tuple(PutMonitor(project, monitor_id, change, create=False) for monitor_id in left)
                error = (await self._journal.append(received, PutMonitors(puts))).error
                if error is None:
                    break
                if error.reason != "MONITOR_NOT_FOUND" or error.metadata.get("monitor") not in left:
                    raise error
                left.remove(error.metadata["monitor"])


def _check(values: Mapping[str, Any]) -> None:
    name, escalation = values.get("display_name", ""), values.get("escalation")
    if len(name) > NAME_MAX:
        raise errors.invalid("group.display_name", f"at most {NAME_MAX} characters, not {len(name)}")
    check_tags(values.get("tags", ()), "group.tags")
    if escalation is not None:
        check_escalation(escalation, "group.escalation")


def not_found(key: str) -> errors.NotFound:
    return errors.NotFound(
        f"no group {key[:64]!r} in this project", reason="GROUP_NOT_FOUND", metadata={"group": key[:64]}
    )
