"""Numbers given out, and what is stored once and then called by its number: policies and environments."""

import os

from tocsin._core.keys import KeyTable
from tocsin._core.plans import Plans
from tocsin.domain import ids
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Policy
from tocsin.engine.delta import Delta
from tocsin.engine.monitor_entry import MonitorEntry
from tocsin.engine.timing import Timing
from tocsin.schedule import Compiler


class Numbered:
    def __init__(self, compiler: Compiler) -> None:
        self.compiler = compiler
        self.delta = Delta()  # of the batch in hand
        self.timings: list[Timing | None] = [None]  # by policy number; 0 is no policy
        self.plans = Plans()  # the same for kernels
        self.environments: list[str] = [""]  # by number; 0 is no environment
        self.environment_keys = KeyTable(os.urandom(16))  # names to numbers, for kernels
        self.sequences: dict[str, int] = {}
        self._policies: dict[Policy, int] = {}
        self._environments: dict[str, int] = {}
        self._last_check_in = 0

    # -- numbers

    def number(self, noun: str) -> int:
        """The next number of a noun: monitor, track, incident, outage."""
        number = self.sequences.get(noun, 0) + 1
        self.sequences[noun] = self.delta.sequences[noun] = number
        return number

    def check_in_number(self, at: Instant) -> int:
        """Time-ordered, and greater than any given out before."""
        self._last_check_in = max(ids.check_in_number(at, 0), self._last_check_in + 1)
        self.sequences["check_in"] = self.delta.sequences["check_in"] = self._last_check_in
        return self._last_check_in

    def start_numbers(self, sequences: dict[str, int]) -> None:
        self.sequences = dict(sequences)
        self._last_check_in = sequences.get("check_in", 0)

    @property
    def last_check_in(self) -> int:
        """The number given out last."""
        return self._last_check_in

    @last_check_in.setter
    def last_check_in(self, number: int) -> None:
        """What a kernel has given out."""
        if number != self._last_check_in:
            self._last_check_in = self.sequences["check_in"] = self.delta.sequences["check_in"] = number

    # -- policies and environments, each stored once

    def policy_number(self, policy: Policy) -> int:
        known = self._policies.get(policy)
        if known is not None:
            return known
        number = self.number("policy")
        self.add_policy(number, policy)
        self.delta.policies[number] = policy
        return number

    def add_policy(self, number: int, policy: Policy) -> None:
        self.add_timing(Timing.compile(number, policy, self.compiler))

    def add_timing(self, timing: Timing) -> None:
        number, policy = timing.number, timing.policy
        while len(self.timings) <= number:
            self.timings.append(None)
        self.timings[number] = timing
        timing.plan(self.plans)
        self._policies[policy] = number

    def use_timings(self, timings: list[Timing | None], compiler: Compiler) -> None:
        """Others for the same policies, compiled anew."""
        self.timings, self.compiler = timings, compiler
        for timing in timings:
            if timing is not None:
                timing.plan(self.plans)

    def timing(self, monitor: MonitorEntry) -> Timing:
        timing = self.timings[monitor.policy]
        assert timing is not None
        return timing

    def known_environment(self, name: str) -> int | None:
        return self._environments.get(name)

    def environment_number(self, name: str) -> int:
        known = self._environments.get(name)
        if known is not None:
            return known
        number = self.number("environment")
        self.add_environment(number, name)
        self.delta.environments[number] = name
        return number

    def add_environment(self, number: int, name: str) -> None:
        while len(self.environments) <= number:
            self.environments.append("")
        self.environments[number] = name
        self.environment_keys.put(name.encode(), number)
        self._environments[name] = number
