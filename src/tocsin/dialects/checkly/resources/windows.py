"""Maintenance windows as use cases: put from a payload, delete, found by number."""

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from weakref import WeakValueDictionary

from tocsin._core.zone import Zone
from tocsin.dialects.checkly.call import DIALECT
from tocsin.dialects.checkly.resources import window_json
from tocsin.dialects.checkly.resources.recurrence import rule_of
from tocsin.dialects.checkly.resources.rewording import reworded
from tocsin.dialects.checkly.resources.window_json import Said, Times
from tocsin.domain import errors
from tocsin.domain.commands import PutMaintenanceWindow
from tocsin.domain.group import Group
from tocsin.domain.instant import SECOND, Instant
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.service.groups import Groups
from tocsin.service.maintenance_windows import MaintenanceWindows
from tocsin.service.monitors import Monitors
from tocsin.service.principal import Principal

TYPE: Final = "maintenance-window"
_PAGE: Final = 1_000
_OFFSET: Final = re.compile(r"[+-].*|Etc/GMT[+-]0*[1-9]\d?", re.IGNORECASE)  # zones that are none of a place
_MEMBERS: Final = {
    "maintenance_window.display_name": "name",
    "maintenance_window.recurrence": "repeatUnit",
    "maintenance_window.duration": "endsAt",
    "maintenance_window.start_time": "startsAt",
    "maintenance_window.end_time": "endsAt",
    "maintenance_window.silence_tags": "silenceAlertsTags",
    "maintenance_window.groups": "tags",
    "maintenance_window.": "",
}


class Windows:
    def __init__(
        self, windows: MaintenanceWindows, groups: Groups, monitors: Monitors, zone: Callable[[str, str], Zone]
    ) -> None:
        """`zone`: of a name; InvalidArgument about the field when there is none."""
        self._windows, self._groups, self._monitors, self._zone = windows, groups, monitors, zone
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def plan(self, payload: Any, now: Instant, known: MaintenanceWindow | None = None) -> Said:
        """What a window says after a request; InvalidArgument names the member. Nothing is asked of the store."""
        said = window_json.read(payload, self.said(known, now) if known else None)
        if said.times.timezone is not None:
            if _OFFSET.fullmatch(said.times.timezone):
                raise errors.invalid(
                    "timezone", "must be a named zone such as America/New_York; an offset knows no daylight saving"
                )
            self._zone(said.times.timezone, "timezone")
        return said

    async def put(
        self, principal: Principal, payload: Any, received: Instant, *, number: int | None = None, key: str = ""
    ) -> MaintenanceWindow:
        """Changes the one of `number`, NotFound; else makes a new one, of `key` where that is given: AlreadyExists.

        With a number, `key` is only where it is looked for first.
        """
        async with self._turn(principal):  # what a request does not say stays as others have made it
            known = await self.find(principal, key) if key and number is not None else None
            if number is not None and (known is None or known.number != number):
                known = await self.get(principal, number)
            said = self.plan(payload, received, known)
            values = await self._values(principal, said, received, known)
            if known is not None and not values:
                return known
            made = known.id if known else key or f"checkly-{secrets.token_hex(4)}"
            return await self._put(principal, made, values, received, create=known is None)

    async def get(self, principal: Principal, number: int) -> MaintenanceWindow:
        """NotFound."""
        for window in await self.every(principal):
            if window.number == number:
                return window
        raise errors.NotFound(
            f"no maintenance window {number} in this project",
            reason="MAINTENANCE_WINDOW_NOT_FOUND",
            metadata={"maintenance_window": str(number)},
        )

    async def every(self, principal: Principal) -> Sequence[MaintenanceWindow]:
        """Oldest first; they are at most a thousand."""
        page = await self._windows.page(principal, size=_PAGE, token="")
        rows = list(page.rows)
        while page.next_token:
            page = await self._windows.page(principal, size=_PAGE, token=page.next_token)
            rows += page.rows
        return sorted(rows, key=lambda window: window.number)

    async def find(self, principal: Principal, key: str) -> MaintenanceWindow | None:
        try:
            return await self._windows.get(principal, key)
        except errors.NotFound:
            return None

    async def delete(self, principal: Principal, number: int, received: Instant) -> None:
        """NotFound."""
        found = await self.get(principal, number)
        await self.remove(principal, found.id, received)

    async def remove(self, principal: Principal, key: str, received: Instant) -> None:
        """That it is gone already does not matter."""
        await self._windows.delete(principal, key, received, allow_missing=True)

    async def follow_groups(self, principal: Principal, received: Instant) -> None:
        """Tags of groups have changed: windows that pause by tags get other groups."""
        async with self._turn(principal):
            tagged = [one for one in await self.every(principal) if DIALECT in one.extras and one.tags]
            if not tagged:
                return
            groups = [row.group for row in await self._groups.every(principal)]
            for window in tagged:
                keys = keys_with(groups, window.tags)
                if keys != window.groups:
                    await self._put(principal, window.id, {"groups": keys}, received, create=False)

    def show(self, window: MaintenanceWindow, now: Instant) -> Mapping[str, Any]:
        changed = window.update_time if window.update_time != window.create_time else None
        return window_json.show(window.number, self.said(window, now), window.create_time, changed)

    def said(self, window: MaintenanceWindow, now: Instant) -> Said:
        return window_json.said_of(window, self._times(window, now))

    def _turn(self, principal: Principal) -> asyncio.Lock:
        """One change of the project's windows at a time."""
        return self._turns.setdefault(principal.project.number, asyncio.Lock())

    def _times(self, window: MaintenanceWindow, now: Instant) -> Times:
        """As they were said, while they hold; what another protocol made recurs in its own way: the time around now."""
        kept = window_json.kept_of(window).times
        if kept is not None and all(getattr(window, name) == value for name, value in self._when(kept).items()):
            return kept
        if window.recurrence is None:
            assert window.start_time is not None and window.end_time is not None  # noqa: PT018 - both, or a recurrence
            return Times(window.start_time, window.end_time)
        around = self._monitors.preview((window.recurrence,), now, count=1, previous=1)
        last = next((fire.at_ms for fire in around.previous), None)
        if last is None or last + window.duration_ms <= now:
            last = next((fire.at_ms for fire in around.times), last or 0)
        return Times(last, last + window.duration_ms)

    async def _values(
        self, principal: Principal, said: Said, received: Instant, known: MaintenanceWindow | None
    ) -> dict[str, Any]:
        """The fields that are to be written."""
        before = self.said(known, received) if known else None
        found: dict[str, Any] = {}
        if before is None or said.name != before.name:
            found["display_name"] = said.name
        if before is None or said.times != before.times:
            found |= self._when(said.times)
        if before is None or said.pausing != before.pausing:
            found |= await self._pausing(principal, said)
        if before is None or said.silencing != before.silencing:
            found |= {"silence_all": said.silence_all_alerts, "silence_tags": said.silence_alerts_tags}
        if said != before:
            found["extras"] = {**(known.extras if known else {}), **window_json.kept_by(said)}
        return found

    def _when(self, times: Times) -> dict[str, Any]:
        repeat = times.repeat
        if repeat is None:
            once = {"start_time": times.starts_at, "end_time": times.ends_at}
            return {**once, "recurrence": None, "duration_ms": 0}
        name = times.timezone or "UTC"
        wall = self._zone(name, "timezone").wall(times.starts_at // SECOND)
        lasts = times.ends_at - times.starts_at
        return {
            "start_time": None,
            "end_time": None,
            "recurrence": rule_of(repeat, wall, name),
            "duration_ms": lasts,
        }

    async def _pausing(self, principal: Principal, said: Said) -> dict[str, Any]:
        tags = () if said.pause_all_checks else said.tags
        groups = [row.group for row in await self._groups.every(principal)] if tags else []
        keys = keys_with(groups, tags)
        return {"pause": said.pause_all_checks or bool(tags), "tags": tags, "groups": keys, "monitors": ()}

    async def _put(
        self, principal: Principal, key: str, values: dict[str, Any], received: Instant, *, create: bool
    ) -> MaintenanceWindow:
        project = principal.project.number
        window = MaintenanceWindow(0, project, key, **values)
        command = PutMaintenanceWindow(project, key, window, tuple(values), create=create, update=not create)
        try:
            return await self._windows.put(principal, command, received)
        except errors.InvalidArgument as problem:
            raise reworded(problem, _MEMBERS) from None


def keys_with(groups: Sequence[Group], tags: Sequence[str]) -> tuple[str, ...]:
    """The keys of the groups that have one of these tags, sorted."""
    wanted = set(tags)
    return tuple(sorted(group.key for group in groups if wanted.intersection(group.tags)))
