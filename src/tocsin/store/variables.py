"""`SqlTexts`: variables and snippets, in a database; by key, by number, and in pages that are counted.

Nothing is judged by them. A secret stays one: what somebody could not read must not become readable by a change of it.
"""

from collections.abc import Mapping
from typing import Any, Final, Generic, NamedTuple

from sqlalchemy import Connection, func, select

from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.domain.variable import Snippet, Variable, check_snippet, check_variable
from tocsin.store.database import Database
from tocsin.store.notification import SqlShelf
from tocsin.store.schema import snippets, variables
from tocsin.store.shelves import Shelf, T


class Counted(NamedTuple, Generic[T]):
    """Some rows of a list, and how long it is."""

    rows: list[T]
    total: int


class _CountedShelf(Shelf[T]):
    """A noun that is found by its number too."""

    def numbered(self, connection: Connection, project: int, number: int) -> T | None:
        row = connection.execute(self._select(project).where(self._table.c.number == number)).one_or_none()
        return None if row is None else self._from_row(row)

    def counted(self, connection: Connection, project: int, *, size: int, offset: int) -> Counted[T]:
        """In the order they were made."""
        mine = self._table.c.project == project
        total = connection.execute(select(func.count()).select_from(self._table).where(mine)).scalar_one()
        statement = self._select(project).order_by(self._table.c.number).limit(size).offset(offset)
        return Counted([self._from_row(row) for row in connection.execute(statement)], total)


class _Variables(_CountedShelf[Variable]):
    def put(
        self,
        connection: Connection,
        project: int,
        key: str,
        values: Mapping[str, Any],
        at: Instant,
        *,
        create: bool,
        update_known: bool,
    ) -> Variable:
        known = self.get(connection, project, key)
        if known is not None and update_known and known.secret and values.get("secret") is False:
            raise errors.invalid("variable.secret", "a secret stays one; delete it and make it anew")
        return super().put(connection, project, key, values, at, create=create, update_known=update_known)


VARIABLES: Final = _Variables(variables, Variable, "variable", check_variable)
SNIPPETS: Final = _CountedShelf(snippets, Snippet, "snippet", check_snippet)


class SqlTextShelf(SqlShelf[T]):
    """One of the two; each method blocks and may be called by any thread."""

    def __init__(self, database: Database, shelf: _CountedShelf[T]) -> None:
        super().__init__(database, shelf)
        self._counted = shelf

    def numbered(self, project: int, number: int) -> T:
        """NotFound: there is none."""
        with self._database.read() as connection:
            found = self._counted.numbered(connection, project, number) if abs(number) < 1 << 63 else None
        if found is None:
            raise self._counted.not_found(str(number))
        return found

    def counted(self, project: int, *, size: int, offset: int) -> Counted[T]:
        """In the order they were made."""
        with self._database.read() as connection:
            return self._counted.counted(connection, project, size=size, offset=offset)


class SqlTexts:
    """Both nouns."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.variables: SqlTextShelf[Variable] = SqlTextShelf(database, VARIABLES)
        self.snippets: SqlTextShelf[Snippet] = SqlTextShelf(database, SNIPPETS)

    def values(self, project: int) -> dict[str, str]:
        """What templates may name, secrets too: for whoever renders them, and nobody else."""
        with self._database.read() as connection:
            return {one.key: one.value for one in VARIABLES.all(connection, project)}
