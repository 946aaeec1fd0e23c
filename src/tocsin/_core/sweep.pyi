# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""One pass over all tracks, for totals."""

from typing import Final

from tocsin._core.roster import MonitorRoster, TrackRoster

STATES: Final[tuple[str, ...]]
"""The order of the first nine counts of a row of `tally`."""

def tally(tracks: TrackRoster, monitors: MonitorRoster, now: int, projects: int) -> list[list[int]]:
    """By project number below `projects`: tracks in each of `STATES`, then the unhealthy not muted.

    A track is muted with its monitor or by itself. `now` in ms. Tracks of projects at or above the limit are not
    counted. ValueError: more than 2^24 projects.
    """
