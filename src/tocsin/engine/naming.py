"""Which monitor is meant: by its id, or by its number where only that is known.

The engine keeps nothing to find monitors by their numbers. The id that belongs to one is asked of the store before the
batch is stepped (`Needs.named`), and remembered: neither ever changes.
"""

from typing import Final

from tocsin.engine.memory import Needs
from tocsin.engine.state import NOWHERE, State

_MANY: Final = 100_000  # ids that are remembered


def need(state: State, needs: Needs, number: int) -> None:
    """What must be recalled before `id_of` can be asked for a number."""
    if number and number not in state.names:
        needs.named.add(number)


def id_of(state: State, project: int, number: int) -> str | None:
    """The id of the monitor of a number; None when there is none in the project."""
    known = state.names.get(number) or state.recall.named.get(number)
    if known is None:
        fresh = next((one.id for one in state.new_monitors(project) if one.number == number), None)
        if fresh is None:
            return None
        known = project, fresh
    if len(state.names) >= _MANY:
        state.names.clear()
    state.names[number] = known
    owner, monitor_id = known
    slot = state.find_monitor(project, monitor_id) if owner == project else NOWHERE
    return monitor_id if slot != NOWHERE and state.monitors.get(slot, "number") == number else None
