# PostgreSQL's binary COPY, written into memory that grows; see pgcopy.pyx.
from libc.stdint cimport int16_t, int32_t, int64_t

cdef struct copy_t:
    unsigned char *data
    size_t size
    size_t capacity

cdef bint copy_begin(copy_t *out, size_t room) noexcept nogil  # False: no memory
cdef bint copy_reserve(copy_t *out, size_t more) noexcept nogil  # False: no memory, and nothing changed
# None of these asks for room: `copy_reserve` first.
cdef void copy_row(copy_t *out, int16_t fields) noexcept nogil
cdef void copy_null(copy_t *out) noexcept nogil
cdef void copy_bool(copy_t *out, bint value) noexcept nogil
cdef void copy_int16(copy_t *out, int16_t value) noexcept nogil
cdef void copy_int32(copy_t *out, int32_t value) noexcept nogil
cdef void copy_int64(copy_t *out, int64_t value) noexcept nogil
cdef void copy_bytes(copy_t *out, const unsigned char *value, size_t size) noexcept nogil
cdef object copy_end(copy_t *out)  # bytes; what was made is freed
cdef void copy_free(copy_t *out) noexcept nogil
