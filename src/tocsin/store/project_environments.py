"""Environments of a project: what was decided for them, joined with those that monitors have reported from."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from tocsin.domain import errors
from tocsin.domain.environment import ProjectEnvironment
from tocsin.domain.instant import Instant
from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.store.nouns_port import ENVIRONMENTS_MAX, CountedEnvironment
from tocsin.store.schema import environments as names
from tocsin.store.schema import monitors, tracks
from tocsin.store.schema import project_environments as table
from tocsin.store.texts import clean

_HERE: Final = tracks.c.monitor == monitors.c.number


def put(
    connection: Connection,
    project: int,
    key: str,
    *,
    values: Mapping[str, Any],
    at: Instant,
    create: bool,
    update_known: bool,
) -> CountedEnvironment:
    known = get(connection, project, key)
    if known is None and not create:
        raise not_found(key)
    if known is not None and not update_known:
        raise errors.AlreadyExists(
            f"the project has an environment {key!r} already; update it instead",
            reason="PROJECT_ENVIRONMENT_ALREADY_EXISTS",
            metadata={"environment": key},
        )
    cleaned = {name: clean(value) if isinstance(value, str) else value for name, value in values.items()}
    if known is None or not known.environment.number:
        _check_room(connection, project)
        row = {"project": project, "key": key, "display_name": "", "with_alerts": True}
        connection.execute(insert(table).values({**row, "create_time": at, "update_time": at, **cleaned}))
    elif any(getattr(known.environment, name) != value for name, value in cleaned.items()):
        written = {**cleaned, "update_time": at}
        connection.execute(update(table).where(table.c.number == known.environment.number).values(written))
    found = get(connection, project, key)
    assert found is not None
    return found


def get(connection: Connection, project: int, key: str) -> CountedEnvironment | None:
    statement = select(table).where(table.c.project == project, table.c.key == clean(key))
    row = connection.execute(statement).one_or_none()
    count = _count(connection, project, key)
    if row is not None:
        return CountedEnvironment(_from_row(row), count)
    if count or key == DEFAULT_ENVIRONMENT:
        return CountedEnvironment(ProjectEnvironment(0, project, key), count)
    return None


def every(connection: Connection, project: int) -> list[CountedEnvironment]:
    """By key."""
    in_use = (
        select(names.c.name, func.count())
        .select_from(monitors)
        .join(tracks, _HERE)
        .join(names, tracks.c.environment == names.c.number)
        .where(monitors.c.project == project)
        .group_by(names.c.name)
    )
    counts: dict[str, int] = {row[0]: row[1] for row in connection.execute(in_use)}
    decided = {row.key: _from_row(row) for row in connection.execute(select(table).where(table.c.project == project))}
    return [
        CountedEnvironment(decided.get(key) or ProjectEnvironment(0, project, key), counts.get(key, 0))
        for key in sorted({DEFAULT_ENVIRONMENT} | counts.keys() | decided.keys())
    ]


def remove(connection: Connection, project: int, key: str) -> bool:
    statement = delete(table).where(table.c.project == project, table.c.key == key)
    return connection.execute(statement).rowcount > 0


def monitors_in(connection: Connection, project: int, environment: str) -> list[str]:
    statement = (
        select(monitors.c.id).join(tracks, _HERE).where(monitors.c.project == project, *_named(connection, environment))
    )
    return list(connection.execute(statement.order_by(monitors.c.id)).scalars())


def without_alerts(connection: Connection, project: int) -> frozenset[str]:
    statement = select(table.c.key).where(table.c.project == project, table.c.with_alerts.is_(False))
    return frozenset(connection.execute(statement).scalars())


def not_found(key: str) -> errors.NotFound:
    return errors.NotFound(
        f"the project has no environment {key[:64]!r}",
        reason="PROJECT_ENVIRONMENT_NOT_FOUND",
        metadata={"environment": key[:64]},
    )


def _count(connection: Connection, project: int, environment: str) -> int:
    """Of the monitors that have reported from it."""
    statement = (
        select(func.count())
        .select_from(monitors)
        .join(tracks, _HERE)
        .where(monitors.c.project == project, *_named(connection, environment))
    )
    return connection.execute(statement).scalar() or 0


def _named(connection: Connection, environment: str) -> tuple[Any, ...]:
    """By number, which is in the index of tracks; a name that nobody ever reported has none."""
    number = connection.execute(select(names.c.number).where(names.c.name == clean(environment))).scalar()
    return (tracks.c.environment == (number or 0),)


def _check_room(connection: Connection, project: int) -> None:
    count = connection.execute(select(func.count()).where(table.c.project == project)).scalar() or 0
    if count >= ENVIRONMENTS_MAX:
        raise errors.ResourceExhausted(
            f"a project decides for at most {ENVIRONMENTS_MAX} environments",
            reason="QUOTA_EXCEEDED",
            metadata={"limit": str(ENVIRONMENTS_MAX), "quota": "environments"},
        )


def _from_row(row: Row[Any]) -> ProjectEnvironment:
    return ProjectEnvironment(
        number=row.number,
        project=row.project,
        key=row.key,
        display_name=row.display_name,
        with_alerts=row.with_alerts,
        create_time=row.create_time,
        update_time=row.update_time,
    )
