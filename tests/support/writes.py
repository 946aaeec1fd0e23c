"""What a store writes: how long others have to wait for the writer, told in rows and statements."""

from sqlalchemy import event


class Writes:
    """What the writer of a store does: rows and statements of each transaction in turn."""

    def __init__(self, store) -> None:
        self.rows: list[int] = []
        self.statements: list[int] = []
        event.listen(store.database.writer, "before_cursor_execute", self._executed)

    def _executed(self, _connection, _cursor, statement, parameters, _context, many) -> None:
        if statement.startswith("BEGIN"):
            self.rows.append(0)
            self.statements.append(0)
            return
        self.statements[-1] += 1
        if not statement.startswith("SELECT"):
            self.rows[-1] += len(parameters) if many else 1
