"""`SqlTexts`: variables and snippets, in a database.

Nothing is judged by them. A secret stays one: what somebody could not read must not become readable by a change of it.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.domain.variable import Snippet, Variable, check_snippet, check_variable
from tocsin.store.database import Database
from tocsin.store.notification import SqlShelf
from tocsin.store.schema import snippets, variables
from tocsin.store.shelves import Shelf


class _Variables(Shelf[Variable]):
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
SNIPPETS: Final = Shelf(snippets, Snippet, "snippet", check_snippet)


class SqlTexts:
    """Both nouns."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.variables: SqlShelf[Variable] = SqlShelf(database, VARIABLES)
        self.snippets: SqlShelf[Snippet] = SqlShelf(database, SNIPPETS)

    def values(self, project: int) -> dict[str, str]:
        """What templates may name, secrets too: for whoever renders them, and nobody else."""
        with self._database.read() as connection:
            return {one.key: one.value for one in VARIABLES.all(connection, project)}
