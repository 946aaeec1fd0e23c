"""One pass over all tracks, for totals: how many are in which state, by project.

Data: the two rosters. State is what a person is shown; the first that holds of
    paused > missed, timeout or error (the last verdict) > late > running > unknown > ok > new
Result: a row of WIDTH counts a project: nine states in that order of numbers (see sweep.pyi), then the unhealthy.
Invariant: nothing is written. Whoever opens a row may move all rows, so the GIL is held while they are read, and
offered to others after each slice: the totals are of one instant for each slice, not for all.
Cost: two cache lines of a track and one or two of its monitor, some 17 ns where both
come in the order of memory.
"""
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from libc.stdint cimport int64_t, uint8_t, uint32_t

from tocsin._core.roster cimport (
    MonitorRoster, TrackRoster, bit_at, monitor_at, monitor_t, track_at, track_t, wide_get,
)
from tocsin._core.types cimport prefetch

STATES = ("new", "ok", "running", "late", "missed", "timeout", "error", "unknown", "paused")

cdef enum:
    NEW, OK, RUNNING, LATE, MISSED, TIMEOUT, ERROR, UNKNOWN, PAUSED, UNHEALTHY, WIDTH

cdef enum:
    SLICE = 16384         # tracks between two offers of the GIL: a third of a millisecond
    UNHEALTHY_HEALTH = 2  # domain.track.Health.UNHEALTHY
    MUTED = 4             # domain.track.TrackFlag.MUTED
    AHEAD = 8             # tracks ahead whose monitors are asked for


cdef inline int state_of(bint paused, uint8_t verdict, bint late, bint running) noexcept nogil:
    if paused:
        return PAUSED
    if verdict == 3:
        return MISSED
    if verdict == 4:
        return TIMEOUT
    if verdict == 2:
        return ERROR
    if late:
        return LATE
    if running:
        return RUNNING
    if verdict == 5:
        return UNKNOWN
    return OK if verdict == 1 else NEW


cdef void tally_slice(
    TrackRoster tracks, MonitorRoster monitors, uint32_t first, uint32_t last, int64_t now, uint32_t projects,
    int64_t *out,
) noexcept:
    cdef uint32_t slot, known = monitors.size
    cdef const track_t *track
    cdef const monitor_t *owner
    cdef int64_t *row
    for slot in range(first, min(last, tracks.size)):
        if not bit_at(tracks.open_bits, slot):
            continue
        track = track_at(tracks, slot)
        if slot + AHEAD < tracks.size and track_at(tracks, slot + AHEAD).monitor < known:
            prefetch(monitor_at(monitors, track_at(tracks, slot + AHEAD).monitor))
        if track.monitor >= known:
            continue  # a row that was just opened belongs to nobody yet
        owner = monitor_at(monitors, track.monitor)
        if owner.project >= projects:
            continue
        row = &out[<int64_t>owner.project * WIDTH]
        row[state_of(
            wide_get(owner.pause_until) > now, track.verdict, wide_get(track.expected) < now, track.open_runs != 0
        )] += 1
        if track.health == UNHEALTHY_HEALTH and not track.flags & MUTED and wide_get(owner.mute_until) <= now:
            row[UNHEALTHY] += 1


def tally(TrackRoster tracks not None, MonitorRoster monitors not None, int64_t now, uint32_t projects):
    cdef int64_t *out
    cdef uint32_t first = 0, p
    cdef int i
    cdef list rows = [], row
    if projects > 1 << 24:
        raise ValueError(f"{projects} projects are more than are counted at once")
    out = <int64_t *>PyMem_RawCalloc(<size_t>max(projects, 1) * WIDTH, sizeof(int64_t))
    if not out:
        raise MemoryError("no memory for the counts")
    try:
        while first < tracks.size:
            tally_slice(tracks, monitors, first, first + min(tracks.size - first, <uint32_t>SLICE), now, projects, out)
            first += min(tracks.size - first, <uint32_t>SLICE)
            with nogil:
                pass  # whoever waits for the GIL has it now; the columns are looked up again after that
        for p in range(projects):
            row = []
            for i in range(WIDTH):
                row.append(out[<size_t>p * WIDTH + i])
            rows.append(row)
        return rows
    finally:
        PyMem_RawFree(out)
