# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""Reports of one project that arrived together, in columns: what `_core.intake` reads and `_core.apply` steps."""

from collections.abc import Iterable
from typing import Final, final

KINDS: Final[tuple[str, ...]]  # names of domain.check_in.ReportKind; a kind is an index into it

@final
class Batch:
    """Belongs to one thread at a time."""

    def __new__(cls) -> Batch: ...
    def __len__(self) -> int: ...
    @property
    def nbytes(self) -> int:
        """Memory: rows and text."""

    def append(
        self,
        monitor_id: str,
        kind: int,
        environment: str = "",
        duration: int = -1,
        alone: bool = False,
        rest: bool = False,
    ) -> int:
        """A report; its row. `duration` is in ms, -1 for none; no environment is the default one.

        `alone`: it never pairs with an open run. `rest`: it says more than a row holds. ValueError: no such kind, or
        too long; TypeError: the batch was read from a request.
        """

    def row(self, row: int) -> tuple[str, int, str, int, bool, bool]:
        """As the arguments of `append`."""

    def request(self, row: int) -> bytes:
        """The message that the row was read from; empty for one that was appended."""

    def span(self, row: int) -> tuple[int, int]:
        """Where that message begins and ends in the request."""

    def part(self, begin: int, end: int) -> Batch:
        """Rows `begin` to before `end`, of the same request. TypeError: the batch was not read from one."""

    def drop(self, rows: Iterable[int]) -> None:
        """Takes rows out; those behind them move up. IndexError: no such row, and nothing has changed."""

    def rest(self) -> list[int]:
        """Rows that say more than columns hold, ascending."""

    def leave(self, row: int) -> None:
        """The row is for the rules: it says more than columns hold, or means what only rules can tell."""
