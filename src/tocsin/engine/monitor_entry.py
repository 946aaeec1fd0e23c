"""The hot part of a monitor: what judging needs of it."""

import msgspec

from tocsin.domain.instant import Instant


class MonitorEntry(msgspec.Struct):
    """Hot part of a monitor. Field order is the roster's."""

    number: int
    project: int
    policy: int
    flags: int
    digest: int  # of the last upsert applied: the same again changes nothing
    first_track: int
    paused_until: Instant  # NEVER: until resumed; 0: not paused
    muted_until: Instant  # likewise

    def paused(self, at: Instant) -> bool:
        return self.paused_until > at

    def quiet(self, at: Instant) -> bool:
        """Nothing is waited for and nothing judged."""
        return self.flags != 0 or self.paused(at)

    def muted(self, at: Instant) -> bool:
        return self.muted_until > at
