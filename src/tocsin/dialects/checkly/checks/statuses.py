"""Check statuses: how each check is doing, all of them in one answer that is written as it is read."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from starlette.responses import Response, StreamingResponse

from tocsin.dialects.checkly.call import Call, Calls
from tocsin.dialects.checkly.checks import finding
from tocsin.dialects.checkly.ids import dashed
from tocsin.dialects.checkly.replies import JSON, reply
from tocsin.dialects.checkly.services import Services
from tocsin.dialects.checkly.states import SHOWN, time_of
from tocsin.dialects.checkly.times import iso
from tocsin.domain.check_in import CheckIn
from tocsin.domain.track import FAILURES, Health, Track, Verdict
from tocsin.store.port import MonitorWithHealth


class StatusCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def listed(self, call: Call) -> Response:
        """Never in pages, whatever `limit` says."""
        pieces = finding.every(self._services, call)
        first: list[MonitorWithHealth] = await anext(pieces, [])
        if not first:
            return reply(200, [])
        return StreamingResponse(
            self._stream(call, first, pieces), 200, {"Cache-Control": "no-store", "Content-Type": JSON}
        )

    async def one(self, call: Call) -> Response:
        row = await finding.one(self._services, call)
        return reply(200, (await self._shown(call, [row]))[0])

    async def _stream(
        self, call: Call, first: Sequence[MonitorWithHealth], rest: AsyncIterator[list[MonitorWithHealth]]
    ) -> AsyncIterator[bytes]:
        yield b"[" + msgspec.json.encode(await self._shown(call, first))[1:-1]
        async for rows in rest:
            yield b"," + msgspec.json.encode(await self._shown(call, rows))[1:-1]
        yield b"]"

    async def _shown(self, call: Call, rows: Sequence[MonitorWithHealth]) -> list[dict[str, Any]]:
        tracks = [(row.monitor.number, track.number, call.received) for row in rows if (track := _reported(row))]
        newest = await self._services.browsing.newest(call.principal, tracks, SHOWN) if tracks else {}
        return [status_json(row, newest) for row in rows]


def status_json(row: MonitorWithHealth, newest: dict[int, CheckIn]) -> dict[str, Any]:
    """`newest`: the newest event of each track."""
    monitor, track = row.monitor, finding.track_of(row)
    last = newest.get(track.number) if track is not None else None
    return {
        "name": monitor.display_name or monitor.id,
        "checkId": dashed(monitor.uid),
        "hasFailures": is_failing(track),
        "hasErrors": False,
        "isDegraded": False,
        "longestRun": None,
        "shortestRun": None,
        "lastRunLocation": None,
        "lastCheckRunId": dashed(last.id) if last is not None else None,
        "sslDaysRemaining": None,
        "created_at": iso(monitor.create_time),
        "updated_at": iso(time_of(last)) if last is not None else None,
    }


def is_failing(track: Track | None) -> bool:
    """The newest event is a failure. What nobody could hear is no event: then the one before it counts."""
    if track is None:
        return False
    unheard = track.verdict == Verdict.UNKNOWN and track.health == Health.UNHEALTHY
    return track.verdict in FAILURES or unheard


def _reported(row: MonitorWithHealth) -> Track | None:
    """Its track, if anything ever happened."""
    track = finding.track_of(row)
    return track if track is not None and (track.ok_count or track.error_count or track.missed_count) else None


def calls(services: Services) -> Calls:
    statuses = StatusCalls(services)
    return {
        "/v1/check-statuses": {"GET": statuses.listed},
        "/v1/check-statuses/{id}": {"GET": statuses.one},
    }
