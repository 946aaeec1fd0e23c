# Structure of arrays with the hot state; see roster.pyx.
from libc.stdint cimport uint8_t, uint32_t

cdef enum:
    COLUMNS_MAX = 32

# The order of the columns, for kernels: <int64_t *>roster.columns[TRACK_EXPECTED].data
cdef enum:
    TRACK_NUMBER, TRACK_MONITOR, TRACK_ENVIRONMENT, TRACK_NEXT, TRACK_HEALTH, TRACK_VERDICT, TRACK_FLAGS,
    TRACK_FAILURES, TRACK_MISSES, TRACK_RECOVERIES, TRACK_OPEN_RUNS, TRACK_INCIDENT, TRACK_EXPECTED, TRACK_DEADLINE,
    TRACK_RUN_DEADLINE, TRACK_LAST_CHECK_IN, TRACK_LAST_SUCCESS, TRACK_LAST_START, TRACK_LAST_DURATION,
    TRACK_OK_COUNT, TRACK_ERROR_COUNT, TRACK_STARTED_COUNT, TRACK_MISSED_COUNT, TRACK_TIMED_OUT_COUNT,
    TRACK_UNKNOWN_COUNT, TRACK_LAST_LAPSE, TRACK_LAST_LAPSE_SLOT

cdef enum:
    MONITOR_NUMBER, MONITOR_PROJECT, MONITOR_POLICY, MONITOR_FLAGS, MONITOR_DIGEST, MONITOR_FIRST_TRACK,
    MONITOR_PAUSE_UNTIL, MONITOR_MUTE_UNTIL

cdef struct column_t:
    char *data        # [capacity] values of `width` bytes
    uint8_t width     # 1, 2, 4 or 8
    uint8_t is_signed
    uint8_t is_none   # a new row holds the column's "none" instead of 0: NOWHERE or NEVER


cdef class Roster:
    cdef column_t columns[COLUMNS_MAX]
    cdef int width             # columns in use
    cdef uint8_t *is_open_     # [capacity]
    cdef uint32_t size         # rows ever used; slots at and above it are untouched
    cdef uint32_t capacity_
    cdef uint32_t open_count
    cdef uint32_t free         # head of the list of closed slots, linked through the first column; or NOWHERE
    cdef dict _indexes         # name -> column
    cdef int _define(self, tuple names, str codes) except -1
    cdef int _grow(self, unsigned long long rows) except -1
    cdef int _check(self, uint32_t slot) except -1
    cdef void _blank(self, uint32_t slot) noexcept
    cdef object _get(self, int column, uint32_t slot)
    cdef int _accepts(self, int column, value) except -1
    cdef void _set(self, int column, uint32_t slot, value)


cdef class TrackRoster(Roster):
    pass


cdef class MonitorRoster(Roster):
    pass
