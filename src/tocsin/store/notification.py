"""`SqlNotification`: notification lists and channels, in a database."""

from collections.abc import Mapping
from typing import Any, Generic

from tocsin.domain.instant import Instant
from tocsin.domain.notification import Channel, NotificationList
from tocsin.store.database import Database
from tocsin.store.port import Page
from tocsin.store.shelves import CHANNELS, LISTS, Shelf, T


class SqlShelf(Generic[T]):
    """One noun, beside the partition's loop; each method blocks and may be called by any thread."""

    def __init__(self, database: Database, shelf: Shelf[T]) -> None:
        self._database, self._shelf = database, shelf

    def get(self, project: int, key: str) -> T:
        """NotFound: there is none."""
        with self._database.read() as connection:
            found = self._shelf.get(connection, project, key)
        if found is None:
            raise self._shelf.not_found(key)
        return found

    def get_by_number(self, project: int, number: int) -> T:
        """NotFound: there is none."""
        with self._database.read() as connection:
            found = self._shelf.get_by_number(connection, project, number)
        if found is None:
            raise self._shelf.not_found(str(number))
        return found

    def all(self, project: int) -> list[T]:
        """By key."""
        with self._database.read() as connection:
            return self._shelf.all(connection, project)

    def numbered_page(self, project: int, *, size: int, offset: int = 0) -> tuple[list[T], int]:
        """Some of them, oldest first, and how many there are in all."""
        with self._database.read() as connection:
            return self._shelf.numbered_page(connection, project, size=size, offset=offset)

    def page(self, project: int, *, size: int, token: str = "") -> Page[T]:
        """By key."""
        with self._database.read() as connection:
            return self._shelf.page(connection, project, size=size, token=token)

    def put(
        self, project: int, key: str, values: Mapping[str, Any], at: Instant, *, create: bool, update_known: bool
    ) -> T:
        """Writes the named fields. NotFound, AlreadyExists, ResourceExhausted: as the two flags have it."""
        with self._database.write() as connection:
            return self._shelf.put(connection, project, key, values, at, create=create, update_known=update_known)

    def delete(self, project: int, key: str, *, allow_missing: bool = False) -> None:
        """NotFound: there is none."""
        with self._database.write() as connection:
            if not self._shelf.remove(connection, project, key) and not allow_missing:
                raise self._shelf.not_found(key)


class SqlNotification:
    """Both nouns."""

    def __init__(self, database: Database) -> None:
        self.lists: SqlShelf[NotificationList] = SqlShelf(database, LISTS)
        self.channels: SqlShelf[Channel] = SqlShelf(database, CHANNELS)
