"""Reports of the last minutes that had a time of their own, so that one that is sent again is known again.

A client that got no answer sends its report once more, with the time that it had. Two reports of an environment are one
when kind, series and time are the same; of a client that says it tries again, when the time is. And the end of a run
may come before its start: ends that met no run are kept by their series for as long.
"""

from typing import Final

from tocsin.domain.check_in import CheckIn, Report, ReportKind, State
from tocsin.domain.instant import MINUTE, Instant

REMEMBERED: Final = 10 * MINUTE  # at least, and at most twice that
MANY: Final = 100_000  # reports in one generation; beyond, the older generation goes early
_ENDS: Final = {State.OK: ReportKind.OK, State.ERROR: ReportKind.ERROR}


class Recents:
    """Two generations: when the younger is old enough, it takes the place of the older one."""

    def __init__(self) -> None:
        self._began: Instant = 0
        self._seen: tuple[set[int], set[int]] = set(), set()  # younger, older; hashes
        self._ends: tuple[dict[tuple[int, str], str], dict[tuple[int, str], str]] = {}, {}  # (track, series) → id

    def repeats(self, track: int, sent: Report) -> bool:
        """Whether the track, by its number, has had this report."""
        if sent.time is None:
            return False
        seen = self._seen
        same = _same(track, sent)
        if same in seen[0] or same in seen[1]:
            return True
        again = hash((track, sent.time))
        return sent.attempt > 1 and (again in seen[0] or again in seen[1])

    def note(self, track: int, sent: Report, at: Instant) -> None:
        """The track has had it, at `at`."""
        if sent.time is not None:
            self._turn(at)
            self._seen[0].update((_same(track, sent), hash((track, sent.time))))

    def note_end(self, run: CheckIn, at: Instant) -> None:
        """A run of a series ended, and nothing is known of its start."""
        self._turn(at)
        self._ends[0][run.track, run.series] = run.id

    def recall(self, run: CheckIn) -> None:
        """After a start: what a check-in of the last minutes tells of the reports that made it."""
        told: list[tuple[ReportKind, Instant]] = []
        if run.start_time is not None and run.start_time != run.receive_time:
            told.append((ReportKind.START, run.start_time))
        if run.end_time is not None and run.state in _ENDS:
            if run.end_time != run.update_time:
                told.append((_ENDS[run.state], run.end_time))
            if run.series and run.start_time is None:
                self.note_end(run, run.update_time)
        for kind, time in told:
            sent = Report(run.project, run.monitor_id, kind, run.receive_time, time=time, series=run.series)
            self.note(run.track, sent, run.update_time)

    def end_of(self, track: int, series: str) -> str | None:
        """The id of the run of a series that ended lately and of which no start is known."""
        key = track, series
        return self._ends[0].get(key) or self._ends[1].get(key)

    def _turn(self, at: Instant) -> None:
        if at - self._began >= REMEMBERED or len(self._seen[0]) >= 2 * MANY or len(self._ends[0]) >= MANY:
            self._began = at
            self._seen = set(), self._seen[0]
            self._ends = {}, self._ends[0]


def _same(track: int, sent: Report) -> int:
    """Notes may be anything, so there their protocol's word for them tells them apart."""
    word = sent.event if sent.kind is ReportKind.NOTE else ""
    return hash((track, sent.kind, word, sent.series, sent.time))
