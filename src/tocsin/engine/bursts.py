"""Silence in columns: of the deadlines that are due, a kernel judges what is plain, see `_core.misses`."""

from array import array

from tocsin._core import misses
from tocsin._core.opened import Opened
from tocsin._core.recorded import Recorded
from tocsin.domain.instant import Instant
from tocsin.engine import rules
from tocsin.engine.delta import Columns
from tocsin.engine.plain import HELD_MAX
from tocsin.engine.state import State

_TABLE = rules.misses()


class Burst:
    """One slice of a tick."""

    def __init__(self, state: State, due: "array[int]", horizon: Instant) -> None:
        """`due`: deadlines as the heap handed them out."""
        self._state, self._due, self._horizon = state, due, horizon
        self._recorded, self._opened = Recorded(), Opened()
        # Maintenance windows excuse slots, and new rules of time zones move them: rules only know how.
        self._able = not (state.windows.pause() or state.moves or len(state.left_out) > HELD_MAX)

    def judge(self, first: int) -> int:
        """Judges what is plain from `first` on; the first that is not."""
        state = self._state
        if state.applier is None or not self._able:
            return first
        state.write_back()
        opened_last = state.sequences.get("incident", 0)
        first, state.last_check_in, incident = misses.step(
            state.applier,
            self._due,
            first,
            self._horizon,
            state.compiler.timetables,
            state.last_check_in,
            opened_last,
            _TABLE,
            self._recorded,
            self._opened,
            tuple(state.left_out),
        )
        if incident != opened_last:
            state.sequences["incident"] = state.delta.sequences["incident"] = incident
        return first

    def end(self) -> None:
        """Puts what was judged into the delta."""
        if not len(self._opened):
            return
        state = self._state
        for project, recorded in misses.by_project(self._recorded, self._opened).items():
            state.delta.columns.append(Columns(recorded, project, "tocsin", "", judged_at=self._horizon))
        state.delta.opened.append(self._opened)
        state.incidents.adopt(self._opened)
