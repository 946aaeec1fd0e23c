"""`/v1/alert-channels`: list, create, read, change, delete, subscribe."""

from starlette.responses import Response

from tocsin.dialects.checkly.call import Call, Calls
from tocsin.dialects.checkly.paging import page_reply, paging_of
from tocsin.dialects.checkly.replies import empty, reply
from tocsin.dialects.checkly.resources.channels import AlertChannels
from tocsin.domain.notification import Channel


class ChannelCalls:
    def __init__(self, channels: AlertChannels) -> None:
        self._channels = channels

    async def listed(self, call: Call) -> Response:
        paging = paging_of(call.query)
        rows, total = await self._channels.page(call.principal, size=paging.limit, offset=paging.offset)
        return page_reply(await self._channels.show(call.principal, rows), paging, total)

    async def create(self, call: Call) -> Response:
        made = await self._channels.put(call.principal, await call.json(), call.received)
        return await self._answer(call, 201, made)

    async def one(self, call: Call) -> Response:
        return await self._answer(call, 200, await self._channels.get(call.principal, call.number()))

    async def update(self, call: Call) -> Response:
        changed = await self._channels.put(call.principal, await call.json(), call.received, number=call.number())
        return await self._answer(call, 200, changed)

    async def delete(self, call: Call) -> Response:
        await self._channels.delete(call.principal, call.number())
        return empty()

    async def subscribe(self, call: Call) -> Response:
        return reply(200, await self._channels.subscribe(call.principal, call.number(), await call.json()))

    async def _answer(self, call: Call, status: int, channel: Channel) -> Response:
        return reply(status, (await self._channels.show(call.principal, [channel]))[0])


def calls(channels: AlertChannels) -> Calls:
    made = ChannelCalls(channels)
    return {
        "/v1/alert-channels": {"GET": made.listed, "POST": made.create},
        "/v1/alert-channels/{id}": {"GET": made.one, "PUT": made.update, "DELETE": made.delete},
        "/v1/alert-channels/{id}/subscriptions": {"PUT": made.subscribe},
    }
