"""Monitors by what clients call them: a key, or a short code wherever a key is. A key wins over a code."""

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import QueryParams

from tocsin.dialects.cronitor.names import monitor_id_of
from tocsin.dialects.cronitor.resources import query as queries
from tocsin.dialects.cronitor.resources.replies import Refused, wrong
from tocsin.domain.codes import Codes
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.monitor import Kind
from tocsin.service.browsing import Browsing
from tocsin.service.monitors import Monitors
from tocsin.service.principal import Principal
from tocsin.store.port import MonitorWithHealth

MOST: Final = 1_000
"""Monitors of one question."""
_TYPES: Final = {"job": Kind.JOB, "heartbeat": Kind.HEARTBEAT, "event": Kind.HEARTBEAT}
_KNOWN_TYPES: Final = ("job", "heartbeat", "check", "event")
_PAGE: Final = 1_000


class Finding:
    def __init__(self, browsing: Browsing, monitors: Monitors, codes: Codes) -> None:
        self._browsing = browsing
        self._monitors = monitors
        self._codes = codes

    def code_of(self, number: int) -> str:
        """Empty for a number that has no code."""
        try:
            return self._codes.code_of(number)
        except ValueError:
            return ""

    async def one(self, principal: Principal, reference: str) -> MonitorWithHealth:
        """Refused 404."""
        (found,) = await self.many(principal, [reference])
        if found is None:
            raise Refused(404, f"no monitor {reference[:255]!r}")
        return found

    async def many(self, principal: Principal, references: Sequence[str]) -> list[MonitorWithHealth | None]:
        """As many as there are references, in their order; None where there is no such monitor."""
        ids = {reference: _id_of(reference) for reference in references}
        codes = {reference: self._codes.number_of(reference) for reference in references}
        rows = await self._browsing.find_exactly(
            principal,
            ids=[found for found in ids.values() if found],
            numbers=[number for number in codes.values() if number is not None],
        )
        by_id = {row.monitor.id: row for row in rows}
        by_number = {row.monitor.number: row for row in rows}
        return [by_id.get(ids[reference]) or by_number.get(codes[reference] or 0) for reference in references]

    async def asked(self, principal: Principal, query: QueryParams) -> list[MonitorWithHealth]:
        """Those that `monitor` names, or all; narrowed to `type`. Refused 404 for one that is not there, 400."""
        types = queries.one_of(query, "type", _KNOWN_TYPES)
        kinds = {_TYPES.get(name) for name in types}
        references = queries.many(query, "monitor")
        if references:
            found = await self.many(principal, references)
            for reference, row in zip(references, found, strict=True):
                if row is None:
                    raise Refused(404, f"no monitor {reference[:255]!r}")
            rows = [row for row in found if row is not None]
        else:
            rows = await self._all(principal)
        wanted = [row for row in rows if not types or row.monitor.policy.kind in kinds]
        if len(wanted) > MOST:
            raise wrong("monitor", f"there are more than {MOST} of them; ask for fewer at a time")
        return list({row.monitor.number: row for row in wanted}.values())

    async def _all(self, principal: Principal) -> list[MonitorWithHealth]:
        rows: list[MonitorWithHealth] = []
        token = ""
        while True:
            page = await self._monitors.page(principal, size=_PAGE, token=token, filter="", order_by="")
            rows += page.rows
            token = page.next_token
            if not token or len(rows) > 10 * MOST:
                return rows


def _id_of(reference: str) -> str:
    """Empty for what is no key."""
    try:
        return monitor_id_of(reference)
    except InvalidArgument:
        return ""
