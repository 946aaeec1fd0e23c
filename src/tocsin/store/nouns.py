"""`SqlNouns`: groups, environments and incidents by hand, answered by the database; see `nouns_port`."""

from collections.abc import Collection, Mapping
from typing import Any

from tocsin.domain.group import Group
from tocsin.domain.instant import Instant
from tocsin.domain.manual_incident import ManualIncident
from tocsin.domain.monitor import Monitor
from tocsin.store import groups, manual_incidents, monitors, project_environments
from tocsin.store.database import Database
from tocsin.store.nouns_port import CountedEnvironment, CountedGroup
from tocsin.store.port import Page


class SqlNouns:
    """Beside the writer of the partition, which disturbs it not; each method blocks and may be called by any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- groups

    def put_group(
        self, project: int, key: str, values: Mapping[str, Any], at: Instant, *, create: bool, update: bool
    ) -> CountedGroup:
        with self._database.write() as connection:
            return groups.put(connection, project, key, values=values, at=at, create=create, update_known=update)

    def get_group(self, project: int, key: str) -> CountedGroup | None:
        with self._database.read() as connection:
            return groups.get(connection, project, key)

    def get_group_by_number(self, project: int, number: int) -> CountedGroup | None:
        with self._database.read() as connection:
            return groups.get_by_number(connection, project, number)

    def groups_named(self, project: int, keys: Collection[str]) -> dict[str, Group]:
        with self._database.read() as connection:
            return groups.named(connection, project, keys)

    def numbered_groups(self, project: int, *, size: int, offset: int = 0) -> tuple[list[CountedGroup], int]:
        with self._database.read() as connection:
            return groups.numbered_page(connection, project, size=size, offset=offset)

    def list_groups(self, project: int, *, size: int, token: str = "") -> Page[CountedGroup]:
        with self._database.read() as connection:
            return groups.list_page(connection, project, size=size, token=token)

    def known_groups(self, project: int, keys: Collection[str]) -> set[str]:
        with self._database.read() as connection:
            return groups.known(connection, project, keys)

    def ensure_groups(self, project: int, keys: Collection[str], at: Instant, *, validate_only: bool = False) -> None:
        with self._database.write() as connection:
            groups.ensure(connection, project, keys, at, validate_only=validate_only)

    def delete_group(self, project: int, key: str) -> bool:
        with self._database.write() as connection:
            return groups.remove(connection, project, key)

    def members(self, project: int, keys: Collection[str]) -> dict[str, list[Monitor]]:
        with self._database.read() as connection:
            return groups.members(connection, project, keys)

    def known_monitors(self, project: int, ids: Collection[str]) -> set[str]:
        with self._database.read() as connection:
            return monitors.known(connection, project, ids)

    # --- environments

    def put_environment(
        self, project: int, key: str, values: Mapping[str, Any], at: Instant, *, create: bool, update: bool
    ) -> CountedEnvironment:
        with self._database.write() as connection:
            return project_environments.put(
                connection, project, key, values=values, at=at, create=create, update_known=update
            )

    def get_environment(self, project: int, key: str) -> CountedEnvironment | None:
        with self._database.read() as connection:
            return project_environments.get(connection, project, key)

    def environments(self, project: int) -> list[CountedEnvironment]:
        with self._database.read() as connection:
            return project_environments.every(connection, project)

    def delete_environment(self, project: int, key: str) -> bool:
        with self._database.write() as connection:
            return project_environments.remove(connection, project, key)

    def monitors_in(self, project: int, environment: str) -> list[str]:
        with self._database.read() as connection:
            return project_environments.monitors_in(connection, project, environment)

    def environments_without_alerts(self, project: int) -> frozenset[str]:
        with self._database.read() as connection:
            return project_environments.without_alerts(connection, project)

    # --- incidents that people write down

    def put_manual_incident(
        self, project: int, key: str, values: Mapping[str, Any], at: Instant, *, create: bool, update: bool
    ) -> ManualIncident:
        with self._database.write() as connection:
            return manual_incidents.put(
                connection, project, key, values=values, at=at, create=create, update_known=update
            )

    def get_manual_incident(self, project: int, key: str) -> ManualIncident | None:
        with self._database.read() as connection:
            return manual_incidents.get(connection, project, key)

    def list_manual_incidents(
        self, project: int, *, open_only: bool = False, size: int, token: str = ""
    ) -> Page[ManualIncident]:
        with self._database.read() as connection:
            return manual_incidents.list_page(connection, project, open_only=open_only, size=size, token=token)

    def delete_manual_incident(self, project: int, key: str) -> bool:
        with self._database.write() as connection:
            return manual_incidents.remove(connection, project, key)
