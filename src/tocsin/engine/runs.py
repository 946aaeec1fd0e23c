"""Check-ins still in progress: found by id, by track, newest first; each with the time when it is looked at.

The core keeps ids, tracks, numbers and these times; the check-ins themselves lie in a list, by its rows.
"""

import os
from collections.abc import Iterator

from tocsin._core.roster import TrackRoster
from tocsin._core.runs import NOWHERE, OpenRuns
from tocsin.domain import ids
from tocsin.domain.check_in import CheckIn
from tocsin.domain.instant import Instant


class Runs:
    def __init__(self, tracks: TrackRoster | None = None) -> None:
        self._open = OpenRuns(os.urandom(16), tracks)
        self._runs: list[CheckIn | None] = []  # by row

    def __len__(self) -> int:
        return len(self._open)

    @property
    def nbytes(self) -> int:
        """Memory in the core, the check-ins themselves not counted."""
        return self._open.nbytes

    def put(self, slot: int, run: CheckIn, due: Instant) -> None:
        """Adds a run, or replaces the one with the same id. `due`: when it is looked at; NEVER: not by itself."""
        row = self._open.put(ids.run_key(run.project, run.id), slot, run.number, due)
        if row == len(self._runs):
            self._runs.append(run)
        else:
            self._runs[row] = run

    def remove(self, run: CheckIn) -> None:
        self._free(self._open.remove(ids.run_key(run.project, run.id)))

    def find(self, project: int, identifier: str) -> CheckIn | None:
        row = self._open.find(ids.run_key(project, identifier))
        return None if row == NOWHERE else self._runs[row]

    def newest(self, slot: int, series: str = "", host: str = "") -> CheckIn | None:
        """The newest open run of a track; with a series, of that series only; best of the same host."""
        row = self._open.newest(slot)
        found: CheckIn | None = None
        while row != NOWHERE:
            run = self._at(row)
            if not series or run.series == series:
                if not host or run.host == host:
                    return run
                found = found or run
            row = self._open.older(row)
        return found

    def of(self, slot: int) -> list[CheckIn]:
        """The open runs of a track, oldest first."""
        return [self._at(row) for row in reversed(self._open.of(slot))]

    def drop(self, slot: int) -> None:
        """Forgets all runs of a track that is no more."""
        for row in self._open.drop(slot):
            self._free(row)

    def summary(self, slot: int) -> tuple[int, Instant]:
        """How many runs a track has, and when the first of them is looked at; NEVER when none is."""
        return self._open.summary(slot)

    def tracks(self) -> Iterator[int]:
        """Slots that have open runs."""
        return iter(self._open.tracks())

    def _at(self, row: int) -> CheckIn:
        run = self._runs[row]
        assert run is not None
        return run

    def _free(self, row: int) -> None:
        if row != NOWHERE:
            self._runs[row] = None
