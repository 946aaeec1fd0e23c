"""Makes tables for the weeks to come and deletes what retention no longer keeps, beside the partition's loop."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from tocsin.domain.instant import DAY, Clock, Instant
from tocsin.store.port import Store, StoreTrouble

EVERY_S: Final = 60.0
_SLICE: Final = 5_000

_log = structlog.get_logger("tocsin.janitor")


class Janitor:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        check_ins_days: int,
        refusals_days: int,
        trace_errors_days: int,
        expire_notices: Callable[[Instant, int], int] = lambda _before, _limit: 0,
        notices_days: int = 30,
    ) -> None:
        """`expire_notices(before, limit)` deletes some that are over and answers how many."""
        self._store = store
        self._clock = clock
        self._check_ins_ms = check_ins_days * DAY
        self._refusals_ms = refusals_days * DAY
        self._trace_errors_ms = trace_errors_days * DAY
        self._expire_notices, self._notices_ms = expire_notices, notices_days * DAY

    async def sweep(self) -> int:
        """Deletes all that is old; returns how many rows were looked at. Yields the writer between slices.

        First there must be room for what is to come.
        """
        await asyncio.to_thread(self._store.prepare, self._clock.now())
        deleted = 0
        while True:
            now = self._clock.now()
            count = await asyncio.to_thread(
                self._store.expire,
                check_ins_before=now - self._check_ins_ms,
                refusals_before=now - self._refusals_ms,
                trace_errors_before=now - self._trace_errors_ms,
                limit=_SLICE,
            )
            count += await asyncio.to_thread(self._expire_notices, now - self._notices_ms, _SLICE)
            deleted += count
            if not count:
                return deleted

    async def run(self) -> None:
        while True:
            try:
                if deleted := await self.sweep():
                    _log.info("retention has worked", rows=deleted)
            except StoreTrouble as trouble:
                _log.warning("retention waits", trouble=str(trouble))
            await asyncio.sleep(EVERY_S)
