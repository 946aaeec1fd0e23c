"""One compiled schedule of any kind: what comes next, what came before, where to go on after a miss.

Data: a row of 128 bytes: what every kind needs, then the masks of cron. A union points to plain rows, so nothing
here recurses more than once. A table holds the fire times of a stretch of time that somebody else computed.
Invariant: next is strictly after, prev strictly before; the slots of grids are whole seconds.
Window cache: between two fire times next(t) does not change, so each grid keeps the window it answered for last. At the
top of the hour every due monitor of one schedule shares one search.
Cost: 8 ns on a hit of the window, 25-100 ns on a miss (benchmarks/bench_next_fire.py).
"""
from libc.stdint cimport int64_t, uint32_t

from tocsin._core.cron cimport cron_prev
from tocsin._core.interval cimport interval_next, interval_prev, interval_rearm
from tocsin._core.types cimport FIRST_MS, LAST_MS, NEVER, floor_div, instant_t


cdef inline uint32_t later(const table_t *table, int64_t utc_s) noexcept nogil:
    # How many times of the table are not after `utc_s`.
    cdef uint32_t low = 0, high = table.count, middle
    while low < high:
        middle = (low + high) >> 1
        if table.times[middle] <= utc_s:
            low = middle + 1
        else:
            high = middle
    return low


cdef instant_t table_next(const table_t *table, int64_t utc_s) noexcept nogil:
    """The first time after a second, in ms; NEVER or STALE if the table holds none."""
    cdef uint32_t at
    if utc_s >= LAST_MS / 1000:
        return NEVER
    if not table or not table.low_s <= utc_s < table.high_s:
        return STALE
    at = later(table, utc_s)
    if at < table.count:
        return table.times[at] * 1000
    return NEVER if table.high_s >= LAST_MS / 1000 else STALE


cdef instant_t table_prev(const table_t *table, int64_t utc_s) noexcept nogil:
    """The last time before a second, in ms; NEVER or STALE if the table holds none."""
    cdef uint32_t at
    if utc_s <= FIRST_MS / 1000:
        return NEVER
    if not table or not table.low_s < utc_s <= table.high_s + 1:
        return STALE
    at = later(table, utc_s - 1)
    if at > 0:
        return table.times[at - 1] * 1000
    return NEVER if table.low_s < FIRST_MS / 1000 else STALE


cdef instant_t union_next(schedule_t *row, instant_t instant, bint caching) noexcept nogil:
    cdef instant_t best = NEVER, one
    cdef uint32_t i
    for i in range(row.count):
        one = schedule_next(row.members[i], instant, caching)
        best = one if one < best else best  # STALE is below all
    return best


cdef instant_t schedule_search(schedule_t *row, instant_t instant, bint caching) noexcept nogil:
    """For `schedule_next`, of every kind but cron: NEVER if there is none, STALE if a table must reach farther."""
    cdef instant_t best = NEVER
    if instant == NEVER:
        return NEVER
    if row.kind == INTERVAL:
        return interval_next(&row.interval, row.zone, instant)
    if row.kind == ROLLING:
        return NEVER if instant + row.interval.count > LAST_MS else instant + row.interval.count
    if row.kind == TABLE:
        best = table_next(row.table, floor_div(instant, 1000))
    elif row.kind == UNION:
        best = union_next(row, instant, caching)
    if caching and row.grid and best != STALE:
        row.low = instant
        row.high = best
    return best


cdef instant_t schedule_prev(const schedule_t *row, instant_t instant) noexcept nogil:
    """The last time strictly before `instant`: NEVER if there is none, STALE if a table must reach farther."""
    cdef instant_t best = NEVER, one
    cdef int64_t seconds
    cdef uint32_t i
    if instant == NEVER:
        return NEVER
    if row.kind == CRON:
        seconds = cron_prev(&row.cron, row.zone, -floor_div(-instant, 1000))
        return NEVER if seconds == NEVER or seconds < FIRST_MS / 1000 else seconds * 1000
    if row.kind == INTERVAL:
        return interval_prev(&row.interval, row.zone, instant)
    if row.kind == ROLLING:
        return NEVER if instant - row.interval.count < FIRST_MS else instant - row.interval.count
    if row.kind == TABLE:
        return table_prev(row.table, -floor_div(-instant, 1000))
    if row.kind == UNION:
        for i in range(row.count):
            one = schedule_prev(row.members[i], instant)
            if one == STALE:
                return STALE
            if one != NEVER and (best == NEVER or one > best):
                best = one
    return best


cdef instant_t schedule_rearm(schedule_t *row, instant_t expected, instant_t judged, bint caching) noexcept nogil:
    """After the miss of `expected`, judged at `judged`: the first slot after the one and not before the other."""
    cdef instant_t best = NEVER, one
    cdef int64_t steps
    cdef uint32_t i
    if expected == NEVER or judged == NEVER:
        return NEVER
    if row.grid:
        # Never the expected slot again, even with no margin at all.
        return schedule_next(row, judged - 1 if judged > expected else expected, caching)
    if row.kind == INTERVAL:
        return interval_rearm(&row.interval, row.zone, expected, judged)
    if row.kind == ROLLING:
        steps = (judged - expected + row.interval.count - 1) / row.interval.count if judged > expected else 1
        expected += steps * row.interval.count
        return expected if expected <= LAST_MS else NEVER
    for i in range(row.count):
        one = schedule_rearm(row.members[i], expected, judged, caching)
        best = one if one < best else best
    return best
