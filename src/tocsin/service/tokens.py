"""Whose a ping token is, for doors that are told nothing else: looked up in the store, and kept for the next ping.

Who changes or deletes a monitor is answered only after `forget`, so that no ping that is sent after such an answer is
taken for what the token was before. Tokens that nobody has are not kept: whoever guesses must not push others out.

A ping is no report yet while its token is looked up, so the clock is held at its arrival until then: a deadline after
it is not judged before the ping counts. Guesses hold it too, each only for its own look-up.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple, Protocol

from tocsin.domain.facts import MonitorDeleted
from tocsin.domain.instant import Instant
from tocsin.engine.delta import Delta
from tocsin.service.look_ups import LookUps

MOST: Final = 100_000  # tokens kept


class Found(NamedTuple):
    """The monitor that has a token."""

    project: int
    monitor_id: str


class TokenStore(Protocol):
    def owners_of_tokens(self, tokens: Collection[str]) -> Mapping[str, tuple[int, str]]: ...


class Tokens:
    """Belongs to the event loop; only the store is asked on a thread."""

    def __init__(
        self,
        store: TokenStore,
        hold: Callable[[Instant], AbstractContextManager[Any]],
        *,
        within_ms: int,
        most: int = MOST,
    ) -> None:
        """`hold(at)`: see `LocalJournal.hold`. A look-up that takes longer than `within_ms` is given up."""
        self._look_ups = LookUps(store.owners_of_tokens, "tocsin-tokens", within_ms=within_ms)
        self._hold = hold
        self._most = most
        self._found: dict[str, Found] = {}  # oldest first
        self._token_of: dict[Found, str] = {}  # the same, the other way round
        self._changes = 0  # deltas that may have changed what the store answers

    async def find(self, token: str, received: Instant) -> Found | None:
        """`token` is 32 lower-case hex characters, of a ping that arrived at `received`. Unavailable: not now.

        Who queues the report before the next await leaves no gap in which a deadline after `received` is judged.
        """
        if (known := self._found.get(token)) is not None:
            return known
        changes = self._changes
        with self._hold(received):
            owner = await self._look_ups.find(token)
        if owner is None:
            return None
        found = Found(*owner)
        if changes == self._changes:  # otherwise the answer may be of before a change that has been forgotten already
            self._keep(token, found)
        return found

    def forget(self, delta: Delta) -> None:
        """A commit is durable: what it changed is looked up again."""
        if not delta.monitors and not delta.deleted_monitors:
            return
        self._changes += 1
        for monitor, _ in delta.monitors.values():
            self._drop(Found(monitor.project, monitor.id))
        if delta.deleted_monitors:
            for fact in delta.facts:
                if isinstance(fact, MonitorDeleted):
                    self._drop(Found(fact.project, fact.monitor_id))

    def close(self) -> None:
        """Once no request is left."""
        self._look_ups.close()

    def _keep(self, token: str, found: Found) -> None:
        self._drop(found)
        if len(self._found) >= self._most:
            self._drop(self._found[next(iter(self._found))])
        self._found[token] = found
        self._token_of[found] = token

    def _drop(self, found: Found) -> None:
        token = self._token_of.pop(found, None)
        if token is not None:
            del self._found[token]
