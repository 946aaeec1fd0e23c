"""One track on a grid of minutes: what a plain OK and a plain first miss come to, in arithmetic and words."""

from dataclasses import dataclass

MINUTE = 60_000


@dataclass
class OneTrack:
    """Instants in ms. `early` None: derived from the slots. Two misses in a row are too many, one OK is enough."""

    period: int
    margin: int
    early: int | None
    expected: int | None = None
    deadline: int | None = None
    last: int | None = None
    oks: int = 0
    recoveries: int = 0
    missed: int = 0
    failures: int = 0
    missed_last: bool = False

    def slot_after(self, instant: int) -> int:
        return next(slot for slot in self._slots(instant) if slot > instant)

    def _slots(self, instant: int) -> range:
        before = instant - instant % self.period
        return range(before, before + 3 * self.period, self.period)

    def wait_for(self, slot: int) -> None:
        self.expected = slot
        self.deadline = slot + self.margin + -(slot + self.margin) % 1000  # whole seconds, rounded up

    def ok(self, at: int) -> bool:
        """Whether it is plain; then it has happened."""
        if self.missed_last or (self.deadline is not None and at > self.deadline):
            return False
        if self.last is not None and at < self.last:
            return False
        answered = at
        if self.expected is not None and at < self.expected:
            early = min(MINUTE, self.period // 10) if self.early is None else self.early
            if self.expected - at <= early:
                answered = self.expected
        following = self.slot_after(answered)
        if self.expected is None or following > self.expected:
            self.wait_for(following)
        self.last, self.oks, self.recoveries, self.failures = at, self.oks + 1, self.recoveries + 1, 0
        return True

    def judge(self, until: int) -> bool:
        """Whether the only deadline before `until` is missed, for the first time or the second; then it has happened."""
        if self.deadline is None or self.deadline >= until or self.failures >= 2:
            return False
        judged, slot = self.deadline, self.slot_after(self.expected or 0)
        while slot < judged:
            slot = self.slot_after(slot)
        if -(-(slot + self.margin) // 1000) * 1000 < until:
            return False  # the next one is due as well
        self.wait_for(slot)
        self.missed, self.failures, self.recoveries, self.missed_last = self.missed + 1, self.failures + 1, 0, True
        return True
