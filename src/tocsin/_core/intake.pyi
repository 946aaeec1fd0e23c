# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""Wire bytes of requests with many reports → a `Batch`, without an object for each."""

from collections.abc import Iterable
from typing import Final, final

from tocsin._core.batch import Batch

FIELDS: Final[dict[str, int]]  # message of the contract → the highest field number that is known here

class Malformed(ValueError):
    """The bytes are no message; `offset` is where the field begins that is none."""

    offset: int

    def __init__(self, offset: int) -> None: ...

@final
class Intake:
    """What a request says. Simple reports are rows of `batch`; rows that say more are in `batch.rest()`."""

    @property
    def batch(self) -> Batch: ...
    @property
    def count(self) -> int:
        """Reports in the request; the batch holds no more than the limit."""

    @property
    def parent(self) -> str:
        """As it stands; whose it is has not been looked at."""

    @property
    def sequence(self) -> int: ...
    @property
    def partial(self) -> bool: ...

def check_ins(request: bytes, projects: tuple[str, ...], limit: int, *, stream: bool = False) -> Intake:
    """A BatchCreateCheckInsRequest, or with `stream` a StreamCheckInsRequest. Runs without the GIL.

    `projects`: at most four ways to write the one project whose monitors simple rows are of. Rows without a name of
    their own are of the monitor that the parent names. A row that is malformed is a row of the rest. Malformed: what is
    around the rows.
    """

def heartbeats(request: bytes, projects: tuple[str, ...], limit: int, *, stream: bool = False) -> Intake:
    """The same of a BatchSendHeartbeatsRequest or a StreamHeartbeatsRequest."""

def text_of(request: bytes, number: int) -> str:
    """The text field of this number in a message, "" when it has none. Malformed: the message, not what is in it."""

def rest(batch: Batch, rows: Iterable[int] | None = None) -> bytes:
    """A request, like the one that the batch was read from, of some of its rows alone: without `rows`, the rest.

    They are its field 2. TypeError: the batch was not read from a request. IndexError: it has no such row.
    """
