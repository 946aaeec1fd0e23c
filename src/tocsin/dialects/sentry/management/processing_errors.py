"""Processing errors: what was sent and not honoured, newest first; and forgetting it."""

from typing import Final

from starlette.responses import Response

from tocsin.dialects.sentry.management.call import Call
from tocsin.dialects.sentry.management.check_in_json import error_number, processing_error_json, reasons_of_number
from tocsin.dialects.sentry.management.paging import links, size_of, turn_of
from tocsin.dialects.sentry.management.replies import Refused, reply
from tocsin.dialects.sentry.management.search import check_projects
from tocsin.dialects.sentry.management.services import Services
from tocsin.domain.errors import NotFound

_TYPES: Final = 20  # of one request


class ProcessingErrorCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def of_monitor(self, call: Call) -> Response:
        """Also of a slug that is no monitor: that is what some of the errors are about."""
        return await self._list(call, await self._monitor_id(call))

    async def of_project(self, call: Call) -> Response:
        check_projects(call.query, call.principal)
        return await self._list(call, None)

    async def forget_of_monitor(self, call: Call) -> Response:
        """Those of a type, `?errortype=11`, repeated for several."""
        reasons = _reasons(call)
        monitor_id = await self._monitor_id(call)
        await self._services.check_ins.delete_refusals(
            call.principal, call.received, monitor_id=monitor_id, reasons=reasons
        )
        return reply(200, {})

    async def forget_of_project(self, call: Call) -> Response:
        """Those of a type that name no monitor that exists, or any."""
        await self._services.check_ins.delete_refusals(call.principal, call.received, reasons=_reasons(call))
        return reply(200, {})

    async def forget(self, call: Call) -> Response:
        """One, by its id. One that is not there is forgotten already."""
        number = error_number(call.part("error"))
        if number is None:
            raise Refused(404, f"{call.part('error')[:64]!r} is not the id of a processing error")
        await self._services.check_ins.delete_refusals(call.principal, call.received, numbers=(number,))
        return reply(200, {})

    async def _list(self, call: Call, monitor_id: str | None) -> Response:
        leaf = await self._services.browsing.refusals(
            call.principal, monitor_id, size=size_of(call.query), turn=turn_of(call.query)
        )
        return reply(200, [processing_error_json(refusal) for refusal in leaf.rows], links(call, leaf))

    async def _monitor_id(self, call: Call) -> str:
        try:
            return (await self._services.named(call)).monitor.id
        except NotFound:
            return call.part("monitor")


def _reasons(call: Call) -> list[str]:
    asked = call.query.getlist("errortype")
    if not 1 <= len(asked) <= _TYPES:
        raise Refused(400, "errortype: required; the number of a type, as the errors show it")
    reasons: list[str] = []
    for text in asked:
        found = reasons_of_number(int(text)) if text.isdecimal() and len(text) < 5 else ()
        if not found:
            raise Refused(400, f"errortype: {text[:20]!r} is not the number of a type")
        reasons += found
    return reasons
