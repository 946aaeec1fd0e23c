"""`SqlTellable`: incidents as telling needs them, and who is to be told. Reads only."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, Select, and_, func, or_, select

from tocsin.domain.incident import BY_DEACTIVATION
from tocsin.domain.instant import Instant, Millis
from tocsin.domain.monitor import AlertPolicy
from tocsin.domain.notification import DEFAULT_LIST, Channel, NotificationList
from tocsin.domain.schedule import Schedule
from tocsin.domain.track import TrackFlag
from tocsin.store import check_ins, project_environments, weeks
from tocsin.store.database import Database
from tocsin.store.incidents import causes_of
from tocsin.store.port import chunks
from tocsin.store.schema import environments, groups, incidents, monitors, notification_lists, policies, tracks
from tocsin.store.shelves import CHANNELS, LISTS

_MANY: Final = 500  # values in one IN


class Audience(NamedTuple):
    """Who can be told of what in a project."""

    lists: Mapping[str, NotificationList]  # by key
    silent: frozenset[str]  # environments of which nobody is told


class Known(NamedTuple):
    """An incident with what its monitor says of telling."""

    number: int
    project: int
    monitor: int
    monitor_id: str
    display_name: str
    environment: str
    open_time: Instant
    resolve_time: Instant | None
    acknowledged: bool
    last_check_in: str  # id of the newest failure
    causes: tuple[str, ...]
    policy: AlertPolicy
    delay_ms: Millis
    separate_causes: bool
    schedules: tuple[Schedule, ...]
    off: bool  # disabled or inactive, or it was when the incident ended
    paused_until: Instant | None
    muted_until: Instant | None
    environment_muted: bool
    group: str  # as people know it
    extras: dict[str, Any]


class Named(NamedTuple):
    """What telling of an event needs of its monitor."""

    monitor_id: str
    display_name: str
    policy: AlertPolicy
    group: str
    extras: dict[str, Any]


class _Tolerance(msgspec.Struct, frozen=True):
    alert_delay_ms: Millis = 0


class _Policy(msgspec.Struct, frozen=True):
    """What telling needs of a policy."""

    tolerance: _Tolerance = _Tolerance()
    separate_causes: bool = False
    schedules: tuple[Schedule, ...] = ()


_IN_GROUP: Final = and_(groups.c.project == monitors.c.project, groups.c.key == monitors.c.group)
_GROUP: Final = func.coalesce(func.nullif(groups.c.display_name, ""), monitors.c.group).label("group_name")
_policy: Final = msgspec.json.Decoder(_Policy).decode


class SqlTellable:
    """Each method blocks and may be called by any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def opened_after(self, number: int, limit: int) -> tuple[list[Known], int]:
        """Incidents of which somebody may be told, with greater numbers, lowest first; and up to which that is all.

        The rest is passed over by the database: many incidents that nobody is told of cost little.
        """
        with self._database.read() as connection:
            newest = select(func.max(incidents.c.number)).where(incidents.c.number > number)
            last = connection.execute(newest).scalar()
            if last is None:
                return [], number
            channels = monitors.c.body[("alert_policy", "channels")].as_string()
            told = or_(incidents.c.project.in_(_projects(connection)), channels.is_not(None))
            between = (incidents.c.number > number, incidents.c.number <= last, told)
            statement = _select().where(*between).order_by(incidents.c.number).limit(limit)
            found = [_from_row(row) for row in connection.execute(statement)]
        return found, found[-1].number if len(found) == limit else last

    def incidents(self, numbers: Collection[int]) -> dict[int, Known]:
        """By number; those of deleted monitors and environments are not there."""
        found: dict[int, Known] = {}
        with self._database.read() as connection:
            for some in chunks(sorted(numbers), _MANY):
                for row in connection.execute(_select().where(incidents.c.number.in_(some))):
                    found[row.number] = _from_row(row)
        return found

    def monitors(self, numbers: Collection[int]) -> dict[int, Named]:
        """By number; those that were deleted are not there."""
        columns = (monitors.c.number, monitors.c.id, monitors.c.display_name, monitors.c.body, _GROUP)
        joined = select(*columns).select_from(monitors.outerjoin(groups, _IN_GROUP))
        found: dict[int, Named] = {}
        with self._database.read() as connection:
            for some in chunks(sorted(numbers), _MANY):
                for row in connection.execute(joined.where(monitors.c.number.in_(some))):
                    policy, extras = _alert_policy(row.body), row.body.get("extras", {})
                    found[row.number] = Named(row.id, row.display_name, policy, row.group_name or "", extras)
        return found

    def messages(self, wanted: Collection[tuple[int, str]]) -> dict[tuple[int, str], str]:
        """What check-ins said, by project and id; those that are there and said something."""
        with self._database.read() as connection:
            weeks.hold(connection)
            found = check_ins.recall(connection, sorted(wanted))
        return {key: row.message for key, row in found.items() if row.message}

    def audiences(self, projects: Collection[int]) -> dict[int, Audience]:
        """By project."""
        with self._database.read() as connection:
            return {
                project: Audience(
                    {one.key: one for one in LISTS.all(connection, project)},
                    project_environments.without_alerts(connection, project),
                )
                for project in projects
            }

    def channel(self, project: int, key: str) -> Channel | None:
        with self._database.read() as connection:
            return CHANNELS.get(connection, project, key)


def _projects(connection: Connection) -> Sequence[int]:
    """Those whose default list is somebody."""
    statement = select(notification_lists).where(notification_lists.c.key == DEFAULT_LIST)
    return [row.project for row in connection.execute(statement) if msgspec.json.decode(row.body).get("destinations")]


def _select() -> Select[Any]:
    """Of living monitors and environments: the joins are what hides the rest."""
    own = ("id", "display_name", "disabled", "inactive", "paused_until", "muted_until", "body")
    return (
        select(
            incidents,
            *(monitors.c[name].label(f"monitor_{name}") for name in own),
            policies.c.body.label("policy_body"),
            tracks.c.flags.label("track_flags"),
            environments.c.name.label("environment"),
            _GROUP,
        )
        .join_from(incidents, monitors, incidents.c.monitor == monitors.c.number)
        .join(policies, monitors.c.policy == policies.c.number)
        .join(tracks, incidents.c.track == tracks.c.number)
        .join(environments, tracks.c.environment == environments.c.number)
        .outerjoin(groups, _IN_GROUP)
    )


def _from_row(row: Row[Any]) -> Known:
    policy, body = _policy(row.policy_body), row.monitor_body
    return Known(
        number=row.number,
        project=row.project,
        monitor=row.monitor,
        monitor_id=row.monitor_id,
        display_name=row.monitor_display_name,
        environment=row.environment,
        open_time=row.open_time,
        resolve_time=row.resolve_time,
        acknowledged=row.acknowledge_time is not None,
        last_check_in=row.last_check_in,
        causes=causes_of(row),
        policy=_alert_policy(body),
        delay_ms=policy.tolerance.alert_delay_ms,
        separate_causes=policy.separate_causes,
        schedules=policy.schedules,
        off=row.monitor_disabled or row.monitor_inactive or row.resolved_by == BY_DEACTIVATION,
        paused_until=row.monitor_paused_until,
        muted_until=row.monitor_muted_until,
        environment_muted=bool(row.track_flags & TrackFlag.MUTED),
        group=row.group_name or "",
        extras=body.get("extras", {}),
    )


def _alert_policy(body: Any) -> AlertPolicy:
    return msgspec.convert(body.get("alert_policy", {}), AlertPolicy)
