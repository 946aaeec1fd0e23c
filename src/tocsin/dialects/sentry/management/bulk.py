"""The bulk update: status and mute of many monitors, each for itself."""

from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.sentry.management import muting
from tocsin.dialects.sentry.management.call import Call
from tocsin.dialects.sentry.management.monitor_form import quiet_fields
from tocsin.dialects.sentry.management.monitor_json import monitor_json
from tocsin.dialects.sentry.management.replies import reply
from tocsin.dialects.sentry.management.services import Services
from tocsin.dialects.sentry.refusals import DIALECT
from tocsin.domain.commands import PutMonitor
from tocsin.domain.errors import NotFound, TocsinError
from tocsin.domain.monitor import MonitorChange
from tocsin.service.monitors import BATCH_MAX
from tocsin.store.port import MonitorWithHealth

_GONE: Final = "there is no such monitor in this project"


class BulkCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def update(self, call: Call) -> Response:
        """{ids, status?, isMuted?} → {updated: [monitor], errored: [{id, detail}]}."""
        form = await call.form()
        found = form.value("ids", list[str])
        ids = found if isinstance(found, list) else []
        if not form.problems and not 1 <= len(ids) <= BATCH_MAX:
            form.wrong("ids", f"required: 1 to {BATCH_MAX} ids of monitors")
        fields = quiet_fields(form)
        form.done()
        change = MonitorChange(origin=DIALECT, by_hand=True, **fields)
        unique = list(dict.fromkeys(ids))
        rows = await self._services.browsing.find_many(call.principal, unique)
        errored: list[dict[str, Any]] = [
            {"id": asked[:128], "detail": _GONE} for asked, row in zip(unique, rows, strict=True) if row is None
        ]
        targets = {row.monitor.id: row for row in rows if row is not None}
        updated: list[MonitorWithHealth] = []
        for row in await self._change(call, targets, change, errored):
            unmute = change.muted_until is None
            updated.append(await muting.unmute_environments(self._services, call, row) if unmute else row)
        shown = [monitor_json(row, call.principal.project, call.received) for row in updated]
        return reply(200, {"updated": shown, "errored": errored})

    async def _change(
        self, call: Call, targets: dict[str, MonitorWithHealth], change: MonitorChange, errored: list[dict[str, Any]]
    ) -> list[MonitorWithHealth]:
        """In one transaction; when one of them went in the meantime, one by one."""
        project = call.principal.project.number
        commands = [PutMonitor(project, monitor_id, change, create=False) for monitor_id in targets]
        try:
            return await self._services.monitors.put_many(call.principal, commands, call.received)
        except NotFound:
            pass
        updated = []
        for command in commands:
            try:
                updated.append(await self._services.monitors.put(call.principal, command, call.received))
            except TocsinError as problem:
                errored.append({"id": targets[command.monitor_id].monitor.uid, "detail": problem.message})
        return updated
