# Tracks as they are kept in the store; see saved.pyx.
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from tocsin._core.roster cimport MonitorRoster, TrackRoster, track_t

# As bytes, little-endian. In `track`, `monitor` and `next_track` together hold Monitor.number: a slot means nothing
# once the process has ended.
cdef packed struct saved_t:
    uint8_t layout     # roster.LAYOUT
    int64_t applied    # number of the newest check-in that is contained
    track_t track


cdef inline int64_t saved_monitor(const saved_t *saved) noexcept nogil:
    return <int64_t>(<uint64_t>saved.track.monitor | <uint64_t>saved.track.next_track << 32)


cdef class SavedTracks:
    cdef saved_t *rows
    cdef uint32_t size


cdef class Mover:
    cdef TrackRoster tracks
    cdef MonitorRoster monitors
    cdef uint32_t cursor       # byte of the marks where it goes on
    cdef uint64_t passed_      # bytes of marks that were left empty behind it, ever
