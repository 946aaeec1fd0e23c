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
        return cls._with(state, slot, state.track(slot))

    @classmethod
    def seen(cls, state: State, slot: int) -> "Subject":
        """To look at only: nothing of it will be written."""
        return cls._with(state, slot, state.peek(slot))

    @classmethod
    def _with(cls, state: State, slot: int, track: Track) -> "Subject":
        monitor = state.monitor(track.monitor)
        return cls(state, slot, track, monitor, state.timing(monitor))

    @property
    def environment(self) -> str:
        return self.state.environments[self.track.environment]
