"""`SqlTexts`: variables and snippets, in a database.

Nothing is judged by them. A secret stays one: what somebody could not read must not become readable by a change of it.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, select

from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.domain.variable import Snippet, Variable, check_snippet, check_variable
from tocsin.store.database import Database
from tocsin.store.notification import SqlShelf
from tocsin.store.schema import groups, monitors, snippets, variables
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


_GROUP_OF: Final = (
    select(groups.c.body)
    .join(monitors, (monitors.c.project == groups.c.project) & (monitors.c.group == groups.c.key))
    .where(groups.c.project == bindparam("project"), monitors.c.number == bindparam("monitor"))
)


class SqlTexts:
    """Both nouns."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.variables: SqlShelf[Variable] = SqlShelf(database, VARIABLES)
        self.snippets: SqlShelf[Snippet] = SqlShelf(database, SNIPPETS)

    def values(self, project: int, monitor: int) -> dict[str, str]:
        """What templates may name, secrets too: for whoever renders them, and nobody else.

        By name, of the project and of the group that a monitor is in, which stands before it.
        """
        with self._database.read() as connection:
            found = {one.key: one.value for one in VARIABLES.all(connection, project)}
            group = connection.execute(_GROUP_OF, {"project": project, "monitor": monitor}).scalar()
        return found | _of_group(group)


def _of_group(body: str | None) -> dict[str, str]:
    """Variables that a dialect keeps among a group's extras, in the order its clients sent them; odd ones are not."""
    extras = msgspec.json.decode(body or "{}").get("extras", {})
    found: dict[str, str] = {}
    for kept in extras.values():
        rows = kept.get("environmentVariables") if isinstance(kept, dict) else None
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and isinstance(row.get("key"), str) and isinstance(row.get("value"), str):
                found[row["key"]] = row["value"]
    return found
