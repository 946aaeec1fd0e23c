"""Errors of traces: rows in and out, and those of several traces at once."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Connection, delete, select, tuple_

from tocsin.domain.instant import Instant
from tocsin.domain.trace_error import TraceError
from tocsin.store.port import chunks
from tocsin.store.schema import trace_errors
from tocsin.store.texts import clean

_MANY: Final = 500  # values in one IN


def to_row(error: TraceError) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    return (
        error.project,
        bytes.fromhex(error.trace_id),
        error.at,
        clean(error.level),
        clean(error.type),
        clean(error.value),
    )


def of_traces(connection: Connection, project: int, trace_ids: Collection[str]) -> dict[str, TraceError]:
    """By trace id (32 hex), as far as they are known."""
    found = {}
    for some in chunks([bytes.fromhex(trace_id) for trace_id in trace_ids], _MANY):
        statement = select(trace_errors).where(trace_errors.c.project == project, trace_errors.c.trace_id.in_(some))
        for row in connection.execute(statement):
            trace_id = row.trace_id.hex()
            found[trace_id] = TraceError(row.project, trace_id, row.at, row.level, row.type, row.value)
    return found


def expire(connection: Connection, before: Instant, limit: int) -> int:
    """How many rows went, at most `limit`."""
    if limit <= 0:
        return 0
    key = tuple_(trace_errors.c.project, trace_errors.c.trace_id)
    old = select(trace_errors.c.project, trace_errors.c.trace_id).where(trace_errors.c.at < before).limit(limit)
    return connection.execute(delete(trace_errors).where(key.in_(old))).rowcount
