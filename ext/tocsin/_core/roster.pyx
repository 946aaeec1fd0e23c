"""The hot state of every track and every monitor: one row each, what is asked for together side by side.

Data: an array of rows without gaps, `track_t` or `monitor_t`; a table of names and letters tells Python what each of
their fields is, and reading, writing and loading are loops over it. A kernel takes the struct. A slot is an index and
stays the same until the row is closed.
    B H I q Q   as in the `array` module: integers of 1, 2, 4 and 8 bytes, 0 in a new row
    N           uint32 that links to a slot: NOWHERE in a new row
    w T         48 bits, int64 outside: an instant or a number, 0 or NEVER in a new row; nothing below 0
    D           int32 length of time: -1 in a new row
Invariant: a slot's bit in `open_bits` is set, or it is in the free list (linked through the first column, a w), or it
is at `size` or above. A bit in `moved_bits` is of an open slot: who writes tracks to the store later asks for them.
Cost: 114 bytes a track, 40 a monitor; growth doubles (`reserve` is exact). Not an array for each column: a report at a
random track would wait for twenty cache lines instead of two or three.
"""
from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from tocsin._core.types cimport IS_DEBUG, NEVER, NOWHERE, large_pages, lowest_bit

cdef enum:
    BLOCK = 256  # rows of a load that are filled column by column

LAYOUT_VERSION = LAYOUT
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


cdef void scatter(
    unsigned char *at, size_t stride, const column_t *column, const char *values, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    # Values `first` to `last` of one column into the rows that begin at `at`, which is the field of value `first`.
    cdef Py_ssize_t i
    cdef size_t width = column.width
    if width == 6:
        for i in range(first, last):
            wide_set(at, (<const int64_t *>values)[i])
            at += stride
    elif width == 4:
        for i in range(first, last):
            memcpy(at, values + i * 4, 4)
            at += stride
    else:
        for i in range(first, last):
            memcpy(at, values + i * width, width)
            at += stride


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
        PyMem_RawFree(self.rows)
        PyMem_RawFree(self.open_bits)
        PyMem_RawFree(self.generations)

    def __len__(self):
        return self.open_count

    @property
    def capacity(self):
        return self.capacity_

    @property
    def bytes_per_slot(self):
        return self.stride + 0.125

    @property
    def nbytes(self):
        return int(self.capacity_ * self.bytes_per_slot)

    cdef int _define(self, tuple names, str codes, str order, size_t stride) except -1:
        # `order`: the names as they lie in the struct of `stride` bytes.
        cdef int i
        cdef size_t offset = 0
        assert len(names) == len(codes) <= COLUMNS_MAX
        for i, code in enumerate(codes):
            self.columns[i].is_none = code in "NTD"
            self.columns[i].is_signed = code in "qwTD"
            self.columns[i].width = WIDTHS[code]
            self._indexes[names[i]] = i
        for name in order.split():
            i = self._indexes[name]
            self.columns[i].offset = <uint16_t>offset
            offset += self.columns[i].width
        assert offset == stride
        self.width = len(names)
        self.stride = <uint32_t>stride
        return self._grow(16, True)

    cdef int _mine(self) except -1:
        if self.busy:
            raise RuntimeError("another thread is in the middle of a batch of rows")
        return 0

    cdef int _grow(self, unsigned long long rows, bint exactly) except -1:
        cdef unsigned long long capacity
        if rows <= self.capacity_:
            return 0
        if self.width == 0:
            raise TypeError(f"{type(self).__name__} has no columns: use TrackRoster or MonitorRoster")
        if rows >= NOWHERE:
            raise MemoryError(f"{rows} rows are more than slots can number")
        capacity = rows if exactly else max(rows, <unsigned long long>self.capacity_ * 2)
        capacity = min((capacity + 7) & ~<unsigned long long>7, <unsigned long long>NOWHERE)
        return self._move(<uint32_t>capacity)

    cdef int _move(self, uint32_t capacity) except -1:
        # What was moved before another part failed stays valid: it is only larger than it need be.
        cdef size_t bits = (<size_t>capacity + 7) // 8, bits_before = (<size_t>self.capacity_ + 7) // 8
        cdef void *grown = PyMem_RawRealloc(self.rows, <size_t>capacity * self.stride)
        if not grown:
            raise MemoryError(f"no memory for {capacity} rows")
        self.rows = <unsigned char *>grown
        large_pages(grown, <size_t>capacity * self.stride)
        grown = PyMem_RawRealloc(self.open_bits, bits)
        if not grown:
            raise MemoryError(f"no memory for {capacity} rows")
        self.open_bits = <uint8_t *>grown
        if IS_DEBUG:
            grown = PyMem_RawRealloc(self.generations, capacity)
            if not grown:
                raise MemoryError(f"no memory for {capacity} rows")
            self.generations = <uint8_t *>grown
            memset(self.generations + self.capacity_, 0, capacity - self.capacity_)
        memset(self.open_bits + bits_before, 0, bits - bits_before)
        self.capacity_ = capacity
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
            memset(
                self.rows + <size_t>slot * self.stride + column.offset, 0xff if column.is_none else 0, column.width
            )

    cdef object _get(self, int column, uint32_t slot):
        cdef const column_t *one = &self.columns[column]
        cdef const unsigned char *at = self.rows + <size_t>slot * self.stride + one.offset
        cdef uint64_t eight
        cdef uint32_t four
        cdef uint16_t two
        if one.width == 6:
            return wide_get(at)
        if one.width == 4:
            memcpy(&four, at, 4)
            return <int32_t>four if one.is_signed else four
        if one.width == 8:
            memcpy(&eight, at, 8)
            return <int64_t>eight if one.is_signed else eight
        if one.width == 2:
            memcpy(&two, at, 2)
            return two
        return at[0]

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
        cdef const column_t *one = &self.columns[column]
        cdef unsigned char *at = self.rows + <size_t>slot * self.stride + one.offset
        cdef uint32_t four = <uint32_t>bits
        cdef uint16_t two = <uint16_t>bits
        if one.width == 8:
            memcpy(at, &bits, 8)
        elif one.width == 6:
            wide_set(at, <int64_t>bits)  # NEVER is all ones in its lower 48 bits too
        elif one.width == 4:
            memcpy(at, &four, 4)
        elif one.width == 2:
            memcpy(at, &two, 2)
        else:
            at[0] = <uint8_t>bits

    def reserve(self, unsigned long long rows):
        self._mine()
        self._grow(rows, True)

    def open(self):
        cdef uint32_t slot = self.free
        self._mine()
        if slot != NOWHERE:
            self.free = <uint32_t>wide_get(self.rows + <size_t>slot * self.stride + self.columns[0].offset)
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
        wide_set(self.rows + <size_t>slot * self.stride + self.columns[0].offset, self.free)
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
        cdef Py_ssize_t rows = 0, unfit, done, last
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
                    if self.columns[i].width == 6:
                        unfit = first_unfit(<const int64_t *>views[i].buf, rows)
                        if unfit >= 0:
                            break
                else:
                    done = 0
                    while done < rows:  # a block of rows at a time, which stays in the cache for all columns
                        last = min(done + BLOCK, rows)
                        for i in range(self.width):
                            column = &self.columns[i]
                            scatter(
                                self.rows + (<size_t>first + done) * self.stride + column.offset, self.stride, column,
                                <const char *>views[i].buf, done, last,
                            )
                        done = last
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
        cdef const unsigned char *at = self.rows + one.offset
        cdef char *out
        self._mine()
        copy = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>size * (8 if one.width == 6 else one.width))
        out = PyBytes_AS_STRING(copy)
        if one.width == 6:
            for slot in range(size):
                (<int64_t *>out)[slot] = wide_get(at)
                at += self.stride
        elif one.width == 4:
            for slot in range(size):
                memcpy(out + <size_t>slot * 4, at, 4)
                at += self.stride
        else:
            for slot in range(size):
                memcpy(out + <size_t>slot * one.width, at, one.width)
                at += self.stride
        return memoryview(copy).cast(self._format(index))


cdef class TrackRoster(Roster):
    COLUMNS = (
        "number", "monitor", "environment", "next_track", "health", "verdict", "flags", "failures", "misses",
        "recoveries", "open_runs", "incident", "expected", "deadline", "run_deadline", "last_check_in", "last_success",
        "last_start", "last_duration", "ok_count", "error_count", "started_count", "missed_count", "timed_out_count",
        "unknown_count", "last_lapse", "last_lapse_slot",
    )

    def __cinit__(self):
        self._define(
            TrackRoster.COLUMNS, "wNNNBBHHHHHwTTTTTTDIIIIIIqT",
            "number monitor environment health verdict flags failures misses recoveries open_runs expected deadline"
            " run_deadline last_check_in last_success last_start last_duration ok_count last_lapse next_track incident"
            " error_count started_count missed_count timed_out_count unknown_count last_lapse_slot",
            sizeof(track_t),
        )

    def __dealloc__(self):
        PyMem_RawFree(self.moved_bits)

    cdef int _move(self, uint32_t capacity) except -1:
        cdef size_t bits = (<size_t>capacity + 7) // 8, bits_before = (<size_t>self.capacity_ + 7) // 8
        cdef void *grown = PyMem_RawRealloc(self.moved_bits, bits)
        if not grown:
            raise MemoryError(f"no memory for {capacity} rows")
        self.moved_bits = <uint8_t *>grown
        memset(self.moved_bits + bits_before, 0, bits - bits_before)
        return Roster._move(self, capacity)

    @property
    def bytes_per_slot(self):
        return self.stride + 0.25

    def close(self, uint32_t slot):
        Roster.close(self, slot)
        unmark_moved(self, slot)

    @property
    def moved_count(self):
        return self.moved

    def is_moved(self, uint32_t slot):
        self._check(slot)
        return bit_at(self.moved_bits, slot)

    def mark_moved(self, uint32_t slot):
        self._check(slot)
        mark_moved(self, slot)

    def clear_moved(self, uint32_t slot):
        self._check(slot)
        unmark_moved(self, slot)

    def take_moved(self, uint32_t limit):
        cdef uint32_t room = min(limit, self.moved), found = 0, slot = self.cursor
        cdef bytes taken
        cdef uint32_t *out
        cdef uint8_t bits
        self._mine()
        taken = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>room * 4)
        out = <uint32_t *>PyBytes_AS_STRING(taken)
        while found < room:  # there are so many, and it goes round: it ends
            if slot >= self.size:
                slot = 0
            bits = self.moved_bits[slot >> 3] >> (slot & 7)
            if not bits:
                slot = (slot | 7) + 1
                continue
            slot += <uint32_t>lowest_bit(bits)
            self.moved_bits[slot >> 3] &= <uint8_t>~(1 << (slot & 7))
            out[found] = slot
            found += 1
            slot += 1
        self.cursor = slot
        self.moved -= found
        return memoryview(taken).cast("I")


cdef class MonitorRoster(Roster):
    COLUMNS = ("number", "project", "policy", "flags", "digest", "first_track", "pause_until", "mute_until")

    def __cinit__(self):
        self._define(
            MonitorRoster.COLUMNS, "wNNHQNww",
            "number project policy flags first_track pause_until mute_until digest", sizeof(monitor_t),
        )
