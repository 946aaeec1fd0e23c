"""What kernels need of a policy, by its number: its timetable, its lengths, its thresholds.

Data: an array of `plan_t`; a number that was never put has no flags. Who compiles policies (engine/timing.py) puts them
here too, and once more when a new time zone database has given them other timetables.
Cost: 48 bytes a policy, of which there are thousands at most: they stay in the cache.
"""
cimport cython
from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memset

# The latest instant a row has room for: with such lengths, no sum in a kernel overflows.
cdef int64_t LENGTH_MAX = 0xfffffffffffe


@cython.final
cdef class Plans:
    def __dealloc__(self):
        PyMem_RawFree(self.plans)

    def __len__(self):
        return self.size

    def put(
        self, uint32_t number, uint32_t timetable, int64_t margin, int64_t early=-1, int64_t max_runtime=0,
        int64_t limit=-1, uint16_t failures=1, uint16_t misses=0, uint16_t recoveries=1, bint grid=False,
        bint rolling=False, bint start_anchored=False, bint readable=True, bint while_running=True,
    ):
        cdef plan_t plan
        cdef void *grown
        cdef uint32_t capacity
        if self.busy:
            raise RuntimeError("another thread is in the middle of a batch of reports")
        if number >= 1 << 30:
            raise ValueError(f"policy {number} is beyond {(1 << 30) - 1}")
        if max(margin, early, max_runtime) > LENGTH_MAX:
            raise ValueError(f"margin {margin}, early {early} or longest run {max_runtime} is beyond {LENGTH_MAX} ms")
        if margin < 0 or early < -1 or max_runtime < 0 or limit < -1:
            raise ValueError(f"margin {margin}, early {early}, longest run {max_runtime} or limit {limit} is below 0")
        if number >= self.capacity:
            capacity = max(number + 1, self.capacity * 2, <uint32_t>16)
            grown = PyMem_RawRealloc(self.plans, <size_t>capacity * sizeof(plan_t))
            if not grown:
                raise MemoryError(f"no memory for {capacity} plans")
            self.plans = <plan_t *>grown
            memset(self.plans + self.capacity, 0, <size_t>(capacity - self.capacity) * sizeof(plan_t))
            self.capacity = capacity
        plan.margin, plan.early, plan.max_runtime, plan.limit = margin, early, max_runtime, limit
        plan.timetable = timetable
        plan.failures, plan.misses, plan.recoveries = failures, misses, recoveries
        plan.flags = <uint8_t>(
            KNOWN | (GRID if grid else 0) | (ROLLING if rolling else 0) | (START_ANCHORED if start_anchored else 0)
            | (READABLE if readable else 0) | (WHILE_RUNNING if while_running else 0)
        )
        self.plans[number] = plan
        self.size = max(self.size, number + 1)
