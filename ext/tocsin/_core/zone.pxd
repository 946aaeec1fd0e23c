# One time zone as two sorted arrays; see zone.pyx.
from libc.stdint cimport int32_t, int64_t

cdef enum:
    NORMAL = 0
    GAP = 1
    FOLD = 2
    MAX_OFFSET = 93600  # 26 h, the widest offset the TZif format allows

cdef struct zone_t:
    int64_t *utc      # [count] transitions in seconds, ascending
    int32_t *offset   # [count + 1] seconds east; offset[i] holds from utc[i - 1] until utc[i]
    int32_t count
    int32_t cycle     # the segment that begins 400 years before the last transition and repeats for ever, or 0

cdef struct segment_t:  # a stretch of time with one offset
    int64_t begin     # UTC seconds, inclusive; -(1 << 60) for the first
    int64_t end       # exclusive; 1 << 60 for the last
    int64_t offset
    int64_t shift     # whole cycles of 400 years past the table, in seconds
    int32_t index

cdef struct moments_t:  # what a wall time means in UTC seconds
    int64_t first     # FOLD: the first pass; GAP: read with the offset before the gap, so it lies after it
    int64_t second    # FOLD: the last pass; GAP: read with the offset after the gap, so it lies before it
    int kind          # NORMAL, GAP or FOLD

cdef segment_t zone_segment(const zone_t *zone, int64_t utc_s) noexcept nogil
cdef void zone_later(const zone_t *zone, segment_t *segment) noexcept nogil
cdef void zone_earlier(const zone_t *zone, segment_t *segment) noexcept nogil
cdef moments_t zone_resolve(const zone_t *zone, int64_t wall_s) noexcept nogil


cdef class Zone:
    cdef zone_t zone
