# The deadline heap: an implicit 16-ary min-tournament; see deadlines.pyx.
from libc.stdint cimport uint32_t, uint64_t

from tocsin._core.handles cimport Watch

cdef enum:
    FAN = 16
    LEVELS_MAX = 9

# What is done to a group of FAN numbers that lies on a boundary of 64 bytes; plain or with vector instructions.
cdef struct group_ops_t:
    uint32_t (*smallest)(const uint32_t *group) noexcept nogil
    uint32_t (*due)(const uint32_t *group, uint32_t now) noexcept nogil  # bit i: group[i] <= now

cdef struct heap_t:
    void *block                   # what was allocated; NULL of an empty struct
    uint32_t *nodes               # all levels in it, the leaves first, from a boundary of 64 bytes
    uint64_t start[LEVELS_MAX]    # where each level begins in `nodes`
    uint64_t size[LEVELS_MAX]     # nodes in it, a multiple of FAN except for the root level
    int levels                    # the root is nodes[start[levels - 1]]
    uint32_t slots                # capacity
    uint32_t armed[2]             # leaves that hold a deadline, by kind of leaf
    const group_ops_t *ops

# Kernels: leaf = 2 * slot + kind must be below 2 * slots.
cdef void heap_set(heap_t *heap, uint32_t leaf, uint32_t second) noexcept nogil
cdef uint32_t heap_expire(heap_t *heap, uint32_t now, uint32_t *out, uint32_t limit) noexcept nogil
cdef void heap_rebuild(heap_t *heap) noexcept nogil


cdef class DeadlineHeap:
    cdef heap_t heap
    cdef bint busy    # a batch works on it without the GIL
    cdef Watch watch  # debug builds: slots are those of a roster
    cdef int _mine(self) except -1
    cdef uint32_t _leaf(self, uint32_t slot, int leaf) except? 0xffffffff
    cdef int _grow(self, uint64_t slots) except -1
    cdef uint32_t _expire(self, uint32_t now, uint32_t *out, uint32_t limit) except? 0xffffffff
