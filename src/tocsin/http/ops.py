"""What operators and Prometheus ask for: /healthz, /readyz, /metrics, and per-monitor series at /metrics/monitors."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tocsin.domain import errors
from tocsin.domain.project import Scope
from tocsin.http import problems
from tocsin.http.auth import key_of
from tocsin.service.principal import Principals

Select = Callable[[int, dict[str, str]], Iterator[bytes]]  # (project number, query) → chunks of text


class Ops:
    def __init__(
        self,
        registry: CollectorRegistry,
        principals: Principals,
        readiness: Callable[[], dict[str, Any]],
        monitor_series: Select,
        *,
        open_metrics: bool,
    ) -> None:
        """`readiness()` holds "ready" and what is known beside it. `open_metrics`: /metrics needs no key."""
        self._registry = registry
        self._principals = principals
        self._readiness = readiness
        self._monitor_series = monitor_series
        self._open = open_metrics

    def routes(self) -> list[Route]:
        return [
            Route("/healthz", self._healthz, methods=["GET"]),
            Route("/readyz", self._readyz, methods=["GET"]),
            Route("/metrics", self._metrics, methods=["GET"]),
            Route("/metrics/monitors", self._monitors, methods=["GET"]),
            Route("/metrics/unhealthy", self._unhealthy, methods=["GET"]),
        ]

    async def _healthz(self, _request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def _readyz(self, _request: Request) -> Response:
        found = self._readiness()
        return JSONResponse(found, status_code=200 if found["ready"] else 503)

    async def _metrics(self, request: Request) -> Response:
        if not self._open:
            try:
                self._principals.resolve(key_of(request)).require(Scope.READ)
            except errors.TocsinError as error:
                return problems.to_response(error)
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(
            await asyncio.to_thread(encode, self._registry), media_type=None, headers={"content-type": content_type}
        )

    async def _monitors(self, request: Request) -> Response:
        return self._series(request, {})

    async def _unhealthy(self, request: Request) -> Response:
        return self._series(request, {"state": "late,missed,timeout,error,unknown", "or_unhealthy": "true"})

    def _series(self, request: Request, preset: dict[str, str]) -> Response:
        """Always bounded by the key's project."""
        try:
            principal = self._principals.resolve(key_of(request))
            principal.require(Scope.READ)
            query = {name: value for name, value in request.query_params.items() if name != "key"} | preset
            if query.get("project"):
                principal.require_project(query["project"])
            chunks = self._monitor_series(principal.project.number, query)
        except errors.TocsinError as error:
            return problems.to_response(error)
        return StreamingResponse(_threaded(chunks), media_type="text/plain; version=0.0.4; charset=utf-8")


async def _threaded(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each chunk is rendered off the loop, so that check-ins are served between chunks."""
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk
