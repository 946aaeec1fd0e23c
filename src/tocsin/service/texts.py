"""Variables and snippets: put, delete, read. Nothing is judged by them, so they go straight to the store."""

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from tocsin.domain.instant import Instant
from tocsin.domain.variable import Snippet, Variable
from tocsin.service.notification import Nouns
from tocsin.service.principal import Principal
from tocsin.store.port import Page
from tocsin.store.shelves import T
from tocsin.store.variables import SqlTexts


class _Texts(Nouns[T]):
    """Two names more for what all nouns can do."""

    async def numbered(self, principal: Principal, number: int) -> T:
        """NotFound: there is none."""
        return await self.get_by_number(principal, number)

    async def counted(self, principal: Principal, *, size: int, offset: int = 0) -> tuple[list[T], int]:
        """In the order they were made, and how many there are in all."""
        return await self.numbered_page(principal, size=size, offset=offset)


class Variables(_Texts[Variable]):
    """The value of a secret is never given back, not even to who has written it."""

    def __init__(self, store: SqlTexts) -> None:
        super().__init__(store.variables)

    async def get(self, principal: Principal, key: str) -> Variable:
        return _shown(await super().get(principal, key))

    async def get_by_number(self, principal: Principal, number: int) -> Variable:
        return _shown(await super().get_by_number(principal, number))

    async def every(self, principal: Principal) -> list[Variable]:
        return [_shown(one) for one in await super().every(principal)]

    async def numbered_page(self, principal: Principal, *, size: int, offset: int = 0) -> tuple[list[Variable], int]:
        found, total = await super().numbered_page(principal, size=size, offset=offset)
        return [_shown(one) for one in found], total

    async def page(self, principal: Principal, *, size: int, token: str = "") -> Page[Variable]:
        found = await super().page(principal, size=size, token=token)
        return Page([_shown(one) for one in found.rows], found.next_token)

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
        return _shown(await super().put(principal, key, values, received, create=create, update=update))


class Snippets(_Texts[Snippet]):
    def __init__(self, store: SqlTexts) -> None:
        super().__init__(store.snippets)

    async def create(self, principal: Principal, values: Mapping[str, Any], received: Instant) -> Snippet:
        """With a key that nobody else has."""
        return await self.put(principal, secrets.token_hex(16), values, received, update=False)


def _shown(one: Variable) -> Variable:
    return msgspec.structs.replace(one, value="") if one.secret else one
