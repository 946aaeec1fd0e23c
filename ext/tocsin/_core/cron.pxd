# A cron expression as bit masks; see cron.pyx.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from tocsin._core.zone cimport zone_t

cdef enum:
    EITHER_DAY = 1     # day of month or day of week is enough; otherwise both must match
    WILDCARD = 2       # the minute or the hour began with `*`: the search does not care, the policy VIXIE does
    LAST_WEEKDAY = 4   # LW
    REPEAT = 8         # the second pass of a fold fires too
    MOVE = 16          # matches inside a gap fire once, when it ends
    ANY_DAY = 32       # every day of a month matches; this and the next three are set by cron_prepare and save work
    EVERY_DAY = 64     # every day of every month matches
    WHOLE_MINUTES = 128  # second 0 only
    BY_WEEKDAY = 256   # nothing but the weekday decides which days match
    FIRST_YEAR = 1970  # bit 0 of `years`
    YEAR_WORDS = 4     # 256 years

cdef struct cron_t:    # 64 bytes; what every search reads comes first
    uint64_t second    # bits 0..59
    uint64_t minute    # bits 0..59
    uint32_t hour      # bits 0..23
    uint32_t dom       # bits 1..31
    int32_t first_s    # the first second of a day that matches
    int32_t last_s     # the last one
    uint16_t month     # bits 1..12
    uint8_t dow        # bits 0..6, Sunday first
    uint8_t spare      # 0
    uint32_t last      # bits 0..30: that many days before the last of the month (L is bit 0, L-3 bit 3)
    uint32_t nearest   # bits 1..31: the weekday nearest to that day (15W)
    uint32_t flags
    uint64_t nth       # bit 7 k + weekday: the (k + 1)th such day of the month for k < 5, the last for k = 5
    const uint64_t *years  # [YEAR_WORDS] bits from FIRST_YEAR on, owned by a Cron; NULL: every year

cdef void cron_prepare(cron_t *cron) noexcept nogil
cdef uint32_t cron_days(const cron_t *cron, int64_t first_day, int length) noexcept nogil
cdef int64_t cron_wall_next(const cron_t *cron, int64_t wall_s) noexcept nogil
cdef int64_t cron_wall_prev(const cron_t *cron, int64_t wall_s) noexcept nogil
cdef int64_t cron_next(const cron_t *cron, const zone_t *zone, int64_t utc_s) noexcept nogil
cdef int64_t cron_prev(const cron_t *cron, const zone_t *zone, int64_t utc_s) noexcept nogil


cdef class Cron:
    cdef cron_t cron       # prepared, without the flags of a daylight policy
    cdef uint64_t years[4]
