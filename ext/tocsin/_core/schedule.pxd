# One compiled schedule of any kind; see schedule.pyx.
from libc.stdint cimport int64_t, uint8_t, uint32_t

from tocsin._core.cron cimport cron_next, cron_t
from tocsin._core.interval cimport interval_t
from tocsin._core.types cimport LAST_MS, NEVER, floor_div, instant_t
from tocsin._core.zone cimport zone_t

cdef enum:
    NONE = 0       # never due
    CRON = 1
    INTERVAL = 2
    ROLLING = 3
    UNION = 4
    TABLE = 5

cdef extern from * nogil:
    """
    #define TOCSIN_STALE INT64_MIN
    """
    const int64_t STALE "TOCSIN_STALE"  # the table does not reach as far as the question

cdef struct table_t:
    int64_t low_s, high_s   # every fire time t with low_s < t <= high_s is in the table, ascending
    uint32_t count
    int64_t *times          # right behind the struct, freed with it
    table_t *retired        # the next one of those that nobody asks any more

cdef struct schedule_t:
    instant_t low, high     # window cache of a grid: next(t) is `high` for every t in [low, high)
    const zone_t *zone      # CRON, INTERVAL; belongs to somebody else
    const table_t *table    # TABLE; NULL before the first question
    schedule_t **members    # UNION: [count], never unions themselves; belong to somebody else
    interval_t interval     # INTERVAL; ROLLING keeps its period in interval.count, in ms
    uint32_t count
    uint8_t kind
    uint8_t grid            # its slots do not depend on when the last report came
    cron_t cron             # CRON

# Kernels: instants within FIRST_MS..LAST_MS or NEVER. Only who may write the window cache passes `caching`.
cdef instant_t schedule_search(schedule_t *row, instant_t instant, bint caching) noexcept nogil
cdef instant_t schedule_prev(const schedule_t *row, instant_t instant) noexcept nogil
cdef instant_t schedule_rearm(schedule_t *row, instant_t expected, instant_t judged, bint caching) noexcept nogil
cdef instant_t table_next(const table_t *table, int64_t utc_s) noexcept nogil
cdef instant_t table_prev(const table_t *table, int64_t utc_s) noexcept nogil


cdef inline instant_t schedule_next(schedule_t *row, instant_t instant, bint caching) noexcept nogil:
    # The next time strictly after `instant`: of a grid its next slot, of an interval one step from the instant. Cron,
    # the commonest kind, is searched from here.
    cdef instant_t slot
    if caching and row.low <= instant < row.high:
        return row.high
    if row.kind != CRON or instant == NEVER:
        return schedule_search(row, instant, caching)
    slot = cron_next(&row.cron, row.zone, floor_div(instant, 1000))
    slot = NEVER if slot > LAST_MS / 1000 else slot * 1000
    if caching:
        row.low = instant
        row.high = slot
    return slot
