"""The tables of check-ins and of the ids that clients chose: the whole, one a week, and one for what outlives its week.

What stands in each of them is the same. `weeks` tells which there are and `week_tables` makes and drops them, so they
are not among the tables that a step of the history is drafted from.
"""

import functools
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    literal_column,
)

from tocsin.domain.check_in import STATE_NUMBERS, State
from tocsin.store.column_types import NAMES, Number, Text

OPEN_STATE: Final = STATE_NUMBERS[State.IN_PROGRESS]
CHECK_INS: Final = "check_ins"
IDS: Final = "check_in_ids"
KEPT: Final = "kept"  # the suffix of the tables for rows that have no week


class Tables(NamedTuple):
    check_ins: Table
    ids: Table


def is_drafted(name: str | None, kind: str, _parents: object) -> bool:
    """For Alembic: tables that come and go with the weeks are no difference between the models and the database."""
    return kind != "table" or name is None or not name.startswith((CHECK_INS, IDS, "dropped_"))


def is_open_in(table: Table) -> ColumnElement[bool]:
    """A literal, because a partial index serves only those queries that say the same words."""
    return table.c.state == literal_column(str(OPEN_STATE))


@functools.cache
def tables(suffix: str) -> Tables:
    """`check_ins_<suffix>` and `check_in_ids_<suffix>`."""
    return _tables(f"{CHECK_INS}_{suffix}", f"{IDS}_{suffix}")


def _tables(check_ins_name: str, ids_name: str, **options: Any) -> Tables:
    metadata = MetaData(naming_convention=NAMES)
    check_ins = Table(check_ins_name, metadata, *_check_in_columns(), **options)
    Index(None, check_ins.c.monitor, check_ins.c.number)
    where = is_open_in(check_ins)
    Index(
        f"ix_{check_ins_name}_open",
        check_ins.c.monitor,
        check_ins.c.number,
        sqlite_where=where,
        postgresql_where=where,
    )
    ids = Table(
        ids_name,
        metadata,
        Column("project", Number, primary_key=True, autoincrement=False),
        Column("id", LargeBinary, primary_key=True),
        Column("number", Number, primary_key=True, autoincrement=False),  # an id may be chosen again: the newest wins
        sqlite_with_rowid=False,
        **options,
    )
    return Tables(check_ins, ids)


def _check_in_columns() -> Sequence[Column[Any]]:
    """New ones go to the end: the tables of old weeks get theirs there."""
    return (
        Column("number", Number, primary_key=True, autoincrement=False),  # time-ordered: the table is clustered by time
        _required("project", Number),
        _required("monitor", Number),
        _required("track", Number),
        _required("state", SmallInteger),  # domain.check_in.STATE_NUMBERS
        _required("receive_time", BigInteger),
        _required("update_time", BigInteger),
        Column("start_time", BigInteger),
        Column("end_time", BigInteger),
        Column("duration_ms", BigInteger),
        Column("expected_time", BigInteger),
        Column("timeout_time", BigInteger),
        _required("late", Boolean),
        Column("satisfies", Number),
        _required("deafened", Boolean),
        Column("client_id", LargeBinary),  # 16 bytes; NULL: the id is made of the number
        Column("detail", Text),  # JSON of what few check-ins have, see `check_ins.Detail`
        Column("policy", Number, nullable=False, server_default="0"),  # `policies.number`; 0: before it was kept
    )


def _required(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


# All weeks together: a partitioned table in PostgreSQL, a view in SQLite.
WHOLE: Final = _tables(CHECK_INS, IDS, postgresql_partition_by="RANGE (number)")
