"""Settings of a project: read, change. They are written through the journal, because the engine judges by them."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from tocsin.domain.commands import PutProjectSettings
from tocsin.domain.instant import Instant
from tocsin.domain.project import Scope
from tocsin.domain.project_settings import ProjectSettings
from tocsin.journal.port import Journal
from tocsin.service.configuration import Configuration
from tocsin.service.principal import Principal, Principals


class Decided(NamedTuple):
    own: ProjectSettings  # what the project decides for itself
    effective: ProjectSettings  # what holds; every field is set


class Settings:
    def __init__(
        self, journal: Journal, principals: Principals, configuration: Configuration, server: ProjectSettings
    ) -> None:
        """`server` is what holds for a project that decides nothing; every field is set."""
        self._journal = journal
        self._principals = principals
        self._configuration = configuration
        self._server = server

    def get(self, principal: Principal) -> Decided:
        principal.require(Scope.READ)
        project = self._principals.project(principal.project.number) or principal.project
        return self._decided(project.settings)

    async def update(
        self, principal: Principal, settings: ProjectSettings, fields: Sequence[str], received: Instant
    ) -> Decided:
        """Writes the named fields of `settings`, whose bounds the edge has checked; None: the server's again."""
        principal.require(Scope.ADMIN)
        if settings.time_zone is not None and "time_zone" in fields:
            self._configuration.check_zone(settings.time_zone, "project_settings.time_zone")
        command = PutProjectSettings(principal.project.number, settings, tuple(fields))
        receipt = await self._journal.append(received, command)
        if receipt.error is not None:
            raise receipt.error
        await asyncio.to_thread(self._principals.refresh)
        assert receipt.settings is not None
        return self._decided(receipt.settings)

    def _decided(self, own: ProjectSettings) -> Decided:
        return Decided(own, own.over(self._server))
