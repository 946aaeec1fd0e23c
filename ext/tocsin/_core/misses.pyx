"""First misses in columns: what a burst mostly is, judged without the GIL.

A miss is *plain* if its track waits for a slot and nothing else, and if nothing else is due of it up to the horizon. It
becomes a check-in, MISSED, and the track waits for the next slot; whether an incident is opened is looked up in a table
that engine/rules.py derives from its own. Where an incident is open already, or time was lost to an outage, the rules
judge. Order: as for reports, the kernel stops at the first that is not plain.
Cost: the lines of a track, its monitor and its deadline, asked for some misses ahead.
"""
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

from tocsin._core.apply cimport EMPTY_SECOND, HEALTHS, VERDICTS, Applier
from tocsin._core.deadlines cimport heap_set
from tocsin._core.opened cimport CHANGED, MUTED_ONE, Opened, opened_t
from tocsin._core.plans cimport KNOWN, ROLLING, plan_t
from tocsin._core.recorded cimport STATE_MISSED, Recorded, check_in_t
from tocsin._core.roster cimport (
    bit_at, mark_moved, monitor_at, monitor_t, track_at, track_t, wide_fits, wide_get, wide_set,
)
from tocsin._core.rows cimport row_at, rows_t, take
from tocsin._core.schedule cimport STALE, schedule_next, schedule_rearm, schedule_t
from tocsin._core.timetable cimport Timetables
from tocsin._core.types cimport NEVER, NOWHERE, instant_t, prefetch

cdef enum:
    AHEAD = 12
    DEAFENED = 1        # domain.track.TrackFlag
    UNHEARD = 2
    MUTED = 4
    MISSED = 3          # domain.track.Verdict
    SEQUENCE_BITS = 21  # domain.ids
    LAST_AT_BITS = 42
    OPENS = 0x10        # in a cell of the table, beside the health: an incident is opened
    FOR_RULES = 0xff

CELLS = HEALTHS * 2


cdef struct burst_t:
    const uint32_t *due
    uint32_t count
    const plan_t *plans
    uint32_t plan_count
    const rows_t *timetables
    const uint8_t *table
    const int64_t *held
    uint32_t held_count
    instant_t horizon
    int64_t number
    int64_t incident
    bint caching


cdef bint judge(
    burst_t *burst, Applier parts, uint32_t handle, Recorded recorded, Opened opened
) noexcept nogil:
    # Whether the miss behind a handle of the heap was plain; then it is judged.
    cdef uint32_t slot = handle >> 1, i
    cdef track_t *track
    cdef const monitor_t *monitor
    cdef const plan_t *plan
    cdef schedule_t *row
    cdef instant_t expected, deadline, following, due
    cdef uint16_t failures, misses
    cdef uint8_t cell, shown
    cdef bint enough
    cdef check_in_t *made
    cdef opened_t *told
    if handle & 1 or slot >= parts.tracks.size or not bit_at(parts.tracks.open_bits, slot):
        return False
    track = track_at(parts.tracks, slot)
    if track.monitor >= parts.monitors.size:
        return False
    monitor = monitor_at(parts.monitors, track.monitor)
    expected, deadline = wide_get(track.expected), wide_get(track.deadline)
    if deadline >= burst.horizon or deadline >> LAST_AT_BITS or wide_get(track.run_deadline) < burst.horizon:
        return False
    if deadline < expected:
        return False  # a rolling timer that stood still for maintenance: rules only know how it goes on
    if track.open_runs or track.flags & DEAFENED or monitor.flags or wide_get(monitor.pause_until) > 0:
        return False
    if track.missed_count == 0xffffffffU or track.health >= HEALTHS or track.verdict >= VERDICTS:
        return False
    if monitor.policy >= burst.plan_count or not burst.plans[monitor.policy].flags & KNOWN:
        return False
    plan = &burst.plans[monitor.policy]
    if plan.timetable >= burst.timetables.count:
        return False
    for i in range(burst.held_count):
        if burst.held[i] == wide_get(track.number):
            return False
    misses = track.misses + 1 if track.misses < 0xffff else 0xffff
    failures = track.failures
    if plan.misses:
        enough = misses >= plan.misses
    else:
        failures = failures + 1 if failures < 0xffff else 0xffff
        enough = failures >= plan.failures
    cell = burst.table[track.health * 2 + enough]
    if cell == FOR_RULES:
        return False
    row = row_at(burst.timetables, plan.timetable)
    if plan.flags & ROLLING:
        following = schedule_next(row, deadline, burst.caching)
    else:
        following = schedule_rearm(row, expected, deadline, burst.caching)
        if following != STALE and following <= expected:
            following = schedule_next(row, expected, burst.caching)
    if following == STALE or following < 0:
        return False
    due = NEVER if following == NEVER else (following + plan.margin + 999) // 1000 * 1000
    if due < burst.horizon or not wide_fits(due):
        return False  # more than one slot at once
    burst.number = max(deadline << SEQUENCE_BITS, burst.number + 1)
    made = &recorded.rows[recorded.size]
    recorded.size += 1
    made.number = burst.number
    made.monitor = wide_get(monitor.number)
    made.track = wide_get(track.number)
    made.receive_time = made.expected_time = expected
    made.update_time = deadline
    made.end_time = NEVER
    made.duration = -1
    made.policy = monitor.policy
    made.environment = track.environment
    made.slot = slot
    made.row = NOWHERE
    made.state = STATE_MISSED
    shown = <uint8_t>(track.health << 3 | track.verdict)
    track.last_lapse = burst.number
    wide_set(track.last_lapse_slot, expected)
    track.flags &= <uint16_t>~(UNHEARD | DEAFENED)
    track.missed_count += 1
    track.recoveries = 0
    track.misses, track.failures = misses, failures
    track.verdict = MISSED
    track.health = cell & 0xf
    told = &opened.rows[opened.size]
    opened.size += 1
    told.track, told.monitor = made.track, made.monitor
    told.incident = 0
    told.check_in, told.deadline = burst.number, deadline
    told.project, told.environment, told.slot = monitor.project, track.environment, slot
    told.failures = max(failures, misses)
    told.shown = <uint8_t>(track.health << 3 | track.verdict)
    told.flags = CHANGED if told.shown != shown else 0
    if wide_get(monitor.mute_until) > deadline or track.flags & MUTED:
        told.flags |= MUTED_ONE
    if cell & OPENS:
        burst.incident += 1
        told.incident = burst.incident
        wide_set(track.incident, burst.incident)
    wide_set(track.expected, following)
    wide_set(track.deadline, due)
    heap_set(
        &parts.deadlines.heap, slot * 2,
        EMPTY_SECOND if due == NEVER else <uint32_t>min(due // 1000, <instant_t>0xfffffffe),
    )
    mark_moved(parts.tracks, slot)
    return True


cdef uint32_t judge_rows(
    burst_t *burst, Applier parts, uint32_t first, Recorded recorded, Opened opened
) noexcept nogil:
    cdef uint32_t i, slot
    cdef const unsigned char *line
    for i in range(first, burst.count):
        if i + 2 * AHEAD < burst.count:
            slot = burst.due[i + 2 * AHEAD] >> 1
            if slot < parts.tracks.size:
                line = <const unsigned char *>track_at(parts.tracks, slot)
                prefetch(line)
                prefetch(line + 64)
                prefetch(line + sizeof(track_t) - 1)
        if i + AHEAD < burst.count:
            slot = burst.due[i + AHEAD] >> 1
            if slot < parts.tracks.size and track_at(parts.tracks, slot).monitor < parts.monitors.size:
                prefetch(monitor_at(parts.monitors, track_at(parts.tracks, slot).monitor))
        if not judge(burst, parts, burst.due[i], recorded, opened):
            return i
    return burst.count


def step(
    Applier parts not None, const uint32_t[::1] due not None, uint32_t first, int64_t horizon,
    Timetables timetables not None, int64_t number, int64_t incident, bytes table not None, Recorded recorded not None,
    Opened opened not None, held=(),
):
    cdef burst_t burst
    cdef int64_t[64] left_out
    cdef uint32_t done, before, i
    cdef uint32_t count = <uint32_t>due.shape[0]
    held = tuple(held)  # whatever it runs, it runs before anything is looked at
    if len(table) != CELLS:
        raise ValueError(f"the table has {CELLS} cells, got {len(table)}")
    if first > count:
        raise IndexError(f"no deadline {first} of {count}")
    if first == count or len(held) > 64 or number < 0 or number > <int64_t>1 << 62 or incident < 0:
        return first, number, incident
    for i in range(<uint32_t>len(held)):
        left_out[i] = held[i]
    parts._mine()
    before = recorded.size
    recorded.reserve(recorded.size + count - first)
    opened.reserve(opened.size + count - first)
    burst.due, burst.count = &due[0], count
    burst.plans, burst.plan_count = parts.plans.plans, parts.plans.size
    burst.timetables, burst.table = &timetables.rows, <const uint8_t *>PyBytes_AS_STRING(table)
    burst.held, burst.held_count = left_out, <uint32_t>len(held)
    burst.horizon, burst.number, burst.incident = horizon, number, incident
    burst.caching = take(&timetables.caching)
    timetables.running += 1
    parts._hold(True)
    recorded.busy = opened.busy = True
    with nogil:
        done = judge_rows(&burst, parts, first, recorded, opened)
    recorded.busy = opened.busy = False
    parts._hold(False)
    timetables.running -= 1
    if burst.caching:
        timetables.caching = False
    if parts.deadlines.watch is not None:
        for i in range(before, recorded.size):
            parts.deadlines.watch.store(recorded.rows[i].slot * 2, recorded.rows[i].slot)
    return done, burst.number, burst.incident


def by_project(Recorded recorded not None, Opened opened not None):
    cdef uint32_t i
    cdef dict found = {}
    cdef Recorded one
    cdef object known = None
    cdef uint32_t project = 0
    recorded._mine()
    opened._mine()
    if recorded.size != opened.size:
        raise ValueError(f"{recorded.size} check-ins of {opened.size} misses")
    for i in range(recorded.size):
        if known is None or opened.rows[i].project != project:
            project = opened.rows[i].project
            known = found.get(project)
            if known is None:
                known = found[project] = Recorded()
        one = known
        one.reserve(one.size + 1)
        one.rows[one.size] = recorded.rows[i]
        one.size += 1
    return found
