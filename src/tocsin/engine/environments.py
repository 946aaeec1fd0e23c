"""Environments of a monitor: made by their first report, muted and deleted by people."""

from collections.abc import Collection
from typing import NamedTuple

from tocsin.domain import errors
from tocsin.domain.commands import ChangeEnvironment, DeleteEnvironment
from tocsin.domain.facts import EnvironmentCreated, EnvironmentDeleted, EnvironmentMuted
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Monitor
from tocsin.domain.receipt import Receipt
from tocsin.engine import silence, verdicts
from tocsin.engine.monitor_entry import MonitorEntry
from tocsin.engine.state import MUTED, NOWHERE, State
from tocsin.engine.subject import Subject


class _Found(NamedTuple):
    """What a command is about."""

    known: Monitor
    monitor_slot: int
    monitor: MonitorEntry
    slot: int  # of the track


def add(state: State, slot: int, entry: MonitorEntry, environment: str, at: Instant) -> int:
    """A new track, waiting for its first slot if the monitor wants that. Muted if all that there are, are."""
    sibling = newest = entry.first_track
    while sibling != NOWHERE and state.peek(sibling).flags & MUTED:
        sibling = state.next_track(sibling)
    track_slot = state.open_track(slot, entry, environment)
    if sibling == NOWHERE != newest:
        state.track(track_slot).flags |= MUTED
    silence.rearm(Subject.of(state, track_slot), at, fresh=True)
    state.delta.facts.append(EnvironmentCreated(entry.project, entry.number, environment))
    return track_slot


def change(state: State, command: ChangeEnvironment, at: Instant) -> Receipt:
    """Mutes or unmutes; what is so already stays as it is."""
    found = _find(state, command)
    if isinstance(found, Receipt):
        return found
    silence.settle(state, found.slot, at)  # incidents that were due before open as they would have
    mute(state, found.monitor, found.slot, muted=command.muted)
    if not command.muted:
        verdicts.attend(state, state.peek(found.slot).incident, at)
    return Receipt(monitors=(found.known,))


def mute(state: State, monitor: MonitorEntry, slot: int, *, muted: bool) -> None:
    if bool(state.peek(slot).flags & MUTED) == muted:
        return
    track = state.track(slot)
    track.flags ^= MUTED
    name = state.environments[track.environment]
    state.delta.facts.append(EnvironmentMuted(monitor.project, monitor.number, name, muted))


def delete(state: State, command: DeleteEnvironment) -> Receipt:
    found = _find(state, command)
    if isinstance(found, Receipt):
        return found
    remove(state, found.monitor_slot, found.monitor, (found.slot,))
    return Receipt(monitors=(found.known,))


def remove(
    state: State, monitor_slot: int, monitor: MonitorEntry, slots: Collection[int], *, idle: bool = False
) -> list[EnvironmentDeleted]:
    """Nothing of these tracks is left in hot state; their check-ins and incidents go from the store in slices."""
    state.unlink_tracks(monitor_slot, monitor, slots)
    facts = []
    for slot in slots:
        track = state.peek(slot)
        number, incident, name = track.number, track.incident, state.environments[track.environment]
        state.close_track(monitor, slot)
        state.delta.deleted_tracks[number] = monitor.number
        facts.append(EnvironmentDeleted(monitor.project, monitor.number, name, idle, incident))
    state.forget_tracks()
    state.delta.facts.extend(facts)
    return facts


def _find(state: State, command: ChangeEnvironment | DeleteEnvironment) -> _Found | Receipt:
    """A receipt with the error when the monitor or the environment does not exist."""
    monitor_slot = state.find_monitor(command.project, command.monitor_id)
    known = state.configuration(command.project, command.monitor_id) if monitor_slot != NOWHERE else None
    where = {"monitor": command.monitor_id}
    if known is None:
        return Receipt(
            error=errors.NotFound(
                f"no monitor {command.monitor_id!r} in this project", reason="MONITOR_NOT_FOUND", metadata=where
            )
        )
    monitor = state.monitor(monitor_slot)
    slot = state.find_track(monitor, command.environment)
    if slot == NOWHERE:
        return Receipt(
            error=errors.NotFound(
                f"monitor {command.monitor_id!r} has no environment {command.environment!r}",
                reason="ENVIRONMENT_NOT_FOUND",
                metadata=where | {"environment": command.environment},
            )
        )
    return _Found(known, monitor_slot, monitor, slot)
