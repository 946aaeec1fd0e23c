"""Which monitors are in a group, or heard of through a channel, by their uids alone: a hundred thousand in one answer.

For lists that show nothing else of monitors, so that none is read whole. Only those with one rolling schedule count.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

from sqlalchemy import and_, or_, select

from tocsin.store.database import Database
from tocsin.store.numbered import rolling
from tocsin.store.port import chunks
from tocsin.store.schema import is_grouped, monitors, subscriptions
from tocsin.store.texts import clean

_MANY: Final = 500  # values in one IN


class Subscriber(NamedTuple):
    """Of a channel: a monitor or a group. One of the last two says nothing."""

    number: int  # Subscription.number
    active: bool
    uid: str  # of the monitor; "": it is a group
    group: int  # Group.number


class SqlMembers:
    """Each method blocks and may be called by any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_groups(self, project: int, keys: Collection[str]) -> dict[str, list[str]]:
        """The uids in each of these groups, oldest first; a group without any has an empty list."""
        found: dict[str, list[str]] = {key: [] for key in keys}
        columns = (monitors.c.number, monitors.c.group, monitors.c.uid)
        mine = (monitors.c.project == project, is_grouped, monitors.c.policy.in_(rolling()))
        with self._database.read() as connection:
            for some in chunks(sorted(found), _MANY):
                statement = select(*columns).where(*mine, monitors.c.group.in_([clean(key) for key in some]))
                for _, group, uid in sorted(tuple(row) for row in connection.execute(statement)):
                    found[group].append(uid)
        return found

    def of_channels(self, project: int, channels: Collection[int]) -> dict[int, list[Subscriber]]:
        """The subscribers of each of these channels, the longest subscribed first; likewise."""
        found: dict[int, list[Subscriber]] = {number: [] for number in channels}
        mine = subscriptions.c
        told = subscriptions.outerjoin(
            monitors, and_(monitors.c.number == mine.monitor, monitors.c.policy.in_(rolling()))
        )
        columns = (mine.channel, mine.number, mine.active, monitors.c.uid, mine.group)
        shown = or_(mine.group != 0, monitors.c.uid.is_not(None))
        with self._database.read() as connection:
            for some in chunks(sorted(found), _MANY):
                where = (mine.project == project, mine.channel.in_(some), shown)
                statement = select(*columns).select_from(told).where(*where).order_by(mine.number)
                for channel, number, active, uid, group in connection.execute(statement):
                    found[channel].append(Subscriber(number, active, uid or "", group))
        return found
