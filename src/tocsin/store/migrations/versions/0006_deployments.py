"""Pings by token, subscriptions of channels, what groups decide, texts for templates, deployments.

Revision 0006_deployments, after 0005_alerting.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006_deployments"
down_revision = "0005_alerting"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("monitors", sa.Column("ping_token", TEXT, nullable=True))
    pinged = sa.text("ping_token IS NOT NULL")
    op.create_index(
        "uq_monitors_ping_token",
        "monitors",
        ["ping_token"],
        unique=True,
        sqlite_where=pinged,
        postgresql_where=pinged,
    )
    op.add_column("groups", sa.Column("body", TEXT, nullable=False, server_default="{}"))
    for name in ("variables", "snippets"):
        _create(
            name,
            _required("project", NUMBER),
            _required("key", TEXT),
            _required("create_time", sa.BigInteger()),
            _required("update_time", sa.BigInteger()),
            _required("body", TEXT),
            sa.UniqueConstraint("project", "key", name=op.f(f"uq_{name}_project_key")),
        )
    _create(
        "subscriptions",
        *(_required(name, NUMBER) for name in ("project", "channel", "monitor", "group")),
        _required("active", sa.Boolean()),
        sa.UniqueConstraint("channel", "monitor", "group", name=op.f("uq_subscriptions_channel_monitor_group")),
    )
    op.create_index(op.f("ix_subscriptions_monitor"), "subscriptions", ["monitor"])
    op.create_index(op.f("ix_subscriptions_project_group"), "subscriptions", ["project", "group"])
    op.create_index(op.f("ix_notices_project_create_time"), "notices", ["project", "create_time"])
    _create(
        "bindings",
        _required("project", NUMBER),
        *(_required(name, TEXT) for name in ("namespace", "type", "logical_id", "resource")),
        sa.UniqueConstraint(
            *("project", "namespace", "type", "logical_id"), name=op.f("uq_bindings_project_namespace_type_logical_id")
        ),
    )
    op.create_index(op.f("ix_bindings_project_type_resource"), "bindings", ["project", "type", "resource"])
    _create(
        "deployments",
        _required("project", NUMBER),
        _required("id", TEXT),
        _required("namespace", TEXT),
        _required("create_time", sa.BigInteger()),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        _required("body", TEXT),
        sa.UniqueConstraint("id", name=op.f("uq_deployments_id")),
    )
    op.create_index(op.f("ix_deployments_project_namespace_number"), "deployments", ["project", "namespace", "number"])


def downgrade() -> None:
    for name in ("deployments", "bindings", "subscriptions", "snippets", "variables"):
        op.drop_table(name)
    op.drop_index(op.f("ix_notices_project_create_time"), "notices")
    op.drop_column("groups", "body")
    op.drop_index("uq_monitors_ping_token", "monitors")
    op.drop_column("monitors", "ping_token")


def _create(name: str, *parts: Any) -> None:
    op.create_table(
        name,
        sa.Column("number", NUMBER, nullable=False),
        *parts,
        sa.PrimaryKeyConstraint("number", name=op.f(f"pk_{name}")),
        sqlite_autoincrement=True,
    )


def _required(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
