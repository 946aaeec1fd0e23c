"""Reports of one project that arrived together, as rows that kernels read: no object for each.

Data: an array of `report_t`, and a text that its places point into: the request as it came, or one that `append` grows.
Invariant: every place with its size lies within the text; kinds are those of domain.check_in.ReportKind, in its order.
A row flagged REST says what columns cannot; whoever steps the batch has it as a `Report`, by its index.
Cost: 32 bytes a report, and the text.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

KINDS = ("START", "BEAT", "OK", "ERROR", "RESET", "NOTE")


@cython.final
cdef class Batch:
    def __cinit__(self):
        self.owner = None

    def __dealloc__(self):
        PyMem_RawFree(self.reports)
        PyMem_RawFree(self.own)

    def __len__(self):
        return self.size

    @property
    def nbytes(self):
        text = self.own_capacity if self.owner is None else <size_t>PyBytes_GET_SIZE(self.owner)
        return self.capacity * sizeof(report_t) + text

    cdef int _reserve(self, uint32_t reports) except -1:
        cdef void *grown
        cdef uint32_t capacity
        if reports <= self.capacity:
            return 0
        capacity = max(reports, self.capacity * 2, <uint32_t>16)
        grown = PyMem_RawRealloc(self.reports, <size_t>capacity * sizeof(report_t))
        if not grown:
            raise MemoryError(f"no memory for {capacity} reports")
        self.reports = <report_t *>grown
        self.capacity = capacity
        return 0

    cdef uint32_t _place(self, bytes value) except? 0xffffffff:
        # Appends to the own text; where it begins there.
        cdef size_t size = <size_t>PyBytes_GET_SIZE(value), begin = self.text_size
        cdef void *grown
        if self.owner is not None:
            raise TypeError("a batch that was read from a request takes no more reports")
        if begin + size > 0xfffffff0:
            raise OverflowError("the texts of a batch are over 4 GiB")
        if not self.own or begin + size > self.own_capacity:
            grown = PyMem_RawRealloc(self.own, max(begin + size, self.own_capacity * 2, <size_t>256))
            if not grown:
                raise MemoryError("no memory for the texts of a batch")
            self.own_capacity = max(begin + size, self.own_capacity * 2, <size_t>256)
            self.own = <unsigned char *>grown
            self.text = self.own
        memcpy(self.own + begin, PyBytes_AS_STRING(value), size)
        self.text_size = begin + size
        return <uint32_t>begin

    cdef report_t *_at(self, Py_ssize_t row) except NULL:
        if not 0 <= row < <Py_ssize_t>self.size:
            raise IndexError(f"no report {row} in a batch of {self.size}")
        return &self.reports[row]

    def append(
        self, str monitor_id not None, int kind, str environment not None="", int duration=-1, bint alone=False,
        bint rest=False,
    ):
        cdef bytes monitor = monitor_id.encode(), name = environment.encode()
        cdef report_t report
        if not 0 <= kind <= NOTE:
            raise ValueError(f"no kind {kind}")
        if duration < -1:
            raise ValueError(f"a duration of {duration} ms")
        if len(monitor) > 0xffff or len(name) > 0xffff:
            raise ValueError("an id or a name of more than 65535 bytes")
        if self.busy:
            raise RuntimeError("another thread is in the middle of this batch")
        self._reserve(self.size + 1)
        report.monitor = self._place(monitor)
        report.monitor_size = <uint16_t>len(monitor)
        report.environment = self._place(name)
        report.environment_size = <uint16_t>len(name)
        report.begin = report.end = 0
        report.kind = <uint8_t>kind
        report.duration = duration
        report.flags = <uint8_t>((ALONE if alone else 0) | (REST if rest else 0))
        self.reports[self.size] = report
        self.size += 1
        return self.size - 1

    def row(self, Py_ssize_t row):
        cdef report_t *report = self._at(row)
        return (
            self.text[report.monitor:report.monitor + report.monitor_size].decode(),
            report.kind,
            self.text[report.environment:report.environment + report.environment_size].decode(),
            report.duration,
            bool(report.flags & ALONE),
            bool(report.flags & REST),
        )

    def request(self, Py_ssize_t row):
        cdef report_t *report = self._at(row)
        return self.text[report.begin:report.end]

    def span(self, Py_ssize_t row):
        cdef report_t *report = self._at(row)
        return report.begin, report.end

    def part(self, Py_ssize_t begin, Py_ssize_t end):
        cdef Batch made = Batch()
        if self.owner is None:
            raise TypeError("this batch was not read from a request")
        if not 0 <= begin <= end <= <Py_ssize_t>self.size:
            raise IndexError(f"no reports {begin} to {end} in a batch of {self.size}")
        if end > begin:
            made._reserve(<uint32_t>(end - begin))
            memcpy(made.reports, self.reports + begin, <size_t>(end - begin) * sizeof(report_t))
        made.size = <uint32_t>(end - begin)
        made.owner, made.text, made.text_size = self.owner, self.text, self.text_size
        return made

    def drop(self, rows not None):
        cdef uint32_t row, kept = 0
        cdef set gone = set(rows)
        for dropped in gone:
            self._at(dropped)
        for row in range(self.size):
            if row not in gone:
                self.reports[kept] = self.reports[row]
                kept += 1
        self.size = kept

    def rest(self):
        cdef uint32_t row
        found = []
        for row in range(self.size):
            if self.reports[row].flags & REST:
                found.append(row)
        return found

    def leave(self, Py_ssize_t row):
        self._at(row).flags |= REST
