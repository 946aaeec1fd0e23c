"""Which deadline falls due first, among millions.

Data: two leaves for each slot, side by side, each a second since 1970 as uint32 (0xffffffff: none). Sixteen leaves
have a parent that holds their minimum, sixteen of those have one, up to a single root. The index of a leaf is its
handle; sixteen children are one cache line.
Invariant: every inner node is the minimum of its sixteen children. A change recomputes one group of 64 bytes for each
level, and stops at the first whose minimum stays the same.
Expiry walks only subtrees whose minimum is due and stops after `limit` leaves; what is due comes in the order of the
leaves, not of time, and the same state always gives the same order.
Cost: 4.3 bytes a deadline; a change is a cache line or two, asked for ahead in a batch. A bulk change of more than
1/64 of the leaves writes them all and rebuilds. Figures, and why not a heap or a wheel: ext/README.md.
"""
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from libc.stdint cimport uint32_t, uint64_t, uintptr_t
from libc.string cimport memcpy, memset

from tocsin._core.handles cimport watch_of
from tocsin._core.types cimport large_pages, list_of, lowest_bit, prefetch

cdef extern from * nogil:
    """
    #include <stdint.h>
    #if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
    #define TOCSIN_HAS_AVX2_CODE 1
    #include <immintrin.h>
    __attribute__((target("avx2")))
    static uint32_t tocsin_smallest_avx2(const uint32_t *group) {
        __m256i least = _mm256_min_epu32(
            _mm256_load_si256((const __m256i *)group), _mm256_load_si256((const __m256i *)(group + 8)));
        __m128i half = _mm_min_epu32(_mm256_castsi256_si128(least), _mm256_extracti128_si256(least, 1));
        half = _mm_min_epu32(half, _mm_shuffle_epi32(half, 0x4e));
        half = _mm_min_epu32(half, _mm_shuffle_epi32(half, 0xb1));
        return (uint32_t)_mm_cvtsi128_si32(half);
    }
    __attribute__((target("avx2")))
    static uint32_t tocsin_due_avx2(const uint32_t *group, uint32_t now) {
        __m256i limit = _mm256_set1_epi32((int)now);
        __m256i low = _mm256_load_si256((const __m256i *)group);
        __m256i high = _mm256_load_si256((const __m256i *)(group + 8));
        low = _mm256_cmpeq_epi32(_mm256_min_epu32(low, limit), low);
        high = _mm256_cmpeq_epi32(_mm256_min_epu32(high, limit), high);
        return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(low))
            | (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(high)) << 8;
    }
    static int tocsin_has_avx2(void) {
        __builtin_cpu_init();
        return __builtin_cpu_supports("avx2") != 0;
    }
    #else
    #define TOCSIN_HAS_AVX2_CODE 0
    static uint32_t tocsin_smallest_avx2(const uint32_t *group) { (void)group; return 0; }
    static uint32_t tocsin_due_avx2(const uint32_t *group, uint32_t now) { (void)group; (void)now; return 0; }
    static int tocsin_has_avx2(void) { return 0; }
    #endif
    """
    uint32_t smallest_avx2 "tocsin_smallest_avx2"(const uint32_t *group)
    uint32_t due_avx2 "tocsin_due_avx2"(const uint32_t *group, uint32_t now)
    bint has_avx2 "tocsin_has_avx2"()

cdef enum:
    AHEAD = 16  # updates of a batch whose cache lines are asked for in advance

cdef uint32_t EMPTY = 0xffffffff
cdef uint64_t SLOTS = 0x7fffffff


cdef uint32_t smallest_plain(const uint32_t *group) noexcept nogil:
    cdef uint32_t least = group[0]
    cdef int i
    for i in range(1, FAN):
        least = group[i] if group[i] < least else least
    return least


cdef uint32_t due_plain(const uint32_t *group, uint32_t now) noexcept nogil:
    cdef uint32_t bits = 0
    cdef int i
    for i in range(FAN):
        bits |= <uint32_t>(group[i] <= now) << i
    return bits


cdef group_ops_t PLAIN
PLAIN.smallest = smallest_plain
PLAIN.due = due_plain
cdef group_ops_t VECTOR = PLAIN
if has_avx2():
    VECTOR.smallest = smallest_avx2
    VECTOR.due = due_avx2

globals().update(NONE=0xffffffff, SLOTS_MAX=0x7fffffff, VECTOR="avx2" if has_avx2() else "plain")


cdef inline void settle(heap_t *heap, uint32_t leaf, uint32_t before, uint32_t after) noexcept nogil:
    # Carries a change of one leaf upwards until a minimum stays the same.
    cdef uint64_t index = leaf
    cdef uint32_t least
    cdef uint32_t *parent
    cdef int level
    for level in range(1, heap.levels):
        index >>= 4
        parent = &heap.nodes[heap.start[level] + index]
        least = parent[0]
        if after < least:
            least = after
        elif before == least:
            least = heap.ops.smallest(&heap.nodes[heap.start[level - 1] + (index << 4)])
        if least == parent[0]:
            return
        before = parent[0]
        after = least
        parent[0] = least


cdef void heap_set(heap_t *heap, uint32_t leaf, uint32_t second) noexcept nogil:
    cdef uint32_t before = heap.nodes[leaf]
    if before != second:
        heap.nodes[leaf] = second
        heap.armed[leaf & 1] += <uint32_t>((second != EMPTY) - (before != EMPTY))
        settle(heap, leaf, before, second)


cdef uint64_t heap_set_each(
    heap_t *heap, const uint32_t *slots, uint32_t leaf, const uint32_t *seconds, uint64_t n
) noexcept nogil:
    # How many were set: it stops at a slot beyond the capacity, which only a thread that changes `slots` can put there.
    cdef uint64_t i
    cdef uint32_t slot
    for i in range(n):
        if i + AHEAD < n:
            prefetch(&heap.nodes[<uint64_t>slots[i + AHEAD] * 2])
            prefetch(&heap.nodes[heap.start[1] + (slots[i + AHEAD] >> 3)])
        slot = slots[i]
        if slot >= heap.slots:
            return i
        heap_set(heap, slot * 2 + leaf, seconds[i])
    return n


cdef uint64_t heap_set_all(
    heap_t *heap, const uint32_t *slots, uint32_t leaf, const uint32_t *seconds, uint64_t n
) noexcept nogil:
    # The same for so many that building all inner nodes anew costs less.
    cdef uint64_t i
    cdef uint32_t slot
    for i in range(n):
        slot = slots[i]
        if slot >= heap.slots:
            break
        heap.nodes[<uint64_t>slot * 2 + leaf] = seconds[i]
    else:
        i = n
    heap_rebuild(heap)
    return i


cdef inline uint32_t count_even(uint32_t bits) noexcept nogil:
    # Of sixteen bits, how many with an even index are set: pairs are added in nibbles, the nibbles by a product.
    return ((((bits & 0x1111) + (bits >> 2 & 0x1111)) * 0x1111) >> 12) & 0xf


cdef inline uint32_t harvest(
    heap_t *heap, uint64_t group, uint32_t now, uint32_t *out, uint32_t limit
) noexcept nogil:
    # The due leaves of one group, which are cleared; its minimum is put right.
    cdef uint32_t *leaves = &heap.nodes[group << 4]
    cdef uint32_t due = heap.ops.due(leaves, now), taken = due, found = 0, even, first = <uint32_t>(group << 4)
    cdef int child
    while due and found < limit:
        child = lowest_bit(due)
        due &= due - 1
        leaves[child] = EMPTY
        out[found] = first + child
        found += 1
    even = count_even(taken ^ due)
    heap.armed[0] -= even
    heap.armed[1] -= found - even
    heap.nodes[heap.start[1] + group] = heap.ops.smallest(leaves)
    return found


cdef uint32_t walk(
    heap_t *heap, int level, uint64_t index, uint32_t now, uint32_t *out, uint32_t limit
) noexcept nogil:
    # The due leaves below one inner node, whose minimum is put right on the way back.
    cdef uint32_t *children
    cdef uint32_t due, rest, found = 0
    cdef uint64_t child
    if level == 1:
        return harvest(heap, index, now, out, limit)
    children = &heap.nodes[heap.start[level - 1] + (index << 4)]
    due = rest = heap.ops.due(children, now)
    while rest:
        prefetch(&heap.nodes[heap.start[level - 2] + (((index << 4) + lowest_bit(rest)) << 4)])
        rest &= rest - 1
    while due and found < limit:
        child = (index << 4) + lowest_bit(due)
        due &= due - 1
        if level == 2:
            found += harvest(heap, child, now, out + found, limit - found)
        else:
            found += walk(heap, level - 1, child, now, out + found, limit - found)
    heap.nodes[heap.start[level] + index] = heap.ops.smallest(children)
    return found


cdef uint32_t heap_expire(heap_t *heap, uint32_t now, uint32_t *out, uint32_t limit) noexcept nogil:
    """Clears up to `limit` leaves with second <= now and writes their indexes; `now` must be below 0xffffffff."""
    if limit == 0 or heap.nodes[heap.start[heap.levels - 1]] > now:
        return 0
    return walk(heap, heap.levels - 1, 0, now, out, limit)


cdef void heap_rebuild(heap_t *heap) noexcept nogil:
    """Every inner node and both counts from the leaves."""
    cdef uint64_t i, groups = heap.size[0] // FAN
    cdef uint32_t armed[2]
    cdef int level, j
    cdef const uint32_t *group
    armed[0] = armed[1] = 0
    for i in range(groups):
        group = &heap.nodes[i * FAN]
        for j in range(0, FAN, 2):
            armed[0] += group[j] != EMPTY
            armed[1] += group[j + 1] != EMPTY
        heap.nodes[heap.start[1] + i] = heap.ops.smallest(group)
    heap.armed[0], heap.armed[1] = armed[0], armed[1]
    for level in range(2, heap.levels):
        for i in range(heap.size[level - 1] // FAN):
            heap.nodes[heap.start[level] + i] = heap.ops.smallest(&heap.nodes[heap.start[level - 1] + i * FAN])


cdef bint heap_grow(heap_t *heap, uint64_t slots) noexcept nogil:
    """Makes `heap` one of so many slots beside its old block, which is the caller's to free; False: no memory."""
    cdef uint64_t size = ((2 * slots + FAN - 1) // FAN) * FAN, total = 0
    cdef uint32_t *leaves = heap.nodes
    cdef void *block
    cdef int levels = 0
    while True:
        heap.start[levels] = total
        heap.size[levels] = size
        levels += 1
        total += size
        if size == 1:
            break
        size = size // FAN
        if size > 1:  # whole groups only, so that a minimum never reads past its level
            size = ((size + FAN - 1) // FAN) * FAN
    block = PyMem_RawMalloc(total * sizeof(uint32_t) + 63)
    if not block:
        return False
    large_pages(block, total * sizeof(uint32_t))
    heap.block = block
    heap.nodes = <uint32_t *>((<uintptr_t>block + 63) & ~<uintptr_t>63)
    heap.levels = levels
    memset(heap.nodes, 0xff, total * sizeof(uint32_t))
    if leaves:
        memcpy(heap.nodes, leaves, <size_t>heap.slots * 2 * sizeof(uint32_t))
    heap.slots = <uint32_t>slots
    heap_rebuild(heap)
    return True


cdef class DeadlineHeap:
    def __cinit__(self, uint32_t slots=8, owner=None, bint vector=True):
        self.heap.ops = &VECTOR if vector else &PLAIN
        self._grow(slots if slots else 1)
        self.watch = watch_of(owner)

    def __dealloc__(self):
        PyMem_RawFree(self.heap.block)

    def __len__(self):
        return <uint64_t>self.heap.armed[0] + self.heap.armed[1]

    @property
    def capacity(self):
        return self.heap.slots

    @property
    def nbytes(self):
        return (self.heap.start[self.heap.levels - 1] + 1) * sizeof(uint32_t)

    cdef int _mine(self) except -1:
        if self.busy:
            raise RuntimeError("another thread is in the middle of a batch of deadlines")
        return 0

    cdef int _grow(self, uint64_t slots) except -1:
        # The old block stays until the GIL is held again: whoever only looks, looks at it.
        cdef heap_t grown = self.heap
        cdef bint done
        if slots > SLOTS:
            raise ValueError(f"{slots} slots are more than {SLOTS}")
        self.busy = True
        with nogil:
            done = heap_grow(&grown, slots)
        self.busy = False
        if not done:
            raise MemoryError(f"no memory for {slots} slots of deadlines")
        PyMem_RawFree(self.heap.block)
        self.heap = grown
        return 0

    cdef uint32_t _leaf(self, uint32_t slot, int leaf) except? 0xffffffff:
        if leaf != 0 and leaf != 1:
            raise IndexError(f"leaf {leaf} is not 0 or 1")
        if slot >= SLOTS:
            raise IndexError(f"slot {slot} is out of range")
        return slot * 2 + leaf

    def reserve(self, uint64_t slots):
        self._mine()
        if slots > self.heap.slots:
            self._grow(slots)

    def set(self, uint32_t slot, int leaf, second):
        cdef uint32_t index = self._leaf(slot, leaf)
        self._mine()
        if not 0 <= second < 0xffffffff:
            raise ValueError(f"second {second} is outside 0..0xfffffffe")
        if self.watch is not None:
            self.watch.store(index, slot)
        if slot >= self.heap.slots:
            self._grow(min(max(<uint64_t>slot + 1, <uint64_t>self.heap.slots * 2), SLOTS))
        heap_set(&self.heap, index, second)

    def clear(self, uint32_t slot, int leaf):
        cdef uint32_t index = self._leaf(slot, leaf)
        self._mine()
        if slot < self.heap.slots:
            heap_set(&self.heap, index, EMPTY)

    def get(self, uint32_t slot, int leaf):
        cdef uint32_t index = self._leaf(slot, leaf)
        return self.heap.nodes[index] if slot < self.heap.slots else EMPTY

    def min(self):
        return self.heap.nodes[self.heap.start[self.heap.levels - 1]]

    def count_by_leaf(self):
        return self.heap.armed[0], self.heap.armed[1]

    cdef uint32_t _expire(self, uint32_t now, uint32_t *out, uint32_t limit) except? 0xffffffff:
        cdef uint32_t found, i
        self.busy = True
        with nogil:
            found = heap_expire(&self.heap, now, out, limit)
        self.busy = False
        if self.watch is not None:
            for i in range(found):
                self.watch.verify(out[i], out[i] >> 1)
        return found

    def expire(self, now_s, limit):
        cdef uint32_t room, found, second, i
        cdef uint32_t *out
        self._mine()
        if limit < 0:
            raise ValueError(f"limit {limit} is negative")
        if now_s < 0 or limit == 0:
            return []
        room = min(limit, len(self))
        out = <uint32_t *>PyMem_RawMalloc((<size_t>room + 1) * sizeof(uint32_t))
        if not out:
            raise MemoryError(f"no memory for {room} due deadlines")
        try:
            second = min(now_s, 0xfffffffe)
            found = self._expire(second, out, room)
            try:
                return list_of(out, found)
            except MemoryError:  # nobody has been told: they are due still
                for i in range(found):
                    heap_set(&self.heap, out[i], second)
                raise
        finally:
            PyMem_RawFree(out)

    def expire_into(self, now_s, uint32_t[::1] out):
        self._mine()
        if now_s < 0 or out.shape[0] == 0:
            return 0
        return self._expire(min(now_s, 0xfffffffe), &out[0], <uint32_t>min(out.shape[0], 0xfffffffe))

    def set_many(self, const uint32_t[::1] slots, int leaf, const uint32_t[::1] seconds):
        cdef Py_ssize_t n = slots.shape[0], i
        cdef uint32_t highest = 0
        cdef uint64_t done
        self._mine()
        self._leaf(0, leaf)
        if seconds.shape[0] != n:
            raise ValueError(f"{n} slots and {seconds.shape[0]} seconds")
        if n == 0:
            return
        for i in range(n):
            highest = slots[i] if slots[i] > highest else highest
        self._leaf(highest, leaf)
        if self.watch is not None:
            for i in range(n):
                if seconds[i] != EMPTY:
                    self.watch.store(slots[i] * 2 + leaf, slots[i])
        if highest >= self.heap.slots:
            self._grow(min(max(<uint64_t>highest + 1, <uint64_t>self.heap.slots * 2), SLOTS))
        self.busy = True
        with nogil:
            if <uint64_t>n * 64 > self.heap.size[0]:
                done = heap_set_all(&self.heap, &slots[0], leaf, &seconds[0], n)
            else:
                done = heap_set_each(&self.heap, &slots[0], leaf, &seconds[0], n)
        self.busy = False
        if done != <uint64_t>n:
            raise IndexError(f"slot {done} of the batch was changed in the middle of it")
