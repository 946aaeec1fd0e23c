"""`/v1/check-alerts` and `/v1/alert-notifications`: what was told of checks, when, and how it went."""

from typing import Final

from starlette.responses import Response

from tocsin.dialects.checkly import queries
from tocsin.dialects.checkly.call import Call, Calls
from tocsin.dialects.checkly.checks import finding
from tocsin.dialects.checkly.paging import page_reply, paging_of
from tocsin.dialects.checkly.resources.alert_json import FAILED, STATES, alert_json, notification_json
from tocsin.dialects.checkly.services import Services
from tocsin.domain.instant import HOUR, Instant, Millis
from tocsin.service.notice_log import NoticeLog
from tocsin.store.notice_log import Asked

ALERTS_WINDOW: Final = 6 * HOUR
NOTIFICATIONS_WINDOW: Final = 24 * HOUR
_NUMBER_MAX: Final = 2**53


class AlertCalls:
    def __init__(self, services: Services, log: NoticeLog) -> None:
        self._services, self._log = services, log

    async def alerts(self, call: Call) -> Response:
        return await self._alerts(call, None)

    async def alerts_of_one(self, call: Call) -> Response:
        return await self._alerts(call, (await finding.one(self._services, call)).monitor.number)

    async def notifications(self, call: Call) -> Response:
        """Those of alert channels that there are. `hasFailures`: those that reached nobody, or the others."""
        paging = paging_of(call.query)
        since, until = stretch(call, NOTIFICATIONS_WINDOW)
        named = queries.whole(call.query, "alertChannelId", default=0, least=1, most=_NUMBER_MAX)
        failed = queries.flag(call.query, "hasFailures") if call.query.get("hasFailures") else None
        channels = {
            channel.destination: channel
            for channel in await self._services.channels.every(call.principal)
            if named in (0, channel.number)
        }
        states = () if failed is None else tuple(state for state in STATES if (STATES[state] == FAILED) == failed)
        asked = Asked(call.principal.project.number, since, until, destinations=tuple(channels), states=states)
        found = await self._log.notices(call.principal, asked, size=paging.limit, offset=paging.offset)
        rows = [notification_json(notice, channels[notice.destination]) for notice in found.rows]
        return page_reply(rows, paging, found.total)

    async def _alerts(self, call: Call, monitor: int | None) -> Response:
        paging = paging_of(call.query)
        since, until = stretch(call, ALERTS_WINDOW)
        asked = Asked(call.principal.project.number, since, until, monitor=monitor)
        found = await self._log.alerts(call.principal, asked, size=paging.limit, offset=paging.offset)
        return page_reply([alert_json(notice) for notice in found.rows], paging, found.total)


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


def alert_calls(services: Services, log: NoticeLog) -> Calls:
    calls = AlertCalls(services, log)
    return {"/v1/check-alerts": {"GET": calls.alerts}, "/v1/check-alerts/{id}": {"GET": calls.alerts_of_one}}


def notification_calls(services: Services, log: NoticeLog) -> Calls:
    return {"/v1/alert-notifications": {"GET": AlertCalls(services, log).notifications}}
