"""Maintenance windows made, changed and removed: by the same road as reports, because slots are judged by them.

What a window excused while it held stays excused, and what was due before one was made is missed. So before any of
this, `concerned` finds the project's tracks with a slot in the past, and `judge_before` brings each up to date.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from tocsin.domain import errors, maintenance
from tocsin.domain.commands import DeleteMaintenanceWindow, PutMaintenanceWindow
from tocsin.domain.group import Filed
from tocsin.domain.instant import Instant
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.receipt import Receipt
from tocsin.engine import silence
from tocsin.engine.state import State

_LOOKED_AT: Final = 20_000  # rows
WINDOWS_MAX: Final = 1_000  # of one project: each slot without a report asks all of them


def put(state: State, command: PutMaintenanceWindow, at: Instant) -> Receipt:
    known = state.windows.get(command.project, command.window_id)
    try:
        window = _planned(state, command, known, at)
        maintenance.check(window)
        if window.recurrence is not None:
            state.compiler.compile((window.recurrence,), field="maintenance_window.recurrence")
    except errors.TocsinError as error:
        return Receipt(error=error)
    if window != known:
        window = _write(state, window)
    return Receipt(window=window, created=known is None)


def delete(state: State, command: DeleteMaintenanceWindow) -> Receipt:
    known = state.windows.get(command.project, command.window_id)
    if known is None:
        return Receipt(error=not_found(command.window_id))
    state.windows.remove(known)
    state.delta.windows.pop(known.number, None)
    state.delta.deleted_windows.add(known.number)
    return Receipt(window=known)


def concerned(state: State, project: int, at: Instant, *, slice_size: int) -> Iterator[list[int]]:
    """Tracks of a project to be judged: with a slot or the end of a pause before `at`, or held; one list a slice.

    Between two slices nothing but `judge_before` may touch the state, and a `take` may be committed. A slice may be
    empty: it ends, too, when so many rows have been looked at that it took a few milliseconds.
    """
    ends = state.monitors.column("pause_until")
    for first in range(0, len(ends), _LOOKED_AT):
        over = [slot for slot, end in enumerate(ends[first : first + _LOOKED_AT], first) if 0 < end <= at]
        mine = [state.monitor(slot) for slot in over if state.monitors.is_open(slot)]
        tracks = [track for monitor in mine if monitor.project == project for track in state.tracks_of(monitor)]
        yield from _slices(tracks, slice_size)
    state.write_back()
    waits, ends = state.tracks.column("expected"), state.tracks.column("deadline")
    for first in range(0, len(waits), _LOOKED_AT):
        both = zip(waits[first : first + _LOOKED_AT], ends[first : first + _LOOKED_AT], strict=True)
        late = [slot for slot, (expected, end) in enumerate(both, first) if expected < at or end < expected]
        tracks = [slot for slot in late if state.tracks.is_open(slot) and _project(state, slot) == project]
        yield from _slices(tracks, slice_size)


def _slices(found: list[int], size: int) -> Iterator[list[int]]:
    """At least one."""
    for first in range(0, max(len(found), 1), size):
        yield found[first : first + size]


def judge_before(state: State, slot: int, at: Instant) -> None:
    """What was due before is judged by the windows that hold now; what they excuse up to now need not wait for that."""
    silence.settle(state, slot, at)
    silence.pass_over_excused(state, slot, at)


def _project(state: State, slot: int) -> int:
    return state.monitors.get(state.tracks.get(slot, "monitor"), "project")


def not_found(window_id: str) -> errors.NotFound:
    return errors.NotFound(
        f"no maintenance window {window_id[:64]!r} in this project",
        reason="MAINTENANCE_WINDOW_NOT_FOUND",
        metadata={"maintenance_window": window_id[:64]},
    )


def _planned(
    state: State, command: PutMaintenanceWindow, known: MaintenanceWindow | None, at: Instant
) -> MaintenanceWindow:
    if known is not None and not command.update:
        raise errors.AlreadyExists(
            f"there is a maintenance window {command.window_id!r} already; update it instead",
            reason="MAINTENANCE_WINDOW_ALREADY_EXISTS",
            metadata={"maintenance_window": command.window_id},
        )
    if known is None:
        if not command.create:
            raise not_found(command.window_id)
        if state.windows.count(command.project) >= WINDOWS_MAX:
            raise errors.ResourceExhausted(
                f"a project has at most {WINDOWS_MAX} maintenance windows",
                reason="QUOTA_EXCEEDED",
                metadata={"limit": str(WINDOWS_MAX), "quota": "maintenance windows"},
            )
        known = MaintenanceWindow(0, command.project, command.window_id, create_time=at)
    values = {name: getattr(command.window, name) for name in command.fields}
    changed = msgspec.structs.replace(known, **values)
    return known if changed == known and known.number else msgspec.structs.replace(changed, update_time=at)


def _write(state: State, window: MaintenanceWindow) -> MaintenanceWindow:
    if not window.number:
        window = msgspec.structs.replace(window, number=state.number("maintenance_window"))
    names = filed = None
    if state.windows.wants_names(window.project, window):  # not copied: they may be a million
        names = state.recall.monitor_ids.pop(window.project, {})
        names.update((one.number, one.id) for one in state.new_monitors(window.project))
    if state.windows.wants_filed(window.project, window):  # likewise
        filed = state.recall.filed.pop(window.project, {})
        filed.update((one.number, Filed(one.group, one.tags)) for one in state.new_monitors(window.project))
    state.windows.put(window, names, filed)
    state.delta.windows[window.number] = window
    return window
