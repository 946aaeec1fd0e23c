"""Check-ins still in progress: found by id, by track, newest first; each with its own time-out."""

import bisect
from collections.abc import Iterator

from tocsin.domain.check_in import CheckIn
from tocsin.domain.instant import NEVER, Instant


class Runs:
    def __init__(self) -> None:
        self._by_id: dict[tuple[int, str], CheckIn] = {}
        self._by_track: dict[int, list[CheckIn]] = {}  # by track slot, oldest first

    def __len__(self) -> int:
        return len(self._by_id)

    def put(self, slot: int, run: CheckIn) -> None:
        """Adds a run, or replaces the run of the same number."""
        self._by_id[run.project, run.id] = run
        runs = self._by_track.setdefault(slot, [])
        for place, known in enumerate(runs):
            if known.number == run.number:
                runs[place] = run
                return
        bisect.insort(runs, run, key=lambda known: known.number)  # one that came back to life is as old as ever

    def remove(self, slot: int, run: CheckIn) -> None:
        self._by_id.pop((run.project, run.id), None)
        left = [known for known in self._by_track.get(slot, ()) if known.number != run.number]
        if left:
            self._by_track[slot] = left
        else:
            self._by_track.pop(slot, None)

    def find(self, project: int, identifier: str) -> CheckIn | None:
        return self._by_id.get((project, identifier))

    def newest(self, slot: int, series: str = "") -> CheckIn | None:
        """The newest open run of a track; with a series, of that series only."""
        for run in reversed(self._by_track.get(slot, ())):
            if not series or run.series == series:
                return run
        return None

    def of(self, slot: int) -> list[CheckIn]:
        return list(self._by_track.get(slot, ()))

    def drop(self, slot: int) -> None:
        """Forgets all runs of a track that is no more."""
        for run in self._by_track.pop(slot, ()):
            self._by_id.pop((run.project, run.id), None)

    def deadline(self, slot: int) -> Instant:
        """The earliest time-out of a track's runs; NEVER when none can time out."""
        return min(
            (run.timeout_time for run in self._by_track.get(slot, ()) if run.timeout_time is not None), default=NEVER
        )

    def tracks(self) -> Iterator[int]:
        """Slots that have open runs."""
        return iter(list(self._by_track))
