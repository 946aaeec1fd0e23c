"""What several protocols share: groups, environments of a project, causes of incidents, notification lists, notices.

Revision 0005_alerting, after 0004_partitions.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005_alerting"
down_revision = "0004_partitions"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    _add_causes()
    _add_groups()
    _add_notices()


def downgrade() -> None:
    _drop_notices()
    _drop_groups()
    _drop_causes()


# --- causes of incidents


def _add_causes() -> None:
    pass


def _drop_causes() -> None:
    pass


# --- groups and environments


def _add_groups() -> None:
    for name in ("group", "tags"):
        op.add_column("monitors", sa.Column(name, TEXT, nullable=False, server_default=""))
    grouped = sa.text("\"group\" != ''")
    op.create_index(
        "ix_monitors_project_group", "monitors", ["project", "group"], sqlite_where=grouped, postgresql_where=grouped
    )
    op.add_column("incidents", sa.Column("resolved_by", TEXT, nullable=False, server_default=""))
    _create_noun("groups")
    _create_noun("project_environments", sa.Column("with_alerts", sa.Boolean(), nullable=False))


def _create_noun(table: str, *own: sa.Column[Any]) -> None:
    op.create_table(
        table,
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("project", NUMBER, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("display_name", TEXT, nullable=False),
        *own,
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("update_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=f"pk_{table}"),
        sa.UniqueConstraint("project", "key", name=f"uq_{table}_project_key"),
        sqlite_autoincrement=True,
    )


def _drop_groups() -> None:
    op.drop_table("project_environments")
    op.drop_table("groups")
    op.drop_column("incidents", "resolved_by")
    op.drop_index("ix_monitors_project_group", "monitors")
    for name in ("tags", "group"):
        op.drop_column("monitors", name)


# --- lists, channels and notices


def _add_notices() -> None:
    pass


def _drop_notices() -> None:
    pass
