"""New check-ins of one project on their way into the store, as rows that kernels write: no object for each.

Data: an array of `check_in_t`, in the order of their numbers. Whatever few check-ins have is not in it: those are
`CheckIn` objects and go their own way.
Invariant: rows below `size` are whole; a kernel reserves first and then only appends.
Cost: 88 bytes a check-in, for as long as its batch is not committed and answered.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc
from libc.stdint cimport int64_t, uint8_t, uint32_t

from tocsin._core.types cimport NEVER, NOWHERE


@cython.final
cdef class Recorded:
    def __dealloc__(self):
        PyMem_RawFree(self.rows)

    def __len__(self):
        return self.size

    cdef int _mine(self) except -1:
        if self.busy:
            raise RuntimeError("another thread is in the middle of a batch of check-ins")
        return 0

    cdef int reserve(self, uint32_t rows) except -1:
        cdef void *grown
        cdef uint32_t capacity
        self._mine()
        if self.readers:
            raise RuntimeError("another thread reads these check-ins")
        if rows <= self.capacity:
            return 0
        capacity = max(rows, self.capacity * 2, <uint32_t>16)
        grown = PyMem_RawRealloc(self.rows, <size_t>capacity * sizeof(check_in_t))
        if not grown:
            raise MemoryError(f"no memory for {capacity} check-ins")
        self.rows = <check_in_t *>grown
        self.capacity = capacity
        return 0

    def append(
        self, int64_t number, int64_t monitor, int64_t track, int state, int64_t receive_time, int64_t update_time,
        end_time=None, duration=None, expected_time=None, uint32_t policy=0, uint32_t environment=0, uint32_t slot=0,
        row=None,
    ):
        cdef check_in_t made
        if not STATE_UNKNOWN <= state <= STATE_ABANDONED:
            raise ValueError(f"no state {state}")
        if duration is not None and duration < 0:
            raise ValueError(f"a duration of {duration} ms")
        made.number, made.monitor, made.track = number, monitor, track
        made.receive_time, made.update_time = receive_time, update_time
        made.end_time = NEVER if end_time is None else end_time
        made.expected_time = NEVER if expected_time is None else expected_time
        made.duration = -1 if duration is None else duration
        made.policy, made.environment, made.slot = policy, environment, slot
        made.row = NOWHERE if row is None else row
        made.state = <uint8_t>state
        self.reserve(self.size + 1)
        self.rows[self.size] = made
        self.size += 1

    def extend(self, Recorded other not None, uint32_t offset=0):
        cdef uint32_t i, added = other.size
        if added > 0x7fffffff - self.size:
            raise OverflowError(f"{self.size} check-ins and {added} more")
        other._mine()
        self.reserve(self.size + added)
        for i in range(added):
            self.rows[self.size + i] = other.rows[i]
            if other.rows[i].row != NOWHERE:
                self.rows[self.size + i].row += offset
        self.size += added

    def row(self, Py_ssize_t index):
        cdef check_in_t *row
        self._mine()
        if not 0 <= index < <Py_ssize_t>self.size:
            raise IndexError(f"no check-in {index} of {self.size}")
        row = &self.rows[index]
        return (
            row.number, row.monitor, row.track, row.state, row.receive_time, row.update_time,
            None if row.end_time == NEVER else row.end_time,
            None if row.duration < 0 else row.duration,
            None if row.expected_time == NEVER else row.expected_time,
            row.policy, row.environment, row.slot, None if row.row == NOWHERE else row.row,
        )

    def numbers(self):
        cdef bytes copy
        cdef int64_t *out
        cdef uint32_t i, size = self.size
        self._mine()
        copy = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>size * 8)
        out = <int64_t *>PyBytes_AS_STRING(copy)
        for i in range(size):
            out[i] = self.rows[i].number
        return memoryview(copy).cast("q")
