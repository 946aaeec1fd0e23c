"""PostgreSQL's binary COPY: kernels only, for those who have rows.

Data: a signature, then for each row the number of its fields and for each field its size and its bytes, big-endian; a
size of -1 is NULL, a number of fields of -1 the end (PostgreSQL's documentation, "COPY", "Binary Format").
Invariant: `size` is at most `capacity`; who writes has reserved.
Cost: four bytes a field more than the values.
"""
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc
from libc.stdint cimport int16_t, int32_t, int64_t, uint64_t
from libc.string cimport memcpy, memset


cdef inline void put(copy_t *out, uint64_t value, int width) noexcept nogil:
    # Big-endian, whatever the machine.
    cdef int i
    for i in range(width):
        out.data[out.size + i] = <unsigned char>(value >> (8 * (width - 1 - i)))
    out.size += width


cdef bint copy_begin(copy_t *out, size_t room) noexcept nogil:
    memset(out, 0, sizeof(copy_t))
    if not copy_reserve(out, room + 32):
        return False
    memcpy(out.data, b"PGCOPY\n\xff\r\n\x00", 11)
    out.size = 11
    put(out, 0, 4)  # flags
    put(out, 0, 4)  # size of what else a header may have
    return True


cdef bint copy_reserve(copy_t *out, size_t more) noexcept nogil:
    cdef size_t capacity
    cdef void *grown
    if out.size + more <= out.capacity:
        return True
    capacity = max(out.size + more, out.capacity * 2)
    grown = PyMem_RawRealloc(out.data, capacity)
    if not grown:
        return False
    out.data = <unsigned char *>grown
    out.capacity = capacity
    return True


cdef void copy_row(copy_t *out, int16_t fields) noexcept nogil:
    put(out, <uint64_t>fields, 2)


cdef void copy_null(copy_t *out) noexcept nogil:
    put(out, 0xffffffff, 4)


cdef void copy_bool(copy_t *out, bint value) noexcept nogil:
    put(out, 1, 4)
    put(out, 1 if value else 0, 1)


cdef void copy_int16(copy_t *out, int16_t value) noexcept nogil:
    put(out, 2, 4)
    put(out, <uint64_t>value, 2)


cdef void copy_int32(copy_t *out, int32_t value) noexcept nogil:
    put(out, 4, 4)
    put(out, <uint64_t>value, 4)


cdef void copy_int64(copy_t *out, int64_t value) noexcept nogil:
    put(out, 8, 4)
    put(out, <uint64_t>value, 8)


cdef void copy_bytes(copy_t *out, const unsigned char *value, size_t size) noexcept nogil:
    put(out, size, 4)
    memcpy(out.data + out.size, value, size)
    out.size += size


cdef object copy_end(copy_t *out):
    # `copy_begin` took room for the trailer too.
    try:
        if not copy_reserve(out, 2):
            raise MemoryError("no memory for a copy")
        put(out, 0xffff, 2)
        return PyBytes_FromStringAndSize(<char *>out.data, <Py_ssize_t>out.size)
    finally:
        copy_free(out)


cdef void copy_free(copy_t *out) noexcept nogil:
    PyMem_RawFree(out.data)
    memset(out, 0, sizeof(copy_t))
