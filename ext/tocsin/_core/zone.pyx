"""A time zone: instants to wall time and back, with every gap and fold named.

Data: ascending transitions in UTC seconds, and the offset of each segment between them. A wall time is counted in
seconds as if the wall clock showed UTC.
Invariant: segments tile all of time; neighbours differ in offset (equal ones are merged when the zone is made).
The future: tzif.py expands the footer rule for 400 years past its first use. If the table holds a transition exactly
400 years (146097 days, whole weeks) before its last one, with the same offsets around it, those years repeat for ever.
A lookup past the table is folded back into them, so the answers stay right in the year 9999.
Cost: the index tells in one load which transitions begin in the same 48 days, mostly none or one; what is left is
bisected. Stepping to a neighbour is one load. Some 30 KiB a zone, half of them the index.
"""
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t, int64_t, uint8_t

cdef int64_t BUCKETS_MAX = 8192

# Names of C constants, given to Python under the same names.
globals().update(NORMAL=NORMAL, GAP=GAP, FOLD=FOLD)

cdef void zone_later(const zone_t *zone, segment_t *segment) noexcept nogil:
    # The caller has seen that segment.end is not the end of time.
    segment.index += 1
    if zone.cycle and segment.index == zone.count:
        segment.index = zone.cycle
        segment.shift += CYCLE_S
    zone_bounds(zone, segment)


cdef void zone_earlier(const zone_t *zone, segment_t *segment) noexcept nogil:
    # The caller has seen that segment.begin is not the beginning of time.
    if segment.shift and segment.index == zone.cycle:
        segment.index = zone.count
        segment.shift -= CYCLE_S
    segment.index -= 1
    zone_bounds(zone, segment)


cdef moments_t zone_resolve(const zone_t *zone, int64_t wall_s) noexcept nogil:
    cdef segment_t segment = zone_segment(zone, wall_s - MAX_OFFSET)
    cdef moments_t found
    cdef int64_t before, utc_s
    cdef int hits = 0
    found.kind = NORMAL
    found.first = found.second = wall_s - segment.offset
    while True:
        utc_s = wall_s - segment.offset
        if segment.begin <= utc_s < segment.end:
            if hits == 0:
                found.first = utc_s
            found.second = utc_s
            hits += 1
        if segment.end > wall_s + MAX_OFFSET:
            break
        before = segment.offset
        zone_later(zone, &segment)
        if hits == 0 and segment.begin + before <= wall_s < segment.begin + segment.offset:
            found.kind = GAP
            found.first = wall_s - before
            found.second = wall_s - segment.offset
    if hits:
        found.kind = FOLD if hits > 1 else NORMAL
    return found


cdef class Zone:
    def __cinit__(self, const int64_t[::1] transitions_s, const int32_t[::1] offsets_s):
        cdef Py_ssize_t n = transitions_s.shape[0], i
        cdef int32_t kept = 0
        if n > 1_000_000:
            raise ValueError(f"{n} transitions are more than a zone can have (1000000)")
        if offsets_s.shape[0] != n + 1:
            raise ValueError(f"{n} transitions need {n + 1} offsets, got {offsets_s.shape[0]}")
        for i in range(n + 1):
            if not -MAX_OFFSET < offsets_s[i] < MAX_OFFSET:
                raise ValueError(f"offset {offsets_s[i]} is not within 26 hours")
        for i in range(n):
            if not -FAR // 2 < transitions_s[i] < FAR // 2:
                raise ValueError(f"transition {transitions_s[i]} is out of range")
            if i and transitions_s[i] <= transitions_s[i - 1]:
                raise ValueError(f"transition {transitions_s[i]} does not come after {transitions_s[i - 1]}")
        self.zone.utc = <int64_t *>PyMem_Malloc((n + 1) * sizeof(int64_t))
        self.zone.offset = <int32_t *>PyMem_Malloc((n + 1) * sizeof(int32_t))
        if not self.zone.utc or not self.zone.offset:
            raise MemoryError
        self.zone.offset[0] = offsets_s[0]
        for i in range(n):
            if offsets_s[i + 1] != self.zone.offset[kept]:
                self.zone.utc[kept] = transitions_s[i]
                kept += 1
                self.zone.offset[kept] = offsets_s[i + 1]
        self.zone.count = kept
        self.zone.utc[kept] = FAR
        self.zone.first = self.zone.utc[0]
        self.zone.last = self.zone.utc[kept - 1] if kept else -FAR
        self.zone.cycle = 0
        for i in range(kept):
            if (
                self.zone.utc[i] == self.zone.utc[kept - 1] - CYCLE_S
                and self.zone.offset[i] == self.zone.offset[kept - 1]
                and self.zone.offset[i + 1] == self.zone.offset[kept]
            ):
                self.zone.cycle = <int32_t>i + 1

        self._index()

    cdef int _index(self) except -1:
        cdef int64_t span = self.zone.utc[self.zone.count - 1] - self.zone.utc[0] if self.zone.count else 0
        cdef int64_t buckets, i
        cdef int32_t at = 0
        self.zone.shift = 22
        while span >> self.zone.shift >= BUCKETS_MAX:
            self.zone.shift += 1
        buckets = (span >> self.zone.shift) + 1
        self.zone.index = <int32_t *>PyMem_Malloc((buckets + 1) * sizeof(int32_t))
        if not self.zone.index:
            raise MemoryError
        for i in range(buckets):
            while at < self.zone.count and (self.zone.utc[at] - self.zone.utc[0]) >> self.zone.shift < i:
                at += 1
            self.zone.index[i] = at
        self.zone.index[buckets] = self.zone.count
        return 0

    def __dealloc__(self):
        PyMem_Free(self.zone.utc)
        PyMem_Free(self.zone.offset)
        PyMem_Free(self.zone.index)

    def __len__(self):
        return self.zone.count

    @property
    def repeats(self):
        return self.zone.cycle != 0

    def offset_at(self, int64_t utc_s):
        return zone_segment(&self.zone, checked(utc_s)).offset

    def wall(self, int64_t utc_s):
        return utc_s + zone_segment(&self.zone, checked(utc_s)).offset

    def utc(self, int64_t wall_s):
        cdef moments_t found = zone_resolve(&self.zone, checked(wall_s))
        return found.first, found.second, found.kind

    def wall_many(self, const int64_t[::1] utc_s, int64_t[::1] out):
        cdef Py_ssize_t n = utc_s.shape[0], i
        cdef int64_t second, bad = 0
        if out.shape[0] != n:
            raise ValueError(f"{n} instants and {out.shape[0]} results")
        with nogil:
            for i in range(n):
                second = utc_s[i]
                if not in_range(second):
                    bad = second
                    break
                out[i] = second + zone_segment(&self.zone, second).offset
        if bad:
            checked(bad)

    def utc_many(self, const int64_t[::1] wall_s, int64_t[::1] first, int64_t[::1] second, uint8_t[::1] kinds):
        cdef Py_ssize_t n = wall_s.shape[0], i
        cdef int64_t wall, bad = 0
        cdef moments_t found
        if first.shape[0] != n or second.shape[0] != n or kinds.shape[0] != n:
            raise ValueError(f"{n} wall times need as many of each result")
        with nogil:
            for i in range(n):
                wall = wall_s[i]
                if not in_range(wall):
                    bad = wall
                    break
                found = zone_resolve(&self.zone, wall)
                first[i] = found.first
                second[i] = found.second
                kinds[i] = <uint8_t>found.kind
        if bad:
            checked(bad)

    def segment(self, int64_t utc_s):
        cdef segment_t segment = zone_segment(&self.zone, checked(utc_s))
        return (
            None if segment.begin == -FAR else segment.begin,
            None if segment.end == FAR else segment.end,
            segment.offset,
        )


cdef inline bint in_range(int64_t seconds) noexcept nogil:
    return -FAR // 2 < seconds < FAR // 2


cdef int64_t checked(int64_t seconds) except? -1:
    if not in_range(seconds):
        raise ValueError(f"{seconds} seconds are out of range")
    return seconds
