"""Types of columns that differ between databases, or from what the rest of the program says; names of constraints."""

from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Integer, TypeDecorator, func, literal_column
from sqlalchemy import Text as AnyText

from tocsin.domain.instant import NEVER

# SQLite counts rows up only in a column called INTEGER, which is 64 bits wide there.
Number = BigInteger().with_variant(Integer(), "sqlite")
# In the order of code points, letter case and all, as SQLite has it: PostgreSQL would go by the language it is set to.
Text = AnyText().with_variant(AnyText(collation="C"), "postgresql")
NAMES: Final = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}


class InstantOrNever(TypeDecorator[int]):
    """An instant whose NEVER is NULL in the table; the database converts, so that bulk rows pass through untouched."""

    impl = BigInteger
    cache_ok = True

    def bind_expression(self, bindvalue: Any) -> ColumnElement[Any]:
        return func.nullif(bindvalue, literal_column(str(NEVER)))

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.coalesce(column, literal_column(str(NEVER)))
