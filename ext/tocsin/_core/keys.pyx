"""From the key of a monitor to its slot, without keeping the key.

Data: linear probing in the order of the digests. The home of a digest is its low half times the capacity, divided by
2^64, so that any capacity will do, and the whole table is ascending: to find is to skip what is smaller. A place holds
128 bits of SipHash-2-4 (Aumasson and Bernstein, 2012) under a secret, and a uint32: nobody who chooses keys can choose
collisions, and by chance two keys meet only after some 10^19 of them.
Invariant: ascending by the low half; no free place between a digest's home and its place. An entry pushes the greater
ones on up to the next free place, a removal takes them back: no marks, no ageing. Nothing wraps: a tail of places
follows the last home, and a table whose tail is full grows.
Cost: 20 bytes a place, 7/8 of them taken at most; 23 bytes a key after `reserve`. Growth by half is one pass in order.
"""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memmove, memset

from tocsin._core.handles cimport watch_of
from tocsin._core.types cimport NOWHERE, large_pages, prefetch, word_of, words_product_high

globals().update(NOWHERE=NOWHERE)  # a C constant, given to Python

cdef enum:
    CHUNK = 64       # keys of a batch whose places are asked for ahead
    TAIL_MAX = 64    # seldom exceeded at 7/8: the chance is some 10^-7, and then the table grows

cdef uint64_t FREE = 0xffffffffffffffffULL


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


cdef inline uint64_t last_word(const unsigned char *data, size_t at, size_t length) noexcept nogil:
    # The bytes from `at` on, fewer than eight, little-endian, whatever the machine.
    cdef uint64_t word = 0
    cdef size_t i
    if length == at:
        return 0
    if length >= 8:  # what the word before has already is shifted out
        return word_of(data + length - 8) >> (8 * (8 - (length - at)))
    for i in range(length):
        word |= <uint64_t>data[i] << (8 * i)
    return word


cdef void keys_secret(keys_t *keys, const unsigned char *secret) noexcept nogil:
    """Sixteen bytes."""
    keys.secret[0] = word_of(secret)
    keys.secret[1] = word_of(secret + 8)


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
        word = word_of(data + at)
        v[3] ^= word
        sip_round(v)
        sip_round(v)
        v[0] ^= word
        at += 8
    word = last_word(data, at, length) | <uint64_t>(length & 0xff) << 56
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


cdef inline digest_t ordered(digest_t digest) noexcept nogil:
    # The one low half that means "free" gives way to its neighbour.
    if digest.low == FREE:
        digest.low = FREE - 1
    return digest


cdef inline uint64_t home_of(const keys_t *keys, uint64_t low) noexcept nogil:
    return words_product_high(low, keys.capacity)


cdef inline uint64_t place_of(const keys_t *keys, digest_t digest) noexcept nogil:
    # Where the digest is, or the first place with a greater one, or a free place: where it belongs.
    cdef uint64_t at = home_of(keys, digest.low)
    while keys.digests[at].low < digest.low:
        at += 1
    while keys.digests[at].low == digest.low and keys.digests[at].high != digest.high:
        at += 1
    return at


cdef inline bint is_at(const keys_t *keys, uint64_t at, digest_t digest) noexcept nogil:
    return keys.digests[at].low == digest.low and keys.digests[at].high == digest.high


cdef uint32_t keys_find(const keys_t *keys, digest_t digest) noexcept nogil:
    """The value of a digest, or NOWHERE."""
    cdef uint64_t at
    digest = ordered(digest)
    at = place_of(keys, digest)
    return keys.values[at] if is_at(keys, at, digest) else NOWHERE


cdef uint64_t keys_room(const keys_t *keys, uint64_t count) noexcept nogil:
    """The capacity that `count` keys need; the present one if that is enough."""
    return keys.capacity if count * 8 <= keys.capacity * 7 else (count * 8 + 6) // 7


cdef bint keys_resize(keys_t *keys, uint64_t capacity) noexcept nogil:
    """A table with at least `capacity` homes instead; False when there is no memory for it, and nothing changed."""
    cdef keys_t grown = keys[0]
    cdef uint64_t at, end, i
    while True:
        grown.capacity = capacity
        grown.places = capacity + min(capacity, <uint64_t>TAIL_MAX)
        grown.digests = <digest_t *>PyMem_RawMalloc((grown.places + 1) * sizeof(digest_t))
        grown.values = <uint32_t *>PyMem_RawMalloc(grown.places * sizeof(uint32_t))
        if not grown.digests or not grown.values:
            keys_free(&grown)
            return False
        large_pages(grown.digests, (grown.places + 1) * sizeof(digest_t))
        large_pages(grown.values, grown.places * sizeof(uint32_t))
        memset(grown.digests, 0xff, (grown.places + 1) * sizeof(digest_t))
        memset(grown.values, 0xff, grown.places * sizeof(uint32_t))
        end = 0
        for i in range(keys.places):
            if keys.digests[i].low != FREE:
                at = max(home_of(&grown, keys.digests[i].low), end)
                if at == grown.places:
                    break
                grown.digests[at] = keys.digests[i]
                grown.values[at] = keys.values[i]
                end = at + 1
        else:
            keys_free(keys)
            keys[0] = grown
            return True
        keys_free(&grown)
        capacity += capacity // 16 + 16  # the tail is too short, which is rare


cdef bint keys_put(keys_t *keys, digest_t digest, uint32_t value) noexcept nogil:
    """Adds or replaces; False when there is no memory to grow, and nothing changed."""
    cdef uint64_t at, end
    digest = ordered(digest)
    while True:
        at = place_of(keys, digest)
        if is_at(keys, at, digest):
            keys.values[at] = value
            return True
        if (keys.count + 1) * 8 <= keys.capacity * 7:
            end = at
            while end < keys.places and keys.digests[end].low != FREE:
                end += 1
            if end < keys.places:
                memmove(&keys.digests[at + 1], &keys.digests[at], (end - at) * sizeof(digest_t))
                memmove(&keys.values[at + 1], &keys.values[at], (end - at) * sizeof(uint32_t))
                keys.digests[at] = digest
                keys.values[at] = value
                keys.count += 1
                return True
        if not keys_resize(keys, keys.capacity + keys.capacity // 2 + 16):
            return False


cdef bint keys_remove(keys_t *keys, digest_t digest) noexcept nogil:
    """Whether it was there."""
    cdef uint64_t at, end
    digest = ordered(digest)
    at = place_of(keys, digest)
    if not is_at(keys, at, digest):
        return False
    end = at + 1
    while keys.digests[end].low != FREE and home_of(keys, keys.digests[end].low) < end:
        end += 1
    memmove(&keys.digests[at], &keys.digests[at + 1], (end - at - 1) * sizeof(digest_t))
    memmove(&keys.values[at], &keys.values[at + 1], (end - at - 1) * sizeof(uint32_t))
    keys.digests[end - 1].low = keys.digests[end - 1].high = FREE
    keys.values[end - 1] = NOWHERE
    keys.count -= 1
    return True


cdef void keys_free(keys_t *keys) noexcept nogil:
    PyMem_RawFree(keys.digests)
    PyMem_RawFree(keys.values)
    keys.digests = NULL
    keys.values = NULL


cdef uint64_t keys_bytes(const keys_t *keys) noexcept nogil:
    return keys.places * (sizeof(digest_t) + sizeof(uint32_t)) + sizeof(digest_t)


cdef void keys_expect(const keys_t *keys, const digest_t *digests, Py_ssize_t n) noexcept nogil:
    """The processor fetches the homes of a chunk all at once instead of waiting for each."""
    cdef Py_ssize_t i
    cdef uint64_t home
    for i in range(n):
        home = home_of(keys, digests[i].low)
        prefetch(&keys.digests[home])
        prefetch(&keys.digests[min(home + 4, keys.places)])
        prefetch(&keys.values[home])


cdef class KeyTable:
    def __cinit__(self, bytes secret not None, owner=None):
        if len(secret) != 16:
            raise ValueError(f"the secret has 16 bytes, got {len(secret)}")
        keys_secret(&self.keys, <const unsigned char *>PyBytes_AS_STRING(secret))
        if not keys_resize(&self.keys, 16):
            raise MemoryError("no memory for a key table")
        self.watch = watch_of(owner)

    def __dealloc__(self):
        keys_free(&self.keys)

    def __len__(self):
        return self.keys.count

    @property
    def capacity(self):
        return self.keys.capacity

    @property
    def nbytes(self):
        return keys_bytes(&self.keys)

    cdef int _mine(self) except -1:
        if self.busy:
            raise RuntimeError("another thread is in the middle of a batch of keys")
        return 0

    cdef digest_t _digest(self, bytes data):
        return keys_digest(&self.keys, <const unsigned char *>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))

    cdef int _reserve(self, uint64_t keys, bint exactly) except -1:
        # A batch grows by half at least, or many small ones would build the table anew each time.
        cdef uint64_t capacity
        if keys > <uint64_t>1 << 40:
            raise MemoryError(f"no memory for {keys} keys")
        capacity = keys_room(&self.keys, keys)
        if capacity > self.keys.capacity and not exactly:
            capacity = max(capacity, self.keys.capacity + self.keys.capacity // 2 + 16)
        if capacity > self.keys.capacity and not keys_resize(&self.keys, capacity):
            raise MemoryError(f"no memory for {keys} keys")
        return 0

    cdef int _put_digests(self, const digest_t *digests, const uint32_t *values, Py_ssize_t n) except -1:
        cdef Py_ssize_t i
        cdef bint done = True
        self.busy = True
        with nogil:
            keys_expect(&self.keys, digests, n)
            for i in range(n):
                done = keys_put(&self.keys, digests[i], values[i])
                if not done:
                    break
        self.busy = False
        if not done:
            raise MemoryError(f"no memory for {self.keys.count + 1} keys")
        if self.watch is not None:
            for i in range(n):
                self.watch.store((digests[i].low, digests[i].high), values[i])
        return 0

    def reserve(self, uint64_t keys):
        self._mine()
        self._reserve(keys, True)

    def digest(self, bytes data not None):
        cdef digest_t digest = self._digest(data)
        return digest.low, digest.high

    def put(self, bytes data not None, uint32_t value):
        cdef digest_t digest
        self._mine()
        if value == NOWHERE:
            raise ValueError(f"value {value} means nowhere")
        digest = self._digest(data)
        if not keys_put(&self.keys, digest, value):
            raise MemoryError(f"no memory for {self.keys.count + 1} keys")
        if self.watch is not None:
            self.watch.store((digest.low, digest.high), value)

    def put_many(self, list keys not None, const uint32_t[::1] values):
        cdef Py_ssize_t i, first = 0, n = len(keys)
        cdef digest_t digests[CHUNK]
        self._mine()
        keys = list(keys)  # whoever changes the list in the middle changes another one
        n = len(keys)
        if values.shape[0] != n:
            raise ValueError(f"{n} keys and {values.shape[0]} values")
        for i in range(n):
            if type(keys[i]) is not bytes:
                raise TypeError(f"key {i} is not bytes")
            if values[i] == NOWHERE:
                raise ValueError(f"value {i} means nowhere")
        self._reserve(self.keys.count + n, False)
        while first < n:
            for i in range(min(<Py_ssize_t>CHUNK, n - first)):
                digests[i] = self._digest(keys[first + i])
            self._put_digests(digests, &values[first], min(<Py_ssize_t>CHUNK, n - first))
            first += CHUNK

    def put_joined(self, const unsigned char[::1] data, const uint64_t[::1] ends, const uint32_t[::1] values):
        cdef Py_ssize_t i, first = 0, n = ends.shape[0], many
        cdef uint64_t begin = 0, end, size = data.shape[0]
        cdef const unsigned char *text = NULL
        cdef digest_t digests[CHUNK]
        cdef bint done = True
        self._mine()
        if values.shape[0] != n:
            raise ValueError(f"{n} keys and {values.shape[0]} values")
        for i in range(n):
            if ends[i] < begin or ends[i] > <uint64_t>data.shape[0]:
                raise ValueError(f"key {i} ends at {ends[i]}, outside {begin}..{data.shape[0]}")
            if values[i] == NOWHERE:
                raise ValueError(f"value {i} means nowhere")
            begin = ends[i]
        if n == 0:
            return
        self._reserve(self.keys.count + n, False)
        if size:
            text = &data[0]
        self.busy = True
        with nogil:
            begin = 0
            while first < n and done:
                many = min(<Py_ssize_t>CHUNK, n - first)
                for i in range(many):
                    end = min(max(ends[first + i], begin), size)  # once more: another thread may have changed them
                    digests[i] = keys_digest(&self.keys, text + begin, end - begin)
                    begin = end
                keys_expect(&self.keys, digests, many)
                for i in range(many):
                    done = done and keys_put(&self.keys, digests[i], values[first + i])
                first += many
        self.busy = False
        if not done:
            raise MemoryError(f"no memory for {self.keys.count + 1} keys")
        if self.watch is not None:
            begin = 0
            for i in range(n):
                self.watch.store(self.digest(bytes(data[begin:ends[i]])), values[i])
                begin = ends[i]

    def get(self, bytes data not None):
        cdef digest_t digest
        cdef uint32_t found
        self._mine()
        digest = self._digest(data)
        found = keys_find(&self.keys, digest)
        if self.watch is not None and found != NOWHERE:
            self.watch.verify((digest.low, digest.high), found)
        return found

    def get_many(self, list keys not None, uint32_t[::1] out):
        cdef Py_ssize_t i, first = 0, many, n = len(keys), found = 0
        cdef digest_t digests[CHUNK]
        self._mine()
        keys = list(keys)  # whoever changes the list in the middle changes another one
        n = len(keys)
        if out.shape[0] != n:
            raise ValueError(f"{n} keys and {out.shape[0]} results")
        for i in range(n):
            if type(keys[i]) is not bytes:
                raise TypeError(f"key {i} is not bytes")
        while first < n:
            many = min(<Py_ssize_t>CHUNK, n - first)
            for i in range(many):
                digests[i] = self._digest(keys[first + i])
            self.busy = True
            with nogil:
                keys_expect(&self.keys, digests, many)
                for i in range(many):
                    out[first + i] = keys_find(&self.keys, digests[i])
                    found += out[first + i] != NOWHERE
            self.busy = False
            if self.watch is not None:
                for i in range(many):
                    if out[first + i] != NOWHERE:
                        self.watch.verify((digests[i].low, digests[i].high), out[first + i])
            first += many
        return found

    def remove(self, bytes data not None):
        cdef digest_t digest
        self._mine()
        digest = self._digest(data)
        if self.watch is not None:
            self.watch.forget((digest.low, digest.high))
        return keys_remove(&self.keys, digest)
