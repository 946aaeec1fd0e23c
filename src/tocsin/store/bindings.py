"""Bindings: which resource stands for what a program declares, and who declares a resource; programs themselves.

A program is a row too: of the type `PROGRAM`, without a logical id; its "resource" is what is known of it, as JSON.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select

from tocsin.domain.deployment import Binding, Owner, Program
from tocsin.store.port import chunks
from tocsin.store.schema import bindings as table
from tocsin.store.texts import clean, clean_json

PROGRAM: Final = ""  # no dialect calls a type so
_MANY: Final = 500  # values in one IN
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Program).decode


def of_namespace(connection: Connection, project: int, namespace: str) -> list[Binding]:
    """What a program has, in the order in which it was bound."""
    statement = (
        select(table.c.type, table.c.logical_id, table.c.resource)
        .where(_of(project, namespace), table.c.type != PROGRAM)
        .order_by(table.c.number)
    )
    return [Binding(*row) for row in connection.execute(statement)]


def owners(connection: Connection, project: int, type: str, resources: Collection[str]) -> dict[str, Owner]:
    """By resource, those of these that a program declares; the newest, should several do."""
    owned: list[tuple[str, str, str]] = []
    for some in chunks(sorted(resources), _MANY):
        statement = select(table.c.resource, table.c.namespace, table.c.logical_id).where(
            table.c.project == project, table.c.type == type, table.c.resource.in_(some)
        )
        owned += [tuple(row) for row in connection.execute(statement.order_by(table.c.number))]
    known = {
        program.namespace: program
        for program in _programs(connection, project, {namespace for _, namespace, _ in owned})
    }
    return {resource: Owner(known[namespace], name) for resource, namespace, name in owned if namespace in known}


def elsewhere(connection: Connection, project: int, namespace: str, type: str, resources: Collection[str]) -> set[str]:
    """Those of these resources that other programs have too."""
    found: set[str] = set()
    for some in chunks(sorted(resources), _MANY):
        statement = select(table.c.resource).where(
            table.c.project == project,
            table.c.type == type,
            table.c.resource.in_(some),
            table.c.namespace != clean(namespace),
        )
        found.update(connection.execute(statement).scalars())
    return found


def bind(connection: Connection, project: int, namespace: str, bindings: Iterable[Binding]) -> None:
    """One that is bound already is bound to another resource."""
    found = [binding._replace(logical_id=clean(binding.logical_id)) for binding in bindings]
    unbind(connection, project, namespace, found)
    if found:
        common = {"project": project, "namespace": clean(namespace)}
        connection.execute(insert(table), [{**common, **binding._asdict()} for binding in found])


def unbind(connection: Connection, project: int, namespace: str, bindings: Collection[Binding]) -> None:
    """The resources are not touched."""
    if bindings:
        statement = delete(table).where(
            _of(project, namespace),
            table.c.type == bindparam("of_type"),
            table.c.logical_id == bindparam("of_logical_id"),
        )
        connection.execute(statement, [{"of_type": one.type, "of_logical_id": one.logical_id} for one in bindings])


def program(connection: Connection, project: int, namespace: str) -> Program | None:
    return next(iter(_programs(connection, project, [namespace])), None)


def programs(connection: Connection, project: int, *, skip: int, size: int) -> tuple[list[Program], int]:
    """Those of a project, oldest first, and how many there are."""
    mine = and_(table.c.project == project, table.c.type == PROGRAM)
    total = connection.execute(select(func.count()).select_from(table).where(mine)).scalar_one()
    statement = select(table.c.resource).where(mine).order_by(table.c.number).offset(skip).limit(size)
    return [_decode(text) for text in connection.execute(statement).scalars()], total


def put_program(connection: Connection, project: int, program: Program) -> None:
    """In the place that it has among the others, if it is there already."""
    text = clean_json(_encode(program)).decode()
    key = and_(_of(project, program.namespace), table.c.type == PROGRAM)
    if connection.execute(table.update().where(key).values(resource=text)).rowcount == 0:
        row = {"project": project, "namespace": clean(program.namespace), "type": PROGRAM, "logical_id": ""}
        connection.execute(insert(table).values(resource=text, **row))


def remove_program(connection: Connection, project: int, namespace: str) -> None:
    """With all its bindings; the resources are not touched."""
    connection.execute(delete(table).where(_of(project, namespace)))


def _programs(connection: Connection, project: int, namespaces: Collection[str]) -> list[Program]:
    found: list[Program] = []
    for some in chunks(sorted(map(clean, namespaces)), _MANY):
        statement = select(table.c.resource).where(
            table.c.project == project, table.c.namespace.in_(some), table.c.type == PROGRAM, table.c.logical_id == ""
        )
        found += [_decode(text) for text in connection.execute(statement).scalars()]
    return found


def _of(project: int, namespace: str) -> Any:
    return and_(table.c.project == project, table.c.namespace == clean(namespace))
