# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""What was recorded of a batch → the wire bytes of its answer, without an object for each."""

from collections.abc import Iterable

from tocsin._core.batch import Batch
from tocsin._core.recorded import Recorded

def check_ins(
    batch: Batch,
    recorded: Recorded,
    own: dict[int, bytes],
    gone: Iterable[int],
    project: int,
    dialect: str,
    client: str,
) -> bytes:
    """The field `check_ins` of a BatchCreateCheckInsResponse: one message for each report, in their order.

    `own`: serialised check-ins of reports that are not in `recorded`, by row of the batch. `gone`: places in the
    request of reports that never came into the batch; they are empty, as are those of which there is nothing. Runs
    without the GIL. ValueError: a check-in is of no report, or out of order, or a place is none.
    """
