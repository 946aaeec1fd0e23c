# New check-ins in columns; see recorded.pyx.
cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

cdef enum:  # states, domain.check_in.STATE_NUMBERS
    STATE_UNKNOWN, STATE_OK, STATE_ERROR, STATE_IN_PROGRESS, STATE_MISSED, STATE_TIMED_OUT, STATE_NOTE, STATE_ABANDONED

cdef struct check_in_t:
    int64_t number
    int64_t monitor        # Monitor.number
    int64_t track          # Track.number
    int64_t receive_time   # of a miss: the slot
    int64_t update_time
    int64_t end_time       # NEVER: none
    int64_t expected_time  # NEVER: none
    int32_t duration       # ms; -1: none
    uint32_t policy
    uint32_t environment   # its number
    uint32_t slot          # of the track
    uint32_t row           # of the report in its batch; NOWHERE: made from silence
    uint8_t state


@cython.final
cdef class Recorded:
    cdef check_in_t *rows  # [capacity]
    cdef uint32_t size
    cdef uint32_t capacity
    cdef bint busy         # a kernel writes it without the GIL
    cdef uint32_t readers  # who reads it while others may run: it must not grow
    cdef int _mine(self) except -1
    cdef int reserve(self, uint32_t rows) except -1
