"""Everything the rules read and write: rosters, keys, deadlines, open runs, and the delta of the batch in hand.

Tracks are worked on as copies: `track(slot)` hands out one mutable `Track` per slot and batch; `take()` writes the
copies back to the roster and into the delta. Deadlines move at once, because a tick may follow in the same batch. Where
kernels work on the roster itself, `write_back` ends all copies first: a row and its copy never differ by a kernel.
"""

import itertools
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Final

import msgspec

from tocsin._core.apply import Applier
from tocsin._core.keys import KeyTable
from tocsin._core.roster import MonitorRoster, TrackRoster
from tocsin.domain import ids
from tocsin.domain.check_in import CheckIn
from tocsin.domain.instant import NEVER, Instant
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.monitor import Monitor
from tocsin.domain.project_settings import DEFAULTS, ProjectSettings
from tocsin.domain.track import Track, TrackFlag
from tocsin.engine import projection, rules
from tocsin.engine.deadlines import RUN, SLOT, Deadlines
from tocsin.engine.decided import Decided
from tocsin.engine.delta import Delta
from tocsin.engine.memory import Recall
from tocsin.engine.monitor_entry import MonitorEntry
from tocsin.engine.numbered import Numbered
from tocsin.engine.open_incidents import OpenIncidents
from tocsin.engine.ping_tokens import PingTokens
from tocsin.engine.projection import Projection
from tocsin.engine.rates import Rates
from tocsin.engine.recents import Recents
from tocsin.engine.runs import Runs
from tocsin.engine.windows import Windows
from tocsin.schedule import Compiler

NOWHERE: Final = 0xFFFFFFFF
DISABLED: Final = 1
INACTIVE: Final = 2
BEGUN: Final = int(TrackFlag.BEGUN)
DEAFENED: Final = int(TrackFlag.DEAFENED)
MUTED: Final = int(TrackFlag.MUTED)
UNHEARD: Final = int(TrackFlag.UNHEARD)


class State(Numbered):
    def __init__(
        self,
        compiler: Compiler,
        defaults: ProjectSettings = DEFAULTS,
        windows: Iterable[MaintenanceWindow] = (),
        *,
        kernels: bool = True,
    ) -> None:
        """`defaults` are the server's settings for every project, `windows` its maintenance windows.

        `kernels`: whether what is plain may be done in columns.
        """
        super().__init__(compiler)
        self.decided = Decided(defaults)
        self.monitors = MonitorRoster()
        self.tracks = TrackRoster()
        self.monitor_keys = KeyTable(os.urandom(16), self.monitors)
        self.monitor_counts: Counter[int] = Counter()  # by project
        self.track_keys = KeyTable(os.urandom(16), self.tracks)  # without the newest track of each monitor
        self.deadlines = Deadlines(self.tracks)
        self.runs = Runs(self.tracks)
        self.incidents = OpenIncidents(self.environments)
        self.outages: list[tuple[Instant, Instant]] = []  # those of an hour or more
        self.left_out: frozenset[int] = frozenset()  # numbers of tracks that are not judged
        self.moves: dict[int, tuple[Instant, Instant]] = {}  # by track slot: expected until now, from now on
        self.clock: Instant = 0
        self.recall = Recall()
        self.projection = Projection(self.tracks, self.monitors)
        self.rates = Rates()
        self.recents = Recents()
        self.ping_tokens = PingTokens()
        self.names: dict[int, tuple[int, str]] = {}  # monitors that were asked for by number → project, id
        self.windows = Windows(windows)
        keys = (self.monitor_keys, self.track_keys, self.environment_keys)
        kernel = Applier(self.monitors, self.tracks, *keys, self.plans, self.deadlines.heap, rules.plain())
        self.applier = kernel if kernels else None
        self._dirty: dict[int, Track] = {}
        self._looked_up: set[int] = set()  # check-ins in columns of this batch that a report has named
        self._written: set[int] = set()  # slots of this batch's tracks that have no copy any more
        self._monitors: dict[tuple[int, str], Monitor] = {}  # written in this batch
        self._recorded: dict[tuple[int, str], CheckIn] = {}  # written in this batch

    def memory(self) -> dict[str, int]:
        """Bytes in the core by part, room for growth included."""
        return {
            "tracks": self.tracks.nbytes,
            "monitors": self.monitors.nbytes,
            "keys": self.monitor_keys.nbytes + self.track_keys.nbytes,
            "deadlines": self.deadlines.nbytes,
            "runs": self.runs.nbytes,
        }

    def settings_of(self, project: int) -> ProjectSettings:
        """Of a project, resolved: every field is set."""
        return self.decided.of(project)

    # -- monitors

    def find_monitor(self, project: int, monitor_id: str) -> int:
        """Slot of a monitor, or NOWHERE."""
        return self.monitor_keys.get(ids.monitor_key(project, monitor_id))

    def monitor(self, slot: int) -> MonitorEntry:
        return MonitorEntry(*self.monitors.read(slot))

    def write_monitor(self, slot: int, entry: MonitorEntry) -> None:
        self.monitors.write(slot, msgspec.structs.astuple(entry))

    def configuration(self, project: int, monitor_id: str) -> Monitor | None:
        """The whole monitor, as changed in this batch or as recalled."""
        key = (project, monitor_id)
        return self._monitors.get(key) or self.recall.monitors.get(key)

    def remember(self, monitor: Monitor) -> None:
        self.ping_tokens.follow(self.configuration(monitor.project, monitor.id), monitor)
        self._monitors[monitor.project, monitor.id] = monitor
        self.windows.follow(monitor)

    def new_monitors(self, project: int) -> list[Monitor]:
        """Those of a project that were written in this batch."""
        return [one for one in self._monitors.values() if one.project == project]

    def forget(self, monitor: Monitor) -> None:
        """Nothing of a deleted monitor is found again, in this batch either."""
        self.ping_tokens.follow(monitor, None)
        self._monitors.pop((monitor.project, monitor.id), None)
        self.windows.forget(monitor.project, monitor.number)
        self.recall.monitors.pop((monitor.project, monitor.id), None)
        self._forget_check_ins(lambda row: row.monitor == monitor.number)

    def forget_tracks(self) -> None:
        """No check-in of a track that was deleted in this batch is found again, in this batch either."""
        gone = self.delta.deleted_tracks
        self._forget_check_ins(lambda row: row.track in gone)

    def _forget_check_ins(self, gone: Callable[[CheckIn], bool]) -> None:
        for known in (self._recorded, self.recall.check_ins):
            for key in [key for key, row in known.items() if gone(row)]:
                del known[key]

    # -- tracks

    def find_track(self, monitor: MonitorEntry, environment: str) -> int:
        """Slot of a track, or NOWHERE. The newest of a monitor has no key: the monitor leads to it."""
        number, slot = self.known_environment(environment), monitor.first_track
        if number is None or slot == NOWHERE:
            return NOWHERE
        if self._environment_of(slot) == number:
            return slot
        return self.track_keys.get(ids.track_key(monitor.number, environment))

    def _environment_of(self, slot: int) -> int:
        track = self._dirty.get(slot)
        return track.environment if track is not None else self.tracks.get(slot, "environment")

    def track(self, slot: int) -> Track:
        """The batch's working copy."""
        track = self._dirty.get(slot)
        if track is None:
            track = self._dirty[slot] = Track(*self.tracks.read(slot))
        return track

    def peek(self, slot: int) -> Track:
        """A copy to look at only."""
        return self._dirty.get(slot) or Track(*self.tracks.read(slot))

    def track_slots(self) -> dict[int, int]:
        """By the number of the track: for a start, it costs memory. What a closed slot holds is no number."""
        numbers = self.tracks.column("number")
        return {numbers[slot]: slot for slot in range(len(numbers)) if self.tracks.is_open(slot)}

    def unsaved_track(self, project: int, monitor_id: str, track: Track) -> Track | None:
        try:
            first = self.monitors.get(self.find_monitor(project, monitor_id), "first_track")
        except IndexError:  # it is not known, or just deleted
            return None
        return projection.unsaved(self.tracks, first, track)

    def tracks_of(self, monitor: MonitorEntry) -> list[int]:
        slots = []
        slot = monitor.first_track
        while slot != NOWHERE:
            slots.append(slot)
            slot = self.next_track(slot)
        return slots

    def next_track(self, slot: int) -> int:
        """The one made before it for the same monitor, or NOWHERE."""
        track = self._dirty.get(slot)
        return track.next_track if track is not None else self.tracks.get(slot, "next_track")

    def open_track(self, monitor_slot: int, monitor: MonitorEntry, environment: str) -> int:
        """A new track at the head of the monitor's list. Writes the monitor's entry."""
        if monitor.first_track != NOWHERE:
            newest = self.environments[self._environment_of(monitor.first_track)]
            self.track_keys.put(ids.track_key(monitor.number, newest), monitor.first_track)
        slot = self.tracks.open()
        self._dirty[slot] = Track(
            number=self.number("track"),
            monitor=monitor_slot,
            environment=self.environment_number(environment),
            next_track=monitor.first_track,
        )
        monitor.first_track = slot
        self.write_monitor(monitor_slot, monitor)
        return slot

    def unlink_tracks(self, monitor_slot: int, monitor: MonitorEntry, gone: Collection[int]) -> None:
        """Takes tracks out of their monitor's list, before they are closed alone. Writes the monitor's entry."""
        kept = [slot for slot in self.tracks_of(monitor) if slot not in gone]
        if kept and kept[0] != monitor.first_track:  # the newest has no key
            newest = self.environments[self._environment_of(kept[0])]
            self.track_keys.remove(ids.track_key(monitor.number, newest))
        for slot, following in itertools.pairwise([*kept, NOWHERE]):
            if self.next_track(slot) != following:
                self.tracks.set(slot, "next_track", following)
                if slot in self._dirty:
                    self._dirty[slot].next_track = following
        monitor.first_track = kept[0] if kept else NOWHERE
        self.write_monitor(monitor_slot, monitor)

    def close_track(self, monitor: MonitorEntry, slot: int) -> None:
        """Forgets a track. Its monitor's list is not touched: the monitor goes too, or `unlink_tracks` came first."""
        track = self.peek(slot)
        self.track_keys.remove(ids.track_key(monitor.number, self.environments[track.environment]))
        self.deadlines.put(slot, SLOT, NEVER)
        self.deadlines.put(slot, RUN, NEVER)
        self.runs.drop(slot)
        self.incidents.pop(track.incident, None)
        self._dirty.pop(slot, None)
        self._written.discard(slot)
        self.moves.pop(slot, None)
        self.rates.forget(slot)
        self.tracks.close(slot)

    # -- runs

    def find_check_in(self, project: int, identifier: str) -> CheckIn | None:
        """Open, written in this batch, or recalled from the store."""
        key = (project, identifier)
        return (
            self.runs.find(project, identifier)
            or self._recorded.get(key)
            or self._in_columns(project, identifier)
            or self.recall.check_ins.get(key)
        )

    def _in_columns(self, project: int, identifier: str) -> CheckIn | None:
        """One that a kernel made in this batch: nobody was told its id yet, but whoever guesses it must be right."""
        number = ids.number_of(identifier) if self.delta.columns else None
        row = None if number is None else self.delta.column_row(project, number, self.environments)
        if row is not None:
            self._looked_up.add(row.number)
        return row

    def record(self, check_in: CheckIn, *, new: bool = False) -> None:
        self.delta.check_ins[check_in.number] = self._recorded[check_in.project, check_in.id] = check_in
        if new:
            self.delta.new_check_ins.add(check_in.number)

    # -- the batch

    def write_back(self) -> None:
        """Working copies into the roster, for those who read or write it whole: they are copies no more."""
        for slot, track in self._dirty.items():
            self.tracks.write(slot, msgspec.structs.astuple(track))
        self._written.update(self._dirty)
        self._dirty.clear()

    def keep_moved(self) -> None:
        """Working copies into the roster, marked as moved: what was done to them is in the store already."""
        self.write_back()
        for slot in self._written:
            self.tracks.mark_moved(slot)
        self._written.clear()

    def take(self, flush: int = 0) -> Delta:
        """Ends the batch: working copies go back to the roster and out as rows, each as the roster has it then.

        What a kernel moved is in the delta as columns; its tracks are only marked, unless a rule took them up as well.
        Up to `flush` marked ones are written too.
        """
        delta, self.delta = self.delta, Delta()
        delta.released_tokens = self.ping_tokens.take()
        copies = dict(self._dirty)
        self.write_back()
        for slot in self._written:
            # Nobody works on the copies any more: they become the rows themselves.
            track = copies.get(slot) or Track(*self.tracks.read(slot))
            track.monitor, track.next_track = self.monitors.get(track.monitor, "number"), 0
            delta.tracks[track.number] = track
            self.tracks.clear_moved(slot)
        if self._looked_up:
            delta.take_over(self._looked_up)
            self._looked_up.clear()
        if delta.opened:
            slots = dict.fromkeys(slot for opened in delta.opened for slot in opened.slots())
            judged = [slot for slot in slots if slot not in self._written and self.tracks.is_open(slot)]
            delta.judged = self.projection.save(judged, self.last_check_in)
        self._written.clear()
        self.projection.take(delta, self.last_check_in, flush)
        delta.moved = self.tracks.moved_count
        self._monitors.clear()
        self._recorded.clear()
        self.recall = Recall()
        delta.prune()
        delta.clock = self.clock
        return delta
