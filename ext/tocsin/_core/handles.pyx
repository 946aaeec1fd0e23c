"""Stale handles, caught in debug builds: a slot that was stored, closed, and perhaps given out again.

Keys, deadlines and runs hold slots of a roster and outlive none of them, so each can be given the roster as its owner.
In a debug build it then keeps a `Watch`: the generation of a slot when it was stored, compared when it is handed out.
A slot that is not open cannot be stored. Release builds have no watch; one test against None is all they pay.
Cost: a dict entry for each handle, in debug builds only.
"""
from libc.stdint cimport uint32_t

from tocsin._core.roster cimport Roster
from tocsin._core.types cimport IS_DEBUG

globals().update(DEBUG=bool(IS_DEBUG))  # a C constant, given to Python


cdef class Watch:
    cdef int store(self, object place, uint32_t slot) except -1:
        if not self.owner.is_open(slot):
            raise AssertionError(f"stale handle: slot {slot} of {type(self.owner).__name__} is not open")
        self.seen[place] = self.owner.generation(slot)
        return 0

    cdef int verify(self, object place, uint32_t slot) except -1:
        if not self.owner.is_open(slot) or self.seen[place] != self.owner.generation(slot):
            raise AssertionError(f"stale handle: slot {slot} of {type(self.owner).__name__} was closed since")
        return 0

    cdef int forget(self, object place) except -1:
        self.seen.pop(place, None)
        return 0


cdef Watch watch_of(object owner):
    cdef Watch watch
    if owner is not None and not isinstance(owner, Roster):
        raise TypeError(f"the owner is a roster, got {type(owner).__name__}")
    if not IS_DEBUG or owner is None:
        return None
    watch = Watch.__new__(Watch)
    watch.owner = owner
    watch.seen = {}
    return watch
