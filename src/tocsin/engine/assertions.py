"""When assertions are judged, and by what.

    of a job          at the end of a run, by all that its reports brought; lower bounds of the duration at a good end
    of a heartbeat    with each report, by what it brought
    upper bounds      of the duration also while a run is open: see `open_runs`

What was not measured is not judged: it neither violates an assertion nor ends a violation.
"""

from collections.abc import Mapping

from tocsin.domain.check_in import CheckIn, Report, ReportKind
from tocsin.domain.instant import Millis
from tocsin.domain.monitor import Kind
from tocsin.engine.causes import Held
from tocsin.engine.timing import Timing

_ENDS = (ReportKind.OK, ReportKind.ERROR)


def judged(timing: Timing, sent: Report, run: CheckIn) -> list[Held]:
    """Those that a report makes known; `run` is the check-in after it."""
    if not timing.assertions:
        return []
    if timing.policy.kind is Kind.JOB:
        good = sent.kind is ReportKind.OK
        return _held(timing, run.metrics, run.duration_ms, lower=good) if sent.kind in _ENDS else []
    measured = run.duration_ms if sent.kind in _ENDS else sent.duration_ms
    return _held(timing, sent.metrics, measured, lower=True) if sent.kind is not ReportKind.RESET else []


def late_start(timing: Timing, run: CheckIn) -> list[Held]:
    """Those on the duration of a run that had ended before its start was told."""
    return _held(timing, {}, run.duration_ms, lower=True) if timing.policy.kind is Kind.JOB else []


def _held(timing: Timing, metrics: Mapping[str, float], duration: Millis | None, *, lower: bool) -> list[Held]:
    """`lower`: whether lower bounds of the duration are judged too."""
    found: list[Held] = []
    for one in timing.assertions:
        if not lower and one.name == "duration" and one.operator in (">", ">="):
            continue
        holds = one.holds(metrics, duration)
        if holds is not None:
            found.append((one.text, holds))
    return found
