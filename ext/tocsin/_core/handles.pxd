# Stale handles, caught in debug builds; see handles.pyx.
from libc.stdint cimport uint32_t

from tocsin._core.roster cimport Roster


cdef class Watch:
    cdef Roster owner
    cdef dict seen  # where a slot was stored -> the generation it had then
    cdef int store(self, object place, uint32_t slot) except -1
    cdef int verify(self, object place, uint32_t slot) except -1
    cdef int forget(self, object place) except -1


cdef Watch watch_of(object owner)  # None in a release build, or without an owner
