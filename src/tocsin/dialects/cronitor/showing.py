"""Rows of monitors → what is shown of them, with what must be read for it."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from tocsin.dialects.cronitor import badges, event_json
from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.monitor_json import Lookups, View, monitor_json
from tocsin.dialects.cronitor.services import Services
from tocsin.domain.check_in import CheckIn, State
from tocsin.domain.instant import NEVER
from tocsin.store.browse_port import Turn
from tocsin.store.port import CheckInFilter, MonitorWithHealth

RECENT: Final = 50  # check-ins behind the latest events and invocations of a monitor
_SOME: Final = 200  # monitors that are made into JSON on the event loop


async def view_of(services: Services, call: Call, rows: Sequence[MonitorWithHealth]) -> View:
    grouped = any(row.monitor.group for row in rows)

    def badge_of(code: str, environment: str) -> str:
        return f"{call.base}{badges.path_of(call.door.secret(), code, environment)}"

    return View(
        now=call.received,
        zone=services.zone(call),
        environment=call.environment,
        code_of=call.codes.code_of,
        badge_of=badge_of,
        groups=await services.shared.group_names(call.principal) if grouped else {},
    )


async def lookups_of(services: Services, call: Call, rows: Sequence[MonitorWithHealth]) -> Lookups:
    """What is read beside the monitors. Those that nobody ever reported of cost nothing."""
    with_events, with_invocations = call.flag("withEvents"), call.flag("withInvocations")
    tracks = [
        (row.monitor, track)
        for row in rows
        for name, track in row.tracks
        if name == call.environment and track.last_check_in != NEVER
    ]
    if not tracks:
        return Lookups(with_events=with_events, with_invocations=with_invocations)
    reported = [(monitor.number, track.number, track.last_check_in) for monitor, track in tracks]
    calm = [(monitor.number, track.number) for monitor, track in tracks if not track.incident]
    browsing, principal = services.browsing, call.principal
    events = await browsing.newest(principal, reported, event_json.REPORTED)
    noted = [one for one in reported if one[1] in events and events[one[1]].state is State.NOTE]
    if noted:  # a run that began before a note may have ended after it
        lively = await browsing.newest(principal, noted, event_json.LIVELY)
        events = event_json.latest(events, lively)
    incidents = await browsing.newest_incidents(principal, calm)
    recent: dict[int, list[CheckIn]] = {}
    if with_events or with_invocations:
        for monitor, track in tracks:
            only = CheckInFilter(monitor.number, call.environment, event_json.REPORTED)
            leaf = await browsing.check_ins(principal, only, (), size=RECENT, turn=Turn())
            recent[track.number] = leaf.rows
    return Lookups(events, incidents, recent, with_events, with_invocations)


async def shown(
    services: Services, call: Call, rows: Sequence[MonitorWithHealth], *, asked_for: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """As many as there are rows. `asked_for`: how the caller named each of them."""
    lookups, view = await lookups_of(services, call, rows), await view_of(services, call, rows)
    named = asked_for or [""] * len(rows)

    def make() -> list[dict[str, Any]]:
        return [monitor_json(row, view, lookups, asked_for=name) for row, name in zip(rows, named, strict=True)]

    return make() if len(rows) <= _SOME else await asyncio.to_thread(make)


async def one(services: Services, call: Call, row: MonitorWithHealth, *, asked_for: str = "") -> dict[str, Any]:
    (found,) = await shown(services, call, [row], asked_for=[asked_for])
    return found
