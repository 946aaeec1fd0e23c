# Policies by number, as kernels read them; see plans.pyx.
cimport cython
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

cdef enum:  # flags of a plan
    KNOWN = 1             # there is a policy of this number
    GRID = 2              # slots lie on the clock
    ROLLING = 4
    START_ANCHORED = 8    # intervals count from the run's start
    READABLE = 16         # its zone can be read
    WHILE_RUNNING = 32    # a slot that passes while a run is open counts as missed

cdef struct plan_t:
    int64_t margin        # ms
    int64_t early         # ms; -1: a tenth of the distance of slots, at most a minute
    int64_t max_runtime   # ms; 0: none
    int64_t limit         # check-ins a minute; 0: any number; -1: what the project says
    uint32_t timetable
    uint16_t failures     # thresholds
    uint16_t misses       # 0: counted together with failures
    uint16_t recoveries
    uint8_t flags


@cython.final
cdef class Plans:
    cdef plan_t *plans    # [capacity]
    cdef uint32_t size
    cdef uint32_t capacity
    cdef bint busy        # a batch reads them without the GIL
