# What a burst of misses came to; see opened.pyx.
cimport cython
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

cdef struct opened_t:
    int64_t track          # Track.number
    int64_t monitor        # Monitor.number
    int64_t incident       # its number; 0: too few misses yet
    int64_t check_in       # number of the missed one
    int64_t deadline
    uint32_t project
    uint32_t environment   # its number
    uint32_t slot          # of the track
    uint16_t failures      # in a row
    uint8_t shown          # health << 3 | verdict, as the store remembers it
    uint8_t flags

cdef enum:
    CHANGED = 1   # health or verdict are others than before
    MUTED_ONE = 2
    GONE = 4      # somebody has taken the incident out


@cython.final
cdef class Opened:
    cdef opened_t *rows
    cdef uint32_t size
    cdef uint32_t capacity
    cdef bint busy
    cdef int reserve(self, uint32_t rows) except -1
    cdef int _mine(self) except -1
    cdef int64_t _find(self, int64_t incident)
