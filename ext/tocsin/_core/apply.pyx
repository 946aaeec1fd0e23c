"""Plain reports, applied to the rosters a batch at a time and without the GIL.

A report is *plain* if all it does is to move its track's times: an OK of a known track that is well, with no run open
that it might end, nothing due before it, nothing to be answered that was missed. What health and verdict say of it is
not decided here but looked up in a table that engine/rules.py derives from its own. All else is left to the rules.
Order: rows are taken in their order, and the kernel stops at the first that is not plain. Whoever called does that one
and calls again, so each row finds its track as all rows before it have left it.
Invariant: a row is applied whole or not at all. All that can stop it is asked before the first write.
Cost: a track lies in two or three cache lines, its monitor, its key and its deadline in one or two each, all of them
far apart. So rows go through stages, some rows apart: hash, find, look where the track is, apply; each stage asks for
the lines that the next one reads, and the processor fetches them while other rows are at work.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memmove

from tocsin._core.batch cimport ALONE, OK, REST, Batch, report_t
from tocsin._core.deadlines cimport DeadlineHeap, heap_set, heap_t
from tocsin._core.keys cimport KeyTable, digest_t, keys_digest, keys_expect, keys_find, keys_t
from tocsin._core.plans cimport GRID, KNOWN, Plans, plan_t
from tocsin._core.recorded cimport STATE_OK, Recorded, check_in_t
from tocsin._core.roster cimport (
    MonitorRoster, TrackRoster, mark_moved, monitor_at, monitor_t, track_at, track_t, wide_fits, wide_get, wide_set,
)
from tocsin._core.rows cimport row_at, take
from tocsin._core.schedule cimport STALE, schedule_next, schedule_prev, schedule_t
from tocsin._core.timetable cimport Timetables
from tocsin._core.types cimport NEVER, NOWHERE, instant_t, prefetch

cdef enum:
    AHEAD = 10          # rows between two stages
    RING = 64           # more than three times as many
    KEY_MAX = 512       # bytes of an id or a name; longer ones are for the rules
    PREFIX_MAX = 24     # a letter, a number and a zero byte
    DEAFENED = 1        # domain.track.TrackFlag.DEAFENED
    MINUTE = 60_000
    SEQUENCE_BITS = 21  # domain.ids
    LAST_AT_BITS = 42   # instants that a check-in's number has room for

TABLE_SIZE = TABLE


cdef inline instant_t up_to_second(instant_t instant) noexcept nogil:
    return (instant + 999) // 1000 * 1000  # of what is not before 1970


cdef inline instant_t early_of(const plan_t *plan, schedule_t *row, instant_t slot, instant_t until) noexcept nogil:
    # How long before `slot` a report may come that comes `until` before it; STALE: a table must reach farther first.
    cdef instant_t before
    if not plan.flags & GRID:
        return 0
    if plan.early >= 0:
        return plan.early
    if until > MINUTE:
        return 0  # it would be a minute at most
    before = schedule_prev(row, slot)
    if before == STALE:
        return STALE
    return MINUTE if before == NEVER else min(<instant_t>MINUTE, (slot - before) // 10)


cdef bint advance_ok(
    const scene_t *scene, const plan_t *plan, track_t *track, instant_t at, int32_t duration, stepped_t *out,
) noexcept nogil:
    """Moves the times and counts of a track by a lone OK at an instant within 0 and 2^42; nobody asks if it is plain.

    The plan's timetable must be there. False: nothing was written, because a table must reach farther first, or a
    number would leave its room.
    """
    cdef instant_t expected = wide_get(track.expected), deadline = NEVER, after = at, following, early, last
    cdef schedule_t *row
    if track.ok_count == 0xffffffffU:
        return False
    row = row_at(scene.timetables, plan.timetable)
    if expected != NEVER and at < expected:
        early = early_of(plan, row, expected, expected - at)
        if early == STALE:
            return False
        if expected - early <= at:
            after = expected  # a little early is on time
    following = schedule_next(row, after, scene.caching)
    if following == STALE:
        return False
    out.waits = expected == NEVER or following > expected
    if out.waits:
        deadline = NEVER if following == NEVER else up_to_second(following + plan.margin)
        if following < 0 or not wide_fits(deadline):
            return False
        out.second = EMPTY_SECOND if deadline == NEVER else <uint32_t>min(deadline // 1000, <instant_t>0xfffffffe)
        wide_set(track.expected, following)
        wide_set(track.deadline, deadline)
        track.flags &= <uint16_t>~DEAFENED
    out.expected = expected
    track.failures = track.misses = 0
    if track.recoveries < 0xffff:
        track.recoveries += 1
    track.ok_count += 1
    if duration >= 0:
        track.last_duration = duration
    last = wide_get(track.last_success)
    wide_set(track.last_check_in, at)
    wide_set(track.last_start, at)
    wide_set(track.last_success, at if last == NEVER else max(at, last))
    return True


cdef bint step_ok(
    const scene_t *scene, track_t *track, const monitor_t *monitor, instant_t at, int kind, int32_t duration,
    bint alone, stepped_t *out,
) noexcept nogil:
    """Applies one report if it is plain. `at` is within 0 and 2^42; the monitor is the track's."""
    cdef instant_t deadline = wide_get(track.deadline)
    cdef instant_t last = wide_get(track.last_check_in), began = wide_get(track.last_start)
    cdef instant_t paused = wide_get(monitor.pause_until)
    cdef uint16_t recoveries
    cdef const plan_t *plan
    cdef uint32_t i
    if monitor.flags or paused > at or (paused > 0 and deadline == NEVER):
        return False  # refused, not recorded, not judged, or it ends a pause
    if monitor.policy >= scene.plan_count or not scene.plans[monitor.policy].flags & KNOWN:
        return False
    plan = &scene.plans[monitor.policy]
    if plan.timetable >= scene.timetables.count or (scene.limit if plan.limit < 0 else plan.limit):
        return False  # somebody counts
    if deadline < at or wide_get(track.run_deadline) < at:
        return False  # silence is judged first
    if (track.open_runs and not alone) or track.last_lapse:
        return False  # it may end a run, or comes late
    if (last != NEVER and at < last) or (began != NEVER and at < began):
        return False  # older news
    if track.health >= HEALTHS or track.verdict >= VERDICTS:
        return False
    recoveries = track.recoveries + 1 if track.recoveries < 0xffff else 0xffff
    if not scene.table[
        ((kind * HEALTHS + track.health) * VERDICTS + track.verdict) * 2 + (recoveries >= plan.recoveries)
    ]:
        return False
    for i in range(scene.held_count):
        if scene.held[i] == wide_get(track.number):
            return False
    return advance_ok(scene, plan, track, at, duration, out)


# Rows on their way through the stages: row n lies at n % RING.
cdef struct seats_t:
    digest_t digest[RING]
    uint32_t monitor[RING]   # slot; NOWHERE: not known

# All that a batch is applied to, without its owners.
cdef struct stage_t:
    scene_t scene
    const report_t *reports
    const unsigned char *text
    const keys_t *monitor_keys
    const keys_t *track_keys
    const keys_t *environment_keys
    heap_t *heap
    unsigned char prefix[PREFIX_MAX]       # of the key of a monitor
    size_t prefix_size
    const unsigned char *default_name      # of an environment
    size_t default_size
    const unsigned char *last_name         # of the environment that was looked up last, and its number
    size_t last_size
    uint32_t last_environment
    const int64_t *times                   # [rows] of the batch; NULL: all of them are of one instant
    instant_t at
    int64_t number                         # given out last


cdef inline uint32_t environment_of(stage_t *stage, const unsigned char *name, size_t size) noexcept nogil:
    # Rows of a batch mostly are of one environment.
    if not stage.last_name or size != stage.last_size or memcmp(name, stage.last_name, size) != 0:
        stage.last_name, stage.last_size = name, size
        stage.last_environment = keys_find(stage.environment_keys, keys_digest(stage.environment_keys, name, size))
    return stage.last_environment


cdef uint32_t other_track(stage_t *stage, int64_t monitor, const unsigned char *name, size_t size) noexcept nogil:
    # A track that is not the newest of its monitor, by the key of domain.ids.track_key.
    cdef unsigned char key[PREFIX_MAX + KEY_MAX]
    cdef unsigned char digits[PREFIX_MAX]
    cdef size_t count = 0, at = 0
    if size > KEY_MAX:
        return NOWHERE
    while monitor or not count:
        digits[count] = <unsigned char>(48 + monitor % 10)
        monitor = monitor // 10
        count += 1
    key[0] = 116  # t
    at = 1
    while count:
        count -= 1
        key[at] = digits[count]
        at += 1
    key[at] = 0
    at += 1
    memcpy(key + at, name, size)
    return keys_find(stage.track_keys, keys_digest(stage.track_keys, key, at + size))


cdef inline bint ask_key(stage_t *stage, unsigned char *key, uint32_t row, seats_t *seats) noexcept nogil:
    # Asks for the place of a row's key; False for a row that is never plain. `key` begins with the prefix.
    cdef const report_t *report = &stage.reports[row]
    if report.kind != OK or report.flags & REST or report.monitor_size > KEY_MAX:
        return False
    memmove(key + stage.prefix_size, stage.text + report.monitor, report.monitor_size)
    seats.digest[row % RING] = keys_digest(stage.monitor_keys, key, stage.prefix_size + report.monitor_size)
    keys_expect(stage.monitor_keys, &seats.digest[row % RING], 1)
    return True


cdef inline void ask_monitor(stage_t *stage, MonitorRoster monitors, uint32_t place, seats_t *seats) noexcept nogil:
    cdef uint32_t slot = keys_find(stage.monitor_keys, seats.digest[place])
    cdef const unsigned char *line
    seats.monitor[place] = NOWHERE
    if slot < monitors.size:
        seats.monitor[place] = slot
        line = <const unsigned char *>monitor_at(monitors, slot)
        prefetch(line)
        prefetch(line + sizeof(monitor_t) - 1)


cdef inline void ask_track(stage_t *stage, TrackRoster tracks, const monitor_t *monitor) noexcept nogil:
    cdef uint32_t slot = monitor.first_track
    cdef const unsigned char *line
    if slot < tracks.size:
        line = <const unsigned char *>track_at(tracks, slot)
        prefetch(line)
        prefetch(line + 73)  # to the end of what an OK reads
        prefetch(&stage.heap.nodes[<uint64_t>slot * 2])
        prefetch(&stage.heap.nodes[stage.heap.start[1] + (slot >> 3)])
        prefetch(&tracks.moved_bits[slot >> 3])


cdef bint apply_row(
    stage_t *stage, MonitorRoster monitors, TrackRoster tracks, uint32_t row, uint32_t owner, Recorded recorded
) noexcept nogil:
    # Whether it was plain. `owner` is the slot of its monitor.
    cdef const report_t *report = &stage.reports[row]
    cdef const monitor_t *monitor
    cdef const unsigned char *name = stage.default_name
    cdef size_t size = stage.default_size
    cdef uint32_t slot, environment
    cdef track_t *track
    cdef stepped_t stepped
    cdef check_in_t *made
    if owner == NOWHERE:
        return False
    if stage.times:
        stage.at = stage.times[row]
        if stage.at >> LAST_AT_BITS:
            return False
    monitor = monitor_at(monitors, owner)
    if report.environment_size:
        name, size = stage.text + report.environment, report.environment_size
    environment = environment_of(stage, name, size)
    slot = monitor.first_track
    if environment == NOWHERE or slot >= tracks.size:
        return False
    if track_at(tracks, slot).environment != environment:
        slot = other_track(stage, wide_get(monitor.number), name, size)
        if slot >= tracks.size:
            return False
    track = track_at(tracks, slot)
    if track.monitor != owner or track.environment != environment:
        return False
    if not step_ok(
        &stage.scene, track, monitor, stage.at, report.kind, report.duration, report.flags & ALONE != 0, &stepped
    ):
        return False
    if stepped.waits:
        heap_set(stage.heap, slot * 2, stepped.second)
    mark_moved(tracks, slot)
    stage.number = max(stage.at << SEQUENCE_BITS, stage.number + 1)
    made = &recorded.rows[recorded.size]
    recorded.size += 1
    made.number = stage.number
    made.monitor = wide_get(monitor.number)
    made.track = wide_get(track.number)
    made.receive_time = made.update_time = made.end_time = stage.at
    made.expected_time = stepped.expected
    made.duration = report.duration
    made.policy = monitor.policy
    made.environment = environment
    made.slot = slot
    made.row = row
    made.state = STATE_OK
    return True


cdef uint32_t apply_rows(
    stage_t *stage, MonitorRoster monitors, TrackRoster tracks, uint32_t first, uint32_t last, Recorded recorded
) noexcept nogil:
    # The first row that was not applied, or `last`. `recorded` has room for all.
    cdef unsigned char key[PREFIX_MAX + KEY_MAX]
    cdef seats_t seats
    cdef uint64_t step = first, limit = last, begin = first
    memcpy(key, stage.prefix, stage.prefix_size)
    while True:
        if step < limit and not ask_key(stage, key, <uint32_t>step, &seats):
            limit = step
        if step >= begin + AHEAD and step - AHEAD < limit:
            ask_monitor(stage, monitors, (step - AHEAD) % RING, &seats)
        if step >= begin + 2 * AHEAD and step - 2 * AHEAD < limit:
            if seats.monitor[(step - 2 * AHEAD) % RING] != NOWHERE:
                ask_track(stage, tracks, monitor_at(monitors, seats.monitor[(step - 2 * AHEAD) % RING]))
        if step >= begin + 3 * AHEAD:
            if step - 3 * AHEAD >= limit:
                return <uint32_t>limit
            if not apply_row(
                stage, monitors, tracks, <uint32_t>(step - 3 * AHEAD), seats.monitor[(step - 3 * AHEAD) % RING],
                recorded,
            ):
                return <uint32_t>(step - 3 * AHEAD)
        step += 1


@cython.final
cdef class Applier:
    def __cinit__(
        self, MonitorRoster monitors not None, TrackRoster tracks not None, KeyTable monitor_keys not None,
        KeyTable track_keys not None, KeyTable environment_keys not None, Plans plans not None,
        DeadlineHeap deadlines not None, bytes table not None,
    ):
        if len(table) != TABLE:
            raise ValueError(f"the table has {TABLE} cells, got {len(table)}")
        self.monitors, self.tracks = monitors, tracks
        self.monitor_keys, self.track_keys, self.environment_keys = monitor_keys, track_keys, environment_keys
        self.plans, self.deadlines = plans, deadlines
        memcpy(self.table, PyBytes_AS_STRING(table), TABLE)

    cdef int _mine(self) except -1:
        self.monitors._mine()
        self.tracks._mine()
        self.monitor_keys._mine()
        self.track_keys._mine()
        self.environment_keys._mine()
        self.deadlines._mine()
        if self.plans.busy:
            raise RuntimeError("another thread is in the middle of a batch of reports")
        if self.deadlines.heap.slots < self.tracks.size:
            self.deadlines._grow(max(<uint64_t>self.tracks.size, <uint64_t>self.deadlines.heap.slots * 2))
        return 0

    cdef void _hold(self, bint busy) noexcept:
        self.monitors.busy = self.tracks.busy = self.plans.busy = self.deadlines.busy = busy
        self.monitor_keys.busy = self.track_keys.busy = self.environment_keys.busy = busy

    def step(
        self, Batch batch not None, uint32_t first, int64_t project, int64_t at, Timetables timetables not None,
        bytes environment not None, int64_t limit, int64_t number, Recorded recorded not None, held=(),
        const int64_t[::1] times=None,
    ):
        cdef stage_t stage
        cdef bytes prefix
        cdef int64_t[64] left_out
        cdef uint32_t done, before, i
        cdef bint caching
        held = tuple(held)  # whatever it runs, it runs before anything is looked at
        if first > batch.size:
            raise IndexError(f"no report {first} in a batch of {batch.size}")
        if at >> LAST_AT_BITS or number < 0 or len(held) > 64 or number > (<int64_t>1 << 62):
            return first, number  # what a number or this kernel has no room for
        prefix = b"m%d\x00" % project
        for i in range(<uint32_t>len(held)):
            left_out[i] = held[i]
        self._mine()
        if batch.busy:
            raise RuntimeError("another thread is in the middle of this batch")
        recorded.reserve(recorded.size + batch.size - first)
        memcpy(stage.prefix, PyBytes_AS_STRING(prefix), PyBytes_GET_SIZE(prefix))
        stage.prefix_size = PyBytes_GET_SIZE(prefix)
        stage.default_name = <const unsigned char *>PyBytes_AS_STRING(environment)
        stage.default_size = PyBytes_GET_SIZE(environment)
        stage.last_name = NULL
        stage.reports, stage.text = batch.reports, batch.text
        stage.monitor_keys, stage.track_keys = &self.monitor_keys.keys, &self.track_keys.keys
        stage.environment_keys, stage.heap = &self.environment_keys.keys, &self.deadlines.heap
        stage.at, stage.number, stage.times = at, number, NULL
        if times is not None:
            if times.shape[0] != batch.size:
                raise ValueError(f"{batch.size} reports and {times.shape[0]} times")
            if batch.size:
                stage.times = &times[0]
        stage.scene.plans, stage.scene.plan_count = self.plans.plans, self.plans.size
        stage.scene.timetables, stage.scene.table = &timetables.rows, self.table
        stage.scene.limit, stage.scene.held, stage.scene.held_count = limit, left_out, <uint32_t>len(held)
        before = recorded.size
        caching = take(&timetables.caching)
        stage.scene.caching = caching
        timetables.running += 1
        self._hold(True)
        batch.busy = recorded.busy = True
        with nogil:
            done = apply_rows(&stage, self.monitors, self.tracks, first, batch.size, recorded)
        batch.busy = recorded.busy = False
        self._hold(False)
        timetables.running -= 1
        if caching:
            timetables.caching = False
        if self.deadlines.watch is not None:
            for i in range(before, recorded.size):
                self.deadlines.watch.store(recorded.rows[i].slot * 2, recorded.rows[i].slot)
        return done, stage.number


def spare(Recorded recorded not None, rows not None):
    cdef Recorded kept = Recorded()
    cdef uint32_t i
    recorded._mine()
    kept.reserve(recorded.size)
    for i in range(recorded.size):
        if recorded.rows[i].row not in rows:
            kept.rows[kept.size] = recorded.rows[i]
            kept.size += 1
    return kept


def unlisted(Recorded recorded not None, numbers not None):
    cdef Recorded kept = Recorded()
    cdef uint32_t i
    recorded._mine()
    kept.reserve(recorded.size)
    for i in range(recorded.size):
        if recorded.rows[i].number not in numbers:
            kept.rows[kept.size] = recorded.rows[i]
            kept.size += 1
    return kept


def without(Recorded recorded not None, monitors, tracks):
    cdef Recorded kept = Recorded()
    cdef uint32_t i
    recorded._mine()
    kept.reserve(recorded.size)
    for i in range(recorded.size):
        if recorded.rows[i].monitor not in monitors and recorded.rows[i].track not in tracks:
            kept.rows[kept.size] = recorded.rows[i]
            kept.size += 1
    return kept
