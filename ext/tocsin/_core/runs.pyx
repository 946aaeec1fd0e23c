"""Runs that are still open: found by id, and by track from the newest to the oldest.

Data: one row of 48 bytes a run, freed rows in a list. Two tables of keys.pyx lead to rows: one from the digest of an
id, one from a track's slot to its newest run. The runs of a track are linked both ways, descending by number.
Invariant: a row is free or in both the table of ids and the list of its track; a track without runs is in no table.
Cost: about 75 bytes for the only run of a track, nothing for a track without one. A new run goes to the head of its
list, unless it came back to life and is older than others; a run leaves without a search. The earliest time-out is a
walk over the track's runs, of which the engine allows a thousand.
"""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc
from libc.stdint cimport int64_t, uint32_t, uint64_t

from tocsin._core.handles cimport watch_of
from tocsin._core.keys cimport (
    digest_t, keys_bytes, keys_digest, keys_find, keys_free, keys_put, keys_remove, keys_resize, keys_room,
    keys_secret, keys_t,
)
from tocsin._core.types cimport NEVER, NOWHERE

globals().update(NOWHERE=NOWHERE)  # a C constant, given to Python


cdef inline digest_t scrambled(uint32_t track) noexcept nogil:
    # Slots are neighbours, and the table wants them spread; the high half alone tells them apart.
    cdef digest_t digest
    digest.low = (<uint64_t>track + 1) * 0x9e3779b97f4a7c15ULL
    digest.high = track
    return digest


cdef uint32_t runs_newest(const runs_t *runs, uint32_t track) noexcept nogil:
    """The row of a track's newest run, or NOWHERE."""
    return keys_find(&runs.newest, scrambled(track))


cdef bint link(runs_t *runs, uint32_t row) noexcept nogil:
    # Into the list of its track, where its number belongs. False: no memory, and nothing changed.
    cdef run_t *run = &runs.rows[row]
    cdef uint32_t newer = NOWHERE, older = runs_newest(runs, run.track)
    while older != NOWHERE and runs.rows[older].number > run.number:
        newer = older
        older = runs.rows[older].older
    if newer == NOWHERE and not keys_put(&runs.newest, scrambled(run.track), row):
        return False
    run.newer, run.older = newer, older
    if newer != NOWHERE:
        runs.rows[newer].older = row
    if older != NOWHERE:
        runs.rows[older].newer = row
    return True


cdef void unlink(runs_t *runs, uint32_t row) noexcept nogil:
    cdef run_t *run = &runs.rows[row]
    if run.older != NOWHERE:
        runs.rows[run.older].newer = run.newer
    if run.newer != NOWHERE:
        runs.rows[run.newer].older = run.older
    elif run.older != NOWHERE:
        keys_put(&runs.newest, scrambled(run.track), run.older)  # replaces: needs no memory
    else:
        keys_remove(&runs.newest, scrambled(run.track))


cdef bint room_for(keys_t *keys, uint64_t count, bint exactly) noexcept nogil:
    cdef uint64_t capacity = keys_room(keys, count)
    if capacity > keys.capacity and not exactly:
        capacity = max(capacity, keys.capacity + keys.capacity // 2 + 16)
    return capacity == keys.capacity or keys_resize(keys, capacity)


cdef class OpenRuns:
    def __cinit__(self, bytes secret not None, owner=None):
        cdef const unsigned char *text = <const unsigned char *>PyBytes_AS_STRING(secret)
        if len(secret) != 16:
            raise ValueError(f"the secret has 16 bytes, got {len(secret)}")
        self.runs.free = NOWHERE
        keys_secret(&self.runs.by_id, text)
        if not keys_resize(&self.runs.by_id, 16) or not keys_resize(&self.runs.newest, 16):
            raise MemoryError("no memory for open runs")
        self.watch = watch_of(owner)

    def __dealloc__(self):
        PyMem_RawFree(self.runs.rows)
        keys_free(&self.runs.by_id)
        keys_free(&self.runs.newest)

    def __len__(self):
        return self.runs.count

    @property
    def capacity(self):
        return self.runs.capacity

    @property
    def nbytes(self):
        return (
            self.runs.capacity * sizeof(run_t) + keys_bytes(&self.runs.by_id) + keys_bytes(&self.runs.newest)
        )

    cdef digest_t _digest(self, bytes key):
        return keys_digest(
            &self.runs.by_id, <const unsigned char *>PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)
        )

    cdef int _reserve(self, uint64_t rows, bint exactly) except -1:
        cdef uint64_t capacity = rows if exactly else max(rows, <uint64_t>self.runs.capacity * 2, <uint64_t>16)
        cdef void *grown
        if rows <= self.runs.capacity:
            return 0
        if rows >= NOWHERE:
            raise MemoryError(f"{rows} open runs are more than can be numbered")
        capacity = min(capacity, <uint64_t>NOWHERE)
        grown = PyMem_RawRealloc(self.runs.rows, capacity * sizeof(run_t))
        if not grown:
            raise MemoryError(f"no memory for {capacity} open runs")
        self.runs.rows = <run_t *>grown
        self.runs.capacity = <uint32_t>capacity
        return 0

    cdef int64_t _put(self, bytes key, uint32_t track, int64_t number, int64_t timeout) except -1:
        # The row. Whatever needs memory comes before what cannot be undone.
        cdef runs_t *runs = &self.runs
        cdef digest_t digest = self._digest(key)
        cdef uint32_t row = keys_find(&runs.by_id, digest)
        cdef run_t *run
        if track == NOWHERE:
            raise ValueError(f"track {track} means nowhere")
        if self.watch is not None:
            if self._head(track) == NOWHERE:
                self.watch.store(track, track)
        if row != NOWHERE:
            run = &runs.rows[row]
            if run.track != track or run.number != number:
                raise ValueError(f"that run is number {run.number} of track {run.track}, not {number} of {track}")
            run.timeout = timeout
            return row
        row = runs.free
        if row == NOWHERE:
            self._reserve(<uint64_t>runs.size + 1, False)
            row = runs.size
        if not keys_put(&runs.by_id, digest, row):
            raise MemoryError(f"no memory for {runs.count + 1} open runs")
        run = &runs.rows[row]
        if runs.free != NOWHERE:
            runs.free = run.older
        else:
            runs.size += 1
        run.digest, run.number, run.timeout, run.track = digest, number, timeout, track
        if not link(runs, row):
            keys_remove(&runs.by_id, digest)
            run.track, run.older, runs.free = NOWHERE, runs.free, row
            raise MemoryError(f"no memory for {runs.count + 1} open runs")
        runs.count += 1
        return row

    cdef int _drop_row(self, uint32_t row) except -1:
        cdef run_t *run = &self.runs.rows[row]
        unlink(&self.runs, row)
        keys_remove(&self.runs.by_id, run.digest)
        run.track = NOWHERE
        run.older = self.runs.free
        self.runs.free = row
        self.runs.count -= 1
        return 0

    cdef uint32_t _head(self, uint32_t track) except? 0xffffffff:
        cdef uint32_t row = runs_newest(&self.runs, track)
        if self.watch is not None and row != NOWHERE:
            self.watch.verify(track, track)
        return row

    cdef int _room(self, uint64_t runs, bint exactly) except -1:
        if runs >= NOWHERE:
            raise MemoryError(f"{runs} open runs are more than can be numbered")
        self._reserve(runs, exactly)
        if not room_for(&self.runs.by_id, runs, exactly) or not room_for(&self.runs.newest, runs, exactly):
            raise MemoryError(f"no memory for {runs} open runs")
        return 0

    def reserve(self, uint64_t runs):
        self._room(runs, True)

    def put(self, bytes key not None, uint32_t track, int64_t number, int64_t timeout):
        return self._put(key, track, number, timeout)

    def put_many(self, list keys not None, const uint32_t[::1] tracks, const int64_t[::1] numbers,
                 const int64_t[::1] timeouts, uint32_t[::1] rows):
        cdef Py_ssize_t i, n = len(keys)
        if not n == tracks.shape[0] == numbers.shape[0] == timeouts.shape[0] == rows.shape[0]:
            raise ValueError(f"{n} keys, but not so many tracks, numbers, timeouts or rows")
        keys = list(keys)  # whoever changes the list in the middle changes another one
        for i in range(n):
            if type(keys[i]) is not bytes:
                raise TypeError(f"key {i} is not bytes")
        self._room(<uint64_t>self.runs.count + n, False)
        for i in range(n):
            rows[i] = <uint32_t>self._put(keys[i], tracks[i], numbers[i], timeouts[i])

    def find(self, bytes key not None):
        return keys_find(&self.runs.by_id, self._digest(key))

    def remove(self, bytes key not None):
        cdef uint32_t row = keys_find(&self.runs.by_id, self._digest(key))
        if row != NOWHERE:
            self._drop_row(row)
        return row

    def drop(self, uint32_t track):
        cdef uint32_t row = runs_newest(&self.runs, track)
        cdef list rows = []
        while row != NOWHERE:  # the list first: without memory for it nothing is dropped
            rows.append(row)
            row = self.runs.rows[row].older
        for row in rows:
            self._drop_row(row)
        return rows

    def of(self, uint32_t track):
        cdef uint32_t row = self._head(track)
        cdef list rows = []
        while row != NOWHERE:
            rows.append(row)
            row = self.runs.rows[row].older
        return rows

    def newest(self, uint32_t track):
        return self._head(track)

    def older(self, uint32_t row):
        if row >= self.runs.size or self.runs.rows[row].track == NOWHERE:
            raise IndexError(f"row {row} holds no run")
        return self.runs.rows[row].older

    def summary(self, uint32_t track):
        cdef uint32_t row = self._head(track), count = 0
        cdef int64_t earliest = NEVER
        while row != NOWHERE:
            count += 1
            earliest = min(earliest, self.runs.rows[row].timeout)
            row = self.runs.rows[row].older
        return count, earliest

    def tracks(self):
        cdef uint32_t row
        cdef list found = []
        for row in range(self.runs.size):
            if self.runs.rows[row].track != NOWHERE and self.runs.rows[row].newer == NOWHERE:
                found.append(self.runs.rows[row].track)
        return found
