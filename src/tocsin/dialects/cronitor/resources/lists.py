"""Notification lists: whom alerts go to, under a name."""

import re
import secrets
from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.replies import empty, reply
from tocsin.dialects.cronitor.resources import list_json
from tocsin.dialects.cronitor.resources import query as queries
from tocsin.dialects.cronitor.resources.body import Body
from tocsin.dialects.cronitor.resources.query import wrong, wrong_by
from tocsin.dialects.cronitor.resources.services import Services
from tocsin.domain import names
from tocsin.domain.errors import AlreadyExists, InvalidArgument
from tocsin.domain.notification import NAME_MAX, NotificationList

_KEY: Final = re.compile(r"[a-z0-9_-]{1,128}")
_MADE_MAX: Final = 64  # characters of a key that is made of a name
_PAGE: Final = 1_000
_VERSION: Final = "2020-10-01"
# Fields of the noun → those of a client.
_FIELDS: Final = {"display_name": "name", "destinations": "notifications"}


class ListCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def list(self, call: Call) -> Response:
        """`page`, `pageSize`."""
        paging = queries.paging(call.query)
        rows: list[NotificationList] = []
        token = ""
        while True:
            page = await self._services.lists.page(call.principal, size=_PAGE, token=token)
            rows += page.rows
            token = page.next_token
            if not token:
                break
        users = list_json.users(await self._services.browsing.told(call.principal))
        return reply(
            200,
            {
                "page": paging.page,
                "page_size": paging.size,
                "total_template_count": len(rows),
                "version": _VERSION,
                "templates": [list_json.list_json(row, users.get(row.key, ())) for row in paging.cut(rows)],
            },
        )

    async def retrieve(self, call: Call) -> Response:
        return await self._answer(call, 200, await self._services.lists.get(call.principal, call.part("key")))

    async def create(self, call: Call) -> Response:
        """A key that is not said is made of the name, as far as its letters go."""
        body = await Body.of(call)
        values = _values(body)
        key = body.text("key")
        if key and not _KEY.fullmatch(key):
            raise wrong("key", "must be 1 to 128 of a-z, 0-9, '-' and '_'")
        name = values.get("display_name", "")
        made = key or names.slugify(name, _MADE_MAX) or (secrets.token_hex(4) if name else "")
        if not made:
            raise wrong("name", "required, to make a key of, unless there is a key")
        try:
            found = await self._put(call, made, values, create=True)
        except AlreadyExists:
            if key:
                raise wrong("key", f"there is a notification list {key!r} already") from None
            found = await self._put(call, f"{made}-{secrets.token_hex(3)}", values, create=True)
        return await self._answer(call, 201, found)

    async def update(self, call: Call) -> Response:
        """`notifications` replaces all that the list holds."""
        body = await Body.of(call)
        body.same_key(call.part("key"))
        return await self._answer(call, 200, await self._put(call, call.part("key"), _values(body), create=False))

    async def delete(self, call: Call) -> Response:
        await self._services.lists.delete(call.principal, call.part("key"))
        return empty(204)

    async def _put(self, call: Call, key: str, values: dict[str, Any], *, create: bool) -> NotificationList:
        try:
            return await self._services.lists.put(
                call.principal, key, values, call.received, create=create, update=not create
            )
        except InvalidArgument as problem:
            raise wrong_by(problem, _FIELDS) from None

    async def _answer(self, call: Call, status: int, found: NotificationList) -> Response:
        users = list_json.users(await self._services.browsing.told(call.principal))
        return reply(status, list_json.list_json(found, users.get(found.key, ())))


def _values(body: Body) -> dict[str, Any]:
    """The fields of a notification list that the body names."""
    found: dict[str, Any] = {}
    if body.text("name", NAME_MAX):
        found["display_name"] = body.text("name", NAME_MAX)
    if "notifications" in body:
        found["destinations"] = list_json.destinations_of(body.fields["notifications"] or {})
    if "environments" in body:
        found["environments"] = tuple(body.texts("environments"))
    return found
