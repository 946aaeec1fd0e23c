"""The time zone database in use: which one it is, and the change to a new one while the server runs.

The files are looked at once a minute and on SIGHUP. When they differ, all zones in use are read again and every
schedule is compiled anew, on a thread; the partition puts that in force between two entries. New files are taken when
two looks in a row have found the same ones: a package manager writes them one by one.
"""

import asyncio
import contextlib
import importlib.resources
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from tocsin.app.tzdata import forget, read_zone, tzdata_version, zone_names
from tocsin.engine.engine import Engine, EngineSettings
from tocsin.engine.rezoning import NewRules, compile_again
from tocsin.node.partition import Partition
from tocsin.schedule import Compiler, Zones

LOOK_S: Final = 60.0
SETTLE_S: Final = 2.0
_ADOPTED_WITHIN_S: Final = 300.0
_VERSION_FILES: Final = ("+VERSION", "version", "tzdata.zi", "UTC")

_log = structlog.get_logger("tocsin.timezones")


class TimeZones:
    """What compiles schedules now. `Partition` and the services ask for `compiler` whenever they need it."""

    def __init__(self) -> None:
        self.compiler = Compiler(Zones(read_zone, zone_names))
        self.version = tzdata_version()

    def engine(self, settings: EngineSettings) -> Engine:
        return Engine(self.compiler, settings)


class TimeZoneWatch:
    def __init__(
        self, current: TimeZones, partition: Partition, use: Callable[[TimeZones], None], look_s: float = LOOK_S
    ) -> None:
        """`use` is told when another database is in use."""
        self._current = current
        self._partition = partition
        self._use = use
        self._look_s = look_s
        self._asked = asyncio.Event()
        self._seen = _fingerprint(current.compiler.zones)

    def ask(self) -> None:
        """Look now: SIGHUP."""
        self._asked.set()

    async def run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._look_s):
                    await self._asked.wait()
            except TimeoutError:
                pass
            asked = self._asked.is_set()
            self._asked.clear()
            try:
                await self._look(asked=asked)
            except Exception:  # the old rules stay in force, and that is said
                _log.exception("the new time zone database cannot be used; the old rules hold")

    async def _look(self, *, asked: bool) -> None:
        seen = await asyncio.to_thread(_fingerprint, self._current.compiler.zones)
        if seen == self._seen and not asked:
            return
        while not asked and (again := await self._settled()) != seen:
            seen = again
        await self._reload()
        self._seen = seen

    async def _settled(self) -> object:
        await asyncio.sleep(SETTLE_S)
        return await asyncio.to_thread(_fingerprint, self._current.compiler.zones)

    async def _reload(self) -> None:
        current, before = self._current, self._current.version
        forget()
        engine = self._partition.engine
        timings = engine.state.timings
        policies = [(timing.number, timing.policy) for timing in timings if timing is not None]
        zones = Zones(read_zone, zone_names)
        rules = await asyncio.to_thread(compile_again, current.compiler, zones, policies, engine.clock)
        version = await asyncio.to_thread(tzdata_version)
        if rules.gone:
            _log.warning(
                "time zones in use are not in the new database; their old rules hold", zones=sorted(rules.gone)
            )
        if rules.zones:
            moved = await self._adopted(rules)
            _log.info("time zones changed", zones=sorted(rules.zones)[:20], count=len(rules.zones), moved=moved)
        current.version = version
        self._use(current)
        _log.info("time zone database", old=before, new=version)

    async def _adopted(self, rules: NewRules) -> int:
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def adopted(moved: int) -> None:
            self._current.compiler = rules.compiler
            self._use(self._current)
            if not done.done():
                done.set_result(moved)

        def failed(error: Exception) -> None:
            if not done.done():
                done.set_exception(error)

        self._partition.rezone(rules, adopted, failed)
        async with asyncio.timeout(_ADOPTED_WITHIN_S):  # the next look tries again
            return await done


def _fingerprint(zones: Zones) -> object:
    """Size, time and inode of the files that say which database it is, and of those of the zones in use."""
    folders = [*zoneinfo.TZPATH]
    with contextlib.suppress(ModuleNotFoundError):
        folders.append(str(importlib.resources.files("tzdata").joinpath("zoneinfo")))
    found = []
    for folder in folders:
        for name in (*_VERSION_FILES, *sorted(zones.known())):
            try:
                status = Path(folder, name).stat()
            except OSError:
                continue
            found.append((folder, name, status.st_size, status.st_mtime_ns, status.st_ino))
    return found
