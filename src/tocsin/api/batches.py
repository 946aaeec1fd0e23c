"""What batches of check-ins and of heartbeats have in common: reports in columns in, and what became of each out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from tocsin.domain import errors
from tocsin.domain.check_in import Report
from tocsin.domain.receipt import BatchReceipt
from tocsin.service.call import Call
from tocsin.service.check_ins import CheckIns, refusal_error
from tocsin.wire.batches import Requests
from tocsin.wire.status import to_status

Row = TypeVar("Row", bound=Message)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch, durable. Places are those of the request, rows those of the receipt."""

    receipt: BatchReceipt
    failed: Mapping[int, Status]  # by place
    gone: Sequence[int]  # places of reports that failed before they came to the receipt, ascending
    accepted: int

    def fill(self, failed_requests: Mapping[int, Status]) -> None:
        """Fills the map of an answer."""
        for place, status in self.failed.items():
            failed_requests[place].CopyFrom(status)


async def deliver(
    check_ins: CheckIns, requests: Requests[Row], convert: Callable[[Row, int], Report], call: Call, *, keep_going: bool
) -> Outcome:
    """Reports a batch. `convert` makes a report of what columns do not hold, or raises; it is told the place.

    Without `keep_going` the first request that cannot be read fails all.
    """
    rest: dict[int, Report] = {}
    unread: dict[int, errors.TocsinError] = {}
    for place, message in requests.rest.items():
        try:
            rest[place] = convert(message, place)
        except errors.TocsinError as error:
            if not keep_going:
                raise
            unread[place] = error
    places: Sequence[int] = range(requests.count)
    if unread:
        requests.batch.drop(unread)
        places = [place for place in places if place not in unread]
        rest = {row: rest[place] for row, place in enumerate(places) if place in rest}
    receipt = await check_ins.report_batch(call, requests.batch, rest)
    failed = {place: to_status(error) for place, error in unread.items()}
    for row, own in receipt.receipts.items():
        problem = own.error or (refusal_error(own.refusal) if own.refusal else None)
        if problem is not None:
            failed[places[row]] = to_status(problem)
    return Outcome(receipt, failed, list(unread), requests.count - len(failed))


def within(count: int, most: int) -> None:
    """InvalidArgument when there are more requests in a batch than it may hold."""
    if count > most:
        raise errors.invalid("requests", f"at most {most}, not {count}")
