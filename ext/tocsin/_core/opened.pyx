"""What a burst of misses came to, in rows: tracks that were judged, and the incidents that were opened of some.

Data: an array of `opened_t`, ascending by check-in and, where there is one, by incident. An incident in it is an object
only while somebody looks at it, and is out of it once somebody has changed it.
Cost: 64 bytes a miss; an incident as an object takes eight times as much.
"""
cimport cython
from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc
from libc.stdint cimport int64_t, uint32_t


@cython.final
cdef class Opened:
    def __dealloc__(self):
        PyMem_RawFree(self.rows)

    def __len__(self):
        return self.size

    cdef int _mine(self) except -1:
        if self.busy:
            raise RuntimeError("another thread is in the middle of a batch of misses")
        return 0

    cdef int reserve(self, uint32_t rows) except -1:
        cdef void *grown
        self._mine()
        if rows <= self.capacity:
            return 0
        rows = max(rows, self.capacity * 2)
        grown = PyMem_RawRealloc(self.rows, <size_t>rows * sizeof(opened_t))
        if not grown:
            raise MemoryError(f"no memory for {rows} misses")
        self.rows = <opened_t *>grown
        self.capacity = rows
        return 0

    def row(self, Py_ssize_t index):
        cdef opened_t *row
        self._mine()
        if not 0 <= index < <Py_ssize_t>self.size:
            raise IndexError(f"no miss {index} of {self.size}")
        row = &self.rows[index]
        return (
            row.track, row.monitor, row.incident, row.check_in, row.deadline, row.project, row.environment, row.slot,
            row.failures, bool(row.flags & MUTED_ONE),
        )

    def slots(self):
        cdef uint32_t i
        cdef list found = []
        self._mine()
        for i in range(self.size):
            found.append(self.rows[i].slot)
        return found

    def changed(self):
        cdef uint32_t i
        cdef dict found = {}
        self._mine()
        for i in range(self.size):
            if self.rows[i].incident:
                found[self.rows[i].project, self.rows[i].monitor, "incident"] = ""
            if self.rows[i].flags & CHANGED:
                found[self.rows[i].project, self.rows[i].monitor, "health"] = ""
        return found

    def shown(self):
        cdef uint32_t i
        cdef list found = []
        self._mine()
        for i in range(self.size):
            found.append((self.rows[i].track, self.rows[i].shown))
        return found

    def incidents(self):
        cdef uint32_t i
        cdef list found = []
        self._mine()
        for i in range(self.size):
            if self.rows[i].incident:
                found.append(i)
        return found

    def spare(self, monitors, tracks):
        cdef Opened kept = Opened()
        cdef uint32_t i
        self._mine()
        kept.reserve(self.size)
        for i in range(self.size):
            if self.rows[i].monitor not in monitors and self.rows[i].track not in tracks:
                kept.rows[kept.size] = self.rows[i]
                kept.size += 1
        return kept

    cdef int64_t _find(self, int64_t incident):
        # Numbers ascend, but for rows without an incident; rules that opened others meanwhile have left gaps in them.
        cdef uint32_t low = 0, high = self.size, middle, i
        if incident <= 0:
            return -1
        while low < high:
            middle = i = low + (high - low) // 2
            while i < high and not self.rows[i].incident:
                i += 1
            if i == high or self.rows[i].incident > incident:
                high = middle
            elif self.rows[i].incident == incident:
                return i
            else:
                low = i + 1
        return -1

    def find(self, int64_t incident):
        cdef int64_t found
        self._mine()
        found = self._find(incident)
        return None if found < 0 or self.rows[found].flags & GONE else found

    def take_out(self, int64_t incident):
        cdef int64_t found
        self._mine()
        found = self._find(incident)
        if found >= 0:
            self.rows[found].flags |= GONE

    def bounds(self):
        cdef uint32_t i
        cdef int64_t first = 0, last = 0, count = 0
        self._mine()
        for i in range(self.size):
            if self.rows[i].incident:
                first = first or self.rows[i].incident
                last = self.rows[i].incident
                count += 1
        return first, last, count
