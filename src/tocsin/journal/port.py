"""The port of the journal: edges append, the partition's loop takes."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from tocsin.domain.commands import Command
from tocsin.domain.instant import Instant
from tocsin.domain.receipt import Receipt


class Journal(Protocol):
    def arrival(self) -> AbstractContextManager[Instant]:
        """Stamps a request on accept. While it is open, no deadline after the stamp is judged (within bounds)."""
        ...

    async def append(self, at: Instant, command: Command) -> Receipt:
        """Answers when the command is durable. Unavailable: nothing was accepted, or nobody knows; retry by id."""
        ...

    async def append_many(self, at: Instant, commands: Sequence[Command]) -> list[Receipt]:
        """All or none are accepted; answers when all are durable, in order."""
        ...
