"""Per-monitor series as Prometheus text: level 2, asked for by its own path and bounded by `max_samples`.

Families come one after the other, as the format wants; each track's label text is made once. Times are gauges in
seconds, absent while there is none, so that `time() - x` never sees a zero.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tocsin.domain import errors
from tocsin.domain.instant import NEVER, Instant
from tocsin.domain.monitor import Monitor
from tocsin.domain.schedule import Schedule
from tocsin.domain.track import DisplayState, Health, Track, TrackFlag, display_state

CHUNK: Final = 2_000  # tracks rendered at a time
STATES: Final = tuple(state.value for state in DisplayState)
_QUERY: Final = frozenset({"project", "state", "or_unhealthy", "states", "family", "shard", "of"})
_PREFIX: Final = "tocsin_monitor_"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a scrape asks for."""

    states: frozenset[str] = frozenset()  # only monitors in these; empty: all
    present_only: bool = False  # of the state set, write only the 1
    families: frozenset[str] = frozenset()  # empty: all
    shard: int = 0
    of: int = 1
    or_unhealthy: bool = False  # beside `states`: also those whose health has not recovered, whatever their state

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "Selection":
        for name in query:
            if name not in _QUERY:
                raise errors.invalid(name, f"unknown parameter; known are {', '.join(sorted(_QUERY))}")
        states = frozenset(filter(None, query.get("state", "").split(",")))
        if unknown := states - set(STATES):
            raise errors.invalid("state", f"{min(unknown)!r} is none of {', '.join(STATES)}")
        families = frozenset(
            _PREFIX + name.removeprefix(_PREFIX) for name in query.get("family", "").split(",") if name
        )
        if unknown := families - {family.name for family in FAMILIES}:
            raise errors.invalid("family", f"{min(unknown)!r} is none of {', '.join(f.name for f in FAMILIES)}")
        if query.get("states", "present") != "present":
            raise errors.invalid("states", "must be 'present' or left out")
        if query.get("or_unhealthy", "true") != "true":
            raise errors.invalid("or_unhealthy", "must be 'true' or left out")
        shard, of = query.get("shard", "0"), query.get("of", "1")
        if not (shard.isdecimal() and of.isdecimal() and int(shard) < int(of) <= 10_000):
            raise errors.invalid("shard", "must be a number below `of`, which is at most 10000")
        return cls(states, "states" in query, families, int(shard), int(of), "or_unhealthy" in query)

    def takes(self, monitor: Monitor) -> bool:
        return self.of == 1 or zlib.crc32(monitor.uid.encode()) % self.of == self.shard

    def takes_track(self, track: Track, state: str) -> bool:
        """Thresholds keep a monitor unhealthy in state ok, and a failure may be too young to make it unhealthy."""
        if not self.states or state in self.states:
            return True
        return self.or_unhealthy and track.health == Health.UNHEALTHY


@dataclass(slots=True)
class Series:
    """One track, ready to be written."""

    labels: str  # project="…",monitor="…",environment="…"
    monitor: Monitor
    track: Track
    state: str
    muted: bool
    interval_ms: int  # distance of the slot waited for from the one before; NEVER: unknown


Samples = Iterator[tuple[str, str]]  # (further labels or "", value)


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    kind: str
    text: str
    samples: Callable[[Series, Selection], Samples]


def escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def series_of(
    project_slug: str,
    found: Iterable[tuple[Monitor, list[tuple[str, Track]]]],
    selection: Selection,
    now: Instant,
    interval: Callable[[Monitor, Instant], int],
) -> Iterator[Series]:
    """The tracks that a selection asks for. `interval(monitor, slot)` is in ms, or NEVER."""
    for monitor, tracks in found:
        if not selection.takes(monitor):
            continue
        paused = monitor.paused_until is not None and monitor.paused_until > now
        muted = monitor.muted_until is not None and monitor.muted_until > now
        for environment, track in tracks:
            state = display_state(
                paused=paused, verdict=track.verdict, expected=track.expected, open_runs=track.open_runs, now=now
            ).value
            if not selection.takes_track(track, state):
                continue
            labels = (
                f'project="{escape(project_slug)}",monitor="{escape(monitor.id)}",environment="{escape(environment)}"'
            )
            between = interval(monitor, track.expected) if track.expected != NEVER else NEVER
            yield Series(labels, monitor, track, state, muted or bool(track.flags & TrackFlag.MUTED), between)


def render(series: list[Series], selection: Selection, *, max_samples: int) -> Iterator[bytes]:
    """Text 0.0.4, a family at a time; over `max_samples` it stops and says so in `tocsin_scrape_truncated`."""
    left, cut = max_samples, 0
    for family in FAMILIES:
        if selection.families and family.name not in selection.families:
            continue
        yield f"# HELP {family.name} {family.text}\n# TYPE {family.name} {family.kind}\n".encode()
        for start in range(0, len(series), CHUNK):
            lines = [
                f"{family.name}{{{one.labels}{more}}} {value}\n"
                for one in series[start : start + CHUNK]
                for more, value in family.samples(one, selection)
            ]
            if len(lines) > left:
                lines, cut = lines[:left], 1
            left -= len(lines)
            yield "".join(lines).encode()
            if cut:
                break
    yield (
        "# HELP tocsin_scrape_samples Samples of this scrape.\n# TYPE tocsin_scrape_samples gauge\n"
        f"tocsin_scrape_samples {max_samples - left}\n"
        "# HELP tocsin_scrape_truncated 1 when this scrape was cut at the limit of samples.\n"
        f"# TYPE tocsin_scrape_truncated gauge\ntocsin_scrape_truncated {cut}\n"
    ).encode()


def _seconds(milliseconds: int) -> str:
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole}.{rest:03d}" if rest else str(whole)


def _instant(field: str) -> Callable[[Series, Selection], Samples]:
    def samples(one: Series, _selection: Selection) -> Samples:
        value = getattr(one.track, field)
        if value != NEVER:
            yield "", _seconds(value)

    return samples


def _count(field: str) -> Callable[[Series, Selection], Samples]:
    def samples(one: Series, _selection: Selection) -> Samples:
        yield "", str(getattr(one.track, field))

    return samples


def _info(one: Series, _selection: Selection) -> Samples:
    monitor = one.monitor
    schedules = monitor.policy.schedules
    kind = type(schedules[0]).__name__.lower() if schedules else "none"
    zone = getattr(schedules[0], "time_zone", "UTC") if schedules else ""
    text = "; ".join(_text(schedule) for schedule in schedules)
    yield (
        (
            f',slug="{escape(monitor.id)}",name="{escape(monitor.display_name or monitor.id)}"'
            f',dialect="{escape(monitor.origin)}"'
            f',schedule_kind="{kind}",schedule="{escape(text)}",timezone="{escape(zone)}"'
        ),
        "1",
    )


def _text(schedule: Schedule) -> str:
    """The schedule as a short label value."""
    match schedule:
        case object(expression=str() as expression):
            return expression
        case object(count=count, unit=unit):
            return f"every {count} {unit.value}"
        case object(times_of_day=times):
            return ",".join(times)
        case object(period_ms=period):
            return f"rolling {_seconds(period)}s"
        case _:
            return str(getattr(schedule, "rule", ""))


def _state(one: Series, selection: Selection) -> Samples:
    for state in (one.state,) if selection.present_only else STATES:
        yield f',state="{state}"', "1" if state == one.state else "0"


def _healthy(one: Series, _selection: Selection) -> Samples:
    yield "", "0" if one.track.health == Health.UNHEALTHY else "1"


def _muted(one: Series, _selection: Selection) -> Samples:
    yield "", "1" if one.muted else "0"


def _deadline(one: Series, _selection: Selection) -> Samples:
    if one.track.deadline != NEVER:
        yield "", _seconds(one.track.deadline)
    elif one.state == DisplayState.PAUSED.value:
        yield "", "+Inf"


def _interval(one: Series, _selection: Selection) -> Samples:
    if one.interval_ms != NEVER:
        yield "", _seconds(one.interval_ms)


def _duration(one: Series, _selection: Selection) -> Samples:
    if one.track.last_duration >= 0:
        yield "", _seconds(one.track.last_duration)


def _checkins(one: Series, _selection: Selection) -> Samples:
    yield ',status="ok"', str(one.track.ok_count)
    yield ',status="error"', str(one.track.error_count)
    yield ',status="in_progress"', str(one.track.started_count)


def _family(name: str, kind: str, text: str, samples: Callable[[Series, Selection], Samples]) -> Family:
    return Family(_PREFIX + name, kind, text, samples)


FAMILIES: Final = (
    _family("info", "gauge", "Static properties, always 1.", _info),
    _family("state", "gauge", "1 for the present state, 0 for the others.", _state),
    _family("healthy", "gauge", "1 unless the monitor's failure threshold is reached.", _healthy),
    _family("muted", "gauge", "1 while muted.", _muted),
    _family(
        "last_checkin_timestamp_seconds", "gauge", "Time of the last check-in of any kind.", _instant("last_check_in")
    ),
    _family("last_success_timestamp_seconds", "gauge", "Time of the last success.", _instant("last_success")),
    _family("expected_timestamp_seconds", "gauge", "The slot now waited for.", _instant("expected")),
    _family("deadline_timestamp_seconds", "gauge", "When that slot is called missed; +Inf when paused.", _deadline),
    _family("run_deadline_timestamp_seconds", "gauge", "Earliest time-out of an open run.", _instant("run_deadline")),
    _family("expected_interval_seconds", "gauge", "Distance of the slot from the one before.", _interval),
    _family("open_runs", "gauge", "Runs started and not finished.", _count("open_runs")),
    _family("last_run_duration_seconds", "gauge", "Duration of the last finished run.", _duration),
    _family("checkins_total", "counter", "Check-ins accepted.", _checkins),
    _family("missed_total", "counter", "Slots missed.", _count("missed_count")),
    _family("timeouts_total", "counter", "Runs that passed their maximum runtime.", _count("timed_out_count")),
    _family("unknown_total", "counter", "Slots and runs not judged: nobody could listen.", _count("unknown_count")),
)
