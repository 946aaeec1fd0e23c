"""One track in hand: its working copy, with the monitor it belongs to and the timing it is judged by."""

from dataclasses import dataclass

from tocsin.domain.track import Track
from tocsin.engine.monitor_entry import MonitorEntry
from tocsin.engine.state import State
from tocsin.engine.timing import Timing


@dataclass(slots=True)
class Subject:
    state: State
    slot: int
    track: Track
    monitor: MonitorEntry
    timing: Timing

    @classmethod
    def of(cls, state: State, slot: int) -> "Subject":
        """Takes the track's working copy: it will be written back at the end of the batch."""
        track = state.track(slot)
        monitor = state.monitor(track.monitor)
        return cls(state, slot, track, monitor, state.timing(monitor))

    @property
    def environment(self) -> str:
        return self.state.environments[self.track.environment]
