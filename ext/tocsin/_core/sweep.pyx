"""One pass over all tracks, for totals: how many are in which state, by project.

Data: the two rosters, read as columns. State is what a person is shown; the first that holds of
    paused > missed, timeout or error (the last verdict) > late > running > unknown > ok > new
Result: a row of WIDTH counts a project: nine states in that order of numbers (see sweep.pyi), then the unhealthy.
Invariant: nothing is written. Whoever opens a row may move the columns, so the GIL is held while they are read, and
offered to others after each slice: the totals are of one instant for each slice, not for all.
Cost: six columns of a track and three of its monitor, some 6 ns.
"""
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

from tocsin._core.roster cimport (
    MONITOR_MUTE_UNTIL, MONITOR_PAUSE_UNTIL, MONITOR_PROJECT, TRACK_EXPECTED, TRACK_HEALTH, TRACK_MONITOR,
    TRACK_FLAGS, TRACK_OPEN_RUNS, TRACK_VERDICT, MonitorRoster, TrackRoster, bit_at, wide_at,
)

STATES = ("new", "ok", "running", "late", "missed", "timeout", "error", "unknown", "paused")

cdef enum:
    NEW, OK, RUNNING, LATE, MISSED, TIMEOUT, ERROR, UNKNOWN, PAUSED, UNHEALTHY, WIDTH

cdef enum:
    SLICE = 65536         # tracks between two offers of the GIL: a third of a millisecond
    UNHEALTHY_HEALTH = 2  # domain.track.Health.UNHEALTHY
    MUTED = 4             # domain.track.TrackFlag.MUTED


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
    cdef const uint32_t *monitor = <const uint32_t *>tracks.columns[TRACK_MONITOR].data
    cdef const uint8_t *health = <const uint8_t *>tracks.columns[TRACK_HEALTH].data
    cdef const uint8_t *verdict = <const uint8_t *>tracks.columns[TRACK_VERDICT].data
    cdef const uint16_t *flags = <const uint16_t *>tracks.columns[TRACK_FLAGS].data
    cdef const uint16_t *open_runs = <const uint16_t *>tracks.columns[TRACK_OPEN_RUNS].data
    cdef const char *expected = tracks.columns[TRACK_EXPECTED].data
    cdef const uint32_t *project = <const uint32_t *>monitors.columns[MONITOR_PROJECT].data
    cdef const char *pause_until = monitors.columns[MONITOR_PAUSE_UNTIL].data
    cdef const char *mute_until = monitors.columns[MONITOR_MUTE_UNTIL].data
    cdef uint32_t slot, owner, known = monitors.size
    cdef int64_t *row
    for slot in range(first, min(last, tracks.size)):
        if not bit_at(tracks.open_bits, slot):
            continue
        owner = monitor[slot]
        if owner >= known or project[owner] >= projects:
            continue  # a row that was just opened belongs to nobody yet
        row = &out[<int64_t>project[owner] * WIDTH]
        row[state_of(
            wide_at(pause_until, owner) > now, verdict[slot], wide_at(expected, slot) < now, open_runs[slot] != 0
        )] += 1
        if health[slot] == UNHEALTHY_HEALTH and not flags[slot] & MUTED and wide_at(mute_until, owner) <= now:
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
