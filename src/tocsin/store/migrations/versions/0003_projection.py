"""Tracks as a projection of check-ins, written now and then: how far each row is, and rows as memory has them.

Revision 0003_projection, after 0002.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003_projection"
down_revision = "0002"
branch_labels = None
depends_on = None


def _added() -> list[tuple[str, sa.Column[Any]]]:
    """Columns of tables that exist, by the table's name."""
    return [
        ("monitors", sa.Column("packed", sa.LargeBinary())),
        ("tracks", sa.Column("applied", sa.BigInteger(), nullable=False, server_default="0")),
        ("tracks", sa.Column("packed", sa.LargeBinary())),
        ("partitions", sa.Column("watermark", sa.BigInteger(), nullable=False, server_default="0")),
    ]


def upgrade() -> None:
    """Rows of before hold every check-in there is."""
    for table, column in _added():
        op.add_column(table, column)
    op.execute("UPDATE partitions SET watermark = (SELECT COALESCE(MAX(number), 0) FROM check_ins)")


def downgrade() -> None:
    for table, column in reversed(_added()):
        op.drop_column(table, column.name)
