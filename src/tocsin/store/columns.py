"""What the tables have in common: kinds of columns, and how constraints and indexes are called."""

from typing import Any, Final

from sqlalchemy import BigInteger, Column, ColumnElement, Integer, TypeDecorator, func, literal_column

from tocsin.domain.instant import NEVER

# SQLite counts rows up only in a column called INTEGER, which is 64 bits wide there.
Number = BigInteger().with_variant(Integer(), "sqlite")
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


def required(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)
