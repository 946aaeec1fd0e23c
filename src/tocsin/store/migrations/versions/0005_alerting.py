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


_CAUSES = ("causes", "assertion")


def _add_causes() -> None:
    for name in _CAUSES:
        op.add_column("incidents", sa.Column(name, TEXT, nullable=False, server_default=""))


def _drop_causes() -> None:
    """Incidents of causes that the older program does not know become errors."""
    op.execute("UPDATE incidents SET cause = 'error' WHERE cause = 'assertion'")
    with op.batch_alter_table("incidents") as table:
        for name in _CAUSES:
            table.drop_column(name)


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
    for name in ("notification_lists", "channels"):
        op.create_table(
            name,
            sa.Column("number", NUMBER, nullable=False),
            sa.Column("project", NUMBER, nullable=False),
            sa.Column("key", TEXT, nullable=False),
            sa.Column("create_time", sa.BigInteger(), nullable=False),
            sa.Column("update_time", sa.BigInteger(), nullable=False),
            sa.Column("body", TEXT, nullable=False),
            sa.PrimaryKeyConstraint("number", name=op.f(f"pk_{name}")),
            sa.UniqueConstraint("project", "key", name=op.f(f"uq_{name}_project_key")),
            sqlite_autoincrement=True,
        )
    op.create_table(
        "alerts",
        sa.Column("incident", NUMBER, autoincrement=False, nullable=False),
        sa.Column("project", NUMBER, nullable=False),
        sa.Column("monitor", NUMBER, nullable=False),
        sa.Column("look_time", sa.BigInteger(), nullable=True),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("incident", name=op.f("pk_alerts")),
    )
    op.create_index(op.f("ix_alerts_monitor"), "alerts", ["monitor"])
    _partial_index("ix_alerts_look", "alerts", ["look_time"], "look_time IS NOT NULL")
    op.create_table(
        "notices",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("project", NUMBER, nullable=False),
        sa.Column("monitor", NUMBER, nullable=False),
        sa.Column("subject", NUMBER, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("destination", TEXT, nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("next_time", sa.BigInteger(), nullable=False),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        sa.Column("error", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            "subject", "kind", "sequence", "destination", name=op.f("uq_notices_subject_kind_sequence_destination")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notices_project_number"), "notices", ["project", "number"])
    _partial_index("ix_notices_waiting", "notices", ["state", "project", "destination", "number"], "state <= 1")
    _partial_index("ix_notices_ended", "notices", ["end_time"], "end_time IS NOT NULL")
    op.execute(
        "INSERT INTO notification_lists (project, key, create_time, update_time, body) "
        "SELECT number, 'default', create_time, create_time, '{}' FROM projects"
    )
    # Nobody is told of what had opened before.
    op.execute(
        "INSERT INTO settings (name, value) SELECT 'planned_incident', CAST(MAX(number) AS TEXT) FROM incidents "
        "HAVING MAX(number) IS NOT NULL"
    )


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _drop_notices() -> None:
    for name in ("notices", "alerts", "channels", "notification_lists"):
        op.drop_table(name)
    op.execute("DELETE FROM settings WHERE name = 'planned_incident'")
