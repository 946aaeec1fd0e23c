# Compiled schedules by number; see timetable.pyx.
cimport cython
from libc.stdint cimport int64_t, uint8_t, uint32_t

from tocsin._core.cron cimport cron_t
from tocsin._core.interval cimport interval_t
from tocsin._core.types cimport instant_t
from tocsin._core.zone cimport zone_t

cdef enum:
    NONE = 0       # never due: number 0, and nothing else
    CRON = 1
    INTERVAL = 2
    ROLLING = 3
    UNION = 4

cdef struct timetable_t:
    cron_t cron             # CRON
    interval_t interval     # INTERVAL; ROLLING keeps its period in interval.count, in ms
    instant_t low, high     # window cache: next(t) is `high` for every t in [low, high)
    const zone_t *zone      # CRON, INTERVAL; owned by the Zone object in Timetables.zones
    uint32_t first, count   # UNION: members[first : first + count]
    uint8_t kind
    uint8_t grid            # its slots do not depend on when the last report came

cdef struct timetables_t:
    timetable_t *rows
    uint32_t *members       # numbers of the children of all unions
    uint32_t count, capacity
    uint32_t member_count, member_capacity

# Kernels: `number` must be below count, instants within FIRST_MS..LAST_MS or NEVER.
cdef instant_t timetable_next(timetables_t *all, uint32_t number, instant_t instant) noexcept nogil
cdef instant_t timetable_prev(const timetables_t *all, uint32_t number, instant_t instant) noexcept nogil
cdef instant_t timetable_rearm(
    timetables_t *all, uint32_t number, instant_t expected, instant_t judged
) noexcept nogil


cdef class Timetables:
    cdef timetables_t all
    cdef list zones
    cdef list crons           # those with a set of years, which their rows point to
    cdef cython.pymutex lock  # `next_many` runs without the GIL while another thread may add a row
    cdef uint32_t _append(self, timetable_t row) except? 0xffffffff
    cdef const zone_t *_zone(self, uint32_t number) except NULL
    cdef int _check(self, uint32_t number, instant_t instant) except -1
