"""Settings of projects, maintenance windows, particulars of refusals, errors of traces, deleted environments.

Revision 0002, after 0001.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # sorts and compares as it does in SQLite


def _added() -> list[tuple[str, sa.Column[Any]]]:
    """Columns of tables that exist, by the table's name."""
    return [
        ("projects", sa.Column("settings", TEXT, nullable=False, server_default="{}")),
        ("tracks", sa.Column("create_time", sa.BigInteger(), nullable=False, server_default="0")),
        ("check_ins", sa.Column("policy", NUMBER, nullable=False, server_default="0")),
        ("incidents", sa.Column("broken_time", sa.BigInteger())),
        ("incidents", sa.Column("broken_mute_time", sa.BigInteger())),
        ("incidents", sa.Column("attended_time", sa.BigInteger())),
        ("refusals", sa.Column("data", TEXT, nullable=False, server_default="{}")),
        ("refusals", sa.Column("payload", TEXT, nullable=False, server_default="")),
    ]


def upgrade() -> None:
    for table, column in _added():
        op.add_column(table, column)
    op.create_index("ix_monitors_uid", "monitors", ["uid"])
    op.create_index("ix_refusals_project_number", "refusals", ["project", "number"])
    op.create_table(
        "maintenance_windows",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("project", NUMBER, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("update_time", sa.BigInteger(), nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_maintenance_windows"),
        sa.UniqueConstraint("project", "id", name="uq_maintenance_windows_project_id"),
    )
    op.create_table(
        "deleted_tracks",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("monitor", NUMBER, nullable=False),
        sa.Column("delete_time", sa.BigInteger(), nullable=False),
        sa.Column("check_ins_done", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("incidents_done", sa.BigInteger(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("number", name="pk_deleted_tracks"),
    )
    op.create_table(
        "trace_errors",
        sa.Column("project", NUMBER, autoincrement=False, nullable=False),
        sa.Column("trace_id", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("project", "trace_id", name="pk_trace_errors"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_trace_errors_at", "trace_errors", ["at"])


def downgrade() -> None:
    op.drop_table("trace_errors")
    op.drop_table("deleted_tracks")
    op.drop_table("maintenance_windows")
    op.drop_index("ix_refusals_project_number", "refusals")
    op.drop_index("ix_monitors_uid", "monitors")
    for table, column in reversed(_added()):
        op.drop_column(table, column.name)
