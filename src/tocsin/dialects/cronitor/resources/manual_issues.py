"""Issues that somebody opens by hand: few, kept as they are said, and shown among those of monitors."""

import secrets
from collections.abc import Sequence
from typing import Any, Final

from tocsin.dialects.cronitor.call import Call
from tocsin.dialects.cronitor.resources import issue_json, shown
from tocsin.dialects.cronitor.resources.body import Body
from tocsin.dialects.cronitor.resources.issue_json import RESOLVED, SEVERITIES, STATES, UPDATE
from tocsin.dialects.cronitor.resources.periods import Period, instant_of
from tocsin.dialects.cronitor.resources.query import many, one_of, wrong, wrong_by
from tocsin.dialects.cronitor.resources.services import Services
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.manual_incident import NOTE_MAX, ManualIncident
from tocsin.domain.notification import NAME_MAX

_PAGE: Final = 1_000
_FIELDS: Final = {"display_name": "name", "note": "message"}  # of the noun → of a client
_OF_MONITORS: Final = (*issue_json.MONITOR_WORDS, "group", "tag")  # who asks for these asks for no other issue


class ManualIssues:
    def __init__(self, services: Services) -> None:
        self._manual = services.manual_incidents

    async def found(self, call: Call, period: Period | None) -> Sequence[ManualIncident]:
        """Those that the query asks for, newest first; they are at most 1,000."""
        query = call.query
        if any(many(query, name) for name in _OF_MONITORS):
            return []
        states, severities = one_of(query, "state", tuple(STATES)), one_of(query, "severity", SEVERITIES)
        environments, search = many(query, "env"), query.get("search", "").strip().lower()
        page = await self._manual.page(call.principal, size=_PAGE)
        rows = [
            row
            for row in page.rows
            if (not states or row.state in states)
            and (not severities or row.severity in severities)
            and (not environments or row.environment in environments)
            and (period is None or period.since <= row.open_time < period.until)
            and search in row.display_name.lower()
        ]
        return sorted(rows, key=lambda row: (row.open_time, row.number), reverse=True)

    async def get(self, call: Call, key: str) -> ManualIncident:
        return await self._manual.get(call.principal, key)

    async def create(self, call: Call, body: Body) -> ManualIncident:
        name = body.text("name", NAME_MAX)
        if not name:
            raise wrong("name", "required")
        started = body.fields.get("started")
        values = {
            **_said(body, call.received),
            "display_name": name,
            "open_time": call.received if not started else instant_of(str(started), "started"),
        }
        return await self._put(call, f"issue-{secrets.token_hex(6)}", values, create=True)

    async def update(self, call: Call, key: str, body: Body) -> ManualIncident:
        values = _said(body, call.received)
        if name := body.text("name", NAME_MAX):
            values["display_name"] = name
        return await self._put(call, key, values, create=False)

    async def delete(self, call: Call, key: str) -> None:
        await self._manual.delete(call.principal, key)

    async def _put(self, call: Call, key: str, values: dict[str, Any], *, create: bool) -> ManualIncident:
        try:
            return await self._manual.put(call.principal, key, values, call.received, create=create, update=not create)
        except InvalidArgument as problem:
            raise wrong_by(problem, _FIELDS) from None


def _said(body: Body, now: int) -> dict[str, Any]:
    """The fields that a body names; to change the state to resolved ends the issue now."""
    found: dict[str, Any] = {}
    state = body.word("state", (*STATES, UPDATE))
    if state and state != UPDATE:
        found |= {"state": state, "resolve_time": now if state == RESOLVED else None}
    if severity := body.word("severity", SEVERITIES):
        found["severity"] = severity
    for name, field in (("environment", "environment"), ("assigned_to", "assigned_to"), ("message", "note")):
        if name in body:
            found[field] = body.text(name, NOTE_MAX)
    if "assign_to" in body:
        found["assigned_to"] = body.text("assign_to", NAME_MAX)
    return found


def manual_json(found: ManualIncident) -> dict[str, Any]:
    return {
        "key": found.key,
        "name": found.display_name,
        "state": found.state,
        "severity": found.severity,
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
