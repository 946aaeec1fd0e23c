"""A start: rosters, keys and links filled from packed rows, a chunk at a time; no object for each row.

Data: a packed monitor is `saved_monitor_t` and the bytes of its id; a packed track is `saved_t` (see saved.pxd). Until
`link`, the fields `monitor` and `next_track` of a track together hold Monitor.number.
Invariant: rows are checked for their size and layout before anything is read of them; a track whose monitor is not
there is closed again.
Cost: some 0.1 µs a row for copying, hashing and linking; what the database needs to hand them out is more.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport qsort
from libc.string cimport memcpy

from tocsin._core.keys cimport KeyTable, digest_t, keys_digest
from tocsin._core.roster cimport (
    LAYOUT, MonitorRoster, TrackRoster, bit_at, monitor_at, monitor_t, track_at, track_t, wide_get, wide_set,
)
from tocsin._core.saved cimport saved_t
from tocsin._core.types cimport LAST_MS, NEVER, NOWHERE

cdef enum:
    CHUNK = 64      # keys whose places are asked for together
    ID_MAX = 4096   # bytes of a monitor's id
    HEAD_MAX = 32   # a letter, a number and a zero byte

cdef packed struct saved_monitor_t:
    uint8_t layout
    monitor_t monitor

cdef struct place_t:
    int64_t number
    uint32_t slot


def packed_monitor(
    int64_t number, uint32_t project, uint32_t policy, int flags, int64_t paused_until, int64_t muted_until,
    str monitor_id not None,
):
    cdef saved_monitor_t saved
    cdef bytes name = monitor_id.encode()
    if number < 0 or not 0 <= flags <= 0xffff or paused_until < 0 or muted_until < 0:
        raise OverflowError(f"monitor {number} does not fit its row")
    saved.layout = LAYOUT
    wide_set(saved.monitor.number, number)
    saved.monitor.project, saved.monitor.policy, saved.monitor.flags = project, policy, <unsigned short>flags
    saved.monitor.first_track, saved.monitor.digest = NOWHERE, 0
    wide_set(saved.monitor.pause_until, paused_until)
    wide_set(saved.monitor.mute_until, muted_until)
    return bytearray((<char *>&saved)[:sizeof(saved_monitor_t)] + name)


def unpacked_monitor(bytes data not None):
    cdef const saved_monitor_t *saved = <const saved_monitor_t *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data) - <Py_ssize_t>sizeof(saved_monitor_t)
    if size < 0 or saved.layout != LAYOUT:
        return None
    return (
        wide_get(saved.monitor.number), saved.monitor.project, saved.monitor.policy, saved.monitor.flags,
        wide_get(saved.monitor.pause_until), wide_get(saved.monitor.mute_until),
        data[sizeof(saved_monitor_t):].decode(),
    )


cdef int by_number(const void *a, const void *b) noexcept nogil:
    cdef int64_t one = (<const place_t *>a).number, other = (<const place_t *>b).number
    return (one > other) - (one < other)


cdef uint32_t find(const place_t *places, uint32_t count, int64_t number, uint32_t near) noexcept nogil:
    # The index of a number, or NOWHERE. Most are where the one before was, or next to it.
    cdef uint32_t low = 0, high = count, middle
    if near < count and places[near].number == number:
        return near
    if near + 1 < count and places[near + 1].number == number:
        return near + 1
    while low < high:
        middle = (low + high) // 2
        if places[middle].number < number:
            low = middle + 1
        else:
            high = middle
    return low if low < count and places[low].number == number else NOWHERE


cdef inline const char *data_of(object row, Py_ssize_t *size) except? NULL:
    # Of a row of one column; NULL without an error: it is None.
    size[0] = 0
    if type(row) is not tuple or len(<tuple>row) != 1:
        raise TypeError("a packed row is a tuple of one")
    data = (<tuple>row)[0]
    if data is None:
        return NULL
    if type(data) is not bytes:
        raise TypeError(f"a packed row is bytes, got {type(data).__name__}")
    size[0] = PyBytes_GET_SIZE(data)
    return PyBytes_AS_STRING(data)


@cython.final
cdef class Filling:
    cdef MonitorRoster monitors
    cdef TrackRoster tracks
    cdef KeyTable keys

    def __cinit__(self, MonitorRoster monitors not None, TrackRoster tracks not None, KeyTable keys not None):
        self.monitors, self.tracks, self.keys = monitors, tracks, keys

    def add_monitors(self, rows, int64_t clock, list names=None):
        cdef list chunk = list(rows)  # whoever changes the list in the middle changes another one
        cdef digest_t digests[CHUNK]
        cdef uint32_t slots[CHUNK]
        cdef unsigned char key[HEAD_MAX + ID_MAX]
        cdef Py_ssize_t size, n = 0, missing = 0
        cdef const char *data
        cdef saved_monitor_t *saved
        cdef monitor_t *monitor
        cdef uint32_t slot
        cdef int head
        cdef int64_t until
        self.keys._mine()
        for row in chunk:
            data = data_of(row, &size)
            if data == NULL:
                missing += 1
                continue
            saved = <saved_monitor_t *>data
            size -= sizeof(saved_monitor_t)
            if size < 0 or size > ID_MAX or saved.layout != LAYOUT:
                self.keys._put_digests(digests, slots, n)
                raise ValueError("a packed monitor is of another layout")
            slot = self.monitors.open()
            monitor = monitor_at(self.monitors, slot)
            monitor[0] = saved.monitor
            monitor.first_track = NOWHERE
            until = wide_get(monitor.pause_until)
            if until != NEVER and (until + 999) // 1000 * 1000 < clock:
                wide_set(monitor.pause_until, 0)
            head = snprintf(<char *>key, HEAD_MAX, b"m%u", <unsigned int>monitor.project) + 1  # with its zero byte
            memcpy(key + head, data + sizeof(saved_monitor_t), size)
            digests[n] = keys_digest(&self.keys.keys, key, head + size)
            slots[n] = slot
            n += 1
            if names is not None:
                name = (data + sizeof(saved_monitor_t))[:size].decode()
                names.append((monitor.project, wide_get(monitor.number), name))
            if n == CHUNK:
                self.keys._put_digests(digests, slots, n)
                n = 0
        self.keys._put_digests(digests, slots, n)
        return missing

    def add_tracks(self, rows, int64_t watermark, dict applied not None):
        cdef list chunk = list(rows)
        cdef Py_ssize_t size, missing = 0
        cdef const char *data
        cdef saved_t *saved
        cdef uint32_t slot
        for row in chunk:
            data = data_of(row, &size)
            if data == NULL:
                missing += 1
                continue
            saved = <saved_t *>data
            if size != sizeof(saved_t) or saved.layout != LAYOUT:
                raise ValueError("a packed track is of another layout")
            slot = self.tracks.open()
            track_at(self.tracks, slot)[0] = saved.track
            if saved.applied > watermark:
                applied[slot] = saved.applied
        return missing

    def link(self):
        cdef MonitorRoster monitors = self.monitors
        cdef TrackRoster tracks = self.tracks
        cdef uint32_t count = 0, slot, at = NOWHERE, followed = 0
        cdef bint ascending = True
        cdef place_t *places
        cdef uint32_t *orphans
        cdef uint32_t orphaned = 0
        cdef track_t *track
        cdef monitor_t *monitor
        monitors._mine()
        tracks._mine()
        places = <place_t *>PyMem_RawMalloc((<size_t>monitors.size + 1) * sizeof(place_t))
        orphans = <uint32_t *>PyMem_RawMalloc((<size_t>tracks.size + 1) * sizeof(uint32_t))
        if not places or not orphans:
            PyMem_RawFree(places)
            PyMem_RawFree(orphans)
            raise MemoryError(f"no memory to link {tracks.size} tracks")
        monitors.busy = tracks.busy = True
        with nogil:
            for slot in range(monitors.size):
                if bit_at(monitors.open_bits, slot):
                    places[count].number = wide_get(monitor_at(monitors, slot).number)
                    places[count].slot = slot
                    ascending &= count == 0 or places[count - 1].number < places[count].number
                    count += 1
            if not ascending:
                qsort(places, count, sizeof(place_t), by_number)
            for slot in range(tracks.size):
                if not bit_at(tracks.open_bits, slot):
                    continue
                track = track_at(tracks, slot)
                at = find(places, count, <int64_t>(<uint64_t>track.monitor | <uint64_t>track.next_track << 32), at)
                if at == NOWHERE:
                    orphans[orphaned] = slot
                    orphaned += 1
                    continue
                monitor = monitor_at(monitors, places[at].slot)
                followed += monitor.first_track != NOWHERE
                track.monitor = places[at].slot
                track.next_track = monitor.first_track
                monitor.first_track = slot
        monitors.busy = tracks.busy = False
        try:
            for slot in range(orphaned):
                tracks.close(orphans[slot])
        finally:
            PyMem_RawFree(places)
            PyMem_RawFree(orphans)
        return followed

    def followed(self):
        cdef uint32_t slot
        cdef list found = []
        for slot in range(self.tracks.size):
            if bit_at(self.tracks.open_bits, slot) and track_at(self.tracks, slot).next_track != NOWHERE:
                found.append(track_at(self.tracks, slot).next_track)
        return found

    def deadlines(self):
        cdef TrackRoster tracks = self.tracks
        cdef uint32_t size = tracks.size, slot, n = 0
        cdef int64_t deadline
        cdef bytes slots, seconds
        cdef uint32_t *out
        cdef uint32_t *when
        tracks._mine()
        slots = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>size * 4)
        seconds = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>size * 4)
        out, when = <uint32_t *>PyBytes_AS_STRING(slots), <uint32_t *>PyBytes_AS_STRING(seconds)
        tracks.busy = True
        with nogil:
            for slot in range(size):
                if not bit_at(tracks.open_bits, slot):
                    continue
                deadline = wide_get(track_at(tracks, slot).deadline)
                if deadline == NEVER:
                    continue
                out[n] = slot
                when[n] = <uint32_t>min((deadline + 999) // 1000, <int64_t>0xfffffffe)
                n += 1
        tracks.busy = False
        return memoryview(slots)[:n * 4].cast("I"), memoryview(seconds)[:n * 4].cast("I")

    def paused(self):
        cdef uint32_t slot
        cdef monitor_t *monitor
        cdef int64_t until
        cdef list found = []
        for slot in range(self.monitors.size):
            if not bit_at(self.monitors.open_bits, slot):
                continue
            monitor = monitor_at(self.monitors, slot)
            until = wide_get(monitor.pause_until)
            if 0 < until < NEVER and not monitor.flags:
                found.append((slot, until))
        return found

    def projects(self):
        cdef uint32_t slot, last = 0, count = 0
        cdef dict found = {}
        for slot in range(self.monitors.size):
            if not bit_at(self.monitors.open_bits, slot):
                continue
            if count and monitor_at(self.monitors, slot).project != last:
                found[last] = found.get(last, 0) + count
                count = 0
            last = monitor_at(self.monitors, slot).project
            count += 1
        if count:
            found[last] = found.get(last, 0) + count
        return found


def waiting(
    TrackRoster tracks not None, MonitorRoster monitors not None, const uint32_t[::1] tables not None, bint idle
):
    cdef uint32_t policies = <uint32_t>tables.shape[0], size = tracks.size, slot, owner, table, n = 0
    cdef bytes slots, numbers, instants
    cdef uint32_t *out
    cdef uint32_t *which
    cdef int64_t *when
    cdef int64_t expected
    tracks._mine()
    monitors._mine()
    slots = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>size * 4)
    numbers = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>size * 4)
    instants = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>size * 8)
    out, which = <uint32_t *>PyBytes_AS_STRING(slots), <uint32_t *>PyBytes_AS_STRING(numbers)
    when = <int64_t *>PyBytes_AS_STRING(instants)
    tracks.busy = monitors.busy = True
    with nogil:
        for slot in range(size):
            if not bit_at(tracks.open_bits, slot):
                continue
            expected = wide_get(track_at(tracks, slot).expected)
            owner = track_at(tracks, slot).monitor
            if (expected == NEVER) != idle or (expected > LAST_MS and not idle) or owner >= monitors.size:
                continue
            table = monitor_at(monitors, owner).policy
            table = tables[table] if table < policies else NOWHERE
            if table == NOWHERE:
                continue
            out[n], which[n], when[n] = slot, table, expected - 1
            n += 1
    tracks.busy = monitors.busy = False
    return (
        memoryview(slots)[:n * 4].cast("I"),
        memoryview(numbers)[:n * 4].cast("I"),
        memoryview(instants)[:n * 8].cast("q"),
    )


def not_following(const int64_t[::1] instants not None, const int64_t[::1] found not None):
    cdef Py_ssize_t i
    cdef list places = []
    if instants.shape[0] != found.shape[0]:
        raise ValueError(f"{instants.shape[0]} instants and {found.shape[0]}")
    for i in range(instants.shape[0]):
        if <uint64_t>found[i] - <uint64_t>instants[i] != 1:
            places.append(i)
    return places
