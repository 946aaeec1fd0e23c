"""The first schema.

Revision 0001, after nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # sorts and compares as it does in SQLite


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("revision", NUMBER, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("project", NUMBER, nullable=False),
        sa.Column("monitor", NUMBER, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("monitor_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_changes_at", "changes", ["at"])
    op.create_table(
        "check_in_ids",
        sa.Column("project", NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("project", "id", name="pk_check_in_ids"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "check_ins",
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
        sa.PrimaryKeyConstraint("number", name="pk_check_ins"),
    )
    op.create_index("ix_check_ins_monitor_number", "check_ins", ["monitor", "number"])
    op.create_index(
        "ix_check_ins_open",
        "check_ins",
        ["monitor", "number"],
        sqlite_where=sa.text("state = 3"),
        postgresql_where=sa.text("state = 3"),
    )
    op.create_table(
        "deleted_monitors",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("delete_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_deleted_monitors"),
    )
    op.create_table(
        "environments",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_environments"),
        sa.UniqueConstraint("name", name="uq_environments_name"),
    )
    op.create_table(
        "incidents",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("project", NUMBER, nullable=False),
        sa.Column("monitor", NUMBER, nullable=False),
        sa.Column("track", NUMBER, nullable=False),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("open_time", sa.BigInteger(), nullable=False),
        sa.Column("first_check_in", TEXT, nullable=False),
        sa.Column("last_check_in", TEXT, nullable=False),
        sa.Column("failure_count", sa.BigInteger(), nullable=False),
        sa.Column("resolve_time", sa.BigInteger()),
        sa.Column("resolving_check_in", TEXT, nullable=False),
        sa.Column("acknowledge_time", sa.BigInteger()),
        sa.Column("acknowledged_by", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("muted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_incidents"),
    )
    op.create_index("ix_incidents_monitor_number", "incidents", ["monitor", "number"])
    op.create_index("ix_incidents_project_number", "incidents", ["project", "number"])
    op.create_index(
        "uq_incidents_open",
        "incidents",
        ["track"],
        unique=True,
        sqlite_where=sa.text("resolve_time IS NULL"),
        postgresql_where=sa.text("resolve_time IS NULL"),
    )
    op.create_table(
        "outages",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("start_time", sa.BigInteger(), nullable=False),
        sa.Column("end_time", sa.BigInteger(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("unknown_count", sa.BigInteger(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_outages"),
    )
    op.create_table(
        "partitions",
        sa.Column("id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("alive_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_partitions"),
    )
    op.create_table(
        "policies",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_policies"),
    )
    op.create_table(
        "projects",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_projects"),
        sa.UniqueConstraint("slug", name="uq_projects_slug"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "refusals",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("project", NUMBER, nullable=False),
        sa.Column("monitor_id", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("dialect", TEXT, nullable=False),
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("check_in_id", TEXT, nullable=False),
        sa.Column("dropped", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_refusals"),
    )
    op.create_index("ix_refusals_at", "refusals", ["at"])
    op.create_index("ix_refusals_project_monitor_id_number", "refusals", ["project", "monitor_id", "number"])
    op.create_table(
        "revisions",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_revisions"),
    )
    op.create_table(
        "sequences",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_sequences"),
    )
    op.create_table(
        "settings",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_settings"),
    )
    op.create_table(
        "keys",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("project", NUMBER, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("hint", TEXT, nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("revoke_time", sa.BigInteger()),
        sa.ForeignKeyConstraint(["project"], ["projects.number"], name="fk_keys_project"),
        sa.PrimaryKeyConstraint("number", name="pk_keys"),
        sa.UniqueConstraint("digest", name="uq_keys_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_keys_project", "keys", ["project"])
    op.create_table(
        "monitors",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("project", NUMBER, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("uid", TEXT, nullable=False),
        sa.Column("policy", NUMBER, nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("inactive", sa.Boolean(), nullable=False),
        sa.Column("paused_until", sa.BigInteger()),
        sa.Column("muted_until", sa.BigInteger()),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("display_name", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("update_time", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["policy"], ["policies.number"], name="fk_monitors_policy"),
        sa.PrimaryKeyConstraint("number", name="pk_monitors"),
        sa.UniqueConstraint("project", "id", name="uq_monitors_project_id"),
    )
    op.create_table(
        "tracks",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("monitor", NUMBER, nullable=False),
        sa.Column("environment", NUMBER, nullable=False),
        sa.Column("health", sa.SmallInteger(), nullable=False),
        sa.Column("verdict", sa.SmallInteger(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("recoveries", sa.Integer(), nullable=False),
        sa.Column("open_runs", sa.Integer(), nullable=False),
        sa.Column("incident", NUMBER, nullable=False),
        sa.Column("expected", sa.BigInteger()),
        sa.Column("deadline", sa.BigInteger()),
        sa.Column("run_deadline", sa.BigInteger()),
        sa.Column("last_check_in", sa.BigInteger()),
        sa.Column("last_success", sa.BigInteger()),
        sa.Column("last_start", sa.BigInteger()),
        sa.Column("last_duration", sa.BigInteger(), nullable=False),
        sa.Column("ok_count", sa.BigInteger(), nullable=False),
        sa.Column("error_count", sa.BigInteger(), nullable=False),
        sa.Column("started_count", sa.BigInteger(), nullable=False),
        sa.Column("missed_count", sa.BigInteger(), nullable=False),
        sa.Column("timed_out_count", sa.BigInteger(), nullable=False),
        sa.Column("unknown_count", sa.BigInteger(), nullable=False),
        sa.Column("last_lapse", NUMBER, nullable=False),
        sa.Column("last_lapse_slot", sa.BigInteger()),
        sa.ForeignKeyConstraint(["environment"], ["environments.number"], name="fk_tracks_environment"),
        sa.PrimaryKeyConstraint("number", name="pk_tracks"),
        sa.UniqueConstraint("monitor", "environment", name="uq_tracks_monitor_environment"),
        # Rows change all the time and no index knows: with room on the page a new version stays beside the old one.
        postgresql_with={"fillfactor": 70},
    )


def downgrade() -> None:
    op.drop_table("tracks")
    op.drop_table("monitors")
    op.drop_table("keys")
    op.drop_table("settings")
    op.drop_table("sequences")
    op.drop_table("revisions")
    op.drop_table("refusals")
    op.drop_table("projects")
    op.drop_table("policies")
    op.drop_table("partitions")
    op.drop_table("outages")
    op.drop_table("incidents")
    op.drop_table("environments")
    op.drop_table("deleted_monitors")
    op.drop_table("check_ins")
    op.drop_table("check_in_ids")
    op.drop_table("changes")
