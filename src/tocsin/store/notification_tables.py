"""The tables of notification: whom to tell, how far the telling of an incident has come, what is to be delivered."""

from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    FromClause,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    UniqueConstraint,
    and_,
    literal_column,
)

from tocsin.store.column_types import Number, Text

PENDING: Final = 0  # the state of a notice that waits for delivery
PLANNED: Final = 1  # of one that nobody has decided yet to whom it goes


class Tables(NamedTuple):
    lists: Table
    channels: Table
    subscriptions: Table
    alerts: Table
    notices: Table


def define(metadata: MetaData) -> Tables:
    alerts = Table(
        "alerts",
        metadata,
        Column("incident", Number, primary_key=True, autoincrement=False),
        _required("project", Number),
        _required("monitor", Number),
        Column("look_time", BigInteger),  # when to look at it again without being asked; NULL: never
        _required("body", Text),  # JSON: what has been told so far
        Index(None, "monitor"),
    )
    looks = alerts.c.look_time.is_not(None)
    Index("ix_alerts_look", alerts.c.look_time, sqlite_where=looks, postgresql_where=looks)
    notices = Table(
        "notices",
        metadata,
        Column("number", Number, primary_key=True),
        _required("project", Number),
        _required("monitor", Number),
        _required("subject", Number),  # number of the incident, or of the check-in that an event is about
        _required("kind", SmallInteger),
        _required("sequence", Integer),
        _required("destination", Text),
        _required("state", SmallInteger),
        _required("attempts", Integer),
        _required("create_time", BigInteger),
        _required("next_time", BigInteger),  # when to try next
        Column("end_time", BigInteger),  # when it was sent, or given up
        _required("error", Text),  # what the last try met
        _required("body", Text),  # JSON: what to say
        UniqueConstraint("subject", "kind", "sequence", "destination"),
        Index(None, "project", "number"),
        Index(None, "project", "create_time"),
        sqlite_autoincrement=True,  # a number is never given out twice, even after old ones went
    )
    waits = _is_waiting(notices)
    Index(
        "ix_notices_waiting",
        *(notices.c[name] for name in ("state", "project", "destination", "number")),
        sqlite_where=waits,
        postgresql_where=waits,
    )
    ended = notices.c.end_time.is_not(None)
    Index("ix_notices_ended", notices.c.end_time, sqlite_where=ended, postgresql_where=ended)
    subscriptions = Table(
        "subscriptions",
        metadata,
        Column("number", Number, primary_key=True),
        _required("project", Number),
        _required("channel", Number),
        _required("monitor", Number),  # 0: of a group
        _required("group", Number),  # 0: of a monitor
        _required("active", Boolean),
        UniqueConstraint("channel", "monitor", "group"),
        Index(None, "monitor"),
        Index(None, "project", "group"),
        sqlite_autoincrement=True,
    )
    lists, channels = _shelf(metadata, "notification_lists"), _shelf(metadata, "channels")
    return Tables(lists, channels, subscriptions, alerts, notices)


def waits_in(notices: FromClause, state: int) -> ColumnElement[bool]:
    """PENDING or PLANNED; in literals, because a partial index serves only those queries that say the same words."""
    return and_(_is_waiting(notices), notices.c.state == literal_column(str(state)))


def _is_waiting(notices: FromClause) -> ColumnElement[bool]:
    return notices.c.state <= literal_column(str(PLANNED))


def _shelf(metadata: MetaData, name: str) -> Table:
    """Nouns of a project that are found by their key."""
    return Table(
        name,
        metadata,
        Column("number", Number, primary_key=True),
        _required("project", Number),
        _required("key", Text),
        _required("create_time", BigInteger),
        _required("update_time", BigInteger),
        _required("body", Text),  # JSON of the rest
        UniqueConstraint("project", "key"),
        sqlite_autoincrement=True,
    )


def _required(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)
