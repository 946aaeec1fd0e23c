"""Check-ins that the rows of their tracks do not contain yet, applied again at a start, without the GIL.

Data: the tracks' numbers in order, with their slots and the newest check-in that each row contained; a chunk of
check-ins, read from the database driver's tuples. A check-in is a number, its track's number, an instant, a duration.
What an OK does to a track is `advance_ok` of apply.pyx; whether it was plain was asked when it came.
Order: as in apply.pyx, the kernel stops at a row that it cannot do, its caller does that one and calls again.
Cost: a binary search and a track a row, less where the next track is the one after; 24 bytes a track, for the start.
"""
cimport cython
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc, PyMem_RawRealloc
from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.stdlib cimport qsort

from tocsin._core.apply cimport Applier, advance_ok, scene_t, stepped_t
from tocsin._core.deadlines cimport heap_set, heap_t
from tocsin._core.plans cimport KNOWN
from tocsin._core.roster cimport (
    MonitorRoster, TrackRoster, bit_at, mark_moved, monitor_at, track_at, track_t, wide_get,
)
from tocsin._core.rows cimport take
from tocsin._core.timetable cimport Timetables
from tocsin._core.types cimport NOWHERE, prefetch

cdef enum:
    AHEAD = 8          # rows between asking for a track and moving it
    LAST_AT_BITS = 42  # as in apply.pyx

cdef struct place_t:
    int64_t number     # of a track
    int64_t applied    # the newest check-in that its row contained
    uint32_t slot

cdef struct after_t:
    int64_t number
    int64_t track
    int64_t at
    int64_t duration   # -1: none
    uint32_t place     # of its track; NOWHERE: it is gone


cdef int by_number(const void *a, const void *b) noexcept nogil:
    cdef int64_t one = (<const place_t *>a).number, other = (<const place_t *>b).number
    return (one > other) - (one < other)


cdef uint32_t place_of(const place_t *places, uint32_t count, int64_t number, uint32_t near) noexcept nogil:
    # The index of a track, or NOWHERE. Many reports come in the order of their tracks.
    cdef uint32_t low = 0, high = count, middle
    if near != NOWHERE and near + 1 < count and places[near + 1].number == number:
        return near + 1
    while low < high:
        middle = low + (high - low) // 2
        if places[middle].number < number:
            low = middle + 1
        else:
            high = middle
    return low if low < count and places[low].number == number else NOWHERE


cdef bint move(
    const scene_t *scene, MonitorRoster monitors, TrackRoster tracks, heap_t *heap, const after_t *row, uint32_t slot
) noexcept nogil:
    cdef track_t *track = track_at(tracks, slot)
    cdef stepped_t stepped
    cdef uint32_t policy
    if row.at < 0 or row.at >> LAST_AT_BITS or row.duration != <int32_t>row.duration:
        return False
    if track.monitor >= monitors.size:
        return False
    policy = monitor_at(monitors, track.monitor).policy
    if policy >= scene.plan_count or not scene.plans[policy].flags & KNOWN:
        return False
    if scene.plans[policy].timetable >= scene.timetables.count:
        return False
    if not advance_ok(scene, &scene.plans[policy], track, row.at, <int32_t>row.duration, &stepped):
        return False
    if stepped.waits:
        heap_set(heap, slot * 2, stepped.second)
    mark_moved(tracks, slot)
    return True


@cython.final
cdef class Replay:
    cdef Applier applier
    cdef Timetables timetables
    cdef place_t *places    # [count], by the number of the track
    cdef uint32_t count
    cdef after_t *rows      # [size] the chunk in hand
    cdef uint32_t size
    cdef uint32_t capacity

    def __cinit__(self, Applier applier not None, Timetables timetables not None, dict applied not None):
        cdef TrackRoster tracks = applier.tracks
        cdef uint32_t slot, place
        cdef bint ascending = True
        self.applier, self.timetables = applier, timetables
        tracks._mine()
        self.places = <place_t *>PyMem_RawMalloc((<size_t>tracks.size + 1) * sizeof(place_t))
        if not self.places:
            raise MemoryError(f"no memory to find {tracks.size} tracks")
        for slot in range(tracks.size):
            if not bit_at(tracks.open_bits, slot):
                continue
            self.places[self.count].number = wide_get(track_at(tracks, slot).number)
            self.places[self.count].slot = slot
            self.places[self.count].applied = 0
            ascending &= self.count == 0 or self.places[self.count - 1].number < self.places[self.count].number
            self.count += 1
        if not ascending:
            qsort(self.places, self.count, sizeof(place_t), by_number)
        for key, number in applied.items():
            slot = key
            if slot < tracks.size and bit_at(tracks.open_bits, slot):
                place = place_of(self.places, self.count, wide_get(track_at(tracks, slot).number), NOWHERE)
                if place != NOWHERE:
                    self.places[place].applied = number

    def __dealloc__(self):
        PyMem_RawFree(self.places)
        PyMem_RawFree(self.rows)

    def read(self, list chunk not None):
        cdef after_t *row
        cdef void *grown
        cdef uint32_t near = NOWHERE, place
        cdef Py_ssize_t count = len(chunk)
        if count >> 31:
            raise ValueError(f"a chunk of {count} check-ins")
        self.size = 0
        if count > self.capacity:
            grown = PyMem_RawRealloc(self.rows, <size_t>count * sizeof(after_t))
            if not grown:
                raise MemoryError(f"no memory for {count} check-ins")
            self.rows, self.capacity = <after_t *>grown, <uint32_t>count
        for number, track, at, duration in chunk:
            if self.size >= self.capacity:
                raise ValueError("the chunk grew while it was read")
            row = &self.rows[self.size]
            row.number, row.track, row.at = number, track, at
            row.duration = -1 if duration is None else duration
            if duration is not None and row.duration < 0:
                raise ValueError(f"a duration of {duration} ms")
            place = place_of(self.places, self.count, row.track, near)
            row.place = place
            if place != NOWHERE:
                near = place
            self.size += 1

    def slot(self, uint32_t row):
        if row >= self.size:
            raise IndexError(f"no check-in {row} of {self.size}")
        if self.rows[row].place == NOWHERE:
            return NOWHERE
        return self.places[self.rows[row].place].slot

    def step(self, uint32_t first):
        cdef Applier applier = self.applier
        cdef MonitorRoster monitors = applier.monitors
        cdef TrackRoster tracks = applier.tracks
        cdef heap_t *heap
        cdef scene_t scene
        cdef uint32_t row = first, slot, done = 0
        cdef const place_t *place
        cdef bint caching
        applier._mine()
        if first > self.size:
            raise IndexError(f"no check-in {first} of {self.size}")
        heap = &applier.deadlines.heap
        scene.plans, scene.plan_count = applier.plans.plans, applier.plans.size
        scene.timetables, scene.table, scene.limit = &self.timetables.rows, applier.table, 0
        scene.held, scene.held_count = NULL, 0
        caching = take(&self.timetables.caching)
        scene.caching = caching
        self.timetables.running += 1
        applier._hold(True)
        with nogil:
            while row < self.size:
                if row + AHEAD < self.size and self.rows[row + AHEAD].place != NOWHERE:
                    slot = self.places[self.rows[row + AHEAD].place].slot
                    prefetch(track_at(tracks, slot))
                    prefetch(<const unsigned char *>track_at(tracks, slot) + 73)
                if self.rows[row].place != NOWHERE:
                    place = &self.places[self.rows[row].place]
                    if self.rows[row].number > place.applied:
                        if not move(&scene, monitors, tracks, heap, &self.rows[row], place.slot):
                            break
                        done += 1
                row += 1
        applier._hold(False)
        self.timetables.running -= 1
        if caching:
            self.timetables.caching = False
        if applier.deadlines.watch is not None:
            for slot in range(first, row):
                if self.rows[slot].place != NOWHERE:
                    place = &self.places[self.rows[slot].place]
                    applier.deadlines.watch.store(place.slot * 2, place.slot)
        return row, done
