"""Rows of monitors → what is shown of them, with what must be read for it. Many are read together."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from tocsin.dialects.checkly.call import Call
from tocsin.dialects.checkly.checks.check_json import Json, View, check_json, written_json
from tocsin.dialects.checkly.services import Services
from tocsin.domain.monitor import Monitor
from tocsin.domain.project import Scope

TYPE: Final = "check"
"""How deployments call what is shown here."""
_SOME: Final = 50  # monitors that are made into JSON on the event loop


async def view_of(services: Services, call: Call, monitors: Sequence[Monitor], *, merged: bool = False) -> View:
    principal = call.principal
    keys = {monitor.group for monitor in monitors if monitor.group}
    subscriptions = await services.subscriptions.of_monitors(principal, [monitor.number for monitor in monitors])
    subscribed = any(subscriptions.values())
    channels = await services.channels.every(principal) if subscribed else []
    return View(
        now=call.received,
        ping_url=call.ping_url,
        groups=await services.groups.named(principal, keys) if keys else {},
        subscriptions=subscriptions,
        channels={channel.number: channel for channel in channels},
        bindings=await services.bindings.shown(principal, TYPE, [monitor.uid for monitor in monitors]),
        secrets=principal.may(Scope.ADMIN),
        merged=merged,
    )


async def shown(
    services: Services, call: Call, monitors: Sequence[Monitor], *, version: int = 1, merged: bool = False
) -> list[Json]:
    """As many as there are monitors. `merged`: with what their groups say."""
    view = await view_of(services, call, monitors, merged=merged)

    def make() -> list[Json]:
        return [check_json(monitor, view, version) for monitor in monitors]

    return make() if len(monitors) <= _SOME else await asyncio.to_thread(make)


async def written(services: Services, call: Call, monitor: Monitor) -> dict[str, Any]:
    return written_json(monitor, await view_of(services, call, [monitor]))
