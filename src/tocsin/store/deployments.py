"""Deployments: rows in and out, at most one of a namespace on its way, and no more old ones than is of use."""

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from tocsin.domain.deployment import Deployment
from tocsin.store.schema import deployments as table
from tocsin.store.texts import clean, clean_json

KEPT: Final = 100  # of a namespace
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Deployment).decode


def begin(connection: Connection, deployment: Deployment) -> str:
    """Keeps a new one. The id of the one that is on its way in its namespace, if there is one; then nothing is kept."""
    mine = (table.c.project == deployment.project, table.c.namespace == clean(deployment.namespace))
    newest = select(table.c.number, table.c.id, table.c.end_time).where(*mine).order_by(table.c.number.desc())
    rows = connection.execute(newest.limit(KEPT)).all()
    running = next((row.id for row in rows if row.end_time is None), "")
    if running:
        return str(running)
    if len(rows) == KEPT:  # the new one is one of them
        connection.execute(delete(table).where(*mine, table.c.number <= rows[-1].number))
    named = {"project": deployment.project, "id": deployment.id, "namespace": clean(deployment.namespace)}
    connection.execute(insert(table).values(create_time=deployment.create_time, **named, **_changing(deployment)))
    return ""


def save(connection: Connection, deployment: Deployment) -> None:
    """Nothing happens to one that is not there any more."""
    connection.execute(update(table).where(table.c.id == deployment.id).values(_changing(deployment)))


def get(connection: Connection, project: int, id: str) -> Deployment | None:
    row = connection.execute(select(table).where(table.c.project == project, table.c.id == clean(id))).one_or_none()
    return None if row is None else _from_row(row)


def _changing(deployment: Deployment) -> dict[str, Any]:
    return {"end_time": deployment.end_time, "body": clean_json(_encode(deployment)).decode()}


def _from_row(row: Row[Any]) -> Deployment:
    return _decode(row.body)
