"""Monitors created, changed and deleted: configuration takes the same road as reports, so the two never race."""

import hashlib
import uuid
from typing import Final

import msgspec

from tocsin.domain import errors, ids
from tocsin.domain.commands import DeleteMonitor, DeleteRefusals, PutMonitor
from tocsin.domain.facts import MonitorChanged, MonitorCreated, MonitorDeleted
from tocsin.domain.instant import NEVER, Instant
from tocsin.domain.monitor import Monitor, MonitorChange, Policy
from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.domain.receipt import Receipt
from tocsin.engine import defaults, environments, limits, open_runs, silence, verdicts
from tocsin.engine.monitor_entry import MonitorEntry
from tocsin.engine.ping_tokens import Owner
from tocsin.engine.state import DISABLED, INACTIVE, NOWHERE, State
from tocsin.engine.subject import Subject

_UIDS: Final = uuid.UUID("5d3b6ba4-2f0e-4c0e-8a63-7c1f1f0f7a11")  # the namespace of monitor uids


def put(state: State, commands: tuple[PutMonitor, ...], at: Instant) -> Receipt:
    """All or none."""
    planned: list[tuple[PutMonitor, Monitor, bool]] = []
    new, tokens = 0, dict[str, Owner | None]()
    for command in commands:
        try:
            planned.append((command, *_plan(state, command, at, new, tokens)))
        except errors.TocsinError as error:
            return Receipt(error=error)
        new += planned[-1][2]
    kept = [
        monitor if command.validate_only else store(state, monitor, at, touch_runs=True)
        for command, monitor, _ in planned
    ]
    return Receipt(monitors=tuple(kept), created=any(created for _, _, created in planned))


def _plan(
    state: State, command: PutMonitor, at: Instant, new: int, tokens: dict[str, Owner | None]
) -> tuple[Monitor, bool]:
    """The monitor as it would be, and whether it would be new, beside so many new ones of the same request.

    `tokens`: whose ping tokens will be by the commands before it in the same request.
    """
    known = None
    change = defaults.for_known(state, command.project, command.change)
    if state.find_monitor(command.project, command.monitor_id) != NOWHERE:
        known = state.configuration(command.project, command.monitor_id)
    where = {"monitor": command.monitor_id}
    if known is None:
        if not command.create:
            raise errors.NotFound(
                f"no monitor {command.monitor_id!r} in this project", reason="MONITOR_NOT_FOUND", metadata=where
            )
        limits.check_new_monitor(state, command.project, new)
        made = create(command.project, command.monitor_id, change, at)
        _claim(state, command, "", made.ping_token, tokens)
        return made, True
    if not command.update:
        raise errors.AlreadyExists(
            f"monitor {command.monitor_id!r} exists already; update it instead",
            reason="MONITOR_ALREADY_EXISTS",
            metadata=where,
        )
    _check_etag(known, command.etag)
    changed = change.apply(known, at)
    _claim(state, command, known.ping_token, changed.ping_token, tokens)
    return changed, False


def _claim(state: State, command: PutMonitor, old: str, new: str, tokens: dict[str, Owner | None]) -> None:
    """The monitor changes its ping token. AlreadyExists: the new one is another's."""
    if old == new:
        return
    owner = command.project, command.monitor_id
    state.ping_tokens.check(new, owner, state.recall.tokens, tokens)
    tokens[old], tokens[new] = None, owner


def _check_etag(known: Monitor, etag: str) -> None:
    if etag and etag != known.etag:
        raise errors.Aborted(
            f"monitor {known.id!r} was changed by somebody else; read it again",
            reason="ETAG_MISMATCH",
            metadata={"monitor": known.id, "etag": known.etag},
        )


def create(project: int, monitor_id: str, change: MonitorChange, at: Instant) -> Monitor:
    """A monitor that is not stored yet: number 0, revision 0."""
    blank = Monitor(number=0, project=project, id=monitor_id, uid="", origin=change.origin, written_by=change.origin)
    changed = change.apply(blank, at)
    return msgspec.structs.replace(changed, revision=0, create_time=at, update_time=at)


def store(state: State, monitor: Monitor, at: Instant, *, touch_runs: bool, track: bool = True) -> Monitor:
    """Writes a new monitor (number 0) or a changed one. `track`: a new one has its default environment at once."""
    if monitor.number == 0:
        return _add(state, monitor, at, track=track)
    slot = state.find_monitor(monitor.project, monitor.id)
    before = state.configuration(monitor.project, monitor.id)
    if before == monitor:
        return monitor
    assert before is not None
    for track_slot in state.tracks_of(state.monitor(slot)):
        silence.settle(state, track_slot, at)  # what was due before is judged by what held then
        if (before.group, before.tags) != (monitor.group, monitor.tags):
            silence.pass_over_excused(state, track_slot, at)  # by windows that may not cover it any more
    entry = state.monitor(slot)
    old_policy, was_quiet, was_told = entry.policy, entry.quiet(at), not entry.muted(at)
    _fill(state, entry, monitor, at)
    state.write_monitor(slot, entry)
    state.delta.monitors[monitor.number] = (monitor, entry.policy)
    state.remember(monitor)
    state.delta.facts.append(MonitorChanged(monitor))
    quiet = was_quiet or entry.quiet(at)
    if (was_quiet and not entry.quiet(at)) or not (was_told or entry.muted(at)):
        for track_slot in state.tracks_of(entry):
            verdicts.attend(state, state.peek(track_slot).incident, at)
    if quiet or old_policy != entry.policy:
        for track_slot in state.tracks_of(entry):
            subject = Subject.of(state, track_slot)
            if before.policy.schedules and not monitor.policy.schedules:
                verdicts.drop_misses(subject, at)
            if quiet:
                if before.inactive and not monitor.inactive:
                    silence.begin(subject)
                silence.rearm(subject, at, fresh=True)
                if monitor.inactive and not before.inactive and subject.timing.rolling:
                    verdicts.forget(subject, at)
            else:
                _judge_otherwise(subject, before.policy, monitor.policy, at, touch_runs=touch_runs)
    return monitor


def _judge_otherwise(subject: Subject, before: Policy, after: Policy, at: Instant, *, touch_runs: bool) -> None:
    """A track goes on under its monitor's new policy: the slot it waits for stays unless the schedule changed."""
    if before.schedules == after.schedules and subject.track.expected != NEVER:
        silence.keep_slot(subject, after.tolerance.margin_ms - before.tolerance.margin_ms)
        silence.fail_at_once(subject, at)
    else:
        silence.rearm(subject, at, fresh=False)
    longer = touch_runs and before.tolerance.max_runtime_ms != after.tolerance.max_runtime_ms
    if before.assertions != after.assertions:
        verdicts.drop_assertions(subject, at)
    for run in subject.state.runs.of(subject.slot):
        if longer:
            run = msgspec.structs.replace(run, timeout_time=subject.timing.timeout(run.receive_time))  # noqa: PLW2901
            subject.state.record(run)
        open_runs.settle(subject, run, at)  # another policy looks at it at other times


def _add(state: State, monitor: Monitor, at: Instant, *, track: bool) -> Monitor:
    number = state.number("monitor")
    uid = uuid.uuid5(_UIDS, f"{number}/{monitor.project}/{monitor.id}/{at}").hex
    monitor = msgspec.structs.replace(monitor, number=number, uid=uid)
    slot = state.monitors.open()
    entry = MonitorEntry(
        number=number,
        project=monitor.project,
        policy=0,
        flags=0,
        digest=0,
        first_track=NOWHERE,
        paused_until=0,
        muted_until=0,
    )
    _fill(state, entry, monitor, at)
    state.write_monitor(slot, entry)
    state.monitor_keys.put(ids.monitor_key(monitor.project, monitor.id), slot)
    state.monitor_counts[monitor.project] += 1
    state.delta.monitors[number] = (monitor, entry.policy)
    state.remember(monitor)
    state.delta.facts.append(MonitorCreated(monitor))
    if track:
        environments.add(state, slot, entry, DEFAULT_ENVIRONMENT, at)
    return monitor


def _fill(state: State, entry: MonitorEntry, monitor: Monitor, at: Instant) -> None:
    entry.policy = state.policy_number(monitor.policy)
    entry.flags = (DISABLED if monitor.disabled else 0) | (INACTIVE if monitor.inactive else 0)
    entry.digest = 0
    entry.paused_until = monitor.paused_until if monitor.paused_until and monitor.paused_until > at else 0
    entry.muted_until = monitor.muted_until or 0


def delete(state: State, command: DeleteMonitor, at: Instant) -> Receipt:  # noqa: ARG001 - all commands are handled alike
    slot = state.find_monitor(command.project, command.monitor_id)
    known = state.configuration(command.project, command.monitor_id) if slot != NOWHERE else None
    if known is None:
        error = errors.NotFound(
            f"no monitor {command.monitor_id!r} in this project",
            reason="MONITOR_NOT_FOUND",
            metadata={"monitor": command.monitor_id},
        )
        return Receipt(error=error)
    try:
        _check_etag(known, command.etag)
    except errors.TocsinError as error:
        return Receipt(error=error)
    entry = state.monitor(slot)
    for track_slot in state.tracks_of(entry):
        state.close_track(entry, track_slot)
    state.monitor_keys.remove(ids.monitor_key(known.project, known.id))
    state.monitors.close(slot)
    state.monitor_counts[known.project] -= 1
    state.forget(known)
    state.delta.deleted_monitors.add(known.number)
    state.delta.forget_refusals(DeleteRefusals(known.project, known.id))  # they are few; another may take its name
    state.delta.facts.append(MonitorDeleted(known.project, known.number, known.id))
    return Receipt(monitors=(known,))


def digest_of(change: MonitorChange) -> int:
    """64 bits of a change: the same upsert again needs no look at the store."""
    return int.from_bytes(hashlib.blake2b(msgspec.msgpack.encode(change), digest_size=8).digest(), "little") or 1
