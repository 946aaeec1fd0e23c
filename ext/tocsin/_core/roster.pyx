"""The hot state of every track and every monitor: one array for each column, one slot for each row.

Data: `columns`, described once in a table of names and letters; reading, writing and loading are loops over it. Kernels
reach a column directly, by the names in roster.pxd. A slot is an index and stays the same until the row is closed.
    b B h H i I q Q   as in the `array` module: signed and unsigned integers of 1, 2, 4 and 8 bytes, 0 in a new row
    N                 uint32 that links to a slot: NOWHERE in a new row
    T                 int64 instant or duration: NEVER in a new row
Invariant: a slot is open, or in the free list (linked through the first column, an int64), or at `size` or above.
Cost: 137 bytes a track, 47 a monitor; growth doubles and moves one column at a time.
"""
from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc
from libc.stdint cimport INT64_MAX, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from tocsin._core.types cimport NOWHERE

cdef str FORMATS = "BbHhIiQq"  # by twice the power of two of the width, plus one if signed


cdef inline int power(int width) noexcept nogil:
    return 0 if width == 1 else 1 if width == 2 else 2 if width == 4 else 3


cdef class Roster:
    COLUMNS = ()

    def __cinit__(self):
        self.free = NOWHERE
        self._indexes = {}

    def __dealloc__(self):
        cdef int i
        for i in range(self.width):
            PyMem_RawFree(self.columns[i].data)
        PyMem_RawFree(self.is_open_)

    def __len__(self):
        return self.open_count

    @property
    def capacity(self):
        return self.capacity_

    @property
    def bytes_per_slot(self):
        return 1 + sum([self.columns[i].width for i in range(self.width)])

    cdef int _define(self, tuple names, str codes) except -1:
        cdef int i
        assert len(names) == len(codes) <= COLUMNS_MAX
        for i, code in enumerate(codes):
            self.columns[i].is_none = code in "NT"
            code = {"N": "I", "T": "q"}.get(code, code)
            self.columns[i].width = 1 << (FORMATS.index(code) // 2)
            self.columns[i].is_signed = FORMATS.index(code) % 2
            self._indexes[names[i]] = i
        self.width = len(names)
        return self._grow(16)

    cdef int _grow(self, unsigned long long rows) except -1:
        # A column that was moved before another failed stays valid: it is only larger than it need be.
        cdef int i
        cdef void *grown
        cdef unsigned long long capacity = self.capacity_ if self.capacity_ else 16
        if rows <= self.capacity_:
            return 0
        while capacity < rows:
            capacity *= 2
        if rows >= NOWHERE:
            raise MemoryError(f"{rows} rows are more than slots can number")
        capacity = min(capacity, <unsigned long long>NOWHERE)
        for i in range(self.width):
            grown = PyMem_RawRealloc(self.columns[i].data, capacity * self.columns[i].width)
            if not grown:
                raise MemoryError(f"no memory for {capacity} rows")
            self.columns[i].data = <char *>grown
        grown = PyMem_RawRealloc(self.is_open_, capacity)
        if not grown:
            raise MemoryError(f"no memory for {capacity} rows")
        self.is_open_ = <uint8_t *>grown
        self.capacity_ = <uint32_t>capacity
        return 0

    cdef int _check(self, uint32_t slot) except -1:
        if slot >= self.size or not self.is_open_[slot]:
            raise IndexError(f"slot {slot} is not open")
        return 0

    cdef void _blank(self, uint32_t slot) noexcept:
        cdef int i
        cdef int64_t never = INT64_MAX
        cdef column_t *column
        for i in range(self.width):
            column = &self.columns[i]
            if column.is_none and column.width == 8:
                memcpy(column.data + <size_t>slot * 8, &never, 8)
            else:
                memset(column.data + <size_t>slot * column.width, 0xff if column.is_none else 0, column.width)

    cdef object _get(self, int column, uint32_t slot):
        cdef void *at = self.columns[column].data + <size_t>slot * self.columns[column].width
        cdef int kind = power(self.columns[column].width) * 2 + self.columns[column].is_signed
        if kind == 7:
            return (<int64_t *>at)[0]
        if kind == 6:
            return (<uint64_t *>at)[0]
        if kind == 5:
            return (<int32_t *>at)[0]
        if kind == 4:
            return (<uint32_t *>at)[0]
        if kind == 3:
            return (<int16_t *>at)[0]
        if kind == 2:
            return (<uint16_t *>at)[0]
        if kind == 1:
            return (<int8_t *>at)[0]
        return (<uint8_t *>at)[0]

    cdef int _accepts(self, int column, value) except -1:
        cdef int bits = self.columns[column].width * 8
        cdef bint is_signed = self.columns[column].is_signed
        if type(value) is not int and not isinstance(value, int):
            raise TypeError(f"{type(self).COLUMNS[column]} is an integer, got {type(value).__name__}")
        one = 1  # a Python integer: shifts of a C int end at 31
        low = -(one << (bits - 1)) if is_signed else 0
        high = (one << (bits - 1 if is_signed else bits)) - 1
        if not low <= value <= high:
            raise OverflowError(f"{type(self).COLUMNS[column]} is {value}, outside {low}..{high}")
        return 0

    cdef void _set(self, int column, uint32_t slot, value):
        # The value was accepted; two's complement makes signed and unsigned the same bytes.
        cdef uint64_t bits = <uint64_t>(value & 0xffffffffffffffff)
        cdef void *at = self.columns[column].data + <size_t>slot * self.columns[column].width
        cdef int width = self.columns[column].width
        if width == 8:
            (<uint64_t *>at)[0] = bits
        elif width == 4:
            (<uint32_t *>at)[0] = <uint32_t>bits
        elif width == 2:
            (<uint16_t *>at)[0] = <uint16_t>bits
        else:
            (<uint8_t *>at)[0] = <uint8_t>bits

    def reserve(self, unsigned long long rows):
        self._grow(rows)

    def open(self):
        cdef uint32_t slot = self.free
        if slot != NOWHERE:
            self.free = <uint32_t>(<int64_t *>self.columns[0].data)[slot]
        else:
            self._grow(<unsigned long long>self.size + 1)
            slot = self.size
            self.size += 1
        self._blank(slot)
        self.is_open_[slot] = 1
        self.open_count += 1
        return slot

    def close(self, uint32_t slot):
        self._check(slot)
        self.is_open_[slot] = 0
        (<int64_t *>self.columns[0].data)[slot] = self.free
        self.free = slot
        self.open_count -= 1

    def is_open(self, uint32_t slot):
        return slot < self.size and self.is_open_[slot] != 0

    def read(self, uint32_t slot):
        cdef int i
        self._check(slot)
        return tuple([self._get(i, slot) for i in range(self.width)])

    def write(self, uint32_t slot, tuple row not None):
        cdef int i
        self._check(slot)
        if len(row) != self.width:
            raise ValueError(f"a row has {self.width} values, got {len(row)}")
        for i in range(self.width):
            self._accepts(i, row[i])
        for i in range(self.width):
            self._set(i, slot, row[i])

    def get(self, uint32_t slot, str column not None):
        self._check(slot)
        return self._get(self._indexes[column], slot)

    def set(self, uint32_t slot, str column not None, value):
        self._check(slot)
        self._accepts(self._indexes[column], value)
        self._set(self._indexes[column], slot, value)

    def load(self, columns):
        cdef Py_buffer views[COLUMNS_MAX]
        cdef int held = 0, i
        cdef Py_ssize_t rows = 0
        cdef uint32_t first = self.size
        if len(columns) != self.width:
            raise ValueError(f"a row has {self.width} columns, got {len(columns)}")
        try:
            for i in range(self.width):
                PyObject_GetBuffer(columns[i], &views[i], PyBUF_FORMAT | PyBUF_ND)
                held += 1
                self._fits(i, memoryview(columns[i]))
                if i == 0:
                    rows = views[0].shape[0]
                elif views[i].shape[0] != rows:
                    raise ValueError(f"{type(self).COLUMNS[i]} has {views[i].shape[0]} rows, not {rows}")
            self._grow(<unsigned long long>self.size + rows)
            for i in range(self.width):
                memcpy(
                    self.columns[i].data + <size_t>first * self.columns[i].width, views[i].buf,
                    <size_t>rows * self.columns[i].width,
                )
        finally:
            for i in range(held):
                PyBuffer_Release(&views[i])
        memset(self.is_open_ + first, 1, rows)
        self.size += <uint32_t>rows
        self.open_count += <uint32_t>rows
        return first

    def _fits(self, int column, view):
        # "l" and "L" are "i" or "q" by platform: the width decides, the case tells the sign.
        cdef column_t *one = &self.columns[column]
        letter = view.format.lstrip("@=")
        same = letter in "bhilqBHILQ" and letter.islower() == bool(one.is_signed) and view.itemsize == one.width
        if view.ndim != 1 or not same:
            wanted = FORMATS[power(one.width) * 2 + one.is_signed]
            raise ValueError(f"{type(self).COLUMNS[column]} is a buffer of {wanted!r}, got {view.format!r}")

    def column(self, str name not None):
        cdef column_t *one = &self.columns[self._indexes[name]]
        copy = PyBytes_FromStringAndSize(one.data, <Py_ssize_t>self.size * one.width)
        return memoryview(copy).cast(FORMATS[power(one.width) * 2 + one.is_signed])


cdef class TrackRoster(Roster):
    COLUMNS = (
        "number", "monitor", "environment", "next_track", "health", "verdict", "flags", "failures", "misses",
        "recoveries", "open_runs", "incident", "expected", "deadline", "run_deadline", "last_check_in", "last_success",
        "last_start", "last_duration", "ok_count", "error_count", "started_count", "missed_count", "timed_out_count",
        "unknown_count", "last_lapse", "last_lapse_slot",
    )

    def __cinit__(self):
        self._define(TrackRoster.COLUMNS, "qNNNBBHHHHHqTTTTTTTIIIIIIqT")


cdef class MonitorRoster(Roster):
    COLUMNS = ("number", "project", "policy", "flags", "digest", "first_track", "pause_until", "mute_until")

    def __cinit__(self):
        self._define(MonitorRoster.COLUMNS, "qNNHQNqq")
