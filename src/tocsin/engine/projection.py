"""Tracks in the store follow their check-ins: which rows to write now, and how far all of them are.

A check-in that only moves its track's times is committed without the track, which is marked. Marked tracks are written
in passing, so many with each commit, round and round. The *watermark* is a number: every check-in up to it is contained
in the row of its track. It moves when a round is complete, to where the numbers stood when the round began: what was
marked then has been written since. Who loads the store reads the tracks and applies the check-ins after the watermark
again, each unless its track's row contains it (`applied`).
"""

from tocsin._core.roster import MonitorRoster, TrackRoster
from tocsin._core.saved import Mover, SavedTracks
from tocsin.engine.delta import Delta


class Projection:
    def __init__(self, tracks: TrackRoster, monitors: MonitorRoster) -> None:
        self._tracks = tracks
        self._mover = Mover(tracks, monitors)
        self._watermark = 0
        self._behind = 0  # check-ins in columns after the watermark
        self._round = 0, 0, 0  # where this round began: number, place, check-ins after the watermark

    @property
    def watermark(self) -> int:
        return self._watermark

    @property
    def behind(self) -> int:
        """How many check-ins would have to be applied again if the process ended now."""
        return self._behind

    @property
    def unsaved(self) -> int:
        """Tracks that differ from their rows in the store."""
        return self._tracks.moved_count

    def begin(self, watermark: int, last: int, behind: int) -> None:
        """After loading: what was applied again is marked and counted in `behind`; `last` is the newest number."""
        self._watermark, self._behind = watermark, behind
        self._round = last, self._mover.passed, behind

    def take(self, delta: Delta, last: int, limit: int) -> None:
        """Adds up to `limit` marked tracks to a delta, as they are when number `last` has been given out."""
        self._behind += sum(len(columns.recorded) for columns in delta.columns)
        if limit and self._tracks.moved_count:
            delta.saved = self._mover.take(limit, last)
        self._note_round(last)
        delta.applied, delta.watermark = last, self._watermark

    def _note_round(self, last: int) -> None:
        number, place, behind = self._round
        if not self._tracks.moved_count:
            self._watermark, self._behind = last, 0
        elif self._mover.passed - place >= self._mover.round:
            self._watermark, self._behind = number, self._behind - behind
        else:
            return
        self._round = last, self._mover.passed, self._behind

    def save(self, slots: list[int], last: int) -> SavedTracks:
        """The rows of these tracks, to be committed with what was decided of them."""
        return self._mover.of(slots, last)
