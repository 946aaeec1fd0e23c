"""Variables and snippets: put, delete, read. Nothing is judged by them, so they go straight to the store."""

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from tocsin.domain.instant import Instant
from tocsin.domain.project import Scope
from tocsin.domain.variable import Snippet, Variable
from tocsin.service.notification import Nouns
from tocsin.service.principal import Principal
from tocsin.store.port import Page
from tocsin.store.shelves import T
from tocsin.store.variables import Counted, SqlTexts, SqlTextShelf


class _Texts(Nouns[T]):
    """What both have in common: reading needs scope `read`, writing `admin`."""

    def __init__(self, store: SqlTextShelf[T]) -> None:
        super().__init__(store)
        self._texts = store

    async def numbered(self, principal: Principal, number: int) -> T:
        """NotFound: there is none."""
        principal.require(Scope.READ)
        return self._shown(await asyncio.to_thread(self._texts.numbered, principal.project.number, number))

    async def counted(self, principal: Principal, *, size: int, offset: int = 0) -> Counted[T]:
        """In the order they were made, and how many there are in all."""
        principal.require(Scope.READ)
        found = await asyncio.to_thread(self._texts.counted, principal.project.number, size=size, offset=offset)
        return Counted([self._shown(one) for one in found.rows], found.total)

    def _shown(self, one: T) -> T:
        return one


class Variables(_Texts[Variable]):
    """The value of a secret is never given back, not even to who has written it."""

    def __init__(self, store: SqlTexts) -> None:
        super().__init__(store.variables)

    async def get(self, principal: Principal, key: str) -> Variable:
        return self._shown(await super().get(principal, key))

    async def page(self, principal: Principal, *, size: int, token: str = "") -> Page[Variable]:
        found = await super().page(principal, size=size, token=token)
        return Page([self._shown(one) for one in found.rows], found.next_token)

    async def put(
        self,
        principal: Principal,
        key: str,
        values: Mapping[str, Any],
        received: Instant,
        *,
        create: bool = True,
        update: bool = True,
    ) -> Variable:
        """Writes `value`, `locked`, `secret`, as far as they are named. InvalidArgument: a secret stays one."""
        return self._shown(await super().put(principal, key, values, received, create=create, update=update))

    def _shown(self, one: Variable) -> Variable:
        return msgspec.structs.replace(one, value="") if one.secret else one


class Snippets(_Texts[Snippet]):
    def __init__(self, store: SqlTexts) -> None:
        super().__init__(store.snippets)

    async def create(self, principal: Principal, values: Mapping[str, Any], received: Instant) -> Snippet:
        """With a key that nobody else has."""
        return await self.put(principal, secrets.token_hex(16), values, received, update=False)
