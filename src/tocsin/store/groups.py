"""Groups: rows in and out, one by key, a page of them with the number of their members."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from tocsin.domain import errors
from tocsin.domain.group import NAME_MAX, Group
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Escalation, Monitor
from tocsin.store import monitors, pages, subscriptions
from tocsin.store.nouns_port import GROUPS_MAX, CountedGroup
from tocsin.store.port import Page, chunks
from tocsin.store.schema import groups as table
from tocsin.store.schema import is_grouped
from tocsin.store.schema import monitors as monitors_table
from tocsin.store.texts import clean, clean_json

_MANY: Final = 500  # values in one IN


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """What no query looks at."""

    tags: tuple[str, ...] = ()
    muted: bool = False
    inactive: bool = False
    escalation: Escalation | None = None
    project_escalation: bool | None = None
    extras: dict[str, msgspec.Raw] = {}


_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_decode: Final = msgspec.json.Decoder(Body).decode


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
    if known is None:
        if not create:
            raise not_found(key)
        _check_room(connection, project)
        row = {"project": project, "key": key, "create_time": at, "update_time": at}
        connection.execute(insert(table).values(row | _written(Group(0, project, key), values)))
    else:
        if not update_known:
            raise errors.AlreadyExists(
                f"there is a group {key[:64]!r} already; update it instead",
                reason="GROUP_ALREADY_EXISTS",
                metadata={"group": key[:64]},
            )
        written = _written(known.group, values)
        if written["display_name"] == known.group.display_name and _decode(written["body"]) == _body(known.group):
            return known
        which = table.c.number == known.group.number
        connection.execute(update(table).where(which).values(written | {"update_time": at}))
    found = get(connection, project, key)
    assert found is not None
    return found


def _written(group: Group, values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a group after these changes; extras are replaced dialect by dialect."""
    extras = {**group.extras, **values.get("extras", {})}
    changed = msgspec.structs.replace(group, **{**values, "extras": extras})
    return {"display_name": clean(changed.display_name), "body": clean_json(_encode(_body(changed))).decode()}


def _body(group: Group) -> Body:
    return Body(**{name: getattr(group, name) for name in Body.__struct_fields__})


def get(connection: Connection, project: int, key: str) -> CountedGroup | None:
    statement = _select().where(table.c.project == project, table.c.key == clean(key))
    row = connection.execute(statement).one_or_none()
    return None if row is None else _from_row(row)


def get_by_number(connection: Connection, project: int, number: int) -> CountedGroup | None:
    row = connection.execute(_select().where(table.c.project == project, table.c.number == number)).one_or_none()
    return None if row is None else _from_row(row)


def named(connection: Connection, project: int, keys: Collection[str]) -> dict[str, Group]:
    """Those of these keys that exist, without the count of their members."""
    found: dict[str, Group] = {}
    for some in chunks(sorted(map(clean, keys)), _MANY):
        statement = select(table).where(table.c.project == project, table.c.key.in_(some))
        found.update((row.key, _group(row)) for row in connection.execute(statement))
    return found


def numbered_page(connection: Connection, project: int, *, size: int, offset: int) -> tuple[list[CountedGroup], int]:
    """In the order in which they were made, and how many there are."""
    mine = table.c.project == project
    total = connection.execute(select(func.count()).select_from(table).where(mine)).scalar_one()
    statement = _select().where(mine).order_by(table.c.number).limit(size).offset(offset)
    return [_from_row(row) for row in connection.execute(statement)] if offset < total else [], total


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
    """False: there was none. Its subscriptions end with it."""
    statement = delete(table).where(table.c.project == project, table.c.key == key).returning(table.c.number)
    gone = connection.execute(statement).scalars().all()
    subscriptions.end(connection, subscriptions.Whose.GROUP, gone)
    return bool(gone)


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
    return CountedGroup(_group(row), row.monitors)


def _group(row: Row[Any]) -> Group:
    return Group(
        number=row.number,
        project=row.project,
        key=row.key,
        display_name=row.display_name,
        create_time=row.create_time,
        update_time=row.update_time,
        **msgspec.structs.asdict(_decode(row.body)),
    )
