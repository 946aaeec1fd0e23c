"""Consecutive failures, misses and recoveries: counted here and nowhere else.

Without a `miss_threshold` misses count as failures (Sentry); with one they are counted apart. Only real verdicts count:
open runs, UNKNOWN and notes leave the counters alone, and N verdicts are needed to reach N. Where causes are separate
(Cronitor), misses are always counted apart, and only a report that was on schedule ends a row of them: one that came
late was there, but the slot was missed.
"""

from tocsin.domain.monitor import Policy
from tocsin.domain.track import Track
from tocsin.engine.rules import Outcome

_CEILING = 0xFFFF  # the roster's counters are 16 bits; thresholds end far below


def count_ok(track: Track, policy: Policy, *, on_schedule: bool = True) -> Outcome:
    track.failures = 0
    if on_schedule or not policy.separate_causes:
        track.misses = 0
    track.recoveries = min(track.recoveries + 1, _CEILING)
    return Outcome.GOOD_ENOUGH if track.recoveries >= policy.tolerance.recovery_threshold else Outcome.GOOD


def count_failure(track: Track, policy: Policy, *, on_schedule: bool = False) -> Outcome:
    """An error or a time-out. The job did run: a row of misses ends here, unless misses are failures like any other."""
    track.recoveries = 0
    track.failures = min(track.failures + 1, _CEILING)
    if on_schedule if policy.separate_causes else bool(policy.tolerance.miss_threshold):
        track.misses = 0
    return Outcome.TOO_BAD if track.failures >= policy.tolerance.failure_threshold else Outcome.BAD


def count_miss(track: Track, policy: Policy) -> Outcome:
    track.recoveries = 0
    track.misses = min(track.misses + 1, _CEILING)
    if apart := misses_apart(policy):
        return Outcome.TOO_BAD if track.misses >= apart else Outcome.BAD
    track.failures = min(track.failures + 1, _CEILING)
    return Outcome.TOO_BAD if track.failures >= policy.tolerance.failure_threshold else Outcome.BAD


def misses_apart(policy: Policy) -> int:
    """How many misses in a row are too bad; 0: they count as failures."""
    tolerance = policy.tolerance
    return tolerance.miss_threshold or (tolerance.failure_threshold if policy.separate_causes else 0)
