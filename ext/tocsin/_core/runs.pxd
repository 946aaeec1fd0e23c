# Open runs; see runs.pyx.
from libc.stdint cimport int64_t, uint32_t, uint64_t

from tocsin._core.handles cimport Watch
from tocsin._core.keys cimport digest_t, keys_t

cdef struct run_t:
    digest_t digest   # of its id
    int64_t number
    int64_t timeout   # ms; NEVER: none
    uint32_t track    # slot; NOWHERE in a free row
    uint32_t older    # next in the list of its track, or of free rows; or NOWHERE
    uint32_t newer    # the one before; NOWHERE: this is the newest

cdef struct runs_t:
    run_t *rows
    uint32_t capacity
    uint32_t size     # rows ever used
    uint32_t count
    uint32_t free     # head of the list of free rows
    keys_t by_id      # digest of an id -> row
    keys_t newest     # track slot, scrambled -> row of its newest run

cdef uint32_t runs_newest(const runs_t *runs, uint32_t track) noexcept nogil


cdef class OpenRuns:
    cdef runs_t runs
    cdef Watch watch  # debug builds: track slots are those of a roster
    cdef digest_t _digest(self, bytes key)
    cdef int _reserve(self, uint64_t rows, bint exactly) except -1
    cdef int _room(self, uint64_t runs, bint exactly) except -1
    cdef int64_t _put(self, bytes key, uint32_t track, int64_t number, int64_t timeout) except -1
    cdef int _drop_row(self, uint32_t row) except -1
    cdef uint32_t _head(self, uint32_t track) except? 0xffffffff
