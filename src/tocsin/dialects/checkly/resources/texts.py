"""`/v1/variables`, which templates of webhooks name, and `/v1/snippets`, which are only kept."""

from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.checkly.call import Call, Calls
from tocsin.dialects.checkly.paging import page_reply, paging_of
from tocsin.dialects.checkly.replies import empty, reply
from tocsin.dialects.checkly.resources.fields import Fields
from tocsin.dialects.checkly.resources.rewording import reworded
from tocsin.dialects.checkly.times import iso, iso_or_none
from tocsin.domain import errors
from tocsin.domain.notification import NAME_MAX, Keyed
from tocsin.domain.variable import SCRIPT_MAX, VALUE_MAX, Snippet, Variable
from tocsin.service.texts import Snippets, Variables

KEY_MAX: Final = 200
_VARIABLE: Final = {"variable.": ""}
_SNIPPET: Final = {"snippet.display_name": "name", "snippet.": ""}


class VariableCalls:
    def __init__(self, variables: Variables) -> None:
        self._variables = variables

    async def listed(self, call: Call) -> Response:
        paging = paging_of(call.query)
        rows, total = await self._variables.counted(call.principal, size=paging.limit, offset=paging.offset)
        return page_reply([_variable_json(row) for row in rows], paging, total)

    async def create(self, call: Call) -> Response:
        """409 when there is one of this key."""
        body = Fields(await call.json())
        values = self._values(body)
        if body.text("value") is None:
            raise body.wrong("value", "is required")
        return reply(201, _variable_json(await self._put(call, body.required("key", KEY_MAX), values, create=True)))

    async def one(self, call: Call) -> Response:
        return reply(200, _variable_json(await self._variables.get(call.principal, call.part("key"))))

    async def update(self, call: Call) -> Response:
        """Its key is its name, and stays."""
        body, key = Fields(await call.json()), call.part("key")
        if body.text("key", KEY_MAX) not in (None, "", key):
            raise body.wrong("key", f"this variable is {key!r}; a key does not change: make another variable")
        return reply(200, _variable_json(await self._put(call, key, self._values(body), create=False)))

    async def delete(self, call: Call) -> Response:
        await self._variables.delete(call.principal, call.part("key"))
        return empty()

    def _values(self, body: Fields) -> dict[str, Any]:
        said = {"value": body.text("value", VALUE_MAX), "locked": body.flag("locked"), "secret": body.flag("secret")}
        return {name: value for name, value in said.items() if value is not None}

    async def _put(self, call: Call, key: str, values: dict[str, Any], *, create: bool) -> Variable:
        try:
            return await self._variables.put(
                call.principal, key, values, call.received, create=create, update=not create
            )
        except errors.InvalidArgument as problem:
            raise reworded(problem, _VARIABLE) from None


class SnippetCalls:
    def __init__(self, snippets: Snippets) -> None:
        self._snippets = snippets

    async def listed(self, call: Call) -> Response:
        paging = paging_of(call.query)
        rows, total = await self._snippets.counted(call.principal, size=paging.limit, offset=paging.offset)
        return page_reply([_snippet_json(row) for row in rows], paging, total)

    async def create(self, call: Call) -> Response:
        body = Fields(await call.json())
        values = {"display_name": body.required("name", NAME_MAX), "script": body.text("script", SCRIPT_MAX) or ""}
        try:
            return reply(201, _snippet_json(await self._snippets.create(call.principal, values, call.received)))
        except errors.InvalidArgument as problem:
            raise reworded(problem, _SNIPPET) from None

    async def one(self, call: Call) -> Response:
        return reply(200, _snippet_json(await self._snippets.numbered(call.principal, call.number())))

    async def update(self, call: Call) -> Response:
        known = await self._snippets.numbered(call.principal, call.number())
        body = Fields(await call.json())
        values: dict[str, Any] = {}
        if body.says("name"):
            values["display_name"] = body.required("name", NAME_MAX)
        if body.says("script"):
            values["script"] = body.text("script", SCRIPT_MAX) or ""
        try:
            changed = await self._snippets.put(call.principal, known.key, values, call.received, create=False)
        except errors.InvalidArgument as problem:
            raise reworded(problem, _SNIPPET) from None
        return reply(200, _snippet_json(changed))

    async def delete(self, call: Call) -> Response:
        known = await self._snippets.numbered(call.principal, call.number())
        await self._snippets.delete(call.principal, known.key)
        return empty()


def _variable_json(one: Variable) -> dict[str, Any]:
    """A secret has no value for readers."""
    value = None if one.secret else one.value
    return {"key": one.key, "value": value, "locked": one.locked, "secret": one.secret}


def _snippet_json(one: Snippet) -> dict[str, Any]:
    return {"id": one.number, "name": one.display_name, "script": one.script, **_times(one)}


def _times(one: Keyed) -> dict[str, Any]:
    changed = one.update_time != one.create_time
    return {"created_at": iso(one.create_time), "updated_at": iso_or_none(one.update_time if changed else None)}


def calls(variables: Variables, snippets: Snippets) -> Calls:
    keyed, numbered = VariableCalls(variables), SnippetCalls(snippets)
    return {
        "/v1/variables": {"GET": keyed.listed, "POST": keyed.create},
        "/v1/variables/{key}": {"GET": keyed.one, "PUT": keyed.update, "DELETE": keyed.delete},
        "/v1/snippets": {"GET": numbered.listed, "POST": numbered.create},
        "/v1/snippets/{id}": {"GET": numbered.one, "PUT": numbered.update, "DELETE": numbered.delete},
    }
