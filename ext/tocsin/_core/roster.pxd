# Structure of arrays with the hot state; see roster.pyx.
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef enum:
    COLUMNS_MAX = 32

# The order of the columns, for kernels: <uint8_t *>roster.columns[TRACK_HEALTH].data, and for columns of six bytes
# wide_at(roster.columns[TRACK_EXPECTED].data, slot)
cdef enum:
    TRACK_NUMBER, TRACK_MONITOR, TRACK_ENVIRONMENT, TRACK_NEXT, TRACK_HEALTH, TRACK_VERDICT, TRACK_FLAGS,
    TRACK_FAILURES, TRACK_MISSES, TRACK_RECOVERIES, TRACK_OPEN_RUNS, TRACK_INCIDENT, TRACK_EXPECTED, TRACK_DEADLINE,
    TRACK_RUN_DEADLINE, TRACK_LAST_CHECK_IN, TRACK_LAST_SUCCESS, TRACK_LAST_START, TRACK_LAST_DURATION,
    TRACK_OK_COUNT, TRACK_ERROR_COUNT, TRACK_STARTED_COUNT, TRACK_MISSED_COUNT, TRACK_TIMED_OUT_COUNT,
    TRACK_UNKNOWN_COUNT, TRACK_LAST_LAPSE, TRACK_LAST_LAPSE_SLOT

cdef enum:
    MONITOR_NUMBER, MONITOR_PROJECT, MONITOR_POLICY, MONITOR_FLAGS, MONITOR_DIGEST, MONITOR_FIRST_TRACK,
    MONITOR_PAUSE_UNTIL, MONITOR_MUTE_UNTIL

cdef extern from * nogil:
    """
    #include <string.h>
    /* 48 bits without a sign, all ones for NEVER: milliseconds from 1970 until the year 10889. */
    #define TOCSIN_WIDE_NEVER 0xffffffffffffULL
    static inline int64_t tocsin_wide_at(const char *column, size_t slot) {
        uint32_t low; uint16_t high; uint64_t value;
        memcpy(&low, column + slot * 6, 4);
        memcpy(&high, column + slot * 6 + 4, 2);
        value = low | (uint64_t)high << 32;
        return value == TOCSIN_WIDE_NEVER ? INT64_MAX : (int64_t)value;
    }
    static inline void tocsin_wide_put(char *column, size_t slot, int64_t value) {
        uint32_t low = (uint32_t)value; uint16_t high = (uint16_t)((uint64_t)value >> 32);
        memcpy(column + slot * 6, &low, 4);
        memcpy(column + slot * 6 + 4, &high, 2);
    }
    static inline int tocsin_wide_fits(int64_t value) {
        return (uint64_t)value < TOCSIN_WIDE_NEVER || value == INT64_MAX;
    }
    """
    const uint64_t WIDE_NEVER "TOCSIN_WIDE_NEVER"
    int64_t wide_at "tocsin_wide_at"(const char *column, size_t slot)
    void wide_put "tocsin_wide_put"(char *column, size_t slot, int64_t value)  # the value must fit
    bint wide_fits "tocsin_wide_fits"(int64_t value)

cdef struct column_t:
    char *data        # [capacity] values of `width` bytes
    uint8_t width     # 1, 2, 4, 6 or 8
    uint8_t is_signed
    uint8_t is_none   # a new row holds the column's "none" instead of 0: NOWHERE, NEVER or -1, which are all ones


cdef inline bint bit_at(const uint8_t *bits, uint32_t slot) noexcept nogil:
    return bits[slot >> 3] >> (slot & 7) & 1


cdef class Roster:
    cdef column_t columns[COLUMNS_MAX]
    cdef int width             # columns in use
    cdef uint8_t *open_bits    # [capacity / 8]
    cdef uint8_t *generations  # [capacity] in debug builds, else NULL: how often a slot was closed, modulo 256
    cdef uint32_t size         # rows ever used; slots at and above it are untouched
    cdef uint32_t capacity_
    cdef uint32_t open_count
    cdef uint32_t free         # head of the list of closed slots, linked through the first column; or NOWHERE
    cdef bint busy             # a batch works on it without the GIL
    cdef dict _indexes         # name -> column
    cdef int _define(self, tuple names, str codes) except -1
    cdef int _mine(self) except -1
    cdef int _grow(self, unsigned long long rows, bint exactly) except -1
    cdef int _check(self, uint32_t slot) except -1
    cdef void _blank(self, uint32_t slot) noexcept
    cdef object _get(self, int column, uint32_t slot)
    cdef int _accepts(self, int column, value) except -1
    cdef void _set(self, int column, uint32_t slot, value)
    cpdef bint is_open(self, uint32_t slot)
    cpdef int generation(self, uint32_t slot) except -1


cdef class TrackRoster(Roster):
    pass


cdef class MonitorRoster(Roster):
    pass
