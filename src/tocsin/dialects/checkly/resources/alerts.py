"""`/v1/check-alerts` and `/v1/alert-notifications`: what was told of checks, when, and how it went."""

from typing import Final

from starlette.responses import Response

from tocsin.dialects.checkly import queries
from tocsin.dialects.checkly.call import Call, Calls
from tocsin.dialects.checkly.checks import finding
from tocsin.dialects.checkly.paging import page_reply, paging_of
from tocsin.dialects.checkly.resources.alert_json import alert_json, notification_json
from tocsin.dialects.checkly.services import Services
from tocsin.domain.instant import HOUR, Instant, Millis
from tocsin.service.notices import Notices

ALERTS_WINDOW: Final = 6 * HOUR
NOTIFICATIONS_WINDOW: Final = 24 * HOUR
_NUMBER_MAX: Final = 2**53


class AlertCalls:
    def __init__(self, services: Services, notices: Notices) -> None:
        self._services, self._notices = services, notices

    async def alerts(self, call: Call) -> Response:
        return await self._alerts(call, 0)

    async def alerts_of_one(self, call: Call) -> Response:
        return await self._alerts(call, (await finding.one(self._services, call)).monitor.number)

    async def notifications(self, call: Call) -> Response:
        """`hasFailures`: those that reached nobody, or the others. Of a channel that is not there, there are none."""
        paging = paging_of(call.query)
        since, until = stretch(call, NOTIFICATIONS_WINDOW)
        named = queries.whole(call.query, "alertChannelId", default=0, least=1, most=_NUMBER_MAX)
        failed = queries.flag(call.query, "hasFailures") if call.query.get("hasFailures") else None
        channels = {
            channel.destination: channel
            for channel in await self._services.channels.every(call.principal)
            if named in (0, channel.number)
        }
        if named and not channels:
            return page_reply([], paging, 0)
        rows, total = await self._notices.deliveries(
            call.principal,
            since=since,
            until=until,
            destination=next(iter(channels)) if named else "",
            failed=failed,
            size=paging.limit,
            offset=paging.offset,
        )
        return page_reply([notification_json(row, channels.get(row.destination)) for row in rows], paging, total)

    async def _alerts(self, call: Call, monitor: int) -> Response:
        paging = paging_of(call.query)
        since, until = stretch(call, ALERTS_WINDOW)
        rows, total = await self._notices.told(
            call.principal, since=since, until=until, monitor=monitor, size=paging.limit, offset=paging.offset
        )
        return page_reply([alert_json(row) for row in rows], paging, total)


def stretch(call: Call, most: Millis) -> tuple[Instant, Instant]:
    """From `from` to `to`; with one of them, as much as may be asked for. Refused 400 when it is more."""
    since, until = queries.moment(call.query, "from"), queries.moment(call.query, "to")
    if since is None:
        until = call.received if until is None else until
        since = max(until - most, 0)
    elif until is None:
        until = since + most
    if until < since:
        raise queries.bad("to", "must not be earlier than from")
    if until - since > most:
        raise queries.bad("from", f"at most {most // HOUR} hours may lie between from and to")
    return since, until


def alert_calls(services: Services, notices: Notices) -> Calls:
    calls = AlertCalls(services, notices)
    return {"/v1/check-alerts": {"GET": calls.alerts}, "/v1/check-alerts/{id}": {"GET": calls.alerts_of_one}}


def notification_calls(services: Services, notices: Notices) -> Calls:
    return {"/v1/alert-notifications": {"GET": AlertCalls(services, notices).notifications}}
