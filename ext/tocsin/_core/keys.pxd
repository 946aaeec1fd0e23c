# 128-bit digests of keys to numbers; see keys.pyx.
from libc.stdint cimport uint32_t, uint64_t

from tocsin._core.handles cimport Watch

cdef struct digest_t:
    uint64_t low
    uint64_t high

cdef struct keys_t:
    digest_t *digests     # [places + 1], ascending by `low`; a free place and the last one have low = FREE
    uint32_t *values      # [places]; NOWHERE at a free place
    uint64_t capacity     # places that can be a home
    uint64_t places       # the capacity and a tail, because nothing wraps around
    uint64_t count
    uint64_t secret[2]

# For other kernels that keep a table of their own. `keys_resize` makes the first one too, of an all-zero struct.
cdef void keys_secret(keys_t *keys, const unsigned char *secret) noexcept nogil
cdef digest_t keys_digest(const keys_t *keys, const unsigned char *data, size_t length) noexcept nogil
cdef uint32_t keys_find(const keys_t *keys, digest_t digest) noexcept nogil
cdef uint64_t keys_room(const keys_t *keys, uint64_t count) noexcept nogil
cdef bint keys_resize(keys_t *keys, uint64_t capacity) noexcept nogil
cdef bint keys_put(keys_t *keys, digest_t digest, uint32_t value) noexcept nogil
cdef bint keys_remove(keys_t *keys, digest_t digest) noexcept nogil
cdef void keys_free(keys_t *keys) noexcept nogil
cdef uint64_t keys_bytes(const keys_t *keys) noexcept nogil
cdef void keys_expect(const keys_t *keys, const digest_t *digests, Py_ssize_t n) noexcept nogil


cdef class KeyTable:
    cdef keys_t keys
    cdef bint busy    # a batch works on it without the GIL
    cdef Watch watch  # debug builds: the values are slots of a roster
    cdef int _mine(self) except -1
    cdef digest_t _digest(self, bytes data)
    cdef int _reserve(self, uint64_t keys, bint exactly) except -1
    cdef int _put_digests(self, const digest_t *digests, const uint32_t *values, Py_ssize_t n) except -1
