"""What counters want to know of many check-ins at once: how long they took, and in which minutes they came.

Data: `Recorded`; nothing is written. Cost: a few nanoseconds a check-in.
"""
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int64_t, uint32_t, uint64_t

from tocsin._core.recorded cimport Recorded


cdef object counted(Recorded recorded, const int64_t[::1] bounds, bint delays, int64_t judged_at):
    cdef Py_ssize_t n = bounds.shape[0], place
    cdef int64_t *counts
    cdef int64_t whole = 0, length
    cdef uint32_t i
    cdef list found = []
    recorded._mine()
    counts = <int64_t *>PyMem_Malloc((n + 1) * sizeof(int64_t))
    if not counts:
        raise MemoryError("no memory for the counts")
    for place in range(n + 1):
        counts[place] = 0
    for i in range(recorded.size):
        # Instants are whatever somebody wrote: what does not fit wraps round, as unsigned numbers do.
        if delays:
            length = <int64_t>(<uint64_t>judged_at - <uint64_t>recorded.rows[i].update_time)
        else:
            length = recorded.rows[i].duration
        if length < 0 and not delays:
            continue
        place = 0
        while place < n and length > bounds[place]:
            place += 1
        counts[place] += 1
        whole = <int64_t>(<uint64_t>whole + <uint64_t>length)
    try:
        for place in range(n + 1):
            found.append(counts[place])
    finally:
        PyMem_Free(counts)
    return found, whole


def durations(Recorded recorded not None, const int64_t[::1] bounds not None):
    return counted(recorded, bounds, False, 0)


def delays(Recorded recorded not None, int64_t judged_at, const int64_t[::1] bounds not None):
    return counted(recorded, bounds, True, judged_at)


def minutes(Recorded recorded not None):
    cdef uint32_t i, first = 0
    cdef dict found = {}
    recorded._mine()
    for i in range(1, recorded.size + 1):
        if i == recorded.size or recorded.rows[i].update_time // 60_000 != recorded.rows[first].update_time // 60_000:
            minute = recorded.rows[first].update_time // 60_000
            found[minute] = found.get(minute, 0) + i - first
            first = i
    return found
