"""What Alembic runs: online on the connection it is handed, offline (`--sql`) on the URL alone."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import TypeDecorator

from tocsin.store.check_in_tables import is_drafted
from tocsin.store.schema import metadata


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """In a draft, a column type of ours is written as the plain one below it: a step must not change when we do."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


handed = context.config.attributes.get("connection")
context.configure(
    connection=handed,
    url=context.config.get_main_option("sqlalchemy.url") if handed is None else None,
    literal_binds=handed is None,
    target_metadata=metadata,
    # SQLite can hardly alter a table, so Alembic copies it; and its DDL is transactional, which Alembic doubts.
    render_as_batch=True,
    transactional_ddl=True,
    compare_type=True,
    render_item=render_item,
    include_name=is_drafted,
)

with context.begin_transaction():
    context.run_migrations()
