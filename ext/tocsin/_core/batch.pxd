# Reports in columns; see batch.pyx.
cimport cython
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t

cdef enum:  # kinds of reports, in the order of domain.check_in.ReportKind
    START, BEAT, OK, ERROR, RESET, NOTE

cdef enum:  # flags of a report
    REST = 1   # it says what a row cannot hold: the rules see it as a `Report`
    ALONE = 2  # it never pairs with an open run

cdef struct report_t:
    uint32_t begin             # where its request lies in the text, for who must read it whole
    uint32_t end
    uint32_t monitor           # where its monitor's id begins in the text
    uint32_t environment       # where its environment's name begins
    uint16_t monitor_size      # bytes
    uint16_t environment_size  # 0: the default environment
    int32_t duration           # ms; -1: none
    uint8_t kind
    uint8_t flags


@cython.final
cdef class Batch:
    cdef report_t *reports       # [capacity]
    cdef uint32_t size
    cdef uint32_t capacity
    cdef const unsigned char *text  # what the places above count from: the owner's bytes, or own
    cdef object owner            # bytes; None: the text is own
    cdef unsigned char *own
    cdef size_t text_size
    cdef size_t own_capacity
    cdef bint busy               # a kernel reads it without the GIL
    cdef int _reserve(self, uint32_t reports) except -1
    cdef uint32_t _place(self, bytes value) except? 0xffffffff
    cdef report_t *_at(self, Py_ssize_t row) except NULL
