# 128-bit digests of keys to numbers; see keys.pyx.
from libc.stdint cimport uint32_t, uint64_t

cdef struct digest_t:
    uint64_t low
    uint64_t high

cdef struct keys_t:
    digest_t *digests     # [capacity]
    uint32_t *values      # [capacity]; NOWHERE marks a free place
    uint64_t capacity     # a power of two
    uint64_t count
    uint64_t secret[2]

cdef digest_t keys_digest(const keys_t *keys, const unsigned char *data, size_t length) noexcept nogil
cdef uint32_t keys_find(const keys_t *keys, digest_t digest) noexcept nogil


cdef class KeyTable:
    cdef keys_t keys
    cdef digest_t _digest(self, bytes data)
    cdef int _resize(self, uint64_t capacity) except -1
    cdef int _put(self, bytes data, uint32_t value) except -1
