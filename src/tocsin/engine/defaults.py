"""What a project decides, put and used: for monitors that are made by what they send, where that names no value.

A `null` in a configuration stands for the default, and so does what a new monitor does not name; what a monitor has
already and a configuration does not name stays.
"""

from typing import Final

import msgspec

from tocsin.domain import errors
from tocsin.domain.check_in import Report
from tocsin.domain.commands import PutProjectSettings
from tocsin.domain.monitor import MonitorChange, Policy
from tocsin.domain.project_settings import ProjectSettings
from tocsin.domain.receipt import Receipt
from tocsin.domain.schedule import Schedule, placed
from tocsin.engine.state import State

_STOCK: Final = Policy()  # what a monitor has that nobody says anything about
_TOLERANCE: Final = ("margin_ms", "max_runtime_ms", "failure_threshold", "recovery_threshold")

_MEANT: Final = (*_TOLERANCE, "time_zone", "upserts_override_locks")  # what a configuration means depends on these


def put(state: State, command: PutProjectSettings) -> Receipt:
    """Writes the named fields; the receipt holds the project's own settings as they are then."""
    own = state.decided.own(command.project)
    unknown = set(command.fields) - set(ProjectSettings.__struct_fields__)
    if unknown:
        return Receipt(error=errors.invalid("fields", f"no such settings: {', '.join(sorted(unknown))}"))
    changed = msgspec.structs.replace(own, **{name: getattr(command.settings, name) for name in command.fields})
    if changed != own:
        state.decided.put(command.project, changed)
        if any(getattr(changed, name) != getattr(own, name) for name in _MEANT):
            _ask_again(state, command.project)
        state.delta.project_settings[command.project] = changed
    return Receipt(settings=changed)


def _ask_again(state: State, project: int) -> None:
    """The next configuration of each monitor is applied anew, though it is the same: it may mean something else now."""
    for slot, owner in enumerate(state.monitors.column("project")):
        if owner == project and state.monitors.is_open(slot):
            state.monitors.set(slot, "digest", 0)


def for_new(state: State, project: int, change: MonitorChange) -> MonitorChange:
    """The change that makes a monitor, with the project's defaults for all that it does not name."""
    settings = state.settings_of(project)
    base = {name: value for name in _TOLERANCE if (value := getattr(settings, name)) != getattr(_STOCK.tolerance, name)}
    named = {name: value for name, value in change.tolerance.items() if value is not None or name not in _TOLERANCE}
    policy = change.policy
    if settings.miss_while_running != _STOCK.miss_while_running:
        policy = {"miss_while_running": settings.miss_while_running, **policy}
    return msgspec.structs.replace(change, tolerance=base | named, policy=_zoned(state, policy, settings))


def for_known(state: State, project: int, change: MonitorChange) -> MonitorChange:
    """The change with the project's defaults where it asks for them."""
    asks = [name for name in _TOLERANCE if name in change.tolerance and change.tolerance[name] is None]
    settings = state.settings_of(project)
    tolerance = change.tolerance | {name: getattr(settings, name) for name in asks}
    return msgspec.structs.replace(
        change, tolerance=tolerance, policy=_zoned(state, change.policy, settings, new=False)
    )


def from_report(state: State, sent: Report) -> MonitorChange | None:
    """A monitor without a schedule, for a report that brings no usable configuration, where the project wants one."""
    if not state.settings_of(sent.project).create_from_check_in:
        return None
    return MonitorChange(origin=sent.dialect)


def _zoned(
    state: State, policy: dict[str, object], settings: ProjectSettings, *, new: bool = True
) -> dict[str, object]:
    """Schedules that ask for the project's zone get it; those of a new monitor that leave it open ask for it."""
    schedules = policy.get("schedules")
    if not isinstance(schedules, tuple):
        return policy
    plans: tuple[Schedule, ...] = placed(schedules, _zone(state, settings), open_too=new)
    return policy if plans == schedules else {**policy, "schedules": plans}


def _zone(state: State, settings: ProjectSettings) -> str:
    """The project's zone; UTC while that cannot be read, because a report must not fail for it."""
    name = settings.time_zone or "UTC"
    try:
        state.compiler.zones.get(name)
    except errors.InvalidArgument:
        return "UTC"
    return name
