"""The history of a monitor at the old URLs: what was sent and what was told, newest first, as JSON or CSV."""

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp

from tocsin.dialects.cronitor.resources import events
from tocsin.dialects.cronitor.telemetry import answers
from tocsin.domain.codes import Codes
from tocsin.domain.monitor import Monitor
from tocsin.http.raw import CONTENT_TYPE, Answer, length
from tocsin.service.browsing import Browsing
from tocsin.service.incidents import Incidents
from tocsin.service.monitors import Monitors
from tocsin.service.principal import Principal
from tocsin.store.browse_port import Turn
from tocsin.store.port import CheckInFilter

JSON, CSV = "json", "csv"
DEFAULT: Final = 20
MOST: Final = 1_500
_TYPES: Final = {JSON: b"application/json", CSV: b"text/csv; charset=utf-8"}
_NO: Final = frozenset(("0", "false", "no", "off"))
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


class History:
    def __init__(
        self, monitors: Monitors, browsing: Browsing, incidents: Incidents, codes: Callable[[], Codes]
    ) -> None:
        self._monitors = monitors
        self._browsing = browsing
        self._incidents = incidents
        self._codes = codes

    async def answer(self, principal: Principal, monitor_id: str, query: Mapping[str, str], form: str) -> ASGIApp:
        """`limit` 0 to 1500; `pings` and `alerts`: those that are asked for, both when neither is."""
        text = query.get("limit", "")
        if text and not (text.isascii() and text.isdecimal() and int(text[:9]) <= MOST):
            return answers.text(400, f"limit: {text[:20]!r} is no number from 0 to {MOST}\n")
        limit = int(text) if text else DEFAULT
        asked = {name for name in ("pings", "alerts") if name in query}
        wanted = {name for name in asked or ("pings", "alerts") if query.get(name, "").lower() not in _NO}
        monitor = (await self._monitors.get(principal, monitor_id)).monitor
        found: list[events.Event] = []
        if limit and "pings" in wanted:
            only = CheckInFilter(monitor.number)
            leaf = await self._browsing.check_ins(principal, only, (), size=limit, turn=Turn())
            kind = monitor.policy.kind
            found += [event for row in reversed(leaf.rows) for event in events.of_check_in(row, kind)]
        if limit and "alerts" in wanted:
            page = await self._incidents.page(
                principal, monitor_id=monitor.id, open_only=False, size=min(limit, 1_000), token=""
            )
            found += [event for row in reversed(page.rows) for event in events.of_incident(row)]
        content = self._written(monitor, events.newest(found, limit), form)
        return Answer(200, ((b"cache-control", b"no-store"), length(content), (CONTENT_TYPE, _TYPES[form])), content)

    def _written(self, monitor: Monitor, found: list[events.Event], form: str) -> bytes:
        code = self._codes().code_of(monitor.number)
        rows = [events.event_json(event, monitor, code) for event in found]
        return msgspec.json.encode(rows) if form == JSON else _csv(rows).encode()


_COLUMNS: Final = (
    *("stamp", "monitor_name", "monitor_code", "description", "from", "message", "event", "status"),
    *("duration", "created", "env"),
)


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Text that clients sent must not be run by who opens the table."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
