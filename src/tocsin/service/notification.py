"""Notification lists and channels: put, delete, read. Nothing is judged by them, so they go straight to the store."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Generic

from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.domain.notification import DEFAULT_LIST, Channel, Form, NotificationList, keeping
from tocsin.domain.project import Scope
from tocsin.notify.form import check_form
from tocsin.service.principal import Principal
from tocsin.store.notification import SqlNotification, SqlShelf
from tocsin.store.port import Page
from tocsin.store.shelves import T


class Nouns(Generic[T]):
    """What both have in common: reading needs scope `read`, writing `admin`."""

    def __init__(self, store: SqlShelf[T]) -> None:
        self._store = store

    async def get(self, principal: Principal, key: str) -> T:
        """NotFound: there is none."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._store.get, principal.project.number, key)

    async def get_by_number(self, principal: Principal, number: int) -> T:
        """NotFound: there is none."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._store.get_by_number, principal.project.number, number)

    async def every(self, principal: Principal) -> list[T]:
        """All of the project, by key; they are at most 1,000."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._store.all, principal.project.number)

    async def numbered_page(self, principal: Principal, *, size: int, offset: int = 0) -> tuple[list[T], int]:
        """Some of them, oldest first, and how many there are in all."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._store.numbered_page, principal.project.number, size=size, offset=offset)

    async def page(self, principal: Principal, *, size: int, token: str = "") -> Page[T]:
        """By key."""
        principal.require(Scope.READ)
        return await asyncio.to_thread(self._store.page, principal.project.number, size=size, token=token)

    async def put(
        self,
        principal: Principal,
        key: str,
        values: Mapping[str, Any],
        received: Instant,
        *,
        create: bool = True,
        update: bool = True,
    ) -> T:
        """Writes the named fields; the others keep what they are, or the default of a new one.

        `create`: whether a new one may be made; `update`: whether a known one may be changed. InvalidArgument names the
        field; AlreadyExists, NotFound, ResourceExhausted.
        """
        principal.require(Scope.ADMIN)
        return await asyncio.to_thread(
            self._store.put, principal.project.number, key, values, received, create=create, update_known=update
        )

    async def delete(self, principal: Principal, key: str, *, allow_missing: bool = False) -> None:
        """NotFound: there is none."""
        principal.require(Scope.ADMIN)
        await asyncio.to_thread(self._store.delete, principal.project.number, key, allow_missing=allow_missing)


class NotificationLists(Nouns[NotificationList]):
    def __init__(self, store: SqlNotification, heard: Callable[[int], None] = lambda _project: None) -> None:
        """`heard(project)` tells that somebody may hear of its monitors since a moment ago."""
        super().__init__(store.lists)
        self._heard = heard

    async def put(
        self,
        principal: Principal,
        key: str,
        values: Mapping[str, Any],
        received: Instant,
        *,
        create: bool = True,
        update: bool = True,
    ) -> NotificationList:
        """As every noun."""
        made = await super().put(principal, key, values, received, create=create, update=update)
        self._heard(principal.project.number)
        return made

    async def delete(self, principal: Principal, key: str, *, allow_missing: bool = False) -> None:
        """FailedPrecondition: the default list, which each project has."""
        if key == DEFAULT_LIST:
            principal.require(Scope.ADMIN)
            raise errors.FailedPrecondition(
                f"the notification list {DEFAULT_LIST!r} stays; empty it instead",
                reason="NOTIFICATION_LIST_REQUIRED",
                metadata={"notification_list": DEFAULT_LIST},
            )
        await super().delete(principal, key, allow_missing=allow_missing)


class Channels(Nouns[Channel]):
    def __init__(self, store: SqlNotification) -> None:
        super().__init__(store.channels)
        self._reading = asyncio.Semaphore(1)  # forms, each in a thread of those that read the database

    async def put(
        self,
        principal: Principal,
        key: str,
        values: Mapping[str, Any],
        received: Instant,
        *,
        create: bool = True,
        update: bool = True,
    ) -> Channel:
        """As every noun; InvalidArgument also names a template that cannot be read."""
        principal.require(Scope.ADMIN)
        async with self._reading:
            await asyncio.to_thread(check_form, values.get("form"), values.get("url", ""))
        return await super().put(principal, key, values, received, create=create, update=update)

    async def with_hidden(self, principal: Principal, key: str, form: Form, *, secret: bool) -> Form:
        """The form as it would be with what the channel has and readers are not shown, see `keeping`."""
        principal.require(Scope.ADMIN)
        try:
            known = (await asyncio.to_thread(self._store.get, principal.project.number, key)).form or Form()
        except errors.NotFound:
            return form
        return keeping(form, known, secret=secret)
