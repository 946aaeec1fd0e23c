"""A `MonitorSearch` → one page of the numbers of monitors. Values are bound parameters, never text of the statement.

The order by id runs along an index and costs what the page costs. The other orders are made of what monitors and their
environments say, so each page looks at every monitor of the project once; only the numbers are sorted.
"""

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
)

from tocsin.domain.instant import Instant
from tocsin.domain.track import Health, TrackFlag
from tocsin.store import leaves, texts
from tocsin.store.browse_port import Leaf, MonitorSearch, Sort, Standing, Turn
from tocsin.store.schema import environments, monitors, tracks

Where = ColumnElement[bool]
_NAME: Final = func.coalesce(func.nullif(monitors.c.display_name, ""), monitors.c.id)
_MINE: Final = tracks.c.monitor == monitors.c.number
_OFF: Final = or_(monitors.c.disabled, monitors.c.inactive)
_HEALTHS: Final = {Standing.UNHEALTHY: Health.UNHEALTHY, Standing.HEALTHY: Health.HEALTHY, Standing.NEW: Health.NEW}


def page(
    connection: Connection, project: int, search: MonitorSearch, *, now: Instant, size: int, turn: Turn
) -> Leaf[Row[Any]]:
    """Rows have a `number`. `now` says which mutes have run out."""
    statement = select(monitors.c.number).where(monitors.c.project == project, *_conditions(search))
    keys: list[ColumnElement[Any]] = [monitors.c.id]
    types: Any = tuple[str]
    if search.sort is not Sort.ID:
        statement, keys = _ranked(statement, _key(search, now))
        types = tuple[str, str] if search.sort is Sort.NAME else tuple[int, str]
    return leaves.leaf(
        connection,
        statement,
        keys,
        descending=search.descending,
        size=size,
        turn=turn,
        query=("browse monitors", project, *_plain(search)),
        types=types,
    )


def _ranked(statement: Select[Any], key: ColumnElement[Any]) -> tuple[Select[Any], list[ColumnElement[Any]]]:
    """The statement over a common table, so that a costly key is made once for each row."""
    rows = statement.add_columns(key.label("rank"), monitors.c.id.label("id")).cte("ranked")
    return select(rows.c.number), [rows.c.rank, rows.c.id]


def _plain(search: MonitorSearch) -> tuple[object, ...]:
    return (
        search.environments,
        search.owners,
        search.words,
        search.ids,
        search.id_parts,
        search.name_parts,
        tuple(int(standing) for standing in search.standings),
        search.sort.value,
        search.descending,
    )


def _key(search: MonitorSearch, now: Instant) -> ColumnElement[Any]:
    if search.sort is Sort.NAME:
        return func.lower(_NAME)
    muted = func.coalesce(monitors.c.muted_until, 0) > now
    if search.sort is Sort.MUTED:
        heard = exists().where(_MINE, tracks.c.flags.op("&")(int(TrackFlag.MUTED)) == 0)
        return case((muted, 1), (and_(exists().where(_MINE), not_(heard)), 1), else_=0)
    one = case(
        (tracks.c.flags.op("&")(int(TrackFlag.MUTED)) != 0, int(Standing.MUTED)),
        (tracks.c.health == Health.UNHEALTHY, int(Standing.UNHEALTHY)),
        (tracks.c.health == Health.HEALTHY, int(Standing.HEALTHY)),
        else_=int(Standing.NEW),
    )
    worst = select(func.min(one)).where(_MINE, *_in_environments(search)).correlate(monitors).scalar_subquery()
    return case(
        (_OFF, int(Standing.DISABLED)), (muted, int(Standing.MUTED)), else_=func.coalesce(worst, int(Standing.NEW))
    )


def _conditions(search: MonitorSearch) -> list[Where]:
    found: list[Where] = []
    if search.environments:
        found.append(exists().where(_MINE, *_in_environments(search)))
    if search.owners:
        found.append(or_(*(_owner(owner) for owner in search.owners)))
    for word in search.words:
        uid = word.replace("-", "").lower()
        found.append(or_(texts.contains(monitors.c.id, word), texts.contains(_NAME, word), monitors.c.uid == uid))
    if search.ids:
        uids = [text.replace("-", "").lower() for text in search.ids]
        found.append(or_(monitors.c.id.in_(search.ids), monitors.c.uid.in_(uids)))
    found += [texts.contains(monitors.c.id, part) for part in search.id_parts]
    found += [texts.contains(_NAME, part) for part in search.name_parts]
    if search.standings:
        found.append(or_(*(_stands(standing, search) for standing in search.standings)))
    return found


def _stands(standing: Standing, search: MonitorSearch) -> Where:
    if standing is Standing.DISABLED:
        return _OFF
    health = _HEALTHS.get(standing)
    if health is None:
        return false()
    some: Where = exists().where(_MINE, tracks.c.health == literal(int(health)), *_in_environments(search))
    if standing is Standing.NEW:
        some = or_(some, not_(exists().where(_MINE)))
    return and_(not_(_OFF), some)


def _in_environments(search: MonitorSearch) -> list[Where]:
    if not search.environments:
        return []
    named = select(environments.c.number).where(environments.c.name.in_(search.environments))
    return [tracks.c.environment.in_(named)]


def _owner(owner: str) -> Where:
    if owner.endswith("*"):
        return texts.begins(monitors.c.owner, owner[:-1])
    return monitors.c.owner == owner
