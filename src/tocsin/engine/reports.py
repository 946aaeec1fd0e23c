"""One report: find its monitor, its environment and the run that it names, then file it.

The order is that of the wire: configuration first, then the report. Whatever is not honoured becomes a refusal with its
reason, never silence.
"""

from collections.abc import Collection

import msgspec

from tocsin.domain import names
from tocsin.domain.check_in import CheckIn, Report, ReportKind
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Monitor, MonitorChange
from tocsin.domain.receipt import Receipt
from tocsin.domain.refusals import RefusalReason
from tocsin.engine import defaults, environments, limits, meanings, naming, puts, silence
from tocsin.engine.filing import Filing, Refused
from tocsin.engine.memory import Needs
from tocsin.engine.monitor_entry import MonitorEntry
from tocsin.engine.state import DISABLED, INACTIVE, NOWHERE, State
from tocsin.engine.subject import Subject


def need(state: State, needs: Needs, sent: Report, decided: Collection[int] = ()) -> None:
    """What must be recalled before the report is filed. `decided`: projects that decide something just before it."""
    if sent.check_in_id and state.runs.find(sent.project, sent.check_in_id) is None:
        needs.check_ins.add((sent.project, sent.check_in_id))
    sent = _named(state, sent)
    slot = state.find_monitor(sent.project, sent.monitor_id)
    if slot == NOWHERE:
        naming.need(state, needs, sent.monitor_number)
        return
    if _changes(state, sent, slot) or (sent.upsert is not None and sent.project in decided):
        needs.monitors.add((sent.project, sent.monitor_id))
    if sent.kind is ReportKind.START and sent.series:
        track = state.find_track(state.monitor(slot), sent.environment or names.DEFAULT_ENVIRONMENT)
        ended = state.recents.end_of(state.peek(track).number, sent.series) if track != NOWHERE else None
        if ended is not None:
            needs.check_ins.add((sent.project, ended))


def report(state: State, sent: Report, at: Instant) -> Receipt:
    try:
        return _report(state, sent, at)
    except Refused as refused:
        return Receipt(refusal=refuse(state, sent, refused.reason, refused.detail, at, data=refused.data))


def refuse(
    state: State,
    sent: Report,
    reason: RefusalReason,
    detail: str,
    at: Instant,
    *,
    dropped: bool = True,
    data: dict[str, str] | None = None,
) -> CheckInRefused:
    refusal = CheckInRefused(
        project=sent.project,
        monitor_id=sent.monitor_id,
        reason=reason.name,
        detail=detail,
        at=at,
        dialect=sent.dialect,
        environment=sent.environment,
        check_in_id=sent.check_in_id or "",
        dropped=dropped,
        data=data or {},
        payload=sent.payload,
    )
    state.delta.refusals.append(refusal)
    state.delta.facts.append(refusal)
    return refusal


def _report(state: State, sent: Report, at: Instant) -> Receipt:
    sent = _named(state, sent)
    slot = _monitor(state, sent, at)
    monitor = state.monitor(slot)
    if monitor.flags & DISABLED:
        raise Refused(RefusalReason.MONITOR_DISABLED, f"monitor {sent.monitor_id!r} is disabled")
    if monitor.flags & INACTIVE:
        return Receipt()
    named = _named_run(state, sent, monitor)
    environment = sent.environment or (named.environment if named else names.DEFAULT_ENVIRONMENT)
    track_slot = state.find_track(monitor, environment)
    if track_slot == NOWHERE:
        limits.admit_environment(state, sent, monitor, environment)
        track_slot = environments.add(state, slot, monitor, environment, at)
    track = state.track(track_slot)  # the working copy, before anybody takes another just to look
    silence.settle(state, track_slot, at)
    subject = Subject.of(state, track_slot)
    meant = meanings.meant(sent, subject.timing.policy.kind, subject.track) if sent.by_kind else sent
    if not sent.check_in_id and state.recents.repeats(track.number, meant):
        return Receipt(duplicate=True)
    receipt = Filing(subject, meant, at).file()
    if not sent.check_in_id:
        state.recents.note(track.number, meant, at)
    return receipt


def _named(state: State, sent: Report) -> Report:
    """The report, of the monitor of its number if there is none of its id."""
    if not sent.monitor_number or state.find_monitor(sent.project, sent.monitor_id) != NOWHERE:
        return sent
    monitor_id = naming.id_of(state, sent.project, sent.monitor_number)
    return sent if monitor_id is None else msgspec.structs.replace(sent, monitor_id=monitor_id)


def _changes(state: State, sent: Report, slot: int) -> bool:
    """Whether it brings a configuration that its monitor has not applied last."""
    if sent.upsert is None or sent.upsert_new_only:
        return False
    return state.monitors.get(slot, "digest") != puts.digest_of(sent.upsert)


def _monitor(state: State, sent: Report, at: Instant) -> int:
    """The slot of the report's monitor, created or changed first if the report brings its configuration."""
    slot = state.find_monitor(sent.project, sent.monitor_id)
    if sent.upsert is not None and not (sent.upsert_new_only and slot != NOWHERE):
        if slot == NOWHERE:
            slot = _create(state, sent, defaults.for_new(state, sent.project, sent.upsert), at)
        elif _changes(state, sent, slot):
            known = state.configuration(sent.project, sent.monitor_id)
            assert known is not None
            change = defaults.for_known(state, sent.project, sent.upsert)
            puts.store(state, _upserted(state, sent, change, known, at), at, touch_runs=False)
        entry = state.monitor(slot)
        entry.digest = puts.digest_of(sent.upsert)
        state.write_monitor(slot, entry)
        return slot
    bare = defaults.from_report(state, sent) if slot == NOWHERE else None
    if sent.upsert_error:
        dropped = slot == NOWHERE and bare is None
        refuse(state, sent, RefusalReason.MONITOR_INVALID_CONFIG, sent.upsert_error, at, dropped=dropped)
    if bare is not None:
        slot = _create(state, sent, defaults.for_new(state, sent.project, bare), at)
    if slot == NOWHERE:
        raise Refused(
            RefusalReason.MONITOR_NOT_FOUND,
            f"no monitor {sent.monitor_id!r} in this project, and the report brought no usable configuration for one",
            {"configuration": sent.upsert_error} if sent.upsert_error else None,
        )
    return slot


def _create(state: State, sent: Report, change: MonitorChange, at: Instant) -> int:
    limits.admit_monitor(state, sent)
    monitor = puts.create(sent.project, sent.monitor_id, change, at)
    puts.store(state, monitor, at, touch_runs=False, track=False)
    return state.find_monitor(sent.project, sent.monitor_id)


def _upserted(state: State, sent: Report, change: MonitorChange, known: Monitor, at: Instant) -> Monitor:
    """The monitor after an upsert. What somebody set by hand stays, and that is said, unless the project allows it."""
    if not state.settings_of(sent.project).upserts_override_locks:
        change, kept = change.sparing_locks(known)
        if kept:
            detail = f"locked, because set by hand: {', '.join(kept)}; unlock them, or let upserts override locks"
            data = {"fields": ",".join(kept)}
            refuse(state, sent, RefusalReason.MONITOR_FIELD_LOCKED, detail, at, dropped=False, data=data)
    return change.apply(known, at)


def _named_run(state: State, sent: Report, monitor: MonitorEntry) -> CheckIn | None:
    """The run with the id that the report names; refused when that is somebody else's."""
    if not sent.check_in_id:
        return None
    known = state.find_check_in(sent.project, sent.check_in_id)
    if known is None:
        return None
    if known.monitor != monitor.number:
        raise Refused(
            RefusalReason.CHECKIN_GUID_PROJECT_MISMATCH,
            f"check-in {sent.check_in_id} belongs to another monitor",
            {"guid": sent.check_in_id},
        )
    if sent.environment and known.environment != sent.environment:
        raise Refused(
            RefusalReason.CHECKIN_ENVIRONMENT_MISMATCH,
            f"check-in {sent.check_in_id} was opened in environment {known.environment!r}",
            {"existingEnvironment": known.environment},
        )
    return known
