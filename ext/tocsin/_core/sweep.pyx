"""One pass over all tracks, for totals: how many are in which state, by project.

Data: the two rosters, read as columns. State is what a person is shown; the first that holds of
    paused > missed, timeout or error (the last verdict) > late > running > unknown > ok > new
Result: a row of WIDTH counts a project: nine states in that order of numbers (see sweep.pyi), then the unhealthy.
Invariant: nothing is written; the GIL is held, because whoever opens a row meanwhile may move the columns.
Cost: one load of six columns a track, some 6 ns.
"""
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

from tocsin._core.roster cimport (
    MONITOR_MUTE_UNTIL, MONITOR_PAUSE_UNTIL, MONITOR_PROJECT, TRACK_EXPECTED, TRACK_HEALTH, TRACK_MONITOR,
    TRACK_OPEN_RUNS, TRACK_VERDICT, MonitorRoster, TrackRoster,
)

STATES = ("new", "ok", "running", "late", "missed", "timeout", "error", "unknown", "paused")

cdef enum:
    NEW, OK, RUNNING, LATE, MISSED, TIMEOUT, ERROR, UNKNOWN, PAUSED, UNHEALTHY, WIDTH

cdef enum:
    UNHEALTHY_HEALTH = 2  # domain.track.Health.UNHEALTHY


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


cdef void tally_into(
    const uint8_t *is_open, uint32_t size, uint32_t monitors, const uint32_t *monitor, const uint8_t *health,
    const uint8_t *verdict, const uint16_t *open_runs, const int64_t *expected, const uint32_t *project,
    const int64_t *pause_until, const int64_t *mute_until, int64_t now, uint32_t projects, int64_t *out,
) noexcept nogil:
    cdef uint32_t slot, owner
    cdef int64_t *row
    for slot in range(size):
        if not is_open[slot]:
            continue
        owner = monitor[slot]
        if owner >= monitors or project[owner] >= projects:
            continue  # a row that was just opened belongs to nobody yet
        row = &out[<int64_t>project[owner] * WIDTH]
        row[state_of(pause_until[owner] > now, verdict[slot], expected[slot] < now, open_runs[slot] != 0)] += 1
        if health[slot] == UNHEALTHY_HEALTH and mute_until[owner] <= now:
            row[UNHEALTHY] += 1


def tally(TrackRoster tracks not None, MonitorRoster monitors not None, int64_t now, uint32_t projects):
    cdef int64_t *out
    if projects > 1 << 24:
        raise ValueError(f"{projects} projects are more than are counted at once")
    out = <int64_t *>PyMem_RawCalloc(max(projects, 1) * WIDTH, sizeof(int64_t))
    if not out:
        raise MemoryError("no memory for the counts")
    try:
        tally_into(
            tracks.is_open_, tracks.size, monitors.size, <uint32_t *>tracks.columns[TRACK_MONITOR].data,
            <uint8_t *>tracks.columns[TRACK_HEALTH].data, <uint8_t *>tracks.columns[TRACK_VERDICT].data,
            <uint16_t *>tracks.columns[TRACK_OPEN_RUNS].data, <int64_t *>tracks.columns[TRACK_EXPECTED].data,
            <uint32_t *>monitors.columns[MONITOR_PROJECT].data,
            <int64_t *>monitors.columns[MONITOR_PAUSE_UNTIL].data,
            <int64_t *>monitors.columns[MONITOR_MUTE_UNTIL].data, now, projects, out,
        )
        return [[out[p * WIDTH + i] for i in range(WIDTH)] for p in range(projects)]
    finally:
        PyMem_RawFree(out)
