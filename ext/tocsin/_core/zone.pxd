# One time zone as two sorted arrays; see zone.pyx.
from libc.stdint cimport int32_t, int64_t

cdef enum:
    NORMAL = 0
    GAP = 1
    FOLD = 2
    MAX_OFFSET = 93600  # 26 h, the widest offset the TZif format allows

cdef extern from * nogil:
    """
    #define TOCSIN_FAR (1LL << 60)
    #define TOCSIN_CYCLE_S (146097LL * 86400)
    """
    const int64_t FAR "TOCSIN_FAR"           # the ends of time, in seconds
    const int64_t CYCLE_S "TOCSIN_CYCLE_S"   # 400 years, after which the calendar repeats

cdef struct zone_t:
    int64_t first     # the first transition and the last one; of a zone without any, FAR and -FAR
    int64_t last
    int64_t *utc      # [count + 1] transitions in seconds, ascending, then FAR
    int32_t *offset   # [count + 1] seconds east; offset[i] holds from utc[i - 1] until utc[i]
    int32_t count
    int32_t cycle     # the segment that begins 400 years before the last transition and repeats for ever, or 0
    int32_t *index    # [buckets + 1] transitions before each bucket of 1 << shift seconds; the first begins at utc[0]
    int32_t shift

cdef struct segment_t:  # a stretch of time with one offset
    int64_t begin     # UTC seconds, inclusive; -FAR for the first
    int64_t end       # exclusive; FAR for the last
    int64_t offset
    int64_t shift     # whole cycles of 400 years past the table, in seconds
    int32_t index

cdef struct moments_t:  # what a wall time means in UTC seconds
    int64_t first     # FOLD: the first pass; GAP: read with the offset before the gap, so it lies after it
    int64_t second    # FOLD: the last pass; GAP: read with the offset after the gap, so it lies before it
    int kind          # NORMAL, GAP or FOLD

cdef void zone_later(const zone_t *zone, segment_t *segment) noexcept nogil
cdef void zone_earlier(const zone_t *zone, segment_t *segment) noexcept nogil
cdef moments_t zone_resolve(const zone_t *zone, int64_t wall_s) noexcept nogil


cdef inline void zone_bounds(const zone_t *zone, segment_t *segment) noexcept nogil:
    cdef int32_t i = segment.index
    segment.begin = zone.utc[i - 1] + segment.shift if i > 0 else -FAR
    segment.end = zone.utc[i] + segment.shift if i < zone.count else FAR
    segment.offset = zone.offset[i]


cdef inline segment_t zone_segment(const zone_t *zone, int64_t utc_s) noexcept nogil:
    cdef segment_t segment
    cdef int32_t low, high, middle
    cdef int64_t bucket
    segment.shift = 0
    if utc_s >= zone.last and zone.cycle:
        segment.shift = ((utc_s - zone.last) / CYCLE_S + 1) * CYCLE_S
        utc_s -= segment.shift
    if zone.first <= utc_s < zone.last:
        bucket = (utc_s - zone.first) >> zone.shift
        low = zone.index[bucket]
        high = zone.index[bucket + 1]
        while high - low > 1:
            middle = (low + high) >> 1
            if zone.utc[middle] <= utc_s:
                low = middle + 1
            else:
                high = middle
        # What is left is none or one: an addition, because the processor cannot guess which.
        segment.index = low + ((high > low) & (zone.utc[low] <= utc_s))
    else:
        segment.index = zone.count if utc_s >= zone.last else 0
    zone_bounds(zone, &segment)
    return segment


cdef class Zone:
    cdef zone_t zone
    cdef int _index(self) except -1
