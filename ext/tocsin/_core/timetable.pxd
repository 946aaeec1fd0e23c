# Compiled schedules by number; see timetable.pyx.
cimport cython
from libc.stdint cimport int64_t, uint32_t

from tocsin._core.rows cimport rows_t
from tocsin._core.schedule cimport schedule_t, table_t
from tocsin._core.types cimport instant_t
from tocsin._core.zone cimport zone_t


@cython.final
cdef class Timetables:
    cdef rows_t rows
    cdef list zones
    cdef list crons             # those with a set of years, which their rows point to
    cdef dict covers            # address of a table's row -> the function that says more of it
    cdef table_t *retired       # tables that a running batch may still read, linked
    cdef bint caching           # taken by who may read and write the window caches
    cdef int running            # batches without the GIL
    cdef cython.pymutex lock    # held by who adds a row or replaces a table
    cdef uint32_t _append(self, schedule_t row) except? 0xffffffff
    cdef const zone_t *_zone(self, uint32_t number) except NULL
    cdef schedule_t *_row(self, uint32_t number, instant_t instant) except NULL
    cdef void _forget(self) noexcept
    cdef int _covering(self, schedule_t *row, int64_t utc_s) except -1
    cdef instant_t _stale(self, schedule_t *row, int question, instant_t one, instant_t other) except? -1
    cdef inline instant_t _ask(self, uint32_t number, int question, instant_t one, instant_t other) except? -1
    cdef int _ask_many(
        self, int question, const uint32_t[::1] numbers, const int64_t[::1] ones, const int64_t[::1] others,
        int64_t[::1] out,
    ) except -1
