# Rows with the hot state; see roster.pyx.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    COLUMNS_MAX = 32
    LAYOUT = 1  # of the rows below, byte by byte; another number whenever they change

ctypedef unsigned char wide_t[6]  # see wide_get

# What an OK reads and writes comes first: some 74 bytes, two cache lines. Nothing is aligned.
cdef packed struct track_t:
    wide_t number
    uint32_t monitor         # slot
    uint32_t environment
    uint8_t health
    uint8_t verdict
    uint16_t flags
    uint16_t failures
    uint16_t misses
    uint16_t recoveries
    uint16_t open_runs
    wide_t expected
    wide_t deadline
    wide_t run_deadline
    wide_t last_check_in
    wide_t last_success
    wide_t last_start
    int32_t last_duration
    uint32_t ok_count
    int64_t last_lapse
    uint32_t next_track      # slot
    wide_t incident
    uint32_t error_count
    uint32_t started_count
    uint32_t missed_count
    uint32_t timed_out_count
    uint32_t unknown_count
    wide_t last_lapse_slot

cdef packed struct monitor_t:
    wide_t number
    uint32_t project
    uint32_t policy
    uint16_t flags
    uint32_t first_track     # slot
    wide_t pause_until
    wide_t mute_until
    uint64_t digest

cdef extern from * nogil:
    """
    #include <string.h>
    /* 48 bits without a sign, all ones for NEVER: milliseconds from 1970 until the year 10889. Little-endian. */
    #define TOCSIN_WIDE_NEVER 0xffffffffffffULL
    static inline int64_t tocsin_wide_get(const unsigned char *at) {
        uint32_t low; uint16_t high; uint64_t value;
        memcpy(&low, at, 4);
        memcpy(&high, at + 4, 2);
        value = low | (uint64_t)high << 32;
        return value == TOCSIN_WIDE_NEVER ? INT64_MAX : (int64_t)value;
    }
    static inline void tocsin_wide_set(unsigned char *at, int64_t value) {
        uint32_t low = (uint32_t)value; uint16_t high = (uint16_t)((uint64_t)value >> 32);
        memcpy(at, &low, 4);
        memcpy(at + 4, &high, 2);
    }
    static inline int tocsin_wide_fits(int64_t value) {
        return (uint64_t)value < TOCSIN_WIDE_NEVER || value == INT64_MAX;
    }
    """
    const uint64_t WIDE_NEVER "TOCSIN_WIDE_NEVER"
    int64_t wide_get "tocsin_wide_get"(const unsigned char *at)
    void wide_set "tocsin_wide_set"(unsigned char *at, int64_t value)  # the value must fit
    bint wide_fits "tocsin_wide_fits"(int64_t value)

cdef struct column_t:
    uint16_t offset   # in the row
    uint8_t width     # 1, 2, 4, 6 or 8
    uint8_t is_signed
    uint8_t is_none   # a new row holds the column's "none" instead of 0: NOWHERE, NEVER or -1, which are all ones


cdef inline bint bit_at(const uint8_t *bits, uint32_t slot) noexcept nogil:
    return bits[slot >> 3] >> (slot & 7) & 1


cdef class Roster:
    cdef unsigned char *rows   # [capacity] rows of `stride` bytes
    cdef uint32_t stride
    cdef column_t columns[COLUMNS_MAX]  # in the order that Python sees
    cdef int width             # columns in use
    cdef uint8_t *open_bits    # [capacity / 8]
    cdef uint8_t *generations  # [capacity] in debug builds, else NULL: how often a slot was closed, modulo 256
    cdef uint32_t size         # rows ever used; slots at and above it are untouched
    cdef uint32_t capacity_
    cdef uint32_t open_count
    cdef uint32_t free         # head of the list of closed slots, linked through the first column; or NOWHERE
    cdef bint busy             # a batch works on it without the GIL
    cdef dict _indexes         # name -> column
    cdef int _define(self, tuple names, str codes, str order, size_t stride) except -1
    cdef int _mine(self) except -1
    cdef int _grow(self, unsigned long long rows, bint exactly) except -1
    cdef int _move(self, uint32_t capacity) except -1
    cdef int _check(self, uint32_t slot) except -1
    cdef void _blank(self, uint32_t slot) noexcept
    cdef object _get(self, int column, uint32_t slot)
    cdef int _accepts(self, int column, value) except -1
    cdef void _set(self, int column, uint32_t slot, value)
    cpdef bint is_open(self, uint32_t slot)
    cpdef int generation(self, uint32_t slot) except -1


cdef class TrackRoster(Roster):
    cdef uint8_t *moved_bits   # [capacity / 8]: changed since it was last written to the store
    cdef uint32_t moved        # bits set
    cdef uint32_t cursor       # slot where `take_moved` goes on


cdef class MonitorRoster(Roster):
    pass


cdef inline track_t *track_at(TrackRoster tracks, uint32_t slot) noexcept nogil:
    # `slot` must be below `size`. The address holds until a row is opened.
    return <track_t *>tracks.rows + slot


cdef inline monitor_t *monitor_at(MonitorRoster monitors, uint32_t slot) noexcept nogil:
    return <monitor_t *>monitors.rows + slot


cdef inline void mark_moved(TrackRoster tracks, uint32_t slot) noexcept nogil:
    cdef uint8_t bit = <uint8_t>(1 << (slot & 7))
    tracks.moved += not tracks.moved_bits[slot >> 3] & bit
    tracks.moved_bits[slot >> 3] |= bit


cdef inline void unmark_moved(TrackRoster tracks, uint32_t slot) noexcept nogil:
    cdef uint8_t bit = <uint8_t>(1 << (slot & 7))
    tracks.moved -= tracks.moved_bits[slot >> 3] & bit != 0
    tracks.moved_bits[slot >> 3] &= <uint8_t>~bit
