# Schedules by number, and batches of questions to them; see rows.pyx.
from libc.stdint cimport int64_t, uint32_t

from tocsin._core.schedule cimport schedule_next, schedule_prev, schedule_rearm, schedule_t
from tocsin._core.types cimport FIRST_MS, LAST_MS, NEVER, highest_bit, instant_t

cdef enum:
    BLOCKS = 26        # of 64, 128, 256 ... rows
    FIRST_BLOCK = 6    # log2 of the rows of the first

cdef enum:  # the questions
    NEXT, PREV, REARM

cdef struct rows_t:
    schedule_t *blocks[BLOCKS]
    uint32_t count

cdef Py_ssize_t ask_many(
    const rows_t *rows, int question, const uint32_t *numbers, const int64_t *ones, const int64_t *others, Py_ssize_t n,
    bint caching, int64_t *out, Py_ssize_t *stale,
) noexcept nogil
cdef Py_ssize_t fill(
    schedule_t *row, instant_t instant, instant_t until, bint caching, int64_t *out, Py_ssize_t room
) noexcept nogil


cdef inline bint take(bint *flag) noexcept:
    # Who takes the window caches may use them, until `flag` is false again. The GIL guards the flag.
    cdef bint was = flag[0]
    flag[0] = True
    return not was


cdef inline schedule_t *row_at(const rows_t *rows, uint32_t number) noexcept nogil:
    # `number` must be below count.
    cdef uint32_t place = number + (1U << FIRST_BLOCK)
    cdef int bit = highest_bit(place)
    return rows.blocks[bit - FIRST_BLOCK] + (place ^ (1U << bit))


cdef inline bint is_instant(instant_t instant) noexcept nogil:
    return FIRST_MS <= instant <= LAST_MS or instant == NEVER


cdef inline instant_t ask(schedule_t *row, int question, instant_t one, instant_t other, bint caching) noexcept nogil:
    if question == NEXT:
        return schedule_next(row, one, caching)
    return schedule_prev(row, one) if question == PREV else schedule_rearm(row, one, other, caching)
