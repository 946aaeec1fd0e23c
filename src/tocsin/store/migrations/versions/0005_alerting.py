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


def _add_causes() -> None:
    pass


def _drop_causes() -> None:
    pass


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
