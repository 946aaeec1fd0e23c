"""Incidents that people write down: put, delete, read. They go straight to the store: nothing is judged by them."""

import asyncio
from collections.abc import Mapping
from typing import Any

from tocsin.domain import errors, ids
from tocsin.domain.group import check_group_key
from tocsin.domain.instant import Instant
from tocsin.domain.manual_incident import ManualIncident
from tocsin.domain.project import Scope
from tocsin.service.principal import Principal
from tocsin.store.nouns_port import Nouns
from tocsin.store.port import Page


class ManualIncidents:
    def __init__(self, nouns: Nouns) -> None:
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
    ) -> ManualIncident:
        """Writes the named fields, as far as it may; a new one needs a title. "" for a key: one is made."""
        principal.require(Scope.ADMIN)
        if create:
            key = check_group_key(key, "manual_incident_id") if key else ids.new_id()
        project = principal.project.number
        return await asyncio.to_thread(
            self._nouns.put_manual_incident, project, key, values, received, create=create, update=update
        )

    async def get(self, principal: Principal, key: str) -> ManualIncident:
        principal.require(Scope.READ)
        found = await asyncio.to_thread(self._nouns.get_manual_incident, principal.project.number, key)
        if found is None:
            raise not_found(key)
        return found

    async def page(self, principal: Principal, *, open_only: bool, size: int, token: str) -> Page[ManualIncident]:
        """Newest first."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(
            self._nouns.list_manual_incidents, principal.project.number, open_only=open_only, size=size, token=token
        )

    async def delete(self, principal: Principal, key: str, *, allow_missing: bool = False) -> None:
        principal.require(Scope.ADMIN)
        gone = await asyncio.to_thread(self._nouns.delete_manual_incident, principal.project.number, key)
        if not gone and not allow_missing:
            raise not_found(key)


def not_found(key: str) -> errors.NotFound:
    return errors.NotFound(
        f"no manual incident {key[:64]!r} in this project",
        reason="MANUAL_INCIDENT_NOT_FOUND",
        metadata={"manual_incident": key[:64]},
    )
