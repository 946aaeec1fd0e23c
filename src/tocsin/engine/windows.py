"""Whether a slot lies in a maintenance window, and whether anybody is told now: answered without the store.

The engine keeps no names. Where a window has patterns of monitors, the ids of its project are kept beside it, and only
then: read with the snapshot or with the command that makes the window, and followed as monitors come and go. So are the
groups and tags of monitors that have any, where a window asks for those.

Windows that only silence cover no slot. Of many windows few are looked at: single ones lie in the order of their ends,
so those that are over before the slot cost nothing; of the others the time is asked first. A recurring one keeps the
occurrence that it was last asked about. Patterns are compiled when one is first needed.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from fnmatch import translate
from typing import Final

from tocsin.domain import errors
from tocsin.domain.group import Filed
from tocsin.domain.instant import NEVER, Instant
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.monitor import Monitor
from tocsin.engine.memory import Needs
from tocsin.schedule import Compiler

_UNFILED: Final = Filed()
_CHAIN: Final = 100  # windows that follow each other without a gap


class _Cover:
    """One window, made ready for questions."""

    __slots__ = ("_compiler", "_environments", "_monitors", "began", "ends", "next", "window")

    def __init__(self, window: MaintenanceWindow) -> None:
        self.window = window
        # Of a recurring one: the occurrence that it was last asked about.
        self.began: Instant = NEVER if window.start_time is None else window.start_time
        self.ends: Instant = NEVER if window.end_time is None else window.end_time
        self.next: Instant = NEVER  # when the occurrence after it begins
        self._compiler: Compiler | None = None  # whose answer `began` and `next` are
        self._monitors: re.Pattern[str] | None = None
        self._environments: re.Pattern[str] | None = None

    def recurs_at(self, compiler: Compiler, at: Instant) -> bool:
        """Whether an instant lies in an occurrence: its beginning does, its end does not."""
        if self._compiler is not compiler or not self.began <= at < self.next:
            self._ask(compiler, at)
        return self.began <= at < self.began + self.window.duration_ms

    def holds_at(self, compiler: Compiler, at: Instant) -> bool:
        if self.window.recurrence is not None:
            return self.recurs_at(compiler, at)
        return self.began <= at < self.ends

    def end(self) -> Instant:
        """Of what it was last found to hold at."""
        return self.ends if self.window.recurrence is None else self.began + self.window.duration_ms

    def _ask(self, compiler: Compiler, at: Instant) -> None:
        assert self.window.recurrence is not None
        self._compiler, self.began = compiler, NEVER
        try:
            number = compiler.compile((self.window.recurrence,), field="recurrence")
        except errors.InvalidArgument:
            return  # its zone has gone: better one miss too many than silence for ever
        self.began = compiler.prev_before(number, at + 1)
        self.next = compiler.next_after(number, at)

    def fits_environment(self, environment: str) -> bool:
        if not self.window.environments:
            return True
        if self._environments is None:
            self._environments = _any_of(self.window.environments)
        return self._environments.match(environment) is not None

    def fits(self, monitor_id: str, filed: Filed, environment: str) -> bool:
        window = self.window
        if not self.fits_environment(environment):
            return False
        if filed.group in window.groups or any(tag in window.tags for tag in filed.tags):
            return True
        if window.monitors:
            if self._monitors is None:
                self._monitors = _any_of(window.monitors)
            return self._monitors.match(monitor_id) is not None
        return not (window.groups or window.tags)

    def patterns_read(self) -> int:
        return (self._monitors is not None) + (self._environments is not None)


class _Group:
    """The windows of one project, or of the server."""

    def __init__(self) -> None:
        self.by_id: dict[str, _Cover] = {}
        self._sorted = False
        self._ends: list[Instant] = []
        self._single: list[_Cover] = []  # in the order of their ends
        self._recurring: list[_Cover] = []
        self._silent: list[_Cover] = []  # those in which nobody is told of some monitors

    def put(self, window: MaintenanceWindow) -> None:
        self.by_id[window.id] = _Cover(window)
        self._sorted = False

    def remove(self, window_id: str) -> None:
        self.by_id.pop(window_id, None)
        self._sorted = False

    def pauses(self) -> bool:
        """Whether any of them covers slots."""
        if not self._sorted:
            self._sort()
        return bool(self._single or self._recurring)

    def covering(
        self, compiler: Compiler, monitor_id: str, filed: Filed, environment: str, slot: Instant
    ) -> Iterator[_Cover]:
        """Those that a slot lies in."""
        if not self._sorted:
            self._sort()
        single = self._single
        for place in range(bisect_right(self._ends, slot), len(single)):
            if single[place].began <= slot and single[place].fits(monitor_id, filed, environment):
                yield single[place]
        for one in self._recurring:
            if one.fits(monitor_id, filed, environment) and one.recurs_at(compiler, slot):
                yield one

    def silence(self, compiler: Compiler, tags: Collection[str], environment: str, at: Instant) -> bool:
        if not self._sorted:
            self._sort()
        return any(
            (one.window.silence_all or any(tag in one.window.silence_tags for tag in tags))
            and one.fits_environment(environment)
            and one.holds_at(compiler, at)
            for one in self._silent
        )

    def _sort(self) -> None:
        covers = [one for one in self.by_id.values() if one.window.pause]
        self._silent = [one for one in self.by_id.values() if one.window.silence_all or one.window.silence_tags]
        self._recurring = [one for one in covers if one.window.recurrence is not None]
        single = [one for one in covers if one.window.recurrence is None]
        self._single = sorted(single, key=lambda one: one.ends)
        self._ends = [one.ends for one in self._single]
        self._sorted = True


class Windows:
    def __init__(self, server: Iterable[MaintenanceWindow] = ()) -> None:
        """`server`: those of the settings, which cover every project."""
        self._by_project: dict[int, _Group] = {}
        self._server = _Group()
        for window in server:
            self._server.put(window)
        self._ids: dict[int, dict[int, str]] = {}  # by project, by Monitor.number
        self._filed: dict[int, dict[int, Filed]] = {}  # likewise, of monitors in a group or with tags
        self._all_named = any(one.window.monitors for one in self._server.by_id.values())

    def __bool__(self) -> bool:
        return bool(self._by_project or self._server.by_id)

    def pause(self) -> bool:
        """Whether there are any that cover slots."""
        return self._server.pauses() or any(group.pauses() for group in self._by_project.values())

    def get(self, project: int, window_id: str) -> MaintenanceWindow | None:
        group = self._by_project.get(project)
        found = group.by_id.get(window_id) if group else None
        return found.window if found else None

    def count(self, project: int) -> int:
        group = self._by_project.get(project)
        return len(group.by_id) if group else 0

    def put(
        self,
        window: MaintenanceWindow,
        names: dict[int, str] | None = None,
        filed: dict[int, Filed] | None = None,
    ) -> None:
        """`names`: the ids of the project's monitors by number, where `wants_names` says so; kept, not copied.

        `filed`: the groups and tags of those that have any, where `wants_filed` says so; likewise.
        """
        self._by_project.setdefault(window.project, _Group()).put(window)
        if self.wants_names(window.project, window):
            self._ids[window.project] = {} if names is None else names
        if self.wants_filed(window.project, window):
            self._filed[window.project] = {} if filed is None else filed

    def wants_names(self, project: int, window: MaintenanceWindow) -> bool:
        """Whether the ids of the project's monitors must come with a window."""
        return bool(window.monitors) and not self.follows(project)

    def wants_filed(self, project: int, window: MaintenanceWindow) -> bool:
        """Whether groups and tags of the project's monitors must come with a window."""
        return asks_for_filing(window) and project not in self._filed

    def add_needs(self, needs: Needs, project: int, window: MaintenanceWindow) -> None:
        """What must come with a window."""
        if self.wants_names(project, window):
            needs.monitor_ids.add(project)
        if self.wants_filed(project, window):
            needs.filed.add(project)

    def remove(self, window: MaintenanceWindow) -> None:
        group = self._by_project.get(window.project)
        if group is not None:
            group.remove(window.id)
            if not group.by_id:
                del self._by_project[window.project]

    def follows(self, project: int) -> bool:
        """Whether the ids of a project's monitors are known: once they mattered they are followed until a restart."""
        return self._all_named or project in self._ids

    def name(self, project: int, number: int, monitor_id: str) -> None:
        """There is a monitor of this id."""
        if self.follows(project):
            self._ids.setdefault(project, {})[number] = monitor_id

    def follow(self, monitor: Monitor) -> None:
        """A monitor is new or changed. What once mattered in a project is followed until a restart."""
        self.name(monitor.project, monitor.number, monitor.id)
        filed = self._filed.get(monitor.project)
        if filed is None:
            return
        if monitor.group or monitor.tags:
            filed[monitor.number] = Filed(monitor.group, monitor.tags)
        else:
            filed.pop(monitor.number, None)

    def forget(self, project: int, number: int) -> None:
        """There is no such monitor any more."""
        self._ids.get(project, {}).pop(number, None)
        self._filed.get(project, {}).pop(number, None)

    def cover(self, compiler: Compiler, project: int, monitor: int, environment: str, slot: Instant) -> bool:
        """Whether a slot of a monitor, by its number, lies in a window."""
        return next(self._covering(compiler, project, monitor, environment, slot), None) is not None

    def until(self, compiler: Compiler, project: int, monitor: int, environment: str, slot: Instant) -> Instant | None:
        """When the windows that a slot lies in are over, those included that follow without a gap; None: it is in none.

        Of windows that follow each other for ever it is the end of one of them.
        """
        end: Instant | None = None
        for _ in range(_CHAIN):
            covers = self._covering(compiler, project, monitor, environment, slot if end is None else end)
            ends = [one.end() for one in covers]
            if not ends:
                break
            end = max(ends)
        return end

    def silences(
        self,
        compiler: Compiler,
        project: int,
        monitor: int,
        environment: str,
        at: Instant,
        tags: Collection[str] = (),
    ) -> bool:
        """Whether nobody is told of a monitor at an instant: a window covers or silences it.

        `tags` count beside the monitor's own: those of its group.
        """
        if self.cover(compiler, project, monitor, environment, at):
            return True
        known = (*self._filed.get(project, {}).get(monitor, _UNFILED).tags, *tags)
        return any(
            group.silence(compiler, known, environment, at)
            for group in (self._server, self._by_project.get(project))
            if group
        )

    def _covering(
        self, compiler: Compiler, project: int, monitor: int, environment: str, slot: Instant
    ) -> Iterator[_Cover]:
        name = self._ids.get(project, {}).get(monitor, "")
        filed = self._filed.get(project, {}).get(monitor, _UNFILED)
        for group in (self._server, self._by_project.get(project)):
            if group and group.by_id:
                yield from group.covering(compiler, name, filed, environment, slot)

    def patterns_read(self) -> int:
        """How many lists of patterns have been compiled so far, for tests."""
        groups = (self._server, *self._by_project.values())
        return sum(one.patterns_read() for group in groups for one in group.by_id.values())


def asks_for_filing(window: MaintenanceWindow) -> bool:
    """Whether groups and tags of monitors matter to it."""
    return bool(window.groups or window.tags or window.silence_tags)


def _any_of(patterns: Iterable[str]) -> "re.Pattern[str]":
    return re.compile("|".join(translate(pattern) for pattern in patterns))
