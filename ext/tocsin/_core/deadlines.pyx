"""Which deadline falls due first, among millions.

Data: two leaves for each slot, side by side, each a second since 1970 as uint32 (0xffffffff: none). Sixteen leaves
have a parent that holds their minimum, sixteen of those have one, up to a single root. The index of a leaf is its
handle.
Invariant: every inner node is the minimum of its sixteen children. A change recomputes one group of 64 bytes for each
level, and stops at the first whose minimum stays the same.
Expiry walks only subtrees whose minimum is due and stops after `limit` leaves; what is due comes in the order of the
leaves, not of time, and the same state always gives the same order.
Cost: 4.3 bytes a deadline; about 20 ns a change, 5 ns an expired leaf, 1 ns a leaf for a rebuild, which a bulk change
of more than 1/64 of the leaves uses.
Why not a heap or a wheel: every one tried was slower (benchmarks/bench_deadlines.py).
"""
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy, memset

globals().update(NONE=0xffffffff, SLOTS_MAX=0x7fffffff)

cdef uint32_t EMPTY = 0xffffffff
cdef uint64_t SLOTS = 0x7fffffff


cdef inline uint32_t smallest(const uint32_t *group) noexcept nogil:
    cdef uint32_t least = group[0]
    cdef int i
    for i in range(1, FAN):
        least = group[i] if group[i] < least else least
    return least


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
            least = smallest(&heap.nodes[heap.start[level - 1] + (index << 4)])
        if least == parent[0]:
            return
        before = parent[0]
        after = least
        parent[0] = least


cdef inline void count(heap_t *heap, uint32_t leaf, uint32_t before, uint32_t after) noexcept nogil:
    heap.armed[leaf & 1] += <uint32_t>((after != EMPTY) - (before != EMPTY))


cdef void heap_set(heap_t *heap, uint32_t leaf, uint32_t second) noexcept nogil:
    cdef uint32_t before = heap.nodes[leaf]
    if before != second:
        heap.nodes[leaf] = second
        count(heap, leaf, before, second)
        settle(heap, leaf, before, second)


cdef uint32_t walk(
    heap_t *heap, int level, uint64_t index, uint32_t now, uint32_t *out, uint32_t limit
) noexcept nogil:
    # The due leaves below one inner node, which are cleared; the node's minimum is put right on the way back.
    cdef uint64_t child = index << 4, last = child + FAN
    cdef uint32_t *children = &heap.nodes[heap.start[level - 1]]
    cdef uint32_t found = 0
    while child < last and found < limit:
        if children[child] <= now:
            if level == 1:
                children[child] = EMPTY
                heap.armed[child & 1] -= 1
                out[found] = <uint32_t>child
                found += 1
            else:
                found += walk(heap, level - 1, child, now, out + found, limit - found)
        child += 1
    heap.nodes[heap.start[level] + index] = smallest(children + (index << 4))
    return found


cdef uint32_t heap_expire(heap_t *heap, uint32_t now, uint32_t *out, uint32_t limit) noexcept nogil:
    """Clears up to `limit` leaves with second <= now and writes their indexes; `now` must be below 0xffffffff."""
    if heap.nodes[heap.start[heap.levels - 1]] > now:
        return 0
    return walk(heap, heap.levels - 1, 0, now, out, limit)


cdef void heap_rebuild(heap_t *heap) noexcept nogil:
    """Every inner node and both counts from the leaves."""
    cdef uint64_t i
    cdef int level
    heap.armed[0] = heap.armed[1] = 0
    for i in range(heap.size[0]):
        heap.armed[i & 1] += heap.nodes[i] != EMPTY
    for level in range(1, heap.levels):
        for i in range((heap.size[level - 1] + FAN - 1) // FAN):
            heap.nodes[heap.start[level] + i] = smallest(&heap.nodes[heap.start[level - 1] + i * FAN])


cdef class DeadlineHeap:
    def __cinit__(self, uint32_t slots=8):
        self._grow(slots if slots else 1)

    def __dealloc__(self):
        PyMem_RawFree(self.heap.nodes)

    def __len__(self):
        return <uint64_t>self.heap.armed[0] + self.heap.armed[1]

    @property
    def capacity(self):
        return self.heap.slots

    @property
    def nbytes(self):
        return (self.heap.start[self.heap.levels - 1] + 1) * sizeof(uint32_t)

    cdef int _grow(self, uint64_t slots) except -1:
        cdef heap_t grown
        cdef uint64_t size, total = 0
        if slots > SLOTS:
            raise ValueError(f"{slots} slots are more than {SLOTS}")
        size = ((2 * slots + FAN - 1) // FAN) * FAN
        grown.levels = 0
        while True:
            grown.start[grown.levels] = total
            grown.size[grown.levels] = size
            grown.levels += 1
            total += size
            if size == 1:
                break
            size = size // FAN
            if size > 1:  # whole groups only, so that a minimum never reads past its level
                size = ((size + FAN - 1) // FAN) * FAN
        grown.nodes = <uint32_t *>PyMem_RawMalloc(total * sizeof(uint32_t))
        if not grown.nodes:
            raise MemoryError(f"no memory for {slots} slots of deadlines")
        memset(grown.nodes, 0xff, total * sizeof(uint32_t))
        if self.heap.nodes:
            memcpy(grown.nodes, self.heap.nodes, <size_t>self.heap.slots * 2 * sizeof(uint32_t))
            PyMem_RawFree(self.heap.nodes)
        grown.slots = <uint32_t>slots
        heap_rebuild(&grown)
        self.heap = grown
        return 0

    cdef uint32_t _leaf(self, uint32_t slot, int leaf) except? 0xffffffff:
        if leaf != 0 and leaf != 1:
            raise IndexError(f"leaf {leaf} is not 0 or 1")
        if slot >= SLOTS:
            raise IndexError(f"slot {slot} is out of range")
        return slot * 2 + leaf

    def reserve(self, uint64_t slots):
        if slots > self.heap.slots:
            self._grow(slots)

    def set(self, uint32_t slot, int leaf, second):
        cdef uint32_t index = self._leaf(slot, leaf)
        if not 0 <= second < 0xffffffff:
            raise ValueError(f"second {second} is outside 0..0xfffffffe")
        if slot >= self.heap.slots:
            self._grow(min(max(<uint64_t>slot + 1, <uint64_t>self.heap.slots * 2), SLOTS))
        heap_set(&self.heap, index, second)

    def clear(self, uint32_t slot, int leaf):
        cdef uint32_t index = self._leaf(slot, leaf)
        if slot < self.heap.slots:
            heap_set(&self.heap, index, EMPTY)

    def get(self, uint32_t slot, int leaf):
        cdef uint32_t index = self._leaf(slot, leaf)
        return self.heap.nodes[index] if slot < self.heap.slots else EMPTY

    def min(self):
        return self.heap.nodes[self.heap.start[self.heap.levels - 1]]

    def count_by_leaf(self):
        return self.heap.armed[0], self.heap.armed[1]

    def expire(self, now_s, limit):
        cdef uint32_t room, found, i
        cdef uint32_t *out
        if limit < 0:
            raise ValueError(f"limit {limit} is negative")
        if now_s < 0 or limit == 0:
            return []
        room = min(limit, len(self))
        out = <uint32_t *>PyMem_RawMalloc((<size_t>room + 1) * sizeof(uint32_t))
        if not out:
            raise MemoryError(f"no memory for {room} due deadlines")
        try:
            found = heap_expire(&self.heap, min(now_s, 0xfffffffe), out, room)
            return [out[i] for i in range(found)]
        finally:
            PyMem_RawFree(out)

    def expire_into(self, now_s, uint32_t[::1] out):
        if now_s < 0 or out.shape[0] == 0:
            return 0
        return heap_expire(&self.heap, min(now_s, 0xfffffffe), &out[0], <uint32_t>min(out.shape[0], 0xffffffff))

    def set_many(self, const uint32_t[::1] slots, int leaf, const uint32_t[::1] seconds):
        cdef Py_ssize_t n = slots.shape[0], i
        cdef uint32_t highest = 0
        self._leaf(0, leaf)
        if seconds.shape[0] != n:
            raise ValueError(f"{n} slots and {seconds.shape[0]} seconds")
        if n == 0:
            return
        for i in range(n):
            highest = slots[i] if slots[i] > highest else highest
        self._leaf(highest, leaf)
        if highest >= self.heap.slots:
            self._grow(min(max(<uint64_t>highest + 1, <uint64_t>self.heap.slots * 2), SLOTS))
        if <uint64_t>n * 64 > self.heap.size[0]:
            for i in range(n):
                self.heap.nodes[slots[i] * 2 + leaf] = seconds[i]
            heap_rebuild(&self.heap)
        else:
            for i in range(n):
                heap_set(&self.heap, slots[i] * 2 + leaf, seconds[i])
