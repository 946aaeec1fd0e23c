"""Heartbeats as Prometheus text in the vendor's names, so that dashboards carry over. Pure.

Families come one after the other, as the format wants; a check's labels are written once. Counters are those of the
track and never fall.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from tocsin.dialects.checkly.checks.statuses import is_failing
from tocsin.dialects.checkly.ids import dashed
from tocsin.domain.instant import NEVER, SECOND, Instant
from tocsin.domain.monitor import Monitor
from tocsin.domain.schedule import Rolling
from tocsin.domain.track import Track

CHUNK: Final = 2_000  # checks written at a time

_TAKEN: Final = frozenset({
    *("name", "check_id", "check_type", "muted", "activated", "group", "tags", "status"),
    *("region", "location", "check_name", "retry_attempt"),
})  # fmt: skip
_ODD: Final = re.compile(r"[^A-Za-z0-9_]")


class Check(NamedTuple):
    """What the series of one check say. `track` is that of the default environment; None: it was never pinged."""

    monitor: Monitor
    track: Track | None
    group: str  # its name; "": none
    muted: bool  # by itself or with its group
    activated: bool


class Line(NamedTuple):
    """A check, ready to be written: the labels that all of its series have, and its values."""

    labels: str
    failing: bool
    passed: int
    failed: int
    last_success: Instant  # 0: never
    period: int  # milliseconds


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def labels_of_tags(tags: Iterable[str]) -> dict[str, str]:
    """Of tags written "key:value" a label each; of those that come to one name, or to a name of ours, the first.

    What stands before the colon becomes a name as the format has them: letters, digits and `_`, no digit first, and
    not two `_`, with which Prometheus keeps names to itself.
    """
    found: dict[str, str] = {}
    for tag in tags:
        key, colon, value = tag.partition(":")
        name = _ODD.sub("_", key.strip())
        if name[:1].isdecimal():
            name = f"_{name}"
        if colon and name.strip("_") and value.strip() and not name.startswith("__") and name not in _TAKEN:
            found.setdefault(name, value.strip())
    return found


def v2_line(check: Check, *, parse_tags: bool) -> Line:
    monitor = check.monitor
    fixed = (
        f'name="{escaped(name_of(monitor))}",check_id="{dashed(monitor.uid)}",check_type="heartbeat",{_switches(check)}'
        f',group="{escaped(check.group)}",tags="{escaped(",".join(monitor.tags))}"'
    )
    tags = labels_of_tags(monitor.tags) if parse_tags else {}
    return _line(check, fixed + "".join(f',{name}="{escaped(value)}"' for name, value in tags.items()))


def v1_line(check: Check) -> Line:
    monitor = check.monitor
    return _line(
        check,
        f'check_name="{escaped(name_of(monitor))}",check_type="heartbeat",{_switches(check)}'
        f',tags="{escaped(",".join(monitor.tags))}"',
    )


def name_of(monitor: Monitor) -> str:
    return monitor.display_name or monitor.id


def _switches(check: Check) -> str:
    return f'muted="{"true" if check.muted else "false"}",activated="{"true" if check.activated else "false"}"'


def _line(check: Check, labels: str) -> Line:
    (schedule,) = check.monitor.policy.schedules
    assert isinstance(schedule, Rolling)
    track = check.track
    if track is None:
        return Line(labels, False, 0, 0, 0, schedule.period_ms)
    failed = track.missed_count + track.error_count + track.timed_out_count
    last = 0 if track.last_success == NEVER else track.last_success
    return Line(labels, is_failing(track), track.ok_count, failed, last, schedule.period_ms)


Samples = Callable[[Line], Iterator[str]]


class Family(NamedTuple):
    name: str
    kind: str
    text: str
    samples: Samples


def render(lines: Sequence[Line], families: Iterable[Family], *, most: int) -> Iterator[bytes]:
    """Text 0.0.4 in pieces. Past `most` samples it stops, and says so in a comment at its end."""
    left = most
    for name, kind, text, samples in families:
        yield f"# HELP {name} {text}\n# TYPE {name} {kind}\n".encode()
        for start in range(0, len(lines), CHUNK):
            made = [f"{name}{sample}\n" for line in lines[start : start + CHUNK] for sample in samples(line)]
            yield "".join(made[:left]).encode()
            if len(made) > left:
                yield f"# cut at {most} samples, see telemetry.max_samples\n".encode()
                return
            left -= len(made)


def _status(line: Line) -> Iterator[str]:
    yield f'{{{line.labels},status="passing"}} {0 if line.failing else 1}'
    yield f'{{{line.labels},status="failing"}} {1 if line.failing else 0}'
    yield f'{{{line.labels},status="degraded"}} 0'


def _results(line: Line) -> Iterator[str]:
    yield f'{{{line.labels},status="passing"}} {line.passed}'
    yield f'{{{line.labels},status="failing"}} {line.failed}'
    yield f'{{{line.labels},status="degraded"}} 0'


def _last_success(line: Line) -> Iterator[str]:
    yield f"{{{line.labels}}} {_seconds(line.last_success)}"


def _interval(line: Line) -> Iterator[str]:
    yield f"{{{line.labels}}} {_seconds(line.period)}"


def _passing(line: Line) -> Iterator[str]:
    yield f"{{{line.labels}}} {0 if line.failing else 1}"


def _never_degraded(line: Line) -> Iterator[str]:
    yield f"{{{line.labels}}} 1"


def _seconds(milliseconds: int) -> str:
    whole, rest = divmod(milliseconds, SECOND)
    return f"{whole}.{rest:03d}" if rest else str(whole)


V2: Final = (
    Family("checkly_check_status", "gauge", "1 for the status that the check has, 0 for the others.", _status),
    Family("checkly_check_result_total", "counter", "Pings that came and pings that did not.", _results),
    Family(
        "checkly_heartbeat_last_success_timestamp_seconds", "gauge", "Time of the last ping, 0 if never.", _last_success
    ),
    Family(
        "checkly_heartbeat_expected_interval_seconds", "gauge", "Period of the check, without its grace.", _interval
    ),
)
V1: Final = (
    Family("checkly_check_status", "gauge", "1 while the check passes, 0 while it fails.", _passing),
    Family("checkly_check_degraded_status", "gauge", "0 while the check is degraded, else 1.", _never_degraded),
)


def worst_by_labels(lines: Iterable[Line]) -> list[Line]:
    """One line of those that have the same labels, which in version 1 have no id in them: one that fails, if any."""
    found: dict[str, Line] = {}
    for line in lines:
        if line.failing or line.labels not in found:
            found[line.labels] = line
    return list(found.values())
