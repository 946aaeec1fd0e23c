# Every n units from a reference; see interval.pyx.
from libc.stdint cimport int64_t, uint8_t

from tocsin._core.types cimport instant_t
from tocsin._core.zone cimport zone_t

cdef enum:
    SECOND = 0
    MINUTE = 1
    HOUR = 2
    DAY = 3
    WEEK = 4
    MONTH = 5
    YEAR = 6

cdef struct interval_t:
    int64_t count      # units in one step, at least 1
    uint8_t unit
    uint8_t truncate   # drop the seconds of the wall time of the result

cdef instant_t interval_next(const interval_t *interval, const zone_t *zone, instant_t reference) noexcept nogil
cdef instant_t interval_prev(const interval_t *interval, const zone_t *zone, instant_t reference) noexcept nogil
cdef instant_t interval_rearm(
    const interval_t *interval, const zone_t *zone, instant_t anchor, instant_t at
) noexcept nogil
