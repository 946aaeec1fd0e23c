"""How many events passed, in numbers: counts and ratios as they are shown. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tocsin.dialects.checkly.states import FAILED, PASSED
from tocsin.domain.check_in import State


class Tally(NamedTuple):
    """Events of a stretch of time."""

    passed: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.passed + self.failed

    def __add__(self, other: object) -> "Tally":
        assert isinstance(other, Tally)
        return Tally(self.passed + other.passed, self.failed + other.failed)


def tally_of(states: Mapping[State, int]) -> Tally:
    """Of check-ins; those that are no events do not count."""
    return Tally(sum(states.get(state, 0) for state in PASSED), sum(states.get(state, 0) for state in FAILED))


def tallies_of(cells: Sequence[Mapping[State, int]] | None, count: int) -> list[Tally]:
    """Of each of so many stretches; None: there is nothing in any of them."""
    return [tally_of(cell) for cell in cells] if cells is not None else [Tally()] * count


def percent(tally: Tally) -> int | float | None:
    """Of events that passed, three digits behind the point and none where they are noughts; None: of no event."""
    if not tally.total:
        return None
    value = round(100 * tally.passed / tally.total, 3)
    return int(value) if value == int(value) else value


def availability(previous: Tally, current: Tally) -> dict[str, Any]:
    return {
        "successRatio": {"previousPeriod": percent(previous) or 0, "currentPeriod": percent(current) or 0},
        "totalEntitiesCurrentPeriod": current.total,
    }
