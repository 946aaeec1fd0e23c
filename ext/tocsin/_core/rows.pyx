"""Schedules by number in memory that never moves, and a batch of questions to them.

Data: rows of `schedule_t` in blocks, each twice as large as the one before; number n is found by its highest bit.
Invariant: a row stays where it is, so a batch may run without the GIL while another thread adds rows.
Threads: nobody ever waits for the window caches. Whoever takes them uses them, whoever finds them taken computes.
Cost: what the questions cost; rows are fetched into the cache a dozen ahead, for batches that touch a million of them.
"""
from libc.stdint cimport int64_t, uint32_t

from tocsin._core.schedule cimport STALE, schedule_next, schedule_t
from tocsin._core.types cimport NEVER, instant_t, prefetch

cdef enum:
    AHEAD = 12


cdef Py_ssize_t ask_many(
    const rows_t *rows, int question, const uint32_t *numbers, const int64_t *ones, const int64_t *others, Py_ssize_t n,
    bint caching, int64_t *out, Py_ssize_t *stale,
) noexcept nogil:
    # Returns n, or the index of the first question that must not be asked; counts the answers that are STALE.
    # Each value is loaded once: another thread may write into the arrays meanwhile.
    cdef Py_ssize_t i
    cdef uint32_t number
    cdef instant_t one, other, answer
    for i in range(n):
        if i + AHEAD < n:
            number = numbers[i + AHEAD]
            if number < rows.count:
                prefetch(row_at(rows, number))
        number = numbers[i]
        one = ones[i]
        other = others[i]
        if number >= rows.count or not is_instant(one) or not is_instant(other):
            return i
        answer = ask(row_at(rows, number), question, one, other, caching)
        out[i] = answer
        stale[0] += answer == STALE
    return n


cdef Py_ssize_t fill(
    schedule_t *row, instant_t instant, instant_t until, bint caching, int64_t *out, Py_ssize_t room
) noexcept nogil:
    # Slots after `instant` and not after `until`, until there is no room; stops before a STALE one.
    cdef Py_ssize_t found = 0
    while found < room:
        instant = schedule_next(row, instant, caching)
        if instant == NEVER or instant == STALE or instant > until:
            break
        out[found] = instant
        found += 1
    return found
