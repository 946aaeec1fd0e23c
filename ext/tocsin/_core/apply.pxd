# Plain reports in columns; see apply.pyx.
cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from tocsin._core.deadlines cimport DeadlineHeap, heap_t
from tocsin._core.keys cimport KeyTable, digest_t, keys_t
from tocsin._core.plans cimport Plans, plan_t
from tocsin._core.recorded cimport Recorded
from tocsin._core.roster cimport MonitorRoster, TrackRoster, monitor_t, track_t
from tocsin._core.rows cimport rows_t
from tocsin._core.types cimport instant_t

cdef enum:
    KINDS = 6      # domain.check_in.ReportKind
    HEALTHS = 3    # domain.track.Health
    VERDICTS = 6   # domain.track.Verdict
    TABLE = KINDS * HEALTHS * VERDICTS * 2

# What a report is judged by, beside its track and its monitor.
cdef struct scene_t:
    const plan_t *plans
    uint32_t plan_count
    const rows_t *timetables
    bint caching            # the window caches are ours
    const uint8_t *table    # [TABLE]: 1 where a report changes neither health nor verdict, see engine.rules.plain
    int64_t limit           # check-ins a minute that the project allows an environment; 0: any number
    const int64_t *held     # numbers of tracks that are not judged
    uint32_t held_count

# What a plain report came to.
cdef struct stepped_t:
    instant_t expected      # the slot that it was filed under; NEVER: none
    bint waits              # the track waits for another slot now:
    uint32_t second         # its deadline for the heap; EMPTY: none

cdef enum:
    EMPTY_SECOND = 0xffffffff

cdef bint advance_ok(
    const scene_t *scene, const plan_t *plan, track_t *track, instant_t at, int32_t duration, stepped_t *out,
) noexcept nogil
cdef bint step_ok(
    const scene_t *scene, track_t *track, const monitor_t *monitor, instant_t at, int kind, int32_t duration,
    bint alone, stepped_t *out,
) noexcept nogil


@cython.final
cdef class Applier:
    cdef readonly MonitorRoster monitors
    cdef readonly TrackRoster tracks
    cdef readonly KeyTable monitor_keys, track_keys, environment_keys
    cdef readonly Plans plans
    cdef readonly DeadlineHeap deadlines
    cdef uint8_t table[TABLE]
    cdef int _mine(self) except -1
    cdef void _hold(self, bint busy) noexcept
