"""Environments of a project: put, delete, read. Decisions go to the store, what monitors lose to the journal."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from tocsin.domain import errors
from tocsin.domain.commands import DeleteEnvironment
from tocsin.domain.environment import NAME_MAX
from tocsin.domain.instant import Instant
from tocsin.domain.names import DEFAULT_ENVIRONMENT, check_environment
from tocsin.domain.project import Scope
from tocsin.journal.port import Journal
from tocsin.service.principal import Principal
from tocsin.store import pages
from tocsin.store.nouns_port import CountedEnvironment, Nouns
from tocsin.store.port import Page

_TOGETHER: Final = 200  # monitors whose environment is deleted at once
_GONE: Final = ("MONITOR_NOT_FOUND", "ENVIRONMENT_NOT_FOUND")


class Environments:
    def __init__(self, journal: Journal, nouns: Nouns) -> None:
        self._journal = journal
        self._nouns = nouns

    async def put(
        self,
        principal: Principal,
        key: str,
        values: Mapping[str, Any],
        received: Instant,
        *,
        create: bool = True,
        update: bool = True,
    ) -> CountedEnvironment:
        """Writes the named fields (`display_name`, `with_alerts`), as far as it may.

        PROJECT_ENVIRONMENT_NOT_FOUND, PROJECT_ENVIRONMENT_ALREADY_EXISTS.
        """
        principal.require(Scope.ADMIN)
        name = values.get("display_name", "")
        if len(name) > NAME_MAX:
            raise errors.invalid("project_environment.display_name", f"at most {NAME_MAX} characters, not {len(name)}")
        if create:
            check_environment(key, "project_environment_id")
        return await asyncio.to_thread(
            self._nouns.put_environment, principal.project.number, key, values, received, create=create, update=update
        )

    async def get(self, principal: Principal, key: str) -> CountedEnvironment:
        principal.require(Scope.READ)
        found = await asyncio.to_thread(self._nouns.get_environment, principal.project.number, key)
        if found is None:
            raise not_found(key)
        return found

    async def every(self, principal: Principal) -> list[CountedEnvironment]:
        """By key: those that were put, those that monitors have reported from, and the default one."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._nouns.environments, principal.project.number)

    async def page(self, principal: Principal, *, size: int, token: str) -> Page[CountedEnvironment]:
        """By key."""
        query = ("environments", principal.project.number)
        found = await self.every(principal)
        if token:
            last = pages.decode(token, query, tuple[str])[0]
            found = [row for row in found if row.environment.key > last]
        return pages.cut(found[: size + 1], size, query, lambda row: (row.environment.key,))

    async def without_alerts(self, principal: Principal) -> frozenset[str]:
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._nouns.environments_without_alerts, principal.project.number)

    async def delete(self, principal: Principal, key: str, received: Instant, *, allow_missing: bool = False) -> None:
        """With its check-ins and incidents, in every monitor. ENVIRONMENT_IS_DEFAULT: that one stays."""
        principal.require(Scope.ADMIN)
        if key == DEFAULT_ENVIRONMENT:
            raise errors.FailedPrecondition(
                f"{key!r} is the default environment and stays",
                reason="ENVIRONMENT_IS_DEFAULT",
                metadata={"environment": key},
            )
        project = principal.project.number
        monitor_ids = await asyncio.to_thread(self._nouns.monitors_in, project, key)
        for first in range(0, len(monitor_ids), _TOGETHER):
            commands = [DeleteEnvironment(project, one, key) for one in monitor_ids[first : first + _TOGETHER]]
            for receipt in await self._journal.append_many(received, commands):
                if receipt.error is not None and receipt.error.reason not in _GONE:
                    raise receipt.error
        decided = await asyncio.to_thread(self._nouns.delete_environment, project, key)
        if not decided and not monitor_ids and not allow_missing:
            raise not_found(key)


def not_found(key: str) -> errors.NotFound:
    return errors.NotFound(
        f"the project has no environment {key[:64]!r}",
        reason="PROJECT_ENVIRONMENT_NOT_FOUND",
        metadata={"environment": key[:64]},
    )
