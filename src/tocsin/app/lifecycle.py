"""The life of a server: lock, migrate, load, listen, drain.

It listens before it has loaded: a check-in that comes meanwhile waits in the queue and is answered once it is durable,
so the time to load is not deaf time. `/readyz` tells when loading is done.
"""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn

from tocsin.api.server import GrpcServer, Tls
from tocsin.app import memory
from tocsin.app.build import Parts, build
from tocsin.app.http_protocol import HttpProtocol
from tocsin.app.lock import DataLock, database_lock, file_lock, keep
from tocsin.app.settings import Settings, host_port
from tocsin.app.tenants import PUBLIC_URL, Tenant, create_tenant, keep_for_person
from tocsin.domain.instant import Instant
from tocsin.store import migrations, server_check
from tocsin.store.database import is_postgresql
from tocsin.store.port import StoreTrouble

if TYPE_CHECKING:
    from tocsin.store.server_lock import ServerLock

_REFRESH_S = 1.0
_START_PATIENCE_S = 30.0  # how long a start waits for a database server
_log = structlog.get_logger("tocsin.app")


@dataclass(frozen=True, slots=True)
class Started:
    """What the first lines on the terminal are made of."""

    http_url: str
    grpc_address: str
    tenant: Tenant | None  # of a first start
    monitors: int
    seconds: float


class _Http(uvicorn.Server):
    """uvicorn as a task in our loop: signals are ours."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


Loading = Callable[[], tuple[int, int] | None]  # rows read, of about how many


async def serve(
    settings: Settings,
    started: Callable[[Started], None],
    show: Callable[[Loading], Coroutine[Any, Any, None]] | None = None,
) -> int:
    """Runs until SIGTERM or SIGINT. Returns the exit code. `show` runs beside the loading and is cancelled after it."""
    async with _alone(settings) as lock:
        await asyncio.to_thread(migrations.upgrade, settings.database_url)
        parts = build(settings)
        try:
            return await _Server(parts, lock).run(started, show)
        finally:
            parts.partition.close()
            parts.tokens.close()
            parts.store.close()


@asynccontextmanager
async def _alone(settings: Settings) -> "AsyncIterator[ServerLock | None]":
    """The locks, and a look at a database server. One that is just starting is waited for; `Locked` is final."""
    with ExitStack() as held:
        folder = held.enter_context(DataLock(settings.data))
        if not is_postgresql(settings.database_url):
            if (lock_of_file := file_lock(settings)).path != folder.path:  # with another folder another might come
                held.enter_context(lock_of_file)
            yield None
            return
        deadline = time.monotonic() + _START_PATIENCE_S
        while True:
            try:
                stakes = await asyncio.to_thread(server_check.remarks, settings.database_url)
                lock = await asyncio.to_thread(held.enter_context, database_lock(settings))
                break
            except StoreTrouble as trouble:
                if time.monotonic() > deadline:
                    raise
                _log.warning("the database cannot be reached; trying again", trouble=str(trouble))
                await asyncio.sleep(_REFRESH_S)
        for setting, stake in stakes.items():
            _log.warning(f"{setting} is off on the database server", stake=stake)
        yield lock


class _Server:
    def __init__(self, parts: Parts, lock: "ServerLock | None") -> None:
        self._parts = parts
        self._lock = lock
        self._settings = parts.settings
        self._stop = asyncio.Event()
        self._code = 0

    async def run(
        self, started: Callable[[Started], None], show: Callable[[Loading], Coroutine[Any, Any, None]] | None
    ) -> int:
        parts, listen = self._parts, self._settings.listen
        began = parts.clock.now()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        if hasattr(signal, "SIGHUP"):
            loop.add_signal_handler(signal.SIGHUP, parts.time_zones.ask)
        listener = _bind(*host_port(listen.http, "listen.http"))
        grpc = self._grpc()
        scheme = "https" if listen.tls_certificate else "http"
        http_url = f"{scheme}://{_authority(listener)}"
        public_url = listen.public_url or http_url + listen.path_prefix
        tenant = await asyncio.to_thread(self._prepare, public_url, began)
        http = _Http(self._http_config())
        serving = asyncio.create_task(http.serve(sockets=[listener]))
        await grpc.start()
        listening_since = parts.clock.now()
        pulse = asyncio.create_task(parts.pulse.run(), name="pulse")  # beats while we load: that is no deaf time
        shown = asyncio.create_task(show(lambda: parts.store.loading)) if show is not None else None
        try:
            loaded = await self._unless_stopped(parts.partition.start(listening_since))
        finally:
            if shown is not None:
                shown.cancel()
                await asyncio.gather(shown, return_exceptions=True)
        if not loaded:
            parts.partition.close()
            await self._drain(grpc, http, serving, [pulse])
            return self._code
        partition = asyncio.create_task(parts.partition.run(), name="partition")
        tasks = [
            pulse,
            asyncio.create_task(parts.janitor.run(), name="janitor"),
            asyncio.create_task(parts.reviewer.run(), name="reviewer"),
            asyncio.create_task(parts.notifying.run(public_url), name="dispatcher"),
            asyncio.create_task(self._refresh(), name="credentials"),
            asyncio.create_task(parts.time_zones.run(), name="time zones"),
        ]
        if self._lock is not None:
            tasks.append(asyncio.create_task(keep(self._lock), name="lock"))
        for task in (partition, *tasks, serving):
            task.add_done_callback(self._ended)
        memory.settle()
        parts.readiness["ready"] = True
        host = host_port(listen.grpc, "listen.grpc")[0]
        started(
            Started(
                http_url=http_url,
                grpc_address=f"{host}:{grpc.port}",
                tenant=tenant,
                monitors=len(parts.partition.engine.state.monitors),
                seconds=(parts.clock.now() - began) / 1000,
            )
        )
        await self._stop.wait()
        await self._drain(grpc, http, serving, tasks, partition)
        return self._code

    async def _unless_stopped(self, coroutine: Coroutine[Any, Any, None]) -> bool:
        """Whether it ran to its end; a signal to stop ends it before."""
        work, stop = asyncio.ensure_future(coroutine), asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if work.done():
            work.result()
            return True
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return False

    async def _drain(
        self,
        grpc: GrpcServer,
        http: _Http,
        serving: "asyncio.Task[None]",
        tasks: "list[asyncio.Task[None]]",
        partition: "asyncio.Task[None] | None" = None,
    ) -> None:
        """Not ready, stop accepting, let calls in flight end, commit what is queued."""
        _log.info("draining")
        self._parts.watching.close()
        seconds = self._settings.listen.drain_seconds
        self._parts.readiness["ready"] = False
        self._parts.journal.stop_listening()
        http.should_exit = True
        await asyncio.gather(grpc.drain(seconds), serving, return_exceptions=True)
        self._parts.partition.stop()
        if partition is not None:
            tasks = [*tasks, partition]
            await asyncio.wait({partition}, timeout=max(seconds, 1.0))
            if not partition.done():
                _log.error("the database does not take what is queued; nobody was told that it was recorded")
                self._code = 1
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        _log.info("stopped")

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """A part that ends before it was told to takes the server down: half a server is worse than none."""
        if self._stop.is_set() or task.cancelled():
            return
        _log.error("a part of the server ended", part=task.get_name(), exc_info=task.exception())
        self._code = 1
        self._stop.set()

    async def _refresh(self) -> None:
        """Keys that the CLI made or revoked take effect within a second or so."""
        while True:
            await asyncio.sleep(_REFRESH_S)
            try:
                if await asyncio.to_thread(self._parts.principals.refresh):
                    self._register_projects()
            except StoreTrouble as trouble:
                _log.warning("keys could not be read", trouble=str(trouble))

    def _register_projects(self) -> None:
        for project in self._parts.principals.projects():
            self._parts.metrics.register_project(project.slug)

    def _prepare(self, public_url: str, at: Instant) -> Tenant | None:
        """Records the public URL; on a first start makes the default project. Blocking."""
        store = self._parts.store
        if store.get_setting(PUBLIC_URL) != public_url:
            store.put_setting(PUBLIC_URL, public_url)
        tenant = None
        if not store.list_projects():
            tenant = create_tenant(store, "default", at)
            keep_for_person(self._settings.data, tenant)
        self._parts.principals.refresh()
        self._register_projects()
        return tenant

    def _grpc(self) -> GrpcServer:
        listen = self._settings.listen
        try:
            return GrpcServer(
                self._parts.services,
                self._parts.principals,
                self._parts.journal.arrival,
                self._parts.room,
                self._parts.failed,
                listen.grpc,
                _tls(self._settings),
            )
        except RuntimeError as error:  # what grpc raises when it cannot bind
            raise OSError(f"listen.grpc: {listen.grpc} cannot be listened on: {error}") from None

    def _http_config(self) -> uvicorn.Config:
        listen = self._settings.listen
        journal, failed = self._parts.journal, self._parts.failed

        class Counted(HttpProtocol):
            def turned_away(self) -> None:
                journal.overloaded()
                failed("native", "QUEUE_FULL")

        return uvicorn.Config(
            self._parts.http,
            http=Counted,
            ws="none",
            lifespan="off",
            access_log=False,  # keys sit in paths and queries
            proxy_headers=False,  # the application reads them where it needs them
            log_config=None,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=int(listen.drain_seconds) or 1,
            ssl_certfile=listen.tls_certificate or None,
            ssl_keyfile=listen.tls_key or None,
        )


def _tls(settings: Settings) -> Tls | None:
    listen = settings.listen
    if not listen.tls_certificate:
        return None
    return Tls(
        Path(listen.tls_certificate), Path(listen.tls_key), Path(listen.tls_client_ca) if listen.tls_client_ca else None
    )


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=4096)
    except OSError as error:
        raise OSError(f"listen.http: {host}:{port} cannot be listened on: {error.strerror or error}") from None


def _authority(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
