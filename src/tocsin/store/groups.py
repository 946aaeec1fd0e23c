"""Groups: rows in and out, one by key, a page of them with the number of their members."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from tocsin.domain import errors
from tocsin.domain.group import NAME_MAX, Group
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Monitor
from tocsin.store import monitors, pages
from tocsin.store.nouns_port import GROUPS_MAX, CountedGroup
from tocsin.store.port import Page, chunks
from tocsin.store.schema import groups as table
from tocsin.store.schema import is_grouped
from tocsin.store.schema import monitors as monitors_table
from tocsin.store.texts import clean

_MANY: Final = 500  # values in one IN


def put(
    connection: Connection,
    project: int,
    key: str,
    *,
    values: Mapping[str, Any],
    at: Instant,
    create: bool,
    update_known: bool,
) -> CountedGroup:
    known = get(connection, project, key)
    cleaned = {name: clean(value) if isinstance(value, str) else value for name, value in values.items()}
    if known is None:
        if not create:
            raise not_found(key)
        _check_room(connection, project)
        row = {"project": project, "key": key, "display_name": "", "create_time": at, "update_time": at}
        connection.execute(insert(table).values(row | cleaned))
    else:
        if not update_known:
            raise errors.AlreadyExists(
                f"there is a group {key[:64]!r} already; update it instead",
                reason="GROUP_ALREADY_EXISTS",
                metadata={"group": key[:64]},
            )
        if all(getattr(known.group, name) == value for name, value in cleaned.items()):
            return known
        written = {**cleaned, "update_time": at}
        connection.execute(update(table).where(table.c.number == known.group.number).values(written))
    found = get(connection, project, key)
    assert found is not None
    return found


def get(connection: Connection, project: int, key: str) -> CountedGroup | None:
    statement = _select().where(table.c.project == project, table.c.key == clean(key))
    row = connection.execute(statement).one_or_none()
    return None if row is None else _from_row(row)


def list_page(connection: Connection, project: int, *, size: int, token: str) -> Page[CountedGroup]:
    query = ("groups", project)
    statement = _select().where(table.c.project == project)
    if token:
        statement = statement.where(table.c.key > pages.decode(token, query, tuple[str])[0])
    found = [_from_row(row) for row in connection.execute(statement.order_by(table.c.key).limit(size + 1))]
    return pages.cut(found, size, query, lambda row: (row.group.key,))


def known(connection: Connection, project: int, keys: Collection[str]) -> set[str]:
    found: set[str] = set()
    for some in chunks(sorted(keys), _MANY):
        statement = select(table.c.key).where(table.c.project == project, table.c.key.in_(some))
        found.update(connection.execute(statement).scalars())
    return found


def remove(connection: Connection, project: int, key: str) -> bool:
    statement = delete(table).where(table.c.project == project, table.c.key == key)
    return connection.execute(statement).rowcount > 0


def members(connection: Connection, project: int, keys: Collection[str]) -> dict[str, list[Monitor]]:
    found: dict[str, list[Monitor]] = {key: [] for key in keys}
    for some in chunks(sorted(found), _MANY):
        for monitor in monitors.in_groups(connection, project, some):
            found[monitor.group].append(monitor)
    return found


def ensure(
    connection: Connection, project: int, keys: Collection[str], at: Instant, *, validate_only: bool = False
) -> None:
    cleaned = {clean(key) for key in keys}
    missing = sorted(cleaned - known(connection, project, cleaned))
    if not missing:
        return
    _check_room(connection, project, len(missing))
    if not validate_only:
        common = {"project": project, "create_time": at, "update_time": at}
        rows = [{**common, "key": key, "display_name": key[:NAME_MAX]} for key in missing]
        connection.execute(insert(table), rows)


def _check_room(connection: Connection, project: int, more: int = 1) -> None:
    count = connection.execute(select(func.count()).where(table.c.project == project)).scalar() or 0
    if count + more > GROUPS_MAX:
        raise errors.ResourceExhausted(
            f"a project has at most {GROUPS_MAX} groups",
            reason="QUOTA_EXCEEDED",
            metadata={"limit": str(GROUPS_MAX), "quota": "groups"},
        )


def not_found(key: str) -> errors.NotFound:
    return errors.NotFound(
        f"no group {key[:64]!r} in this project", reason="GROUP_NOT_FOUND", metadata={"group": key[:64]}
    )


def _select() -> Select[Any]:
    mine = (monitors_table.c.project == table.c.project, monitors_table.c.group == table.c.key, is_grouped)
    counted = select(func.count()).select_from(monitors_table).where(*mine).correlate(table).scalar_subquery()
    return select(table, counted.label("monitors"))


def _from_row(row: Row[Any]) -> CountedGroup:
    group = Group(
        number=row.number,
        project=row.project,
        key=row.key,
        display_name=row.display_name,
        create_time=row.create_time,
        update_time=row.update_time,
    )
    return CountedGroup(group, row.monitors)
