"""`/v1/maintenance-windows`: list, create, read, change, delete."""

from starlette.responses import Response

from tocsin.dialects.checkly.call import Call, Calls
from tocsin.dialects.checkly.paging import page_reply, paging_of
from tocsin.dialects.checkly.replies import empty, reply
from tocsin.dialects.checkly.resources.windows import Windows


class WindowCalls:
    def __init__(self, windows: Windows) -> None:
        self._windows = windows

    async def listed(self, call: Call) -> Response:
        paging = paging_of(call.query)
        every = await self._windows.every(call.principal)
        shown = [self._windows.show(window, call.received) for window in paging.cut(every)]
        return page_reply(shown, paging, len(every))

    async def create(self, call: Call) -> Response:
        made = await self._windows.put(call.principal, await call.json(), call.received)
        return reply(201, self._windows.show(made, call.received))

    async def one(self, call: Call) -> Response:
        found = await self._windows.get(call.principal, call.number())
        return reply(200, self._windows.show(found, call.received))

    async def update(self, call: Call) -> Response:
        changed = await self._windows.put(call.principal, await call.json(), call.received, number=call.number())
        return reply(200, self._windows.show(changed, call.received))

    async def delete(self, call: Call) -> Response:
        await self._windows.delete(call.principal, call.number(), call.received)
        return empty()


def calls(windows: Windows) -> Calls:
    made = WindowCalls(windows)
    return {
        "/v1/maintenance-windows": {"GET": made.listed, "POST": made.create},
        "/v1/maintenance-windows/{id}": {"GET": made.one, "PUT": made.update, "DELETE": made.delete},
    }
