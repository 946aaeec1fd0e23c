"""Reads of the process that owns the partition: tracks that only moved, and are not written yet, as memory has them.

Filters and orders of a list are the database's, which may lag behind by a round of writing under load (`flushing`); the
times and counts that are shown do not. What is shown may be in a commit that is still under way, by milliseconds.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

from tocsin.domain.track import Track
from tocsin.engine.engine import Engine
from tocsin.store.port import Brief, MonitorWithHealth

_TRIES: Final = 20
_PAUSE_S: Final = 0.001


class Overlay:
    """Called by any thread; the engine belongs to the loop, so only its rosters are looked at, a row at a time."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine

    def __call__(self, found: Iterable[MonitorWithHealth]) -> None:
        """Puts newer tracks in place of those read."""
        engine = self._engine()
        if not engine.projection.unsaved:
            return
        for row in found:
            for place, (environment, track) in enumerate(row.tracks):
                newer = _newer(engine, row.monitor.project, row.monitor.id, track)
                if newer is not None:
                    row.tracks[place] = environment, newer

    def briefs(self, found: Iterable[Brief]) -> None:
        """Likewise."""
        engine = self._engine()
        if not engine.projection.unsaved:
            return
        for row in found:
            if row.track is not None:
                row.track = _newer(engine, row.project, row.id, row.track) or row.track


def _newer(engine: Engine, project: int, monitor_id: str, track: Track) -> Track | None:
    for _ in range(_TRIES):
        try:
            return engine.unsaved_track(project, monitor_id, track)
        except RuntimeError:  # a kernel is in the middle of a batch
            time.sleep(_PAUSE_S)
    return None
