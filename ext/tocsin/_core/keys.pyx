"""From the key of a monitor to its slot, without keeping the key.

Data: open addressing with linear probing; a place holds the 128-bit digest of a key and a uint32. The digest is
SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012) under a secret, so nobody who chooses keys can choose
collisions, and two keys meet by chance only after some 10^19 of them.
Invariant: no free place lies between a digest's home place and where it is. A removal moves later entries back instead
of leaving a mark, so a table that lives for years does not slow down.
Cost: 20 bytes a place, at most 3/4 of them taken; growth doubles. A digest of 40 bytes takes about 30 ns.
"""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree, PyMem_RawMalloc
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from tocsin._core.types cimport NOWHERE

globals().update(NOWHERE=NOWHERE)  # a C constant, given to Python


cdef inline uint64_t rotated(uint64_t word, int bits) noexcept nogil:
    return (word << bits) | (word >> (64 - bits))


cdef inline void sip_round(uint64_t *v) noexcept nogil:
    v[0] += v[1]
    v[2] += v[3]
    v[1] = rotated(v[1], 13) ^ v[0]
    v[3] = rotated(v[3], 16) ^ v[2]
    v[0] = rotated(v[0], 32)
    v[2] += v[1]
    v[0] += v[3]
    v[1] = rotated(v[1], 17) ^ v[2]
    v[3] = rotated(v[3], 21) ^ v[0]
    v[2] = rotated(v[2], 32)


cdef inline uint64_t word_at(const unsigned char *data, size_t length) noexcept nogil:
    # Up to eight bytes, little-endian, whatever the machine.
    cdef uint64_t word = 0
    cdef size_t i
    for i in range(length):
        word |= <uint64_t>data[i] << (8 * i)
    return word


cdef digest_t keys_digest(const keys_t *keys, const unsigned char *data, size_t length) noexcept nogil:
    cdef uint64_t v[4]
    cdef uint64_t word
    cdef size_t at = 0
    cdef digest_t digest
    cdef int _
    v[0] = keys.secret[0] ^ 0x736f6d6570736575ULL
    v[1] = keys.secret[1] ^ 0x646f72616e646f6dULL ^ 0xee
    v[2] = keys.secret[0] ^ 0x6c7967656e657261ULL
    v[3] = keys.secret[1] ^ 0x7465646279746573ULL
    while at + 8 <= length:
        word = word_at(data + at, 8)
        v[3] ^= word
        sip_round(v)
        sip_round(v)
        v[0] ^= word
        at += 8
    word = word_at(data + at, length - at) | <uint64_t>(length & 0xff) << 56
    v[3] ^= word
    sip_round(v)
    sip_round(v)
    v[0] ^= word
    v[2] ^= 0xee
    for _ in range(4):
        sip_round(v)
    digest.low = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xdd
    for _ in range(4):
        sip_round(v)
    digest.high = v[0] ^ v[1] ^ v[2] ^ v[3]
    return digest


cdef inline uint64_t place_of(const keys_t *keys, digest_t digest) noexcept nogil:
    # Where the digest is, or the free place where it belongs.
    cdef uint64_t mask = keys.capacity - 1, at = digest.low & mask
    while keys.values[at] != NOWHERE:
        if keys.digests[at].low == digest.low and keys.digests[at].high == digest.high:
            break
        at = (at + 1) & mask
    return at


cdef uint32_t keys_find(const keys_t *keys, digest_t digest) noexcept nogil:
    """The value under a digest, or NOWHERE."""
    return keys.values[place_of(keys, digest)]


cdef void vacate(keys_t *keys, uint64_t hole) noexcept nogil:
    # Entries after the hole move into it unless they would land before their home place.
    cdef uint64_t mask = keys.capacity - 1, at = (hole + 1) & mask, home
    while keys.values[at] != NOWHERE:
        home = keys.digests[at].low & mask
        if ((at - home) & mask) >= ((at - hole) & mask):
            keys.digests[hole] = keys.digests[at]
            keys.values[hole] = keys.values[at]
            hole = at
        at = (at + 1) & mask
    keys.values[hole] = NOWHERE
    keys.count -= 1


cdef class KeyTable:
    def __cinit__(self, bytes secret not None):
        if len(secret) != 16:
            raise ValueError(f"the secret has 16 bytes, got {len(secret)}")
        self.keys.secret[0] = word_at(<const unsigned char *>PyBytes_AS_STRING(secret), 8)
        self.keys.secret[1] = word_at(<const unsigned char *>PyBytes_AS_STRING(secret) + 8, 8)
        self._resize(16)

    def __dealloc__(self):
        PyMem_RawFree(self.keys.digests)
        PyMem_RawFree(self.keys.values)

    def __len__(self):
        return self.keys.count

    @property
    def capacity(self):
        return self.keys.capacity

    @property
    def nbytes(self):
        return self.keys.capacity * (sizeof(digest_t) + sizeof(uint32_t))

    cdef digest_t _digest(self, bytes data):
        return keys_digest(&self.keys, <const unsigned char *>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))

    cdef int _resize(self, uint64_t capacity) except -1:
        cdef keys_t grown = self.keys
        cdef uint64_t i, at
        grown.capacity = capacity
        grown.digests = <digest_t *>PyMem_RawCalloc(capacity, sizeof(digest_t))
        grown.values = <uint32_t *>PyMem_RawMalloc(capacity * sizeof(uint32_t))
        if not grown.digests or not grown.values:
            PyMem_RawFree(grown.digests)
            PyMem_RawFree(grown.values)
            raise MemoryError(f"no memory for {capacity} keys")
        memset(grown.values, 0xff, capacity * sizeof(uint32_t))
        for i in range(self.keys.capacity):
            if self.keys.values[i] != NOWHERE:
                at = place_of(&grown, self.keys.digests[i])
                grown.digests[at] = self.keys.digests[i]
                grown.values[at] = self.keys.values[i]
        PyMem_RawFree(self.keys.digests)
        PyMem_RawFree(self.keys.values)
        self.keys = grown
        return 0

    cdef int _put(self, bytes data, uint32_t value) except -1:
        cdef digest_t digest
        cdef uint64_t at
        if value == NOWHERE:
            raise ValueError(f"value {value} means nowhere")
        if (self.keys.count + 1) * 4 > self.keys.capacity * 3:
            self._resize(self.keys.capacity * 2)
        digest = self._digest(data)
        at = place_of(&self.keys, digest)
        if self.keys.values[at] == NOWHERE:
            self.keys.count += 1
        self.keys.digests[at] = digest
        self.keys.values[at] = value
        return 0

    def reserve(self, uint64_t keys):
        cdef uint64_t capacity = self.keys.capacity
        if keys > <uint64_t>1 << 40:
            raise MemoryError(f"no memory for {keys} keys")
        while keys * 4 > capacity * 3:
            capacity *= 2
        if capacity > self.keys.capacity:
            self._resize(capacity)

    def digest(self, bytes data not None):
        cdef digest_t digest = self._digest(data)
        return digest.low, digest.high

    def put(self, bytes data not None, uint32_t value):
        self._put(data, value)

    def put_many(self, list keys not None, const uint32_t[::1] values):
        cdef Py_ssize_t i, n = len(keys)
        if values.shape[0] != n:
            raise ValueError(f"{n} keys and {values.shape[0]} values")
        for i in range(n):
            if not isinstance(keys[i], bytes):
                raise TypeError(f"key {i} is not bytes")
            if values[i] == NOWHERE:
                raise ValueError(f"value {i} means nowhere")
        self.reserve(self.keys.count + n)
        for i in range(n):
            self._put(keys[i], values[i])

    def get(self, bytes data not None):
        return keys_find(&self.keys, self._digest(data))

    def get_many(self, list keys not None, uint32_t[::1] out):
        cdef Py_ssize_t i, n = len(keys), found = 0
        if out.shape[0] != n:
            raise ValueError(f"{n} keys and {out.shape[0]} results")
        for i in range(n):
            if not isinstance(keys[i], bytes):
                raise TypeError(f"key {i} is not bytes")
            out[i] = keys_find(&self.keys, self._digest(keys[i]))
            found += out[i] != NOWHERE
        return found

    def remove(self, bytes data not None):
        cdef uint64_t at = place_of(&self.keys, self._digest(data))
        if self.keys.values[at] == NOWHERE:
            return False
        vacate(&self.keys, at)
        return True
