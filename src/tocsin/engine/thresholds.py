"""Consecutive failures, misses and recoveries: counted here and nowhere else.

Without a `miss_threshold` misses count as failures (Sentry); with one they are counted apart (Cronitor). Only real
verdicts count: open runs, UNKNOWN and notes leave the counters alone, and N verdicts are needed to reach N.
"""

from tocsin.domain.monitor import Tolerance
from tocsin.domain.track import Track
from tocsin.engine.rules import Outcome

_CEILING = 0xFFFF  # the roster's counters are 16 bits; thresholds end far below


def count_ok(track: Track, tolerance: Tolerance) -> Outcome:
    track.failures = track.misses = 0
    track.recoveries = min(track.recoveries + 1, _CEILING)
    return Outcome.GOOD_ENOUGH if track.recoveries >= tolerance.recovery_threshold else Outcome.GOOD


def count_failure(track: Track, tolerance: Tolerance) -> Outcome:
    """An error or a time-out. The job did run: a row of misses ends here, unless misses are failures like any other."""
    track.recoveries = 0
    track.failures = min(track.failures + 1, _CEILING)
    if tolerance.miss_threshold:
        track.misses = 0
    return Outcome.TOO_BAD if track.failures >= tolerance.failure_threshold else Outcome.BAD


def count_miss(track: Track, tolerance: Tolerance) -> Outcome:
    track.recoveries = 0
    track.misses = min(track.misses + 1, _CEILING)
    if tolerance.miss_threshold:
        return Outcome.TOO_BAD if track.misses >= tolerance.miss_threshold else Outcome.BAD
    track.failures = min(track.failures + 1, _CEILING)
    return Outcome.TOO_BAD if track.failures >= tolerance.failure_threshold else Outcome.BAD
