"""Pages by number: `limit` and `page` in, a bare array and `Content-Range` out."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeVar

from starlette.datastructures import QueryParams
from starlette.responses import Response

from tocsin.dialects.checkly import queries
from tocsin.dialects.checkly.replies import reply

LIMIT: Final = 10
LIMIT_MAX: Final = 100
PAGE_MAX: Final = 1_000_000_000
T = TypeVar("T")


class Paging(NamedTuple):
    page: int  # from 1
    limit: int

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit

    def cut(self, rows: Sequence[T]) -> Sequence[T]:
        """Those of the page; none past the end."""
        return rows[self.offset : self.offset + self.limit]


def paging_of(query: QueryParams, *, most: int = LIMIT_MAX, default: int = LIMIT) -> Paging:
    """Refused 400 for a limit or a page out of bounds."""
    limit = queries.whole(query, "limit", default=default, least=1, most=most)
    return Paging(queries.whole(query, "page", default=1, least=1, most=PAGE_MAX), limit)


def page_reply(shown: Sequence[Any], paging: Paging, total: int) -> Response:
    """What is shown of one page, of so many in all."""
    return reply(200, list(shown), {"Content-Range": content_range(len(shown), paging.offset, total)})


def content_range(count: int, offset: int, total: int) -> str:
    """Zero-based and inclusive. A page without rows says `0-0`, which both of the client's ways to read it take."""
    return f"{offset}-{offset + count - 1}/{total}" if count else f"0-0/{total}"
