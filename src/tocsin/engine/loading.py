"""From a snapshot to hot state: rosters in bulk, keys and deadlines built at the end."""

from array import array

from tocsin._core.filling import Filling, packed_monitor
from tocsin._core.saved import packed as packed_track
from tocsin.domain import ids
from tocsin.domain.instant import NEVER
from tocsin.engine import open_runs, replay
from tocsin.engine.deadlines import RUN, SLOT
from tocsin.engine.memory import MonitorRow, Snapshot, are_packed
from tocsin.engine.state import DISABLED, INACTIVE, State
from tocsin.engine.subject import Subject
from tocsin.engine.timing import Timing


def load(state: State, snapshot: Snapshot) -> None:
    state.start_numbers(snapshot.sequences)
    state.clock = snapshot.clock or 0
    state.outages = list(snapshot.outages)
    for project, own in snapshot.project_settings.items():
        state.decided.put(project, own)
    for window in snapshot.windows:  # before the monitors, whose ids some of them want
        state.windows.put(window, filed=snapshot.filed.get(window.project))
    for number, policy in snapshot.policies:
        state.add_timing(Timing.read(number, policy, state.compiler))
    for number, name in snapshot.environments:
        state.add_environment(number, name)
    filling = Filling(state.monitors, state.tracks, state.monitor_keys)
    _load_monitors(state, snapshot, filling)
    applied = _load_tracks(state, snapshot, filling)
    _link(state, filling)
    behind = replay.replay(state, snapshot.after, applied)
    _pause(state, filling)
    state.projection.begin(snapshot.watermark, state.last_check_in, behind)
    by_number: dict[int, int] = {}
    for chunk in snapshot.open_runs:
        by_number = by_number or state.track_slots()
        for run in chunk:
            slot = by_number.get(run.track)
            if slot is not None:
                subject = Subject.seen(state, slot)
                state.runs.put(slot, run, open_runs.next_look(subject, run, subject.track.run_deadline))
    for slot in state.runs.tracks():
        state.deadlines.put(slot, RUN, state.runs.summary(slot)[1])
    for check_in in snapshot.recent:
        state.recents.recall(check_in)
    for incidents in snapshot.open_incidents:
        for incident in incidents:
            state.incidents[incident.number] = incident


def _load_monitors(state: State, snapshot: Snapshot, filling: Filling) -> None:
    count = snapshot.counts[0]
    state.monitors.reserve(count)
    state.monitor_keys.reserve(count)
    for rows in snapshot.monitors:
        if are_packed(rows):
            names: list[tuple[int, int, str]] | None = [] if state.windows else None
            filling.add_monitors(rows, state.clock, names)
            for project, number, name in names or ():
                state.windows.name(project, number, name)
        else:
            _load_monitor_rows(state, rows)
    state.monitor_counts.update(filling.projects())


def _load_monitor_rows(state: State, rows: list[MonitorRow]) -> None:
    """Into the form of packed ones, which is where all is checked."""
    filling = Filling(state.monitors, state.tracks, state.monitor_keys)
    packed = [
        (
            bytes(
                packed_monitor(
                    number,
                    project,
                    policy,
                    (DISABLED if off else 0) | (INACTIVE if idle else 0),
                    paused or 0,
                    muted or 0,
                    name,
                )
            ),
        )
        for number, project, name, policy, off, idle, paused, muted in rows
    ]
    filling.add_monitors(packed, state.clock)
    if state.windows:
        for number, project, name, *_ in rows:
            state.windows.name(project, number, name)


def _load_tracks(state: State, snapshot: Snapshot, filling: Filling) -> dict[int, int]:
    """By slot, the newest check-in that is contained, of those after the watermark."""
    applied: dict[int, int] = {}
    state.tracks.reserve(snapshot.counts[1])
    for rows in snapshot.tracks:
        packed = rows if are_packed(rows) else [(bytes(packed_track(row[:-1], row[-1])),) for row in rows]
        filling.add_tracks(packed, snapshot.watermark, applied)
    return applied


def _link(state: State, filling: Filling) -> None:
    """What one row says of others, and what is found by the time."""
    if filling.link():
        followed = filling.followed()
        numbers = [state.monitors.get(state.tracks.get(slot, "monitor"), "number") for slot in followed]
        names = [state.environments[state.tracks.get(slot, "environment")] for slot in followed]
        keys = [ids.track_key(number, name) for number, name in zip(numbers, names, strict=True)]
        state.track_keys.put_many(keys, array("I", followed))
    state.deadlines.put_many(*filling.deadlines(), leaf=SLOT)


def _pause(state: State, filling: Filling) -> None:
    """Tracks wait for the end of their monitor's pause. In the second of its end a report may have been first."""
    for monitor_slot, until in filling.paused():
        monitor = state.monitor(monitor_slot)
        slots = state.tracks_of(monitor)
        reported = (state.peek(slot).last_check_in for slot in slots)
        if until <= state.clock and any(time != NEVER and time >= until for time in reported):
            monitor.paused_until = 0
            state.write_monitor(monitor_slot, monitor)
            continue
        for slot in slots:
            if state.peek(slot).deadline == NEVER:
                state.deadlines.put(slot, SLOT, until)
