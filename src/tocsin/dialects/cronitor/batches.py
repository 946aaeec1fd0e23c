"""Writes that are answered before they are done: a key at once, the result to an address that the client named."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import structlog

from tocsin.dialects.cronitor.problems import Invalid, Problem, Refused
from tocsin.dialects.cronitor.replies import errors_json
from tocsin.dialects.cronitor.services import Post
from tocsin.domain import notification
from tocsin.domain.errors import InvalidArgument, TocsinError

WAITING_MAX: Final = 32
_AT_ONCE: Final = 1  # they share the event loop anyway
_log = structlog.get_logger("tocsin.cronitor")


class Batches:
    """Those under way. They end with the process: who hears nothing asks again, and writing twice is harmless."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(_AT_ONCE)

    def begin(self, work: Callable[[], Awaitable[Sequence[str]]], webhook_url: str) -> str:
        """The key of the batch. `work` answers the keys of the monitors. Refused 429, Invalid."""
        if webhook_url:
            try:
                notification.check_url(webhook_url, "webhook_url")
            except InvalidArgument as problem:
                raise Invalid(Problem(problem.message, "", "webhook_url")) from None
        if len(self._tasks) >= WAITING_MAX:
            raise Refused(429, f"{WAITING_MAX} batches are waiting already; try again later")
        key = f"b-{secrets.token_hex(8)}"
        task = asyncio.create_task(self._run(key, work, webhook_url), name=key)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return key

    async def _run(self, key: str, work: Callable[[], Awaitable[Sequence[str]]], webhook_url: str) -> None:
        async with self._turn:
            result = await _result(key, work)
        _log.info("batch done", batch=key, status=result["status"], monitors=len(result["monitors"]))
        if webhook_url:
            await self._post(webhook_url, result)


async def _result(key: str, work: Callable[[], Awaitable[Sequence[str]]]) -> dict[str, Any]:
    monitors: Sequence[str] = ()
    errors: list[dict[str, Any]] = []
    try:
        monitors = await work()
    except Invalid as problem:
        errors = errors_json(problem.problems)
    except Refused as problem:
        errors = errors_json([Problem(problem.text)])
    except TocsinError as problem:
        errors = errors_json([Problem(problem.message)])
    except Exception as error:  # nobody else would hear of it
        _log.error("a batch failed", batch=key, exc_info=error)
        errors = errors_json([Problem("internal error")])
    status = "failed" if errors else "complete"
    return {"batch_key": key, "status": status, "monitors": list(monitors), "errors": errors}
