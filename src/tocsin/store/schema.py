"""The tables. Instants and lengths are integers of milliseconds; a `number` is the identity of a noun in the store."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    UniqueConstraint,
    literal_column,
)

from tocsin.domain.ids import partition_of
from tocsin.store import check_in_tables, deployment_tables, notification_tables, noun_tables
from tocsin.store.column_types import NAMES, InstantOrNever, Number, Text

PARTITION = partition_of(0)  # the one row of `partitions` until there are more

metadata = MetaData(naming_convention=NAMES)


def _ours() -> Column[Any]:
    """The identity of what the engine numbers."""
    return Column("number", Number, primary_key=True, autoincrement=False)


def _required(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


# --- tenants and credentials

projects = Table(
    "projects",
    metadata,
    Column("number", Number, primary_key=True),
    _required("slug", Text),
    _required("name", Text),
    _required("account_id", Text),
    _required("create_time", BigInteger),
    Column("settings", Text, nullable=False, server_default="{}"),  # JSON of what differs from the server's
    UniqueConstraint("slug"),
    sqlite_autoincrement=True,
)

keys = Table(
    "keys",
    metadata,
    Column("number", Number, primary_key=True),
    Column("project", Number, ForeignKey("projects.number"), nullable=False),
    _required("scope", Text),
    _required("digest", LargeBinary),
    _required("hint", Text),
    _required("create_time", BigInteger),
    Column("revoke_time", BigInteger),
    UniqueConstraint("digest"),
    Index(None, "project"),
    sqlite_autoincrement=True,
)

settings = Table("settings", metadata, Column("name", Text, primary_key=True), _required("value", Text))

# counts of writes that other processes poll: "credentials"
revisions = Table("revisions", metadata, Column("name", Text, primary_key=True), _required("value", BigInteger))

# --- configuration

policies = Table("policies", metadata, _ours(), _required("body", Text))

environments = Table(
    "environments",
    metadata,
    _ours(),
    _required("name", Text),
    UniqueConstraint("name"),
)

monitors = Table(
    "monitors",
    metadata,
    _ours(),
    _required("project", Number),
    _required("id", Text),
    _required("uid", Text),
    Column("policy", Number, ForeignKey("policies.number"), nullable=False),
    _required("disabled", Boolean),
    _required("inactive", Boolean),
    Column("paused_until", BigInteger),  # NULL: not paused; NEVER as a number: until resumed
    Column("muted_until", BigInteger),
    _required("kind", Text),
    _required("origin", Text),
    _required("owner", Text),
    _required("display_name", Text),
    _required("revision", BigInteger),
    _required("create_time", BigInteger),
    _required("update_time", BigInteger),
    _required("body", JSON),  # labels, alert_policy, written_by, extras, locks, writers
    Column("packed", LargeBinary),  # the columns above that a start needs, see `packing`; NULL: not packed yet
    Column("group", Text, nullable=False, server_default=""),  # the key of its group
    Column("tags", Text, nullable=False, server_default=""),  # each between line breaks, see `tags`
    Column("ping_token", Text),  # NULL: none
    UniqueConstraint("project", "id"),
    Index(None, "uid"),
)

# Most monitors are in no group, and cost this index nothing.
is_grouped = monitors.c.group != literal_column("''")  # as it stands, so that a query with it uses the index
Index(
    "ix_monitors_project_group",
    monitors.c.project,
    monitors.c.group,
    sqlite_where=is_grouped,
    postgresql_where=is_grouped,
)

_is_pinged = monitors.c.ping_token.is_not(None)
Index(
    "uq_monitors_ping_token",
    monitors.c.ping_token,
    unique=True,
    sqlite_where=_is_pinged,
    postgresql_where=_is_pinged,
)

# The row of a deleted monitor is gone at once and with it its name; what hung on it goes in slices, see `retention`.
deleted_monitors = Table(
    "deleted_monitors",
    metadata,
    _ours(),
    _required("delete_time", BigInteger),
)

# Times in which nothing is due.
maintenance_windows = Table(
    "maintenance_windows",
    metadata,
    _ours(),
    _required("project", Number),
    _required("id", Text),
    _required("create_time", BigInteger),
    _required("update_time", BigInteger),
    _required("body", Text),  # JSON of the rest
    UniqueConstraint("project", "id"),
)

# --- state

tracks = Table(
    "tracks",
    metadata,
    _ours(),
    _required("monitor", Number),
    Column("environment", Number, ForeignKey("environments.number"), nullable=False),
    *(_required(name, SmallInteger) for name in ("health", "verdict", "flags")),
    *(_required(name, Integer) for name in ("failures", "misses", "recoveries", "open_runs")),
    _required("incident", Number),  # 0: none
    *(Column(name, InstantOrNever) for name in ("expected", "deadline", "run_deadline")),
    *(Column(name, InstantOrNever) for name in ("last_check_in", "last_success", "last_start")),
    _required("last_duration", BigInteger),  # -1: none yet
    *(_required(f"{name}_count", BigInteger) for name in ("ok", "error", "started", "missed", "timed_out", "unknown")),
    _required("last_lapse", Number),  # 0: none
    Column("last_lapse_slot", InstantOrNever),
    Column("create_time", BigInteger, nullable=False, server_default="0"),  # not in `Track`; 0: before it was kept
    Column("applied", BigInteger, nullable=False, server_default="0"),  # the newest check-in that the row contains
    Column("packed", LargeBinary),  # the row as memory has it, see `packing`; NULL: not packed yet
    UniqueConstraint("monitor", "environment"),
    postgresql_with={"fillfactor": 70},  # rows change all the time and no index knows: new versions stay on their page
)

# The row of a deleted track is gone at once; its check-ins and incidents go in slices, see `retention`.
deleted_tracks = Table(
    "deleted_tracks",
    metadata,
    _ours(),
    _required("monitor", Number),
    _required("delete_time", BigInteger),
    # the numbers up to which the monitor's check-ins and incidents have been looked at
    Column("check_ins_done", BigInteger, nullable=False, server_default="0"),
    Column("incidents_done", BigInteger, nullable=False, server_default="0"),
)

# All weeks of check-ins together; what they are made of is in `check_in_tables`.
check_ins, check_in_ids = check_in_tables.WHOLE
is_open = check_in_tables.is_open_in(check_ins)

incidents = Table(
    "incidents",
    metadata,
    _ours(),
    _required("project", Number),
    _required("monitor", Number),
    _required("track", Number),
    _required("cause", Text),
    _required("open_time", BigInteger),
    _required("first_check_in", Text),
    _required("last_check_in", Text),
    _required("failure_count", BigInteger),
    Column("resolve_time", BigInteger),
    _required("resolving_check_in", Text),
    Column("acknowledge_time", BigInteger),
    _required("acknowledged_by", Text),
    _required("note", Text),
    _required("muted", Boolean),
    Column("broken_time", BigInteger),
    Column("broken_mute_time", BigInteger),
    Column("attended_time", BigInteger),
    Column("causes", Text, nullable=False, server_default=""),  # JSON; "": the cause alone
    Column("assertion", Text, nullable=False, server_default=""),
    Column("resolved_by", Text, nullable=False, server_default=""),
    Index(None, "project", "number"),
    Index(None, "monitor", "number"),
)
# At most one open incident for each track.
_is_unresolved = incidents.c.resolve_time.is_(None)
Index("uq_incidents_open", incidents.c.track, unique=True, sqlite_where=_is_unresolved, postgresql_where=_is_unresolved)

outages = Table(
    "outages",
    metadata,
    _ours(),
    _required("start_time", BigInteger),
    _required("end_time", BigInteger),
    _required("reason", Text),
    _required("unknown_count", BigInteger),
    _required("shown", Boolean),
)

refusals = Table(
    "refusals",
    metadata,
    Column("number", Number, primary_key=True),
    _required("project", Number),
    _required("monitor_id", Text),
    _required("reason", Text),
    _required("detail", Text),
    _required("at", BigInteger),
    _required("dialect", Text),
    _required("environment", Text),
    _required("check_in_id", Text),
    _required("dropped", Boolean),
    Column("data", Text, nullable=False, server_default="{}"),  # JSON: particulars by name
    Column("payload", Text, nullable=False, server_default=""),  # what the client sent, cut
    Index(None, "project", "monitor_id", "number"),
    Index(None, "project", "number"),
    Index(None, "at"),
)

# What an error tracker's client said of a trace: names the error behind a failed run.
trace_errors = Table(
    "trace_errors",
    metadata,
    Column("project", Number, primary_key=True, autoincrement=False),
    Column("trace_id", LargeBinary, primary_key=True),  # 16 bytes
    _required("at", BigInteger),
    _required("level", Text),
    _required("type", Text),
    _required("value", Text),
    Index(None, "at"),
    sqlite_with_rowid=False,
)

changes = Table(
    "changes",
    metadata,
    Column("revision", Number, primary_key=True),
    _required("at", BigInteger),
    _required("project", Number),
    _required("monitor", Number),
    _required("kind", Text),
    _required("monitor_id", Text),  # of a deleted monitor; "" while the monitor itself can be asked
    Index(None, "at"),
    sqlite_autoincrement=True,  # a revision is never given out twice, even after old ones went
)

# --- the fence

partitions = Table(
    "partitions",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=False),
    _required("position", BigInteger),
    _required("epoch", BigInteger),
    Column("alive_at", BigInteger),
    # every check-in with a number up to here is contained in the row of its track
    Column("watermark", BigInteger, nullable=False, server_default="0"),
)

sequences = Table("sequences", metadata, Column("name", Text, primary_key=True), _required("value", BigInteger))

# --- notification

groups, project_environments, manual_incidents, variables, snippets = noun_tables.define(metadata)
notification_lists, channels, subscriptions, alerts, notices = notification_tables.define(metadata)
bindings, deployments = deployment_tables.define(metadata)
