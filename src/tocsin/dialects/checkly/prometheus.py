"""The Prometheus endpoints of an account, version 2 and 1: all of its checks as they are now, in a stream.

The key of a scrape is any that may read; one made for it alone can be revoked alone. Checks are read and written as
text on threads, a bounded number at a time, and packed on request.
"""

import asyncio
import functools
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Final

from starlette.responses import Response, StreamingResponse

from tocsin.dialects.checkly import queries
from tocsin.dialects.checkly.call import Call, Calls, require_account
from tocsin.dialects.checkly.exposition import V1, V2, Check, Line, render, v1_line, v2_line, worst_by_labels
from tocsin.dialects.checkly.services import Services
from tocsin.domain.group import Group
from tocsin.domain.instant import Instant
from tocsin.store.port import Brief

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
AT_ONCE: Final = 2  # scrapes that read: each holds the lines of all checks
_FAST: Final = 1  # lines are much alike and pack well at any level
_GZIP: Final = 31  # the size of the window, and the format


class Exporter:
    def __init__(self, services: Services, max_samples: int) -> None:
        self._services = services
        self._most = max_samples
        self._reading = asyncio.Semaphore(AT_ONCE)

    async def v2(self, call: Call) -> Response:
        parse_tags = not queries.flag(call.query, "disableTagParsing")
        for name in ("locationLabelEnabled", "includeRetryAttempts"):
            queries.flag(call.query, name)  # neither changes anything for a heartbeat
        lines = await self._lines(call, functools.partial(v2_line, parse_tags=parse_tags))
        return _answer(call, render(lines, V2, most=self._most))

    async def v1(self, call: Call) -> Response:
        lines = await self._lines(call, v1_line)
        return _answer(call, render(worst_by_labels(lines), V1, most=self._most))

    async def _lines(self, call: Call, line_of: Callable[[Check], Line]) -> list[Line]:
        require_account(call.part("account"), call.principal)
        found: list[Line] = []
        async with self._reading:
            groups = {row.group.key: row.group for row in await self._services.groups.every(call.principal)}
            async for briefs in self._services.browsing.briefs(call.principal):
                checks = checks_of(briefs, groups, call.received)
                found += await asyncio.to_thread(list, map(line_of, checks))
        return found


def checks_of(briefs: Iterable[Brief], groups: dict[str, Group], now: Instant) -> Iterator[Check]:
    for brief in briefs:
        group = groups.get(brief.group)
        name = (group.display_name or group.key) if group is not None else ""
        muted = (brief.muted_until is not None and brief.muted_until > now) or (group is not None and group.muted)
        yield Check(brief, name, muted)


def _answer(call: Call, pieces: Iterator[bytes]) -> Response:
    headers = {"Vary": "Accept-Encoding", "Cache-Control": "no-store"}
    if takes_gzip(call.request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        pieces = packed(pieces)
    return StreamingResponse(_threaded(pieces), 200, headers, CONTENT_TYPE)


async def _threaded(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each piece is made off the loop, so that pings are answered in between."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        if piece:
            yield piece


def packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(_FAST, wbits=_GZIP)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding names it, and not to refuse it."""
    for part in accepted.lower().split(","):
        name, _, quality = part.partition(";")
        if name.strip() == "gzip" and quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            return True
    return False


def calls(services: Services, max_samples: int) -> Calls:
    exporter = Exporter(services, max_samples)
    return {
        "/accounts/{account}/v2/prometheus/metrics": {"GET": exporter.v2},
        "/accounts/{account}/prometheus/metrics": {"GET": exporter.v1},
    }
