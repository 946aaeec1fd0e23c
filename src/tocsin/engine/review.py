"""What nobody looks after: incidents that stay open and failing, environments that no report comes from any more.

    open for `broken_after_days`, and the newest four verdicts all bad    broken: its owner is to be told, once
    still so `broken_mute_days` after that                                its environment is muted, once
    no report for `idle_environment_days`                                 the environment is deleted

Where causes are apart nothing is muted: alerts without end mute there, until it recovers; this mute nobody would lift.

Both delays begin anew when somebody unmutes, resumes, enables or acknowledges. Broken is nothing that is muted or whose
monitor is paused or disabled. Idle is no environment that has an open run or an open incident that is not muted, that
never had a report, or that waits for a slot and has left none unanswered since its last report. Long outages of ours do
not count. What is due is passed over: the tick judges it first. A slice looks at SLICE tracks and ends early when it
has found MOST of which something must be done.
"""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from tocsin.domain import ids
from tocsin.domain.facts import EnvironmentDeleted, IncidentBroken, IncidentMuted
from tocsin.domain.incident import Incident
from tocsin.domain.instant import DAY, NEVER, Instant
from tocsin.domain.monitor import ExpectFrom
from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.domain.project_settings import ProjectSettings
from tocsin.domain.receipt import Reviewed
from tocsin.domain.track import Track
from tocsin.engine import causes, environments
from tocsin.engine.monitor_entry import MonitorEntry
from tocsin.engine.outages import deaf_between
from tocsin.engine.state import MUTED, UNHEARD, State
from tocsin.engine.thresholds import misses_apart

SLICE: Final = 5_000  # tracks
MOST: Final = 500  # of them that something is done about
VERDICTS: Final = 4  # of them all must be bad


@dataclass(slots=True)
class _Slice:
    """One slice on its way."""

    state: State
    at: Instant
    settings: dict[int, ProjectSettings] = field(default_factory=dict)  # by project, resolved
    broken: list[Incident] = field(default_factory=list)
    muted: list[Incident] = field(default_factory=list)
    idle: dict[int, set[int]] = field(default_factory=dict)  # tracks by the slot of their monitor
    found: int = 0

    def settings_of(self, project: int) -> ProjectSettings:
        found = self.settings.get(project)
        if found is None:
            found = self.settings[project] = self.state.settings_of(project)
        return found

    def look_at_incident(self, slot: int) -> None:
        state, at = self.state, self.at
        track = state.peek(slot)
        known = state.incidents.get(track.incident)
        if known is None or min(track.deadline, track.run_deadline) < at:
            return  # due: the tick is to judge it first
        monitor = state.monitor(track.monitor)
        settings = self.settings_of(monitor.project)
        after, mute = settings.broken_after_days or 0, settings.broken_mute_days or 0
        if state.timing(monitor).policy.separate_causes:
            mute = 0
        if not after or monitor.quiet(at) or monitor.muted(at) or track.flags & MUTED or not _all_bad(state, track):
            return
        unmuted = monitor.muted_until  # in the past
        since = max(known.open_time, known.attended_time or 0, known.acknowledge_time or 0, unmuted)
        told = known.broken_time
        if told is None or told < since:
            if self._heard(since) >= after * DAY:
                incident = msgspec.structs.replace(known, broken_time=at)
                causes.keep(state, incident)
                state.delta.facts.append(IncidentBroken(incident))
                self.broken.append(incident)
                self.found += 1
        elif mute and known.broken_mute_time is None and self._heard(told) >= mute * DAY and _newest(track) > told:
            incident = msgspec.structs.replace(known, broken_mute_time=at)
            causes.keep(state, incident)
            environments.mute(state, monitor, slot, muted=True)
            state.delta.facts.append(IncidentMuted(incident))
            self.muted.append(incident)
            self.found += 1

    def look_at_silence(self, slot: int, last: Instant) -> None:
        state, at = self.state, self.at
        track = state.peek(slot)
        monitor = state.monitor(track.monitor)
        days = self.settings_of(monitor.project).idle_environment_days or 0
        incident = state.incidents.get(track.incident)
        if incident is not None:
            if not (monitor.muted(at) or track.flags & MUTED):
                return  # what dies must not vanish before anybody was told
            last = max(last, incident.open_time, incident.attended_time or 0)
        if not days or self._heard(last) < days * DAY or track.open_runs or monitor.quiet(at):
            return
        if not _expected(state, monitor, track) and not _waits(state, monitor, track, at):
            self.idle.setdefault(track.monitor, set()).add(slot)
            self.found += 1

    def _heard(self, since: Instant) -> int:
        """Milliseconds from then to now without long outages of ours."""
        return self.at - since - deaf_between(self.state, since, self.at)

    def remove_idle(self) -> list[EnvironmentDeleted]:
        removed = []
        for monitor_slot, slots in self.idle.items():
            removed += environments.remove(self.state, monitor_slot, self.state.monitor(monitor_slot), slots, idle=True)
        return removed


def review(state: State, first: int, at: Instant) -> Reviewed:
    """Looks at the tracks of SLICE slots from `first` on."""
    state.write_back()
    tracks, here = state.tracks, _Slice(state, at)
    end = min(first + SLICE, tracks.capacity)
    youngest = at - min((days for one in state.decided.every() if (days := one.idle_environment_days)), default=0) * DAY
    looks_for_idle = youngest < at
    for slot in range(first, end):
        if here.found >= MOST:
            end = slot
            break
        if not tracks.is_open(slot):
            continue
        if tracks.get(slot, "incident"):
            here.look_at_incident(slot)
        if looks_for_idle and (last := tracks.get(slot, "last_check_in")) != NEVER and last <= youngest:
            here.look_at_silence(slot, last)
    return Reviewed(
        following=end if end < tracks.capacity else 0,
        broken=tuple(here.broken),
        muted=tuple(here.muted),
        deleted=tuple(here.remove_idle()),
    )


def _all_bad(state: State, track: Track) -> bool:
    """The newest verdicts, as far as they are counted: good ones set the counters back, unknown ones are none."""
    timing = state.timing(state.monitor(track.monitor))
    apart = track.misses if misses_apart(timing.policy) else 0
    return track.failures + apart >= VERDICTS


def _expected(state: State, monitor: MonitorEntry, track: Track) -> bool:
    """Whether the monitor waits in this environment from its creation on."""
    from_creation = state.timing(monitor).policy.expect_from is ExpectFrom.CREATION
    return from_creation and state.environments[track.environment] == DEFAULT_ENVIRONMENT


def _newest(track: Track) -> Instant:
    """When the newest report came or the newest slot was missed."""
    lapse = ids.instant_of(track.last_lapse) if track.last_lapse and not track.flags & UNHEARD else 0
    return max(lapse, track.last_check_in if track.last_check_in != NEVER else 0)


def _waits(state: State, monitor: MonitorEntry, track: Track, at: Instant) -> bool:
    """Whether no slot has gone unanswered since the last report: between two runs nobody is idle."""
    if not state.timing(monitor).policy.schedules:
        return False
    due = min(track.deadline, track.run_deadline) < at
    return due or not track.last_lapse or bool(track.flags & UNHEARD) or track.last_lapse_slot <= track.last_check_in
