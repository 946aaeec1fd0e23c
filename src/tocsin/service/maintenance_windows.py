"""Maintenance windows: put, delete, read. Writes go through the journal, because slots are judged by them."""

import asyncio

from tocsin.domain import errors
from tocsin.domain.commands import DeleteMaintenanceWindow, PutMaintenanceWindow
from tocsin.domain.instant import Instant
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.project import Scope
from tocsin.journal.port import Journal
from tocsin.service.configuration import Configuration
from tocsin.service.principal import Principal
from tocsin.store.port import Page, Store


class MaintenanceWindows:
    def __init__(self, journal: Journal, store: Store, configuration: Configuration) -> None:
        self._journal = journal
        self._store = store
        self._configuration = configuration

    async def put(self, principal: Principal, command: PutMaintenanceWindow, received: Instant) -> MaintenanceWindow:
        """Creates or changes, as the command allows. InvalidArgument names the field below "maintenance_window"."""
        principal.require(Scope.ADMIN)
        if command.window.recurrence is not None:  # on trial, so that what is refused does not stay in the engine
            self._configuration.compile((command.window.recurrence,), "maintenance_window.recurrence")
        receipt = await self._journal.append(received, command)
        if receipt.error is not None:
            raise receipt.error
        assert receipt.window is not None
        return receipt.window

    async def delete(
        self, principal: Principal, window_id: str, received: Instant, *, allow_missing: bool = False
    ) -> None:
        principal.require(Scope.ADMIN)
        command = DeleteMaintenanceWindow(principal.project.number, window_id)
        error = (await self._journal.append(received, command)).error
        if error is not None and not (allow_missing and isinstance(error, errors.NotFound)):
            raise error

    async def get(self, principal: Principal, window_id: str) -> MaintenanceWindow:
        principal.require(Scope.READ)
        found = await asyncio.to_thread(self._store.get_window, principal.project.number, window_id)
        if found is None:
            raise errors.NotFound(
                f"no maintenance window {window_id[:64]!r} in this project",
                reason="MAINTENANCE_WINDOW_NOT_FOUND",
                metadata={"maintenance_window": window_id[:64]},
            )
        return found

    async def page(self, principal: Principal, *, size: int, token: str) -> Page[MaintenanceWindow]:
        """By id."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._store.list_windows, principal.project.number, size=size, token=token)
