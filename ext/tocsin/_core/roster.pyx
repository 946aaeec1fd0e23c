"""The hot state of every track and every monitor: one array for each column, one slot for each row.

Data: `columns`, described once in a table of names and letters; reading, writing and loading are loops over it. Kernels
reach a column directly, by the names in roster.pxd. A slot is an index and stays the same until the row is closed.
    B H I q Q   as in the `array` module: integers of 1, 2, 4 and 8 bytes, 0 in a new row
    N           uint32 that links to a slot: NOWHERE in a new row
    w T         48 bits, int64 outside: an instant or a number, 0 or NEVER in a new row; nothing below 0
    D           int32 length of time: -1 in a new row
Invariant: a slot's bit in `open_bits` is set, or it is in the free list (linked through the first column, a w), or it
is at `size` or above.
Cost: 114 bytes a track, 40 a monitor; growth doubles (`reserve` is exact) and moves one column at a time.
"""
from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from tocsin._core.types cimport IS_DEBUG, NEVER, NOWHERE, large_pages

cdef dict WIDTHS = {"B": 1, "H": 2, "I": 4, "N": 4, "D": 4, "w": 6, "T": 6, "q": 8, "Q": 8}


cdef inline Py_ssize_t first_unfit(const int64_t *values, Py_ssize_t rows) noexcept nogil:
    # Without a branch, so that the compiler may look at several at once; which one it is, is looked for only if any is.
    cdef Py_ssize_t i
    cdef int unfit = 0
    for i in range(rows):
        unfit |= not wide_fits(values[i])
    if unfit:
        for i in range(rows):
            if not wide_fits(values[i]):
                return i
    return -1


cdef void copy_wide(char *column, size_t first, const int64_t *values, size_t rows) noexcept nogil:
    cdef size_t i
    for i in range(rows):
        wide_put(column, first + i, values[i])


cdef void set_bits(uint8_t *bits, uint32_t first, uint32_t rows) noexcept nogil:
    cdef uint32_t slot = first, end = first + rows
    while slot < end and slot & 7:
        bits[slot >> 3] |= <uint8_t>(1 << (slot & 7))
        slot += 1
    if slot < end:
        memset(bits + (slot >> 3), 0xff, (end - slot) >> 3)
        slot += (end - slot) & ~<uint32_t>7
    while slot < end:
        bits[slot >> 3] |= <uint8_t>(1 << (slot & 7))
        slot += 1


cdef class Roster:
    COLUMNS = ()

    def __cinit__(self):
        self.free = NOWHERE
        self._indexes = {}

    def __dealloc__(self):
        cdef int i
        for i in range(self.width):
            PyMem_RawFree(self.columns[i].data)
        PyMem_RawFree(self.open_bits)
        PyMem_RawFree(self.generations)

    def __len__(self):
        return self.open_count

    @property
    def capacity(self):
        return self.capacity_

    @property
    def bytes_per_slot(self):
        cdef int i, whole = 0
        for i in range(self.width):
            whole += self.columns[i].width
        return whole + 0.125

    @property
    def nbytes(self):
        return int(self.capacity_ * self.bytes_per_slot)

    cdef int _define(self, tuple names, str codes) except -1:
        cdef int i
        assert len(names) == len(codes) <= COLUMNS_MAX
        for i, code in enumerate(codes):
            self.columns[i].is_none = code in "NTD"
            self.columns[i].is_signed = code in "qwTD"
            self.columns[i].width = WIDTHS[code]
            self._indexes[names[i]] = i
        self.width = len(names)
        return self._grow(16, True)

    cdef int _mine(self) except -1:
        if self.busy:
            raise RuntimeError("another thread is in the middle of a batch of rows")
        return 0

    cdef int _grow(self, unsigned long long rows, bint exactly) except -1:
        # A column that was moved before another failed stays valid: it is only larger than it need be.
        cdef int i
        cdef void *grown
        cdef unsigned long long capacity
        if rows <= self.capacity_:
            return 0
        if self.width == 0:
            raise TypeError(f"{type(self).__name__} has no columns: use TrackRoster or MonitorRoster")
        if rows >= NOWHERE:
            raise MemoryError(f"{rows} rows are more than slots can number")
        capacity = rows if exactly else max(rows, <unsigned long long>self.capacity_ * 2)
        capacity = min((capacity + 7) & ~<unsigned long long>7, <unsigned long long>NOWHERE)
        for i in range(self.width):
            grown = PyMem_RawRealloc(self.columns[i].data, capacity * self.columns[i].width)
            if not grown:
                raise MemoryError(f"no memory for {capacity} rows")
            self.columns[i].data = <char *>grown
            large_pages(grown, capacity * self.columns[i].width)
        grown = PyMem_RawRealloc(self.open_bits, (capacity + 7) // 8)
        if not grown:
            raise MemoryError(f"no memory for {capacity} rows")
        self.open_bits = <uint8_t *>grown
        if IS_DEBUG:
            grown = PyMem_RawRealloc(self.generations, capacity)
            if not grown:
                raise MemoryError(f"no memory for {capacity} rows")
            self.generations = <uint8_t *>grown
            memset(self.generations + self.capacity_, 0, capacity - self.capacity_)
        memset(self.open_bits + (self.capacity_ + 7) // 8, 0, (capacity + 7) // 8 - (self.capacity_ + 7) // 8)
        self.capacity_ = <uint32_t>capacity
        return 0

    cdef int _check(self, uint32_t slot) except -1:
        self._mine()
        if slot >= self.size or not bit_at(self.open_bits, slot):
            raise IndexError(f"slot {slot} is not open")
        return 0

    cdef void _blank(self, uint32_t slot) noexcept:
        cdef int i
        cdef column_t *column
        for i in range(self.width):
            column = &self.columns[i]
            memset(column.data + <size_t>slot * column.width, 0xff if column.is_none else 0, column.width)

    cdef object _get(self, int column, uint32_t slot):
        cdef const char *data = self.columns[column].data
        cdef int width = self.columns[column].width
        if width == 6:
            return wide_at(data, slot)
        if width == 4:
            return (<int32_t *>data)[slot] if self.columns[column].is_signed else (<uint32_t *>data)[slot]
        if width == 8:
            return (<int64_t *>data)[slot] if self.columns[column].is_signed else (<uint64_t *>data)[slot]
        return (<uint16_t *>data)[slot] if width == 2 else (<uint8_t *>data)[slot]

    cdef int _accepts(self, int column, value) except -1:
        cdef int bits = self.columns[column].width * 8
        cdef bint is_signed = self.columns[column].is_signed
        if type(value) is not int and not isinstance(value, int):
            raise TypeError(f"{type(self).COLUMNS[column]} is an integer, got {type(value).__name__}")
        one = 1  # a Python integer: shifts of a C int end at 31
        if bits == 48:
            low, high = 0, WIDE_NEVER - 1
            if value == NEVER:
                return 0
        else:
            low = -(one << (bits - 1)) if is_signed else 0
            high = (one << (bits - 1 if is_signed else bits)) - 1
        if not low <= value <= high:
            raise OverflowError(f"{type(self).COLUMNS[column]} is {value}, outside {low}..{high}")
        return 0

    cdef void _set(self, int column, uint32_t slot, value):
        # The value was accepted; two's complement makes signed and unsigned the same bytes.
        cdef uint64_t bits = <uint64_t>(value & 0xffffffffffffffff)
        cdef char *data = self.columns[column].data
        cdef int width = self.columns[column].width
        if width == 8:
            (<uint64_t *>data)[slot] = bits
        elif width == 6:
            wide_put(data, slot, <int64_t>bits)  # NEVER is all ones in its lower 48 bits too
        elif width == 4:
            (<uint32_t *>data)[slot] = <uint32_t>bits
        elif width == 2:
            (<uint16_t *>data)[slot] = <uint16_t>bits
        else:
            (<uint8_t *>data)[slot] = <uint8_t>bits

    def reserve(self, unsigned long long rows):
        self._mine()
        self._grow(rows, True)

    def open(self):
        cdef uint32_t slot = self.free
        self._mine()
        if slot != NOWHERE:
            self.free = <uint32_t>wide_at(self.columns[0].data, slot)
        else:
            self._grow(<unsigned long long>self.size + 1, False)
            slot = self.size
            self.size += 1
        self._blank(slot)
        self.open_bits[slot >> 3] |= <uint8_t>(1 << (slot & 7))
        self.open_count += 1
        return slot

    def close(self, uint32_t slot):
        self._check(slot)
        self.open_bits[slot >> 3] &= <uint8_t>~(1 << (slot & 7))
        wide_put(self.columns[0].data, slot, self.free)
        if IS_DEBUG:
            self.generations[slot] += 1
        self.free = slot
        self.open_count -= 1

    cpdef bint is_open(self, uint32_t slot):
        return slot < self.size and bit_at(self.open_bits, slot)

    cpdef int generation(self, uint32_t slot) except -1:
        if slot >= self.size:
            raise IndexError(f"slot {slot} was never open")
        return self.generations[slot] if IS_DEBUG else 0

    def read(self, uint32_t slot):
        cdef int i
        self._check(slot)
        row = PyTuple_New(self.width)
        for i in range(self.width):
            value = self._get(i, slot)
            Py_INCREF(value)  # the tuple takes one reference over
            PyTuple_SET_ITEM(row, i, value)
        return row

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
        cdef Py_ssize_t rows = 0, unfit
        cdef uint32_t first = self.size
        cdef column_t *column
        self._mine()
        columns = tuple(columns)  # what was checked must be what is read
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
            self._grow(<unsigned long long>self.size + rows, False)
            unfit = -1
            self.busy = True
            with nogil:
                for i in range(self.width):
                    column = &self.columns[i]
                    if column.width == 6:
                        unfit = first_unfit(<const int64_t *>views[i].buf, rows)
                        if unfit >= 0:
                            break
                        copy_wide(column.data, first, <const int64_t *>views[i].buf, rows)
                    else:
                        memcpy(column.data + <size_t>first * column.width, views[i].buf, <size_t>rows * column.width)
            self.busy = False
            if unfit >= 0:
                self._accepts(i, (<const int64_t *>views[i].buf)[unfit])
        finally:
            for i in range(held):
                PyBuffer_Release(&views[i])
        set_bits(self.open_bits, first, <uint32_t>rows)
        self.size += <uint32_t>rows
        self.open_count += <uint32_t>rows
        return first

    def _format(self, int column):
        cdef column_t *one = &self.columns[column]
        letters = {1: "B", 2: "H", 4: "I", 6: "Q", 8: "Q"}
        return letters[one.width].lower() if one.is_signed else letters[one.width]

    def _fits(self, int column, view):
        # "l" and "L" are "i" or "q" by platform: the width decides, the case tells the sign.
        cdef column_t *one = &self.columns[column]
        cdef int width = 8 if one.width == 6 else one.width
        letter = view.format.lstrip("@=")
        same = letter in "bhilqBHILQ" and letter.islower() == bool(one.is_signed) and view.itemsize == width
        if view.ndim != 1 or not same:
            wanted = self._format(column)
            raise ValueError(f"{type(self).COLUMNS[column]} is a buffer of {wanted!r}, got {view.format!r}")

    def column(self, str name not None):
        cdef int index = self._indexes[name]
        cdef column_t *one = &self.columns[index]
        cdef uint32_t size = self.size, slot
        cdef int64_t *out
        self._mine()
        if one.width != 6:
            copy = PyBytes_FromStringAndSize(one.data, <Py_ssize_t>size * one.width)
        else:
            copy = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>size * 8)
            out = <int64_t *>PyBytes_AS_STRING(copy)
            for slot in range(size):
                out[slot] = wide_at(one.data, slot)
        return memoryview(copy).cast(self._format(index))


cdef class TrackRoster(Roster):
    COLUMNS = (
        "number", "monitor", "environment", "next_track", "health", "verdict", "flags", "failures", "misses",
        "recoveries", "open_runs", "incident", "expected", "deadline", "run_deadline", "last_check_in", "last_success",
        "last_start", "last_duration", "ok_count", "error_count", "started_count", "missed_count", "timed_out_count",
        "unknown_count", "last_lapse", "last_lapse_slot",
    )

    def __cinit__(self):
        self._define(TrackRoster.COLUMNS, "wNNNBBHHHHHwTTTTTTDIIIIIIqT")


cdef class MonitorRoster(Roster):
    COLUMNS = ("number", "project", "policy", "flags", "digest", "first_track", "pause_until", "mute_until")

    def __cinit__(self):
        self._define(MonitorRoster.COLUMNS, "wNNHQNww")
