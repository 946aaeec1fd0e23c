"""Environments: muted, unmuted, deleted, one by one or because of their monitor.

A monitor's own mute covers all its environments, also those to come. To hear one of them again, the others are muted by
themselves first and the monitor's mute goes last: at no moment is more told than was asked for.
"""

from collections.abc import Sequence

from msgspec import UNSET
from starlette.responses import Response

from tocsin.dialects.sentry.management.call import Call
from tocsin.dialects.sentry.management.monitor_json import environment_json, is_track_muted
from tocsin.dialects.sentry.management.replies import Refused, empty, reply
from tocsin.dialects.sentry.management.services import Services
from tocsin.dialects.sentry.refusals import DIALECT
from tocsin.domain.monitor import MonitorChange
from tocsin.store.port import MonitorWithHealth


class EnvironmentCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def mute(self, call: Call) -> Response:
        """PUT {"isMuted": true}."""
        name = call.part("environment")
        form = await call.form()
        muted = form.value("is_muted", bool)
        if muted is UNSET or muted is None:
            form.wrong("is_muted", "required: true or false")
        form.done()
        found = await self._services.named(call)
        _check_named(found, [name])
        if muted is False:
            found = await _unmute_monitor(self._services, call, found, but=name)
        found = await self._services.monitors.change_environment(
            call.principal, found.monitor.id, name, call.received, muted=bool(muted)
        )
        track = dict(found.tracks).get(name)
        if track is None:
            raise Refused(404, _missing(found, name))  # deleted by somebody else since
        return reply(200, environment_json(found, name, track, call.received))

    async def delete(self, call: Call) -> Response:
        found = await self._services.named(call)
        await delete_environments(self._services, call, found, [call.part("environment")])
        return empty(202)


async def unmute_environments(services: Services, call: Call, found: MonitorWithHealth) -> MonitorWithHealth:
    """All of them; the monitor's own mute is gone already."""
    for name, track in found.tracks:
        if is_track_muted(track):
            found = await services.monitors.change_environment(
                call.principal, found.monitor.id, name, call.received, muted=False
            )
    return found


async def delete_environments(services: Services, call: Call, found: MonitorWithHealth, names: Sequence[str]) -> None:
    """Refused 404 when one of them does not exist; then none is deleted."""
    _check_named(found, names)
    for name in dict.fromkeys(names):
        await services.monitors.delete_environment(call.principal, found.monitor.id, name, call.received)


async def _unmute_monitor(services: Services, call: Call, found: MonitorWithHealth, *, but: str) -> MonitorWithHealth:
    if (found.monitor.muted_until or 0) <= call.received:
        return found
    for name, track in found.tracks:
        if name != but and not is_track_muted(track):
            await services.monitors.change_environment(
                call.principal, found.monitor.id, name, call.received, muted=True
            )
    change = MonitorChange(muted_until=None, origin=DIALECT, by_hand=True)
    return await services.monitors.change(call.principal, found.monitor.id, change, call.received)


def _check_named(found: MonitorWithHealth, names: Sequence[str]) -> None:
    there = {name for name, _ in found.tracks}
    for name in names:
        if name not in there:
            raise Refused(404, _missing(found, name))


def _missing(found: MonitorWithHealth, name: str) -> str:
    return f"monitor {found.monitor.id!r} has no environment {name[:64]!r}"
