"""`SqlTellable`: incidents as telling needs them, and who is to be told. Reads only."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, Select, and_, func, or_, select

from tocsin.domain.check_in import CheckIn
from tocsin.domain.incident import BY_DEACTIVATION
from tocsin.domain.instant import Instant, Millis
from tocsin.domain.monitor import AlertPolicy, Escalation
from tocsin.domain.notification import DEFAULT_LIST, Channel, NotificationList
from tocsin.domain.schedule import Schedule
from tocsin.domain.track import TrackFlag
from tocsin.store import check_ins, project_environments, subscribed, tags, weeks
from tocsin.store.database import Database
from tocsin.store.incidents import causes_of
from tocsin.store.port import chunks
from tocsin.store.schema import environments, groups, incidents, monitors, notification_lists, policies, tracks
from tocsin.store.shelves import CHANNELS, LISTS
from tocsin.store.subscribed import Flags

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
    uid: str = ""  # of the monitor
    failures: int = 1  # counted into it
    resolving_check_in: str = ""  # id
    tags: tuple[str, ...] = ()  # of the monitor, then of its group
    group_quiet: bool = False  # nobody is told of its members
    group_escalation: tuple[Escalation | None, bool | None] = (None, None)  # see `escalation.holding`
    subscribed: tuple[str, ...] = ()  # destinations


class Named(NamedTuple):
    """What telling of an event needs of its monitor."""

    monitor_id: str
    display_name: str
    policy: AlertPolicy
    group: str
    extras: dict[str, Any]
    group_quiet: bool = False
    group_tags: tuple[str, ...] = ()
    subscribed: tuple[str, ...] = ()


class _Tolerance(msgspec.Struct, frozen=True):
    alert_delay_ms: Millis = 0


class _Policy(msgspec.Struct, frozen=True):
    """What telling needs of a policy."""

    tolerance: _Tolerance = _Tolerance()
    separate_causes: bool = False
    schedules: tuple[Schedule, ...] = ()


class _Group(msgspec.Struct, frozen=True):
    """What telling needs of a group."""

    tags: tuple[str, ...] = ()
    muted: bool = False
    inactive: bool = False
    escalation: Escalation | None = None
    project_escalation: bool | None = None

    @property
    def quiet(self) -> bool:
        return self.muted or self.inactive


_IN_GROUP: Final = and_(groups.c.project == monitors.c.project, groups.c.key == monitors.c.group)
_GROUP: Final = func.coalesce(func.nullif(groups.c.display_name, ""), monitors.c.group).label("group_name")
_OF_GROUP: Final = (_GROUP, groups.c.number.label("group_number"), groups.c.body.label("group_body"))
_NO_GROUP: Final = _Group()
_policy: Final = msgspec.json.Decoder(_Policy).decode
_decode_group: Final = msgspec.json.Decoder(_Group).decode


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
            if subscribed.somewhere(connection):
                told = or_(told, subscribed.is_heard())
            between = (incidents.c.number > number, incidents.c.number <= last, told)
            statement = _select().where(*between).order_by(incidents.c.number).limit(limit)
            found = _known(connection, statement)
        return found, found[-1].number if len(found) == limit else last

    def incidents(self, numbers: Collection[int]) -> dict[int, Known]:
        """By number; those of deleted monitors and environments are not there."""
        found: dict[int, Known] = {}
        with self._database.read() as connection:
            for some in chunks(sorted(numbers), _MANY):
                found |= {one.number: one for one in _known(connection, _select().where(incidents.c.number.in_(some)))}
        return found

    def open_of(
        self, monitors_: Collection[int], groups_: Collection[int], projects: Collection[int] = ()
    ) -> list[int]:
        """Incidents that are open, of these monitors, members of groups and projects, lowest first; by number."""
        wanted, found = set(monitors_), list[int]()
        with self._database.read() as connection:
            for some in chunks(sorted(groups_), _MANY):
                members = select(monitors.c.number).join(groups, _IN_GROUP).where(groups.c.number.in_(some))
                wanted.update(connection.execute(members).scalars())
            for project in projects:
                wanted.update(
                    connection.execute(select(monitors.c.number).where(monitors.c.project == project)).scalars()
                )
            for some in chunks(sorted(wanted), _MANY):  # by track, as the index of those that are open goes
                mine = select(tracks.c.number).where(tracks.c.monitor.in_(some))
                ours = select(incidents.c.number).where(incidents.c.track.in_(mine), incidents.c.resolve_time.is_(None))
                found += connection.execute(ours).scalars()
        return sorted(found)

    def monitors(self, numbers: Collection[int]) -> dict[int, Named]:
        """By number; those that were deleted are not there."""
        columns = (monitors.c.number, monitors.c.id, monitors.c.display_name, monitors.c.body, *_OF_GROUP)
        joined = select(*columns).select_from(monitors.outerjoin(groups, _IN_GROUP))
        found: dict[int, Named] = {}
        with self._database.read() as connection:
            for some in chunks(sorted(numbers), _MANY):
                rows = connection.execute(joined.where(monitors.c.number.in_(some))).all()
                hearing = subscribed.destinations(connection, [(row.number, row.group_number or 0) for row in rows])
                for row in rows:
                    policy, extras = _alert_policy(row.body), row.body.get("extras", {})
                    common, group = (row.id, row.display_name, policy, row.group_name or "", extras), _group(row)
                    found[row.number] = Named(*common, group.quiet, group.tags, hearing.get(row.number, ()))
        return found

    def check_ins(self, wanted: Collection[tuple[int, str]]) -> dict[tuple[int, str], CheckIn]:
        """By project and id; those that are there."""
        with self._database.read() as connection:
            weeks.hold(connection)
            return check_ins.recall(connection, sorted(wanted))

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

    def flags(self, named: Collection[tuple[int, str]]) -> dict[tuple[int, str], Flags]:
        """What channels, by project and key, want to hear; those that are there."""
        with self._database.read() as connection:
            return subscribed.flags(connection, named)

    def channel(self, project: int, key: str) -> Channel | None:
        with self._database.read() as connection:
            return CHANNELS.get(connection, project, key)


def _projects(connection: Connection) -> Sequence[int]:
    """Those whose default list is somebody."""
    statement = select(notification_lists).where(notification_lists.c.key == DEFAULT_LIST)
    return [row.project for row in connection.execute(statement) if msgspec.json.decode(row.body).get("destinations")]


def _select() -> Select[Any]:
    """Of living monitors and environments: the joins are what hides the rest."""
    own = ("id", "uid", "tags", "display_name", "disabled", "inactive", "paused_until", "muted_until", "body")
    return (
        select(
            incidents,
            *(monitors.c[name].label(f"monitor_{name}") for name in own),
            policies.c.body.label("policy_body"),
            tracks.c.flags.label("track_flags"),
            environments.c.name.label("environment"),
            *_OF_GROUP,
        )
        .join_from(incidents, monitors, incidents.c.monitor == monitors.c.number)
        .join(policies, monitors.c.policy == policies.c.number)
        .join(tracks, incidents.c.track == tracks.c.number)
        .join(environments, tracks.c.environment == environments.c.number)
        .outerjoin(groups, _IN_GROUP)
    )


def _known(connection: Connection, statement: Select[Any]) -> list[Known]:
    rows = connection.execute(statement).all()
    hearing = subscribed.destinations(connection, [(row.monitor, row.group_number or 0) for row in rows])
    return [_from_row(row, hearing.get(row.monitor, ())) for row in rows]


def _group(row: Any) -> _Group:
    return _NO_GROUP if row.group_body is None else _decode_group(row.group_body)


def _from_row(row: Row[Any], hearing: tuple[str, ...]) -> Known:
    policy, body, group = _policy(row.policy_body), row.monitor_body, _group(row)
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
        uid=row.monitor_uid,
        failures=row.failure_count,
        resolving_check_in=row.resolving_check_in,
        tags=tuple(dict.fromkeys((*tags.from_text(row.monitor_tags), *group.tags))),
        group_quiet=group.quiet,
        group_escalation=(group.escalation, group.project_escalation),
        subscribed=hearing,
    )


def _alert_policy(body: Any) -> AlertPolicy:
    return msgspec.convert(body.get("alert_policy", {}), AlertPolicy)
