"""Monitors by what clients call them: a key, or a short code wherever a key is. A key wins over a code."""

from collections.abc import Sequence
from typing import Protocol

from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.names import monitor_id_of
from tocsin.dialects.cronitor.problems import Refused
from tocsin.domain.errors import InvalidArgument
from tocsin.service.browsing import Browsing
from tocsin.store.port import MonitorWithHealth


class Served(Protocol):
    """Whatever services a handler has."""

    @property
    def browsing(self) -> Browsing: ...


async def one(services: Served, call: Call, reference: str) -> MonitorWithHealth:
    """Refused 404."""
    (found,) = await many(services, call, [reference])
    if found is None:
        raise Refused(404, f"Not found: there is no monitor {reference[:255]!r}")
    return found


async def many(services: Served, call: Call, references: Sequence[str]) -> list[MonitorWithHealth | None]:
    """As many as there are references, in their order; None where there is no such monitor."""
    ids = {reference: _id_of(reference) for reference in references}
    codes = {reference: call.codes.number_of(reference) for reference in references}
    rows = await services.browsing.find_exactly(
        call.principal,
        ids=[found for found in ids.values() if found],
        numbers=[number for number in codes.values() if number is not None],
    )
    by_id = {row.monitor.id: row for row in rows}
    by_number = {row.monitor.number: row for row in rows}
    return [by_id.get(ids[reference]) or by_number.get(codes[reference] or 0) for reference in references]


def _id_of(reference: str) -> str:
    """Nothing for what is no key."""
    try:
        return monitor_id_of(reference)
    except InvalidArgument:
        return ""
