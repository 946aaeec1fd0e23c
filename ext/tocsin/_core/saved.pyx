"""Tracks on their way into the store: rows of the roster, copied, and in the forms that the databases take.

Data: `saved_t`, a row as it lies in memory and the newest check-in in it; as bytes it is the column `packed`.
A `Mover` goes round the marks that say which tracks have moved since they were saved, and takes so many at a time.
Invariant: a mark is taken away only with a copy of its row. Once the mover has left as many bytes of marks behind as
there are, each track that was marked when it began has been copied (`passed`).
Cost: 123 bytes a row; a copy is a cache miss, looking for marks costs nothing where there are many.
"""
cimport cython
from cpython.bytearray cimport PyByteArray_FromStringAndSize
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

from tocsin._core.pgcopy cimport (
    copy_begin, copy_bytes, copy_end, copy_free, copy_int16, copy_int32, copy_int64, copy_null, copy_reserve, copy_row,
    copy_t,
)
from tocsin._core.roster cimport (
    LAYOUT, MonitorRoster, TrackRoster, monitor_at, track_at, track_t, unmark_moved, wide_get,
)
from tocsin._core.types cimport NEVER, lowest_bit

SIZE = sizeof(saved_t)  # bytes of a packed row
# The columns of a row that is written over, in the order of `parameters` and `copied`.
COLUMNS = (
    "health", "verdict", "flags", "failures", "misses", "recoveries", "open_runs", "incident", "expected", "deadline",
    "run_deadline", "last_check_in", "last_success", "last_start", "last_duration", "ok_count", "error_count",
    "started_count", "missed_count", "timed_out_count", "unknown_count", "last_lapse", "last_lapse_slot", "applied",
    "packed", "number",
)

cdef enum:
    FIELDS = 26
    ROW_BYTES = 2 + 26 * 4 + 3 * 2 + 4 * 4 + 18 * 8 + 123


cdef void save(
    saved_t *saved, TrackRoster tracks, MonitorRoster monitors, uint32_t slot, int64_t applied
) noexcept nogil:
    cdef uint64_t number
    saved.layout = LAYOUT
    saved.applied = applied
    saved.track = track_at(tracks, slot)[0]
    number = 0
    if saved.track.monitor < monitors.size:
        number = <uint64_t>wide_get(monitor_at(monitors, saved.track.monitor).number)
    saved.track.monitor = <uint32_t>number
    saved.track.next_track = <uint32_t>(number >> 32)


@cython.final
cdef class SavedTracks:
    def __dealloc__(self):
        PyMem_RawFree(self.rows)

    def __len__(self):
        return self.size

    def numbers(self):
        cdef uint32_t i
        cdef list found = []
        for i in range(self.size):
            found.append(wide_get(self.rows[i].track.number))
        return found

    def parameters(self):
        cdef uint32_t i
        cdef const saved_t *saved
        cdef const track_t *track
        cdef list found = []
        for i in range(self.size):
            saved = &self.rows[i]
            track = &saved.track
            found.append((
                track.health, track.verdict, track.flags, track.failures, track.misses, track.recoveries,
                track.open_runs, wide_get(track.incident), wide_get(track.expected), wide_get(track.deadline),
                wide_get(track.run_deadline), wide_get(track.last_check_in), wide_get(track.last_success),
                wide_get(track.last_start), track.last_duration, track.ok_count, track.error_count,
                track.started_count, track.missed_count, track.timed_out_count, track.unknown_count, track.last_lapse,
                wide_get(track.last_lapse_slot), saved.applied,
                PyByteArray_FromStringAndSize(<const char *>saved, sizeof(saved_t)), wide_get(track.number),
            ))
        return found

    def copied(self):
        cdef copy_t out
        cdef bint done
        if not copy_begin(&out, <size_t>self.size * ROW_BYTES):
            raise MemoryError("no memory for a copy")
        with nogil:
            done = copy_saved(&out, self.rows, self.size)
        if not done:
            copy_free(&out)
            raise MemoryError(f"no memory for a copy of {self.size} tracks")
        return copy_end(&out)


cdef void copy_instant(copy_t *out, int64_t value) noexcept nogil:
    if value == NEVER:
        copy_null(out)
    else:
        copy_int64(out, value)


cdef bint copy_saved(copy_t *out, const saved_t *rows, uint32_t size) noexcept nogil:
    cdef uint32_t i
    cdef const saved_t *saved
    cdef const track_t *track
    if not copy_reserve(out, <size_t>size * ROW_BYTES):
        return False
    for i in range(size):
        saved = &rows[i]
        track = &saved.track
        copy_row(out, FIELDS)
        copy_int16(out, track.health)
        copy_int16(out, track.verdict)
        copy_int16(out, <short>track.flags)
        copy_int32(out, track.failures)
        copy_int32(out, track.misses)
        copy_int32(out, track.recoveries)
        copy_int32(out, track.open_runs)
        copy_int64(out, wide_get(track.incident))
        copy_instant(out, wide_get(track.expected))
        copy_instant(out, wide_get(track.deadline))
        copy_instant(out, wide_get(track.run_deadline))
        copy_instant(out, wide_get(track.last_check_in))
        copy_instant(out, wide_get(track.last_success))
        copy_instant(out, wide_get(track.last_start))
        copy_int64(out, track.last_duration)
        copy_int64(out, track.ok_count)
        copy_int64(out, track.error_count)
        copy_int64(out, track.started_count)
        copy_int64(out, track.missed_count)
        copy_int64(out, track.timed_out_count)
        copy_int64(out, track.unknown_count)
        copy_int64(out, track.last_lapse)
        copy_instant(out, wide_get(track.last_lapse_slot))
        copy_int64(out, saved.applied)
        copy_bytes(out, <const unsigned char *>saved, sizeof(saved_t))
        copy_int64(out, wide_get(track.number))
    return True


@cython.final
cdef class Mover:
    def __cinit__(self, TrackRoster tracks not None, MonitorRoster monitors not None):
        self.tracks, self.monitors = tracks, monitors

    @property
    def passed(self):
        return self.passed_

    @property
    def round(self):
        return (self.tracks.size + 7) // 8

    def take(self, uint32_t limit, int64_t applied):
        cdef TrackRoster tracks = self.tracks
        cdef uint32_t room, bytes_, slot
        cdef SavedTracks taken = SavedTracks.__new__(SavedTracks)
        tracks._mine()
        self.monitors._mine()
        room, bytes_ = min(limit, tracks.moved), (tracks.size + 7) // 8
        if room:
            taken.rows = <saved_t *>PyMem_RawMalloc(<size_t>room * sizeof(saved_t))
            if not taken.rows:
                raise MemoryError(f"no memory for {room} tracks")
        tracks.busy = self.monitors.busy = True
        with nogil:
            while taken.size < room:
                if self.cursor >= bytes_:
                    self.cursor = 0
                if not tracks.moved_bits[self.cursor]:
                    self.cursor += 1
                    self.passed_ += 1
                    continue
                slot = self.cursor * 8 + <uint32_t>lowest_bit(tracks.moved_bits[self.cursor])
                save(&taken.rows[taken.size], tracks, self.monitors, slot, applied)
                taken.size += 1
                unmark_moved(tracks, slot)
        tracks.busy = self.monitors.busy = False
        return taken

    def of(self, slots, int64_t applied):
        cdef SavedTracks taken = SavedTracks.__new__(SavedTracks)
        cdef uint32_t slot
        slots = list(slots)
        self.tracks._mine()
        self.monitors._mine()
        if not slots:
            return taken
        taken.rows = <saved_t *>PyMem_RawMalloc(<size_t>len(slots) * sizeof(saved_t))
        if not taken.rows:
            raise MemoryError(f"no memory for {len(slots)} tracks")
        for slot in slots:  # all of them before the first mark goes
            self.tracks._check(slot)
        for slot in slots:
            self.tracks._check(slot)
            save(&taken.rows[taken.size], self.tracks, self.monitors, slot, applied)
            taken.size += 1
            unmark_moved(self.tracks, slot)
        return taken


cdef TrackRoster SCRATCH = TrackRoster()
SCRATCH.open()


def packed(tuple row not None, int64_t applied):
    cdef saved_t saved
    cdef uint64_t number
    cdef list values = list(row)
    if len(values) != SCRATCH.width:
        raise ValueError(f"a row has {SCRATCH.width} values, got {len(values)}")
    number = values[1]
    values[1], values[3] = number & 0xffffffff, number >> 32
    SCRATCH.write(0, tuple(values))
    saved.layout = LAYOUT
    saved.applied = applied
    saved.track = track_at(SCRATCH, 0)[0]
    return PyByteArray_FromStringAndSize(<const char *>&saved, sizeof(saved_t))


def unpacked(const unsigned char[::1] data not None):
    cdef saved_t saved
    if data.shape[0] != sizeof(saved_t) or data[0] != LAYOUT:
        return None
    memcpy(&saved, &data[0], sizeof(saved_t))
    wide_number = saved_monitor(&saved)
    saved.track.monitor, saved.track.next_track = 0, 0
    track_at(SCRATCH, 0)[0] = saved.track
    row = list(SCRATCH.read(0))
    row[1] = wide_number
    return tuple(row), saved.applied
