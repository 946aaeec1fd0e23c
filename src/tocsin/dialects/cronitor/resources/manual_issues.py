"""Issues that somebody opens by hand: native manual incidents, shown among the issues of monitors."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.resources import shown
from tocsin.dialects.cronitor.resources.body import Body
from tocsin.dialects.cronitor.resources.issue_json import SEVERITIES, STATES, UPDATE
from tocsin.dialects.cronitor.resources.periods import Period, instant_of
from tocsin.dialects.cronitor.resources.query import many, one_of, wrong, wrong_by
from tocsin.dialects.cronitor.resources.services import Services
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import Instant
from tocsin.domain.manual_incident import NOTE_MAX, TITLE_MAX, ManualIncident, Progress, Severity

MOST: Final = 1_000
"""The newest of them are looked at; older ones are there for the native API."""
_FIELDS: Final = {"display_name": "name", "note": "message"}  # of the noun → of a client
_OF_MONITORS: Final = ("group", "tag")  # who asks for these asks for issues of monitors


class ManualIssues:
    def __init__(self, services: Services) -> None:
        self._manual = services.manual_incidents

    async def found(
        self, call: Call, period: Period | None, monitor_ids: Collection[str] | None
    ) -> Sequence[ManualIncident]:
        """Those that the query asks for, the last opened first. `monitor_ids`: about one of these; None: any."""
        query = call.query
        if any(many(query, name) for name in _OF_MONITORS):
            return []
        states, severities = one_of(query, "state", tuple(STATES)), one_of(query, "severity", SEVERITIES)
        environments, search = many(query, "env"), query.get("search", "").strip().lower()
        page = await self._manual.page(call.principal, open_only=False, size=MOST, token="")
        rows = [
            row
            for row in page.rows
            if (not states or row.state.value in states)
            and (not severities or row.severity.value in severities)
            and (not environments or row.environment in environments)
            and (monitor_ids is None or not set(monitor_ids).isdisjoint(row.monitors))
            and (period is None or period.since <= row.open_time < period.until)
            and search in row.title.lower()
        ]
        return sorted(rows, key=lambda row: (row.open_time, row.number), reverse=True)

    async def get(self, call: Call, key: str) -> ManualIncident:
        """NotFound."""
        return await self._manual.get(call.principal, key)

    async def create(self, call: Call, body: Body) -> ManualIncident:
        if not body.text("name", TITLE_MAX):
            raise wrong("name", "required")
        return await self._put(call, "", _said(body), create=True)

    async def update(self, call: Call, key: str, body: Body) -> ManualIncident:
        return await self._put(call, key, _said(body), create=False)

    async def delete(self, call: Call, key: str) -> None:
        await self._manual.delete(call.principal, key)

    async def _put(self, call: Call, key: str, values: dict[str, Any], *, create: bool) -> ManualIncident:
        try:
            return await self._manual.put(call.principal, key, values, call.received, create=create, update=not create)
        except InvalidArgument as problem:
            raise wrong_by(problem, _FIELDS) from None


def _said(body: Body) -> dict[str, Any]:
    """The fields that a body names."""
    found: dict[str, Any] = {}
    if name := body.text("name", TITLE_MAX):
        found["title"] = name
    state = body.word("state", (*STATES, UPDATE))
    if state and state != UPDATE:
        found["state"] = Progress(state)
    if severity := body.word("severity", SEVERITIES):
        found["severity"] = Severity(severity)
    if started := _started(body):
        found["open_time"] = started
    for name, field in (("environment", "environment"), ("assigned_to", "assigned_to"), ("message", "note")):
        if name in body:
            found[field] = body.text(name, NOTE_MAX)
    if "assign_to" in body:
        found["assigned_to"] = body.text("assign_to", TITLE_MAX)
    return found


def _started(body: Body) -> Instant | None:
    value = body.fields.get("started")
    if not value:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise wrong("started", "must be an instant: seconds since 1970, or ISO 8601")
    return instant_of(str(value), "started")


def manual_json(found: ManualIncident) -> dict[str, Any]:
    return {
        "key": found.key,
        "name": found.title,
        "state": found.state.value,
        "severity": found.severity.value,
        "started": shown.iso(found.open_time),
        "environment": found.environment or None,
        "assigned_to": found.assigned_to or None,
        "statuspages": [],
        "affected_components": [],
        "created_by": {"kind": "user", "name": "api"},
        "created": shown.iso(found.create_time),
        "updated": shown.iso(found.update_time if found.update_time != found.create_time else None),
        "monitor": None,
        "message": found.note or None,
        "ended": shown.iso(found.resolve_time),
    }
