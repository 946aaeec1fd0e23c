"""A table for each week of check-ins and of the ids chosen for them, so that what is old goes with its table.

Revision 0004_partitions, after 0003_projection.

Rows move in slices, each committed, oldest first, so that no transaction grows with the history. The old table is
renamed at once: the program before this one cannot use what is half moved. Cut short, the step goes on when run again.
"""
# ruff: noqa: S608 - statements are made of names of ours

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from alembic import op

revision = "0004_partitions"
down_revision = "0003_projection"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WEEK = 7 * 24 * 3_600_000 << 21  # numbers of a week
SLICE = 50_000
BEGIN = {  # as a writer does
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": f"BEGIN; SELECT pg_advisory_xact_lock({0x746F63}, 1)",
}
LOG_EVERY = 1_000_000
MOVING = "check_ins_moving"  # the old table, until it is empty

_log = structlog.get_logger("tocsin.migrations")


def upgrade() -> None:
    connection = op.get_bind()
    if not sa.inspect(connection).has_table(MOVING):
        _set_aside(connection)
        _make_whole(connection)
    moved = 0
    weeks = _weeks(connection)
    while (first := connection.exec_driver_sql(f"SELECT MIN(number) FROM {MOVING}").scalar()) is not None:
        start = first // WEEK * WEEK
        if start not in weeks:
            _make_week(connection, start)
            weeks.add(start)
            _show(connection, weeks)
        rows = _move(connection, start)
        _keep(connection)
        if moved // LOG_EVERY < (moved + rows) // LOG_EVERY or rows < SLICE:
            _log.info("check-ins move into the tables of their weeks", rows=moved + rows, week=_suffix(start))
        moved += rows
    op.drop_table(MOVING)


def _set_aside(connection: sa.Connection) -> None:
    """The ids are in the rows, too: their table is made anew."""
    op.drop_table("check_in_ids")
    op.drop_index("ix_check_ins_open", "check_ins")
    op.drop_index("ix_check_ins_monitor_number", "check_ins")
    _rename(connection, "check_ins", MOVING)


def _rename(connection: sa.Connection, old: str, new: str) -> None:
    """With the names of its constraints: in PostgreSQL no other table's could have them (since 18, NOT NULL's too)."""
    op.rename_table(old, new)
    if connection.dialect.name == "sqlite":
        return
    names = f"SELECT conname FROM pg_constraint WHERE conrelid = '{new}'::regclass"
    for name in connection.exec_driver_sql(names).scalars().all():
        for before, after in ((f"pk_{old}", f"pk_{new}"), (f"{old}_", f"{new}_")):
            if name == before or (before.endswith("_") and name.startswith(before)):
                op.execute(f'ALTER TABLE {new} RENAME CONSTRAINT "{name}" TO "{after + name.removeprefix(before)}"')


def _make_whole(connection: sa.Connection) -> None:
    if connection.dialect.name != "sqlite":
        _make("", postgresql_partition_by="RANGE (number)")
    _make("_kept")
    if connection.dialect.name == "sqlite":
        _show(connection, set())
        return
    for whole in ("check_ins", "check_in_ids"):
        op.execute(f"ALTER TABLE {whole} ATTACH PARTITION {whole}_kept DEFAULT")


def _make_week(connection: sa.Connection, start: int) -> None:
    suffix = _suffix(start)
    _make(f"_{suffix}")
    if connection.dialect.name != "sqlite":
        for whole in ("check_ins", "check_in_ids"):
            op.execute(
                f"ALTER TABLE {whole} ATTACH PARTITION {whole}_{suffix} FOR VALUES FROM ({start}) TO ({start + WEEK})"
            )


def _make(suffix: str, **options: Any) -> None:
    name = f"check_ins{suffix}"
    op.create_table(name, *_columns(), sa.PrimaryKeyConstraint("number", name=f"pk_{name}"), **options)
    _index(name)
    op.create_table(
        f"check_in_ids{suffix}",
        *_id_columns(),
        sa.PrimaryKeyConstraint("project", "id", "number", name=f"pk_check_in_ids{suffix}"),
        sqlite_with_rowid=False,
        **options,
    )


def _index(name: str) -> None:
    op.create_index(f"ix_{name}_monitor_number", name, ["monitor", "number"])
    is_open = sa.text("state = 3")
    op.create_index(f"ix_{name}_open", name, ["monitor", "number"], sqlite_where=is_open, postgresql_where=is_open)


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("project", NUMBER, nullable=False),
        sa.Column("monitor", NUMBER, nullable=False),
        sa.Column("track", NUMBER, nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("receive_time", sa.BigInteger(), nullable=False),
        sa.Column("update_time", sa.BigInteger(), nullable=False),
        sa.Column("start_time", sa.BigInteger()),
        sa.Column("end_time", sa.BigInteger()),
        sa.Column("duration_ms", sa.BigInteger()),
        sa.Column("expected_time", sa.BigInteger()),
        sa.Column("timeout_time", sa.BigInteger()),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("satisfies", NUMBER),
        sa.Column("deafened", sa.Boolean(), nullable=False),
        sa.Column("client_id", sa.LargeBinary()),
        sa.Column("detail", TEXT),
        sa.Column("policy", NUMBER, nullable=False, server_default="0"),
    ]


def _id_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("project", NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
    ]


def _move(connection: sa.Connection, start: int) -> int:
    """The next slice of a week; how many rows."""
    suffix = _suffix(start)
    here = f"FROM {MOVING} WHERE number < {start + WEEK}"
    last = connection.exec_driver_sql(
        f"SELECT MAX(number) FROM (SELECT number {here} ORDER BY number LIMIT {SLICE}) AS slice"
    ).scalar()
    here = f"FROM {MOVING} WHERE number <= {last}"
    names = ", ".join(column.name for column in _columns())
    rows = connection.exec_driver_sql(f"INSERT INTO check_ins_{suffix} ({names}) SELECT {names} {here}").rowcount
    connection.exec_driver_sql(
        f"INSERT INTO check_in_ids_{suffix} SELECT project, client_id, number {here} AND client_id IS NOT NULL"
    )
    connection.exec_driver_sql(f"DELETE {here}")
    return rows


def downgrade() -> None:
    """All or nothing, in one transaction."""
    connection = op.get_bind()
    for name in sa.inspect(connection).get_table_names():
        if name.startswith("dropped_check_in"):
            op.drop_table(name)
    suffixes = ["kept", *(_suffix(start) for start in sorted(_weeks(connection)))]
    _hide(connection)
    # A constraint of PostgreSQL is an index too, whose name is taken until the old one is gone.
    later = "" if connection.dialect.name == "sqlite" else "_whole"
    op.create_table("check_ins_whole", *_columns(), sa.PrimaryKeyConstraint("number", name=f"pk_check_ins{later}"))
    op.create_table(
        "check_in_ids_whole",
        *_id_columns(),
        sa.PrimaryKeyConstraint("project", "id", name=f"pk_check_in_ids{later}"),
        sqlite_with_rowid=False,
    )
    names = ", ".join(column.name for column in _columns())
    for suffix in suffixes:  # oldest first: an id means the newest that has it
        op.execute(f"INSERT INTO check_ins_whole ({names}) SELECT {names} FROM check_ins_{suffix}")
        op.execute(
            f"INSERT INTO check_in_ids_whole SELECT project, id, MAX(number) FROM check_in_ids_{suffix} WHERE TRUE"
            " GROUP BY project, id ON CONFLICT (project, id) DO UPDATE SET number = excluded.number"
        )
        if connection.dialect.name == "sqlite":
            op.drop_table(f"check_ins_{suffix}")
            op.drop_table(f"check_in_ids_{suffix}")
    if connection.dialect.name != "sqlite":
        op.drop_table("check_ins")
        op.drop_table("check_in_ids")
    for whole in ("check_ins", "check_in_ids"):
        _rename(connection, f"{whole}_whole", whole)
    _index("check_ins")


# --- weeks


def _weeks(connection: sa.Connection) -> set[int]:
    """The first numbers of those that have a table."""
    return set(_numbered(sa.inspect(connection).get_table_names()))


def _numbered(names: list[str]) -> Iterator[int]:
    for name in names:
        suffix = name.removeprefix("check_ins_")
        if suffix != name and suffix.isdecimal():
            day = datetime.strptime(suffix, "%Y%m%d").replace(tzinfo=UTC)
            yield int(day.timestamp()) * 1000 << 21


def _suffix(start: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=start >> 21)).strftime("%Y%m%d")


def _show(connection: sa.Connection, weeks: set[int]) -> None:
    """In SQLite the whole is a view."""
    if connection.dialect.name != "sqlite":
        return
    _hide(connection)
    suffixes = ["kept", *(_suffix(start) for start in sorted(weeks))][-400:]
    for whole in ("check_ins", "check_in_ids"):
        arms = " UNION ALL ".join(f"SELECT * FROM {whole}_{suffix}" for suffix in suffixes)
        op.execute(f"CREATE VIEW {whole} AS {arms}")


def _hide(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        for whole in ("check_ins", "check_in_ids"):
            op.execute(f"DROP VIEW IF EXISTS {whole}")


def _keep(connection: sa.Connection) -> None:
    """Commit what there is and go on in another transaction, which the caller ends, as the only writer again."""
    connection.exec_driver_sql("COMMIT")
    connection.exec_driver_sql(BEGIN[connection.dialect.name])
