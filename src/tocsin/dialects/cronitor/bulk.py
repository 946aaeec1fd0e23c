"""Many monitors in one request: put, with or without keeping it, now or later; and delete."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.cronitor import bodies, exporting, reading, references, showing, writing, yaml_text
from tocsin.dialects.cronitor.batches import Batches
from tocsin.dialects.cronitor.bodies import Form, Sent
from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.problems import Invalid, Problem
from tocsin.dialects.cronitor.replies import reply, yaml
from tocsin.dialects.cronitor.services import Services
from tocsin.dialects.cronitor.writing import Wish, Written

_LARGE: Final = 128 * 1024  # bytes of a body that is read beside the event loop; YAML always is


class BulkCalls:
    def __init__(self, services: Services, batches: Batches) -> None:
        self._services = services
        self._batches = batches

    async def put(self, call: Call) -> Response:
        return await self._put(call, yaml=_says_yaml(call))

    async def put_yaml(self, call: Call) -> Response:
        return await self._put(call, yaml=True)

    async def delete(self, call: Call) -> Response:
        """{"monitors": [keys]}; what is not there is told."""
        keys = bodies.single(await call.body()).get("monitors")
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise Invalid(Problem("monitors: required, a list of keys", "", "monitors"))
        if len(keys) > writing.MANY:
            raise Invalid(Problem(f"monitors: at most {writing.MANY}, not {len(keys)}", "", "monitors"))
        found = await references.many(self._services, call, keys)
        missing = [key for key, row in zip(keys, found, strict=True) if row is None]
        ids = list(dict.fromkeys(row.monitor.id for row in found if row is not None))
        await self._services.monitors.delete_many(call.principal, ids, call.received)
        body = {"deleted_count": len(ids), "requested_count": len(keys), "errors": {"missing": missing}}
        return reply(200, body)

    async def _put(self, call: Call, *, yaml: bool) -> Response:
        data = await call.body()
        if yaml or len(data) > _LARGE or data.lstrip()[:1] not in (b"{", b"["):
            sent = await asyncio.to_thread(bodies.batch, data, yaml=yaml)
        else:
            sent = bodies.batch(data, yaml=False)
        wishes = [_named(writing.wish_of(body, index)) for index, body in enumerate(sent.monitors)]
        if sent.later:
            return self._later(call, sent, wishes)
        written = await self._save(call, sent, wishes)
        return await self._answer(call, sent.form, written)

    async def _save(self, call: Call, sent: Sent, wishes: Sequence[Wish]) -> list[Written]:
        return await writing.save(self._services, call, wishes, validate_only=sent.rollback)

    def _later(self, call: Call, sent: Sent, wishes: Sequence[Wish]) -> Response:
        async def work() -> list[str]:
            return [reading.key_of(one.found.monitor) for one in await self._save(call, sent, wishes)]

        body = {"batch_key": self._batches.begin(work, sent.webhook_url)}
        return yaml(202, yaml_text.dump(body)) if sent.form is Form.YAML else reply(202, body)

    async def _answer(self, call: Call, form: Form, written: Sequence[Written]) -> Response:
        if form is Form.YAML:
            monitors = [one.found.monitor for one in written]
            return yaml(200, await exporting.yaml_later(monitors, self._services.zone(call), call.received))
        rows = [one.found for one in written]
        shown: Any = await showing.shown(self._services, call, rows, asked_for=[one.wish.reference for one in written])
        return reply(200, shown if form is Form.ARRAY else {"monitors": shown})


def _named(wish: Wish) -> Wish:
    if not wish.reference and not wish.problems.found:
        wish.problems.wrong("key", "required")
    return wish


def _says_yaml(call: Call) -> bool:
    """The header, or what one client sends in the query instead."""
    sent = call.query.get("Content-Type") or call.request.headers.get("content-type", "")
    return bodies.is_yaml(sent)
