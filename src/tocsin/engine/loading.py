"""From a snapshot to hot state: rosters in bulk, keys and deadlines built at the end."""

from array import array

from tocsin._core.roster import TrackRoster
from tocsin.domain import ids
from tocsin.domain.instant import NEVER, ceil_second
from tocsin.engine import replay
from tocsin.engine.deadlines import RUN, SLOT, second_of
from tocsin.engine.memory import MonitorRow, Snapshot, TrackRow
from tocsin.engine.state import DISABLED, INACTIVE, NOWHERE, State
from tocsin.engine.timing import Timing

_LINK = 3  # place of next_track in a track row
_MONITOR = 1  # place of monitor
_FORMATS = tuple(TrackRoster().column(name).format for name in TrackRoster.COLUMNS)


def load(state: State, snapshot: Snapshot) -> None:
    state.start_numbers(snapshot.sequences)
    state.clock = snapshot.clock or 0
    state.outages = list(snapshot.outages)
    for project, own in snapshot.project_settings.items():
        state.decided.put(project, own)
    for window in snapshot.windows:  # before the monitors, whose ids some of them want
        state.windows.put(window)
    for number, policy in snapshot.policies:
        state.add_timing(Timing.read(number, policy, state.compiler))
    for number, name in snapshot.environments:
        state.add_environment(number, name)
    slots = _load_monitors(state, snapshot)
    applied = _load_tracks(state, snapshot, slots)
    behind = replay.replay(state, snapshot.after, applied)
    state.projection.begin(snapshot.watermark, state.last_check_in, behind)
    by_number: dict[int, int] = {}
    for chunk in snapshot.open_runs:
        by_number = by_number or {number: slot for slot, number in enumerate(state.tracks.column("number"))}
        for run in chunk:
            if run.track in by_number:
                state.runs.put(by_number[run.track], run)
    for slot in state.runs.tracks():
        state.deadlines.put(slot, RUN, state.runs.summary(slot)[1])
    for incidents in snapshot.open_incidents:
        for incident in incidents:
            state.incidents[incident.number] = incident


def _load_monitors(state: State, snapshot: Snapshot) -> dict[int, int]:
    """Monitor.number → slot."""
    slots: dict[int, int] = {}
    for rows in snapshot.monitors:
        _load_monitor_rows(state, rows, slots)
    return slots


def _load_monitor_rows(state: State, rows: list[MonitorRow], slots: dict[int, int]) -> None:
    if not rows:
        return
    numbers, projects, names, policies, disabled, inactive, paused, muted = zip(*rows, strict=True)
    count = len(rows)
    first = state.monitors.load(
        (
            array("q", numbers),
            array("I", projects),
            array("I", policies),
            array(
                "H",
                [
                    (DISABLED if off else 0) | (INACTIVE if idle else 0)
                    for off, idle in zip(disabled, inactive, strict=True)
                ],
            ),
            array("Q", bytes(8 * count)),
            array("I", [NOWHERE]) * count,
            array("q", [until if until and ceil_second(until) >= state.clock else 0 for until in paused]),
            array("q", [until or 0 for until in muted]),
        )
    )
    state.monitor_counts.update(projects)
    keys = [ids.monitor_key(project, name) for project, name in zip(projects, names, strict=True)]
    state.monitor_keys.put_many(keys, array("I", range(first, first + count)))
    if state.windows:
        for number, project, name in zip(numbers, projects, names, strict=True):
            state.windows.name(project, number, name)
    slots.update(zip(numbers, range(first, first + count), strict=True))


def _load_tracks(state: State, snapshot: Snapshot, slots: dict[int, int]) -> dict[int, int]:
    """By slot, the newest check-in that is contained, of those after the watermark."""
    heads: dict[int, int] = {}
    applied: dict[int, int] = {}
    first = 0
    for rows in snapshot.tracks:
        kept = [
            row for row in rows if row[_MONITOR] in slots
        ]  # a deleted monitor's rows may still wait for the janitor
        _load_track_rows(state, kept, first, slots, heads)
        for slot, row in enumerate(kept, start=first):
            if row[-1] > snapshot.watermark:
                applied[slot] = row[-1]
        first += len(kept)
    for monitor_slot, head in heads.items():
        state.monitors.set(monitor_slot, "first_track", head)
    paused, flags = state.monitors.column("pause_until"), state.monitors.column("flags")
    for monitor_slot in range(len(paused)):
        until = paused[monitor_slot]
        if 0 < until < NEVER and not flags[monitor_slot]:
            for slot in state.tracks_of(state.monitor(monitor_slot)):
                if state.peek(slot).deadline == NEVER:
                    state.deadlines.put(slot, SLOT, until)
    return applied


def _load_track_rows(
    state: State, rows: list[TrackRow], first: int, slots: dict[int, int], heads: dict[int, int]
) -> None:
    if not rows:
        return
    columns = list(zip(*rows, strict=True))[:-1]
    numbers = columns[_MONITOR]
    monitor_slots = [slots[number] for number in numbers]
    links, followed = [], []
    for slot, monitor_slot in enumerate(monitor_slots, start=first):
        head = heads.get(monitor_slot, NOWHERE)
        links.append(head)
        if head != NOWHERE:
            followed.append((head, numbers[slot - first]))
        heads[monitor_slot] = slot
    columns[_MONITOR] = tuple(monitor_slots)
    columns[_LINK] = tuple(links)
    loaded = state.tracks.load([array(kind, column) for kind, column in zip(_FORMATS, columns, strict=True)])
    assert loaded == first
    state.track_keys.put_many(
        [ids.track_key(number, state.environments[state.tracks.get(slot, "environment")]) for slot, number in followed],
        array("I", [slot for slot, _ in followed]),
    )
    deadline = state.tracks.COLUMNS.index("deadline")
    state.deadlines.put_many(
        array("I", range(first, first + len(rows))),
        SLOT,
        array("I", [second_of(instant) for instant in columns[deadline]]),
    )
