"""An `IncidentSearch` → one page of incidents by its number, and how many there are in all."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_

from tocsin.domain.incident import Incident
from tocsin.store import incidents as rows
from tocsin.store import texts
from tocsin.store.browse_port import IncidentSearch, Numbered, Stage
from tocsin.store.schema import environments, incidents, monitors

_OPEN: Final = incidents.c.resolve_time.is_(None)
_STAGES: Final[dict[Stage, ColumnElement[bool]]] = {
    Stage.OPEN: and_(_OPEN, incidents.c.acknowledge_time.is_(None)),
    Stage.ACKNOWLEDGED: and_(_OPEN, incidents.c.acknowledge_time.is_not(None)),
    Stage.RESOLVED: incidents.c.resolve_time.is_not(None),
}


def page(connection: Connection, project: int, only: IncidentSearch, *, size: int, offset: int) -> Numbered[Incident]:
    """Newest first, or oldest first when it says so."""
    statement = _narrowed(project, only)
    counted = statement.with_only_columns(func.count(), maintain_column_froms=True)
    order = incidents.c.number if only.oldest_first else incidents.c.number.desc()
    found = connection.execute(statement.order_by(order).limit(size).offset(offset))
    return Numbered([rows.from_row(row) for row in found], connection.execute(counted).scalar_one())


def _narrowed(project: int, only: IncidentSearch) -> Select[Any]:
    found: list[ColumnElement[bool]] = [incidents.c.project == project]
    if only.monitors is not None:
        found.append(incidents.c.monitor.in_(only.monitors))
    if only.environments:
        found.append(environments.c.name.in_(only.environments))
    if only.causes is not None:
        found.append(incidents.c.cause.in_(sorted(cause.value for cause in only.causes)))
    if only.stages:
        found.append(or_(*(_STAGES[stage] for stage in only.stages)))
    if only.since is not None:
        found.append(incidents.c.open_time >= only.since)
    if only.until is not None:
        found.append(incidents.c.open_time < only.until)
    name = func.coalesce(func.nullif(monitors.c.display_name, ""), monitors.c.id)
    found += [texts.contains(monitors.c.id, word) | texts.contains(name, word) for word in only.words]
    return rows.select_incidents().where(*found)
