"""A `Selection` of monitors → the numbers of one page of them by its number, and how many there are in all.

For protocols whose pages are counted. What a page costs grows with its number: rows are counted to where it begins.
Values are bound parameters, never text of the statement.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, not_, or_, select

from tocsin.domain.instant import Instant
from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.domain.track import FAILURES, Health, Verdict
from tocsin.store import tags, texts
from tocsin.store.browse_port import Condition, Selection
from tocsin.store.schema import environments, monitors, policies, tracks

Where = ColumnElement[bool]
_EXTRAS: Final = "extras"
_NAME: Final = func.coalesce(func.nullif(monitors.c.display_name, ""), monitors.c.id)
_MINE: Final = tracks.c.monitor == monitors.c.number


def page(
    connection: Connection, project: int, only: Selection, *, now: Instant, size: int, offset: int
) -> tuple[list[int], int]:
    conditions = [monitors.c.project == project, *_conditions(only, now)]
    total = connection.execute(select(func.count()).select_from(monitors).where(*conditions)).scalar_one()
    if offset >= total:
        return [], total
    keys: list[ColumnElement[Any]] = [monitors.c.number]
    if only.by_name:
        keys.insert(0, func.lower(_NAME))
    order = [key.desc() if only.descending else key for key in keys]
    statement = select(monitors.c.number).where(*conditions).order_by(*order).limit(size).offset(offset)
    return list(connection.execute(statement).scalars()), total


def _conditions(only: Selection, now: Instant) -> list[Where]:
    found: list[Where] = []
    if only.types:
        kept = texts.Member(monitors.c.body, _EXTRAS, only.dialect, "type")
        found.append(
            case((monitors.c.inactive, func.coalesce(kept, monitors.c.kind)), else_=monitors.c.kind).in_(only.types)
        )
    if only.groups:
        found.append(monitors.c.group.in_([texts.clean(group) for group in only.groups]))
    if only.tags:
        found.append(or_(*(tags.has(monitors.c.tags, tag) for tag in only.tags)))
    if only.words:
        key = func.coalesce(texts.Member(monitors.c.body, _EXTRAS, only.dialect, "key"), monitors.c.id)
        columns = (key, monitors.c.display_name)  # where a key is kept, nobody is shown what the id was made of
        found += [or_(*(texts.contains(column, word) for column in columns)) for word in only.words]
    if only.conditions:
        found.append(or_(*(_is(condition, only, now) for condition in only.conditions)))
    if only.rolling:
        found.append(monitors.c.policy.in_(rolling()))
    found += [texts.contains(_NAME, part) for part in only.name_parts]
    if only.failed is not None:
        failed = exists().where(_MINE, _failed(), _within(only))
        found.append(failed if only.failed else not_(failed))
    if only.after:
        found.append(monitors.c.number > only.after)
    if only.environment:
        found.append(exists().where(_MINE, _within(only)))
    return found


def _is(condition: Condition, only: Selection, now: Instant) -> Where:
    muted: Where = func.coalesce(monitors.c.muted_until, 0) > now
    if condition is Condition.MUTED:
        return muted
    failing = exists().where(_MINE, tracks.c.health == Health.UNHEALTHY, _within(only))
    return and_(not_(muted), failing if condition is Condition.FAILING else not_(failing))


def _failed() -> Where:
    """The last verdict; while nobody could listen, the one before that is still open."""
    unheard = and_(tracks.c.verdict == Verdict.UNKNOWN, tracks.c.health == Health.UNHEALTHY)
    return or_(tracks.c.verdict.in_([int(verdict) for verdict in FAILURES]), unheard)


def rolling() -> Any:
    """Policies with just one schedule that is a rolling one, by how their JSON begins.

    Policies are few. Quotes inside of texts are escaped, so none of them looks like this.
    """
    body = policies.c.body
    one = and_(body.contains('"schedules":[{"type":"rolling",', autoescape=True), not_(body.contains('},{"type":')))
    return select(policies.c.number).where(one)


def _within(only: Selection) -> Where:
    name = only.environment or DEFAULT_ENVIRONMENT
    return tracks.c.environment == select(environments.c.number).where(environments.c.name == name).scalar_subquery()
