"""The query of a list of monitors → a `MonitorSearch`."""

import shlex
from typing import Final

from starlette.datastructures import QueryParams

from tocsin.dialects.sentry.management.replies import Refused
from tocsin.service.principal import Principal
from tocsin.store.browse_port import MonitorSearch, Sort, Standing

ALL_PROJECTS: Final = "-1"
_SORTS: Final = {"": Sort.ID, "slug": Sort.ID, "name": Sort.NAME, "status": Sort.STANDING, "muted": Sort.MUTED}
_STATUSES: Final = {
    "ok": Standing.HEALTHY,
    "active": Standing.NEW,
    "error": Standing.UNHEALTHY,
    "missed_checkin": Standing.UNHEALTHY,  # older words
    "timeout": Standing.UNHEALTHY,
    "disabled": Standing.DISABLED,
}
_OWNERS: Final = {"unassigned": "", "myteams": "team:*"}
_MAX: Final = 100  # values of one parameter


def environments_of(query: QueryParams) -> tuple[str, ...]:
    """All that are named, in either spelling. Refused 400 when they are too many."""
    return _many(query, "environment")


def named_environments_of(query: QueryParams) -> tuple[str, ...]:
    """For what deletes: what is empty or misspelt is refused, since passing over it would widen it to everything."""
    if unknown := sorted(query.keys() - {"environment", "project"}):
        raise Refused(400, f"environment: it is the only parameter here, not {unknown[0][:40]!r}")
    if any(not name.strip() for name in query.getlist("environment")):
        raise Refused(400, "environment: must not be empty; name one, or leave the parameter out to mean the monitor")
    return environments_of(query)


def check_projects(query: QueryParams, principal: Principal) -> None:
    """PermissionDenied for a project that is not the key's; -1 is all that it may see."""
    for asked in _many(query, "project"):
        if asked != ALL_PROJECTS:
            principal.require_project(asked)


def search_of(query: QueryParams) -> MonitorSearch:
    """Refused 400 for a sort or a status that does not exist."""
    sort = query.get("sort") or ""
    if sort not in _SORTS:
        raise Refused(400, f"sort: {sort[:40]!r} is none of status, name, muted, slug")
    words: list[str] = []
    parts: dict[str, list[str]] = {"id": [], "name": [], "slug": [], "status": []}
    for term in _terms(query.get("query") or ""):
        key, colon, value = term.partition(":")
        if colon and value and key in parts:
            parts[key].append(value)
        else:
            words.append(term)
    return MonitorSearch(
        environments=environments_of(query),
        owners=tuple(_OWNERS.get(owner, owner) for owner in _many(query, "owner")),
        words=tuple(words),
        ids=tuple(parts["id"]),
        id_parts=tuple(parts["slug"]),
        name_parts=tuple(parts["name"]),
        standings=tuple(_standing(status) for status in parts["status"]),
        sort=_SORTS[sort],
        descending=query.get("asc", "1") in ("0", "false"),
    )


def _terms(text: str) -> list[str]:
    """Words, with quotes around what holds blanks; an open quote is a character."""
    if len(text) > 1_000:
        raise Refused(400, "query: must be at most 1000 characters")
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _standing(status: str) -> Standing:
    try:
        return _STATUSES[status.lower()]
    except KeyError:
        raise Refused(400, f"query: the status {status[:40]!r} is none of {', '.join(_STATUSES)}") from None


def _many(query: QueryParams, name: str) -> tuple[str, ...]:
    values = tuple(value for value in query.getlist(name) if value)
    if len(values) > _MAX:
        raise Refused(400, f"{name}: at most {_MAX} values")
    return values
