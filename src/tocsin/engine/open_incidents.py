"""Open incidents by number. Those of a burst are rows of the core until somebody asks for one."""

from bisect import bisect_right
from collections.abc import Iterator, MutableMapping

from tocsin._core.opened import Opened
from tocsin.domain import ids
from tocsin.domain.incident import Cause, Incident


class _Burst:
    def __init__(self, rows: Opened) -> None:
        self.rows = rows
        self.first, self.last, self.live = rows.bounds()


def _first(burst: _Burst) -> int:
    return burst.first


class OpenIncidents(MutableMapping[int, Incident]):
    def __init__(self, environments: list[str]) -> None:
        """`environments`: names by number, as they are known when somebody asks."""
        self._environments = environments
        self._objects: dict[int, Incident] = {}
        self._bursts: list[_Burst] = []  # each with greater numbers than the one before

    def adopt(self, rows: Opened) -> None:
        """Takes over what a burst has opened."""
        burst = _Burst(rows)
        if burst.live:
            self._bursts.append(burst)

    def __getitem__(self, number: int) -> Incident:
        known = self._objects.get(number)
        if known is not None:
            return known
        burst, row = self._row(number)
        return incident_of(burst.rows, row, self._environments)

    def __setitem__(self, number: int, incident: Incident) -> None:
        if number not in self._objects:
            self._take_out(number)
        self._objects[number] = incident

    def __delitem__(self, number: int) -> None:
        if number in self._objects:
            del self._objects[number]
        elif not self._take_out(number):
            raise KeyError(number)

    def __iter__(self) -> Iterator[int]:
        yield from self._objects
        for burst in self._bursts:
            for row in burst.rows.incidents():
                number = burst.rows.row(row)[2]
                if burst.rows.find(number) is not None:
                    yield number

    def __len__(self) -> int:
        return len(self._objects) + sum(burst.live for burst in self._bursts)

    def _row(self, number: int) -> tuple[_Burst, int]:
        place = bisect_right(self._bursts, number, key=_first)  # there may be as many as incidents
        burst = self._bursts[place - 1] if place else None
        row = None if burst is None or number > burst.last else burst.rows.find(number)
        if burst is None or row is None:
            raise KeyError(number)
        return burst, row

    def _take_out(self, number: int) -> bool:
        try:
            burst, _ = self._row(number)
        except KeyError:
            return False
        burst.rows.take_out(number)
        burst.live -= 1
        if not burst.live:
            self._bursts.remove(burst)
        return True


def incident_of(rows: Opened, row: int, environments: list[str]) -> Incident:
    """As it was opened."""
    track, monitor, number, check_in, deadline, project, environment, _, failures, muted = rows.row(row)
    missed = ids.public_id(check_in)
    return Incident(
        number=number,
        project=project,
        monitor=monitor,
        monitor_id="",
        track=track,
        environment=environments[environment],
        cause=Cause.MISSED,
        open_time=deadline,
        first_check_in=missed,
        last_check_in=missed,
        failure_count=failures,
        muted=muted,
        causes=(Cause.MISSED.value,),
    )
