"""Nouns of a project that are found by their key and written straight by their service: rows in and out, a page.

What the engine judges by takes the road through the journal; what only a delivery reads does not, and is kept so.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec
from sqlalchemy import Connection, Row, Table, delete, func, insert, select, update

from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.domain.notification import Channel, Keyed, NotificationList, check_channel, check_list
from tocsin.store import pages, subscriptions
from tocsin.store.port import Page
from tocsin.store.schema import channels, notification_lists
from tocsin.store.texts import clean_json

T = TypeVar("T", bound=Keyed)

MOST: Final = 1_000  # of one noun in one project
_COLUMNS: Final = ("number", "project", "key", "create_time", "update_time")


class Shelf(Generic[T]):
    """One noun. `called` is how errors name it: "notification list"; `check` knows what it may be."""

    def __init__(self, table: Table, kind: type[T], called: str, check: Callable[[T], None]) -> None:
        self._table, self._kind, self.called, self._check = table, kind, called, check
        self._body = _body_of(kind)
        self._decode = msgspec.json.Decoder(self._body).decode
        self._encode = msgspec.json.Encoder(order="deterministic").encode

    @property
    def reason(self) -> str:
        """What the reasons of its errors begin with."""
        return self.called.upper().replace(" ", "_")

    def get(self, connection: Connection, project: int, key: str) -> T | None:
        row = connection.execute(self._select(project).where(self._table.c.key == key)).one_or_none()
        return None if row is None else self._from_row(row)

    def get_by_number(self, connection: Connection, project: int, number: int) -> T | None:
        if not 0 < number < 1 << 63:  # no column is wider
            return None
        row = connection.execute(self._select(project).where(self._table.c.number == number)).one_or_none()
        return None if row is None else self._from_row(row)

    def all(self, connection: Connection, project: int) -> list[T]:
        return [self._from_row(row) for row in connection.execute(self._select(project).order_by(self._table.c.key))]

    def page(self, connection: Connection, project: int, *, size: int, token: str) -> Page[T]:
        """By key."""
        query = (self.called, project)
        statement = self._select(project)
        if token:
            statement = statement.where(self._table.c.key > pages.decode(token, query, tuple[str])[0])
        found = [
            self._from_row(row) for row in connection.execute(statement.order_by(self._table.c.key).limit(size + 1))
        ]
        return pages.cut(found, size, query, lambda one: (one.key,))

    def numbered_page(self, connection: Connection, project: int, *, size: int, offset: int) -> tuple[list[T], int]:
        """In the order in which they were made, and how many there are."""
        statement = self._select(project).order_by(self._table.c.number).limit(size).offset(offset)
        return [self._from_row(row) for row in connection.execute(statement)], self._count(connection, project)

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
    ) -> T:
        """Writes the named fields, `extras` only of the dialects that it names.

        NotFound, AlreadyExists, ResourceExhausted: as the two flags and `MOST` have it.
        InvalidArgument names the field that may not be so.
        """
        known = self.get(connection, project, key)
        if known is not None and not update_known:
            raise self.taken(key)
        if known is None:
            if not create:
                raise self.not_found(key)
            self._check_room(connection, project)
            known = self._kind(0, project, key, create_time=at)
        if "extras" in values:
            values = {**values, "extras": {**getattr(known, "extras", {}), **values["extras"]}}
        changed = msgspec.structs.replace(known, **values)
        self._check(changed)
        if changed == known and known.number:
            return known
        changed = msgspec.structs.replace(changed, update_time=at)
        row = self._to_row(changed)
        if known.number:
            connection.execute(update(self._table).where(self._table.c.number == known.number).values(row))
            return changed
        made = connection.execute(insert(self._table).values(row).returning(self._table.c.number)).scalar_one()
        return msgspec.structs.replace(changed, number=made)

    def remove(self, connection: Connection, project: int, key: str) -> bool:
        """False: there is none. Subscriptions of a channel end with it."""
        table = self._table
        gone = delete(table).where(table.c.project == project, table.c.key == key).returning(table.c.number)
        numbers = connection.execute(gone).scalars().all()
        if table is channels:
            subscriptions.end(connection, subscriptions.Whose.CHANNEL, numbers)
        return bool(numbers)

    def not_found(self, key: str) -> errors.NotFound:
        return errors.NotFound(
            f"no {self.called} {key[:64]!r} in this project",
            reason=f"{self.reason}_NOT_FOUND",
            metadata={self.reason.lower(): key[:64]},
        )

    def taken(self, key: str) -> errors.AlreadyExists:
        return errors.AlreadyExists(
            f"there is a {self.called} {key!r} already; update it instead",
            reason=f"{self.reason}_ALREADY_EXISTS",
            metadata={self.reason.lower(): key},
        )

    def _check_room(self, connection: Connection, project: int) -> None:
        if self._count(connection, project) >= MOST:
            raise errors.ResourceExhausted(
                f"a project has at most {MOST} {self.called}s",
                reason="QUOTA_EXCEEDED",
                metadata={"limit": str(MOST), "quota": f"{self.called}s"},
            )

    def _count(self, connection: Connection, project: int) -> int:
        count = select(func.count()).select_from(self._table).where(self._table.c.project == project)
        return connection.execute(count).scalar_one()

    def _select(self, project: int) -> Any:
        return select(self._table).where(self._table.c.project == project)

    def _to_row(self, one: T) -> dict[str, Any]:
        """Without the number, which the database gives."""
        body = self._body(**{name: getattr(one, name) for name in self._body.__struct_fields__})
        row = {name: getattr(one, name) for name in _COLUMNS[1:]}
        return {**row, "body": clean_json(self._encode(body)).decode()}

    def _from_row(self, row: Row[Any]) -> T:
        columns = {name: getattr(row, name) for name in _COLUMNS}
        return self._kind(**columns, **msgspec.structs.asdict(self._decode(row.body)))


def _body_of(kind: type[Keyed]) -> type[Any]:
    """A struct of what has no column, without its defaults when it is written."""
    fields = [
        (one.name, one.type, msgspec.field(default=one.default, default_factory=one.default_factory))  # type: ignore[call-overload] # one of the two is set
        for one in msgspec.structs.fields(kind)
        if one.name not in _COLUMNS
    ]
    return msgspec.defstruct(f"{kind.__name__}Body", fields, frozen=True, omit_defaults=True)


LISTS: Final = Shelf(notification_lists, NotificationList, "notification list", check_list)
CHANNELS: Final = Shelf(channels, Channel, "channel", check_channel)
