"""A rolling timer, slow and obvious: what it expects, and all that happened to it, in the order in which it happened.

Period and grace in milliseconds; `windows` are the (start, end) of maintenance that was known from the beginning.
"""

from dataclasses import dataclass, field


@dataclass
class RollingTimer:
    period: int
    grace: int
    windows: list[tuple[int, int]] = field(default_factory=list)
    expected: int | None = None  # None: not armed
    held: int = 0  # the end of the maintenance that it last ran out in
    failures: int = 0
    active: bool = True
    events: list[tuple[str, int, int | None]] = field(default_factory=list)  # what, when, what was expected then
    incidents: list[tuple[int, int | None]] = field(default_factory=list)  # when each began and ended

    def ping(self, at: int) -> None:
        self.run_up_to(at)
        if not self.active:
            return
        self.events.append(("ok", at, self.expected))
        if self.expected is None or at + self.period > self.expected:
            self.expected = at + self.period
        self._be_well(at)

    def change_period(self, at: int, period: int) -> None:
        self.run_up_to(at)
        if period != self.period and self.expected is not None:
            self.expected = max(at, self.held) + period
        self.period = period

    def change_grace(self, at: int, grace: int) -> None:
        self.run_up_to(at)
        self.grace = grace
        if self.expected is not None and self._deadline() < at:
            self._run_out(at)

    def switch(self, at: int, *, active: bool) -> None:
        self.run_up_to(at)
        if active == self.active:
            return
        self.active, self.held = active, 0
        self.expected = at + self.period if active else None
        self._be_well(at)

    def run_up_to(self, at: int) -> None:
        """All deadlines strictly before it."""
        while self.expected is not None and self._deadline() < at:
            self._run_out(self._deadline())

    def _deadline(self) -> int:
        assert self.expected is not None
        return -(-(self.expected + self.grace) // 1000) * 1000

    def _run_out(self, at: int) -> None:
        assert self.expected is not None
        end = self._over(at) or self._over(self.expected)
        if end is not None:
            self.held = end
            self.expected = end + self.period
            return
        self.events.append(("missed", at, self.expected))
        self.failures += 1
        if self.failures == 1:
            self.incidents.append((at, None))
        self.expected = at + self.period

    def _over(self, at: int) -> int | None:
        """When the windows around an instant are over, with those that follow at once."""
        end = None
        while ends := [until for since, until in self.windows if since <= (at if end is None else end) < until]:
            end = max(ends)
        return end

    def _be_well(self, at: int) -> None:
        if self.failures:
            self.incidents[-1] = (self.incidents[-1][0], at)
        self.failures = 0
