"""Environments of a project: which there are, and whether anybody is told about them."""

import secrets
from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.replies import empty, reply
from tocsin.dialects.cronitor.resources import query as queries
from tocsin.dialects.cronitor.resources import shown
from tocsin.dialects.cronitor.resources.body import Body
from tocsin.dialects.cronitor.resources.query import wrong, wrong_by
from tocsin.dialects.cronitor.resources.services import Services
from tocsin.domain import names
from tocsin.domain.environment import NAME_MAX
from tocsin.domain.errors import AlreadyExists, InvalidArgument
from tocsin.store.nouns_port import CountedEnvironment

_FIELDS: Final = {"display_name": "name", "project_environment_id": "key"}  # of the noun → of a client


class EnvironmentCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def list(self, call: Call) -> Response:
        """`page`, `pageSize`."""
        paging = queries.paging(call.query)
        every = await self._services.environments.every(call.principal)
        rows = [environment_json(row) for row in paging.cut(every)]
        return reply(
            200,
            {
                "page": paging.page,
                "page_size": paging.size,
                "count": len(rows),
                "total_count": len(every),
                "environments": rows,
            },
        )

    async def retrieve(self, call: Call) -> Response:
        found = await self._services.environments.get(call.principal, call.part("key"))
        return reply(200, environment_json(found))

    async def create(self, call: Call) -> Response:
        """A key that is not said is made of the name, as far as its letters go."""
        body = await Body.of(call)
        name, key = body.text("name", NAME_MAX), body.text("key")
        key = key or names.slugify(name) or (secrets.token_hex(4) if name else "")
        if not key:
            raise wrong("name", "required, to make a key of, unless there is a key")
        values = {"display_name": name, "with_alerts": body.flag("with_alerts", default=True)}
        try:
            found = await self._put(call, key, values, create=True)
        except AlreadyExists:
            raise wrong("key", f"there is an environment {key!r} already") from None
        return reply(201, environment_json(found))

    async def update(self, call: Call) -> Response:
        """What is not said stays."""
        body = await Body.of(call)
        body.same_key(call.part("key"))
        values: dict[str, Any] = {}
        if name := body.text("name", NAME_MAX):
            values["display_name"] = name
        if body.fields.get("with_alerts") is not None:
            values["with_alerts"] = body.flag("with_alerts", default=True)
        return reply(200, environment_json(await self._put(call, call.part("key"), values, create=False)))

    async def delete(self, call: Call) -> Response:
        """With what monitors reported from it. The default one stays."""
        await self._services.environments.delete(call.principal, call.part("key"), call.received)
        return empty(204)

    async def _put(self, call: Call, key: str, values: dict[str, Any], *, create: bool) -> CountedEnvironment:
        try:
            return await self._services.environments.put(
                call.principal, key, values, call.received, create=create, update=not create
            )
        except InvalidArgument as problem:
            raise wrong_by(problem, _FIELDS) from None


def environment_json(found: CountedEnvironment) -> dict[str, Any]:
    environment = found.environment
    return {
        "key": environment.key,
        "name": environment.display_name or environment.key.capitalize(),
        "with_alerts": environment.with_alerts,
        "default": environment.default,
        "active_monitors": found.monitors,
        "created": shown.iso(environment.create_time or None),
    }
