"""What counters want to know of many check-ins at once: how long they took, and in which minutes they came.

Data: `Recorded`; nothing is written. Cost: a few nanoseconds a check-in.
"""
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int64_t, uint32_t

from tocsin._core.recorded cimport Recorded


def durations(Recorded recorded not None, const int64_t[::1] bounds):
    cdef Py_ssize_t n = bounds.shape[0], place
    cdef int64_t *counts = <int64_t *>PyMem_Malloc((n + 1) * sizeof(int64_t))
    cdef int64_t whole = 0
    cdef uint32_t i
    cdef list found = []
    if not counts:
        raise MemoryError("no memory for the counts")
    for place in range(n + 1):
        counts[place] = 0
    for i in range(recorded.size):
        if recorded.rows[i].duration < 0:
            continue
        place = 0
        while place < n and recorded.rows[i].duration > bounds[place]:
            place += 1
        counts[place] += 1
        whole += recorded.rows[i].duration
    try:
        for place in range(n + 1):
            found.append(counts[place])
    finally:
        PyMem_Free(counts)
    return found, whole


def minutes(Recorded recorded not None):
    cdef uint32_t i, first = 0
    cdef dict found = {}
    for i in range(1, recorded.size + 1):
        if i == recorded.size or recorded.rows[i].update_time // 60_000 != recorded.rows[first].update_time // 60_000:
            minute = recorded.rows[first].update_time // 60_000
            found[minute] = found.get(minute, 0) + i - first
            first = i
    return found
