"""Whether a slot lies in a maintenance window: asked for each slot that nobody met, answered without the store.

The engine keeps no names. Where a window has patterns of monitors, the ids of its project are kept beside it, and only
then: read with the snapshot or with the command that makes the window, and followed as monitors come and go.
"""

from collections.abc import Iterable, Mapping

from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.schedule import Compiler


class Windows:
    def __init__(self, server: Iterable[MaintenanceWindow] = ()) -> None:
        """`server`: those of the settings, which cover every project."""
        self._by_project: dict[int, dict[str, MaintenanceWindow]] = {}
        self._server = {window.id: window for window in server}
        self._ids: dict[int, dict[int, str]] = {}  # by project, by Monitor.number
        self._all_named = any(window.monitors for window in self._server.values())

    def __bool__(self) -> bool:
        return bool(self._by_project or self._server)

    def get(self, project: int, window_id: str) -> MaintenanceWindow | None:
        return self._by_project.get(project, {}).get(window_id)

    def count(self, project: int) -> int:
        return len(self._by_project.get(project, ()))

    def put(self, window: MaintenanceWindow, names: Mapping[int, str] | None = None) -> None:
        """`names`: the ids of the project's monitors by number, where `wants_names` asked for them."""
        self._by_project.setdefault(window.project, {})[window.id] = window
        if window.monitors and not self.follows(window.project):
            self._ids[window.project] = dict(names or {})

    def remove(self, window: MaintenanceWindow) -> None:
        windows = self._by_project.get(window.project, {})
        windows.pop(window.id, None)
        if not windows:
            self._by_project.pop(window.project, None)

    def follows(self, project: int) -> bool:
        """Whether the ids of a project's monitors are known: once they mattered they are followed until a restart."""
        return self._all_named or project in self._ids

    def name(self, project: int, number: int, monitor_id: str) -> None:
        """There is a monitor of this id."""
        if self.follows(project):
            self._ids.setdefault(project, {})[number] = monitor_id

    def forget(self, project: int, number: int) -> None:
        """There is no such monitor any more."""
        self._ids.get(project, {}).pop(number, None)

    def cover(self, compiler: Compiler, project: int, monitor: int, environment: str, slot: Instant) -> bool:
        """Whether a slot of a monitor, by its number, lies in a window."""
        of_project = self._by_project.get(project)
        for windows in (self._server, of_project or {}):
            for window in windows.values():
                if (
                    window.covers_environment(environment)
                    and (not window.monitors or window.covers_monitor(self._ids.get(project, {}).get(monitor, "")))
                    and holds(window, compiler, slot)
                ):
                    return True
        return False


def holds(window: MaintenanceWindow, compiler: Compiler, at: Instant) -> bool:
    """Whether an instant lies in a window: its beginning does, its end does not."""
    if window.recurrence is None:
        began, ends = window.start_time, window.end_time
        return began is not None and ends is not None and began <= at < ends
    try:
        number = compiler.compile((window.recurrence,), field="recurrence")
    except errors.InvalidArgument:
        return False  # its zone has gone: better one miss too many than silence for ever
    began = compiler.prev_before(number, at + 1)
    return began <= at < began + window.duration_ms
