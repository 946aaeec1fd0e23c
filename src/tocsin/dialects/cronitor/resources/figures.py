"""What check-ins, incidents and time make of the figures that Cronitor shows. Pure.

A run counts where its first event was received. What a monitor with runs calls complete is a tick of a heartbeat.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from tocsin.dialects.cronitor.resources import shown
from tocsin.domain.check_in import State
from tocsin.domain.instant import Millis
from tocsin.domain.monitor import Kind
from tocsin.store.browse_port import DURATION, Spread, Statistic

MEASURES: Final = (DURATION, "length", "count", "error_count")
QUANTILES: Final = {"p10": 0.1, "p50": 0.5, "p90": 0.9, "p99": 0.99}
_SPREAD: Final = re.compile(rf"({'|'.join(MEASURES)})_({'|'.join(QUANTILES)}|mean)")
_CHECKS: Final = ("checks_healthy_count", "checks_triggered_count", "checks_failed_count")
COUNTS: Final = ("run_count", "complete_count", "fail_count", "tick_count", "alert_count", *_CHECKS)
FIELDS: Final = (
    *(f"{measure}_{word}" for measure in MEASURES for word in (*QUANTILES, "mean")),
    "success_rate",
    *COUNTS,
)
_HALVES: Final = 2  # digits of a percentage behind the point


class Counts(NamedTuple):
    run: int = 0  # starts that were told of
    complete: int = 0
    fail: int = 0  # time-outs of monitors of other protocols among them
    tick: int = 0
    event: int = 0  # all that was sent
    runs: int = 0  # open ones too

    @property
    def success_rate(self) -> float | None:
        good = self.complete + self.tick
        return percent(good, good + self.fail)


def counts_of(statistic: Statistic, kind: Kind) -> Counts:
    states = statistic.states
    good, errors, late = (states.get(state, 0) for state in (State.OK, State.ERROR, State.TIMED_OUT))
    heard = sum(number for state, number in states.items() if state not in (State.MISSED, State.UNKNOWN, State.NOTE))
    beat = kind is Kind.HEARTBEAT
    return Counts(
        run=statistic.started,
        complete=0 if beat else good,
        fail=errors + late,
        tick=good if beat else 0,
        event=statistic.started + good + errors + states.get(State.NOTE, 0),
        runs=heard,
    )


def aggregate_json(
    statistic: Statistic, kind: Kind, *, alerts: int, downtime: Millis, length: Millis
) -> dict[str, Any]:
    """One environment of one monitor over a time of this length, in which it was down for `downtime`."""
    counts = counts_of(statistic, kind)
    return {
        "run_count": counts.run,
        "complete_count": counts.complete,
        "fail_count": counts.fail,
        "tick_count": counts.tick,
        "event_count": counts.event,
        "alert_count": alerts,
        "duration_mean": spread_value(statistic, DURATION, "mean"),
        "duration_p50": spread_value(statistic, DURATION, "p50"),
        "duration_p90": spread_value(statistic, DURATION, "p90"),
        "downtime_seconds": downtime // 1000,
        "uptime": percent(length - min(downtime, length), length),
        "success_rate": counts.success_rate,
        "count_sum": _sum(statistic.spreads, "count"),
        "error_count_sum": _sum(statistic.spreads, "error_count"),
        "total_runs": counts.runs,
        "total_failures": counts.fail,
    }


def measures_in(fields: Sequence[str]) -> tuple[str, ...]:
    """Those that the fields are about."""
    found = (_SPREAD.fullmatch(field) for field in fields)
    return tuple(dict.fromkeys(match[1] for match in found if match))


def point(statistic: Statistic, kind: Kind, alerts: int, fields: Sequence[str]) -> dict[str, Any]:
    """Every field, None where nothing is known."""
    counts = counts_of(statistic, kind)
    known: dict[str, Any] = {
        "run_count": counts.run,
        "complete_count": counts.complete,
        "fail_count": counts.fail,
        "tick_count": counts.tick,
        "alert_count": alerts,
        "success_rate": counts.success_rate,
        **dict.fromkeys(_CHECKS, 0),
    }
    found: dict[str, Any] = {}
    for field in fields:
        match = _SPREAD.fullmatch(field)
        found[field] = spread_value(statistic, match[1], match[2]) if match else known[field]
    return found


def spread_value(statistic: Statistic, measure: str, word: str) -> float | None:
    """Lengths in seconds; `word` is mean or one of QUANTILES, with whose values the statistic was made."""
    spread = statistic.spreads.get(measure)
    if spread is None:
        return None
    value = spread.total / spread.number if word == "mean" else spread.quantiles[list(QUANTILES).index(word)]
    return shown.seconds(value) if measure == DURATION else round(value, 3)


def percent(part: int, whole: int) -> float | None:
    """None of nothing."""
    return round(100 * part / whole, _HALVES) if whole else None


def _sum(spreads: Mapping[str, Spread], measure: str) -> float:
    total = spreads[measure].total if measure in spreads else 0
    return int(total) if total == int(total) else total
