"""The port of what protocols share and the engine does not judge by: groups, environments, incidents by hand.

They are written straight to the database, beside the journal. What monitors say of themselves, such as their group, is
read here and written by commands.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, Protocol

from tocsin.domain.environment import ProjectEnvironment
from tocsin.domain.group import Group
from tocsin.domain.instant import Instant
from tocsin.domain.manual_incident import ManualIncident
from tocsin.domain.monitor import Monitor
from tocsin.store.port import Page

GROUPS_MAX = 10_000  # of one project
ENVIRONMENTS_MAX = 10_000  # of one project, of those that something was decided for


class CountedGroup(NamedTuple):
    group: Group
    monitors: int  # members


class CountedEnvironment(NamedTuple):
    environment: ProjectEnvironment
    monitors: int  # that have reported from it


class Nouns(Protocol):
    """Any method may raise `StoreTrouble`; those that turn pages also `InvalidArgument`."""

    # --- groups

    def put_group(
        self, project: int, key: str, values: Mapping[str, Any], at: Instant, *, create: bool, update: bool
    ) -> CountedGroup:
        """Writes these fields; `extras` only of the dialects that it names.

        NotFound, AlreadyExists: it may not be created, or not changed. ResourceExhausted.
        """

    def get_group(self, project: int, key: str) -> CountedGroup | None: ...

    def get_group_by_number(self, project: int, number: int) -> CountedGroup | None: ...

    def groups_named(self, project: int, keys: Collection[str]) -> dict[str, Group]:
        """Those of these keys that exist, by key."""

    def numbered_groups(self, project: int, *, size: int, offset: int = 0) -> tuple[list[CountedGroup], int]:
        """Some of them, oldest first, and how many there are in all."""

    def list_groups(self, project: int, *, size: int, token: str = "") -> Page[CountedGroup]:
        """By key."""

    def known_groups(self, project: int, keys: Collection[str]) -> set[str]:
        """Those of these keys that exist."""

    def ensure_groups(self, project: int, keys: Collection[str], at: Instant, *, validate_only: bool = False) -> None:
        """Makes those that are not there, each with its key for a name: all of them, or none. ResourceExhausted."""

    def delete_group(self, project: int, key: str) -> bool:
        """False: there was none. Its members are not touched, its subscriptions end."""

    def members(self, project: int, keys: Collection[str]) -> dict[str, list[Monitor]]:
        """The monitors of each of these groups, by id; a group without any has an empty list."""

    def known_monitors(self, project: int, ids: Collection[str]) -> set[str]:
        """Those of these ids that exist."""

    # --- environments

    def put_environment(
        self, project: int, key: str, values: Mapping[str, Any], at: Instant, *, create: bool, update: bool
    ) -> CountedEnvironment:
        """Writes these fields. NotFound, AlreadyExists: what is known by reports only exists too. ResourceExhausted."""

    def get_environment(self, project: int, key: str) -> CountedEnvironment | None: ...

    def environments(self, project: int) -> list[CountedEnvironment]:
        """By key: those that something was decided for, those that monitors have reported from, and the default.

        Looks at every environment of every monitor of the project once.
        """

    def delete_environment(self, project: int, key: str) -> bool:
        """What was decided for it; False: nothing was. Monitors are not touched."""

    def monitors_in(self, project: int, environment: str) -> list[str]:
        """The ids of the monitors that have reported from it."""

    def environments_without_alerts(self, project: int) -> frozenset[str]: ...

    # --- incidents that people write down

    def put_manual_incident(
        self, project: int, key: str, values: Mapping[str, Any], at: Instant, *, create: bool, update: bool
    ) -> ManualIncident:
        """Writes these fields; InvalidArgument when they do not fit together. NotFound, AlreadyExists."""

    def get_manual_incident(self, project: int, key: str) -> ManualIncident | None: ...

    def list_manual_incidents(
        self, project: int, *, open_only: bool = False, size: int, token: str = ""
    ) -> Page[ManualIncident]:
        """Newest first."""

    def delete_manual_incident(self, project: int, key: str) -> bool:
        """False: there was none."""
