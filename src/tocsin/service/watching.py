"""Watching: what changed since a token, then what changes, until the caller has had enough.

A token is a revision of the store's log. Without one, a watch begins with every monitor as it stands. When nothing
changes for a while a bookmark is sent, so that idle connections survive proxies and a restart resumes close by.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from tocsin.domain import errors
from tocsin.domain.project import Scope
from tocsin.service.principal import Principal
from tocsin.store.port import MonitorWithHealth, Store

BOOKMARK_S: Final = 15.0
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """One event: a monitor as it now is, a deleted one by id, or neither: a bookmark.

    Monitors of the beginning have no token: who resumed from one of them would miss the rest.
    """

    token: str
    monitor: MonitorWithHealth | None = None
    deleted: str = ""


class Watching:
    def __init__(self, store: Store, require_active: Callable[[Principal], None]) -> None:
        """`require_active` raises what a watch ends with once its key is revoked."""
        self._store = store
        self._require_active = require_active
        self._changed = asyncio.Event()
        self._closed = False

    def announce(self) -> None:
        """Something was committed: wakes every watch."""
        self._changed.set()
        self._changed = asyncio.Event()

    def close(self) -> None:
        """The server is going: every watch ends, so that none holds up the drain."""
        self._closed = True
        self.announce()

    async def watch(self, principal: Principal, token: str) -> AsyncIterator[Seen]:
        principal.require(Scope.READ)
        revision = _revision(token)
        if revision is None:
            revision = await asyncio.to_thread(self._store.last_revision)
            page = ""
            while True:
                found = await asyncio.to_thread(
                    self._store.list_monitors, principal.project.number, size=_PAGE, token=page
                )
                for monitor in found.rows:
                    yield Seen("", monitor)
                page = found.next_token
                if not page:
                    break
            yield Seen(str(revision))
        while not self._closed:
            changed = self._changed
            changes = await asyncio.to_thread(
                self._store.changes_after, revision, principal.project.number, limit=_PAGE
            )
            self._require_active(principal)
            for change in changes:
                revision = change.revision
                if change.kind == "deleted":
                    yield Seen(str(revision), deleted=change.monitor_id)
                    continue
                changed_one = await asyncio.to_thread(
                    self._store.get_monitor_by_number, principal.project.number, change.monitor
                )
                if changed_one is not None:  # otherwise deleted since: its own change follows
                    yield Seen(str(revision), changed_one)
            if changes:
                continue
            try:
                async with asyncio.timeout(BOOKMARK_S):
                    await changed.wait()
            except TimeoutError:
                self._require_active(principal)
                yield Seen(str(revision))
        raise errors.Unavailable(
            "the server is shutting down; resume from the last token", reason="SHUTTING_DOWN", retry_after_ms=1_000
        )


def _revision(token: str) -> int | None:
    if not token:
        return None
    if not token.isdecimal() or len(token) > 18:
        raise errors.invalid("resume_token", "is not one that this server gave out", reason="PAGE_TOKEN_INVALID")
    return int(token)
