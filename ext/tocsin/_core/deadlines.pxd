# The deadline heap: an implicit 16-ary min-tournament; see deadlines.pyx.
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    FAN = 16
    LEVELS_MAX = 9

cdef struct heap_t:
    uint32_t *nodes               # all levels in one block, the leaves first
    uint64_t start[LEVELS_MAX]    # where each level begins in `nodes`
    uint64_t size[LEVELS_MAX]     # nodes in it, a multiple of FAN except for the root level
    int levels                    # the root is nodes[start[levels - 1]]
    uint32_t slots                # capacity
    uint32_t armed[2]             # leaves that hold a deadline, by kind of leaf

# Kernels: leaf = 2 * slot + kind must be below 2 * slots.
cdef void heap_set(heap_t *heap, uint32_t leaf, uint32_t second) noexcept nogil
cdef uint32_t heap_expire(heap_t *heap, uint32_t now, uint32_t *out, uint32_t limit) noexcept nogil
cdef void heap_rebuild(heap_t *heap) noexcept nogil


cdef class DeadlineHeap:
    cdef heap_t heap
    cdef uint32_t _leaf(self, uint32_t slot, int leaf) except? 0xffffffff
    cdef int _grow(self, uint64_t slots) except -1
