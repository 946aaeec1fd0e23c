"""Heartbeats as Prometheus text in the vendor's names, so that dashboards carry over. Pure.

Families come one after the other, as the format wants; a check's labels are written once. Counters are those of the
track and never fall.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from tocsin.dialects.checkly.checks.statuses import is_failing
from tocsin.dialects.checkly.ids import dashed
from tocsin.domain.instant import NEVER, SECOND, Instant
from tocsin.store.port import Brief

CHUNK: Final = 2_000  # checks written at a time

_TAKEN: Final = frozenset({
    *("name", "check_id", "check_type", "muted", "activated", "group", "tags", "status"),
    *("region", "location", "check_name", "retry_attempt"),
})  # fmt: skip
_ODD: Final = re.compile(r"[^A-Za-z0-9_]")


class Check(NamedTuple):
    """What the series of one check say."""

    brief: Brief
    group: str  # its name; "": none
    muted: bool  # by itself or with its group


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
    brief = check.brief
    return _line(
        brief,
        f'name="{_name_of(brief)}",check_id="{dashed(brief.uid)}",check_type="heartbeat",{_switches(check)}'
        f',group="{escaped(check.group)}",{_tags(brief.tags, parse_tags)}',
    )


def v1_line(check: Check) -> Line:
    brief = check.brief
    labels = f'check_name="{_name_of(brief)}",check_type="heartbeat",{_switches(check)},{_tags(brief.tags, False)}'
    return _line(brief, labels)


@functools.lru_cache(maxsize=256)
def _tags(tags: tuple[str, ...], parsed: bool) -> str:
    """Most checks have the tags of others."""
    found = labels_of_tags(tags) if parsed else {}
    return f'tags="{escaped(",".join(tags))}"' + "".join(f',{name}="{escaped(value)}"' for name, value in found.items())


def _name_of(brief: Brief) -> str:
    return escaped(brief.display_name or brief.id)


def _switches(check: Check) -> str:
    return f'muted="{"true" if check.muted else "false"}",activated="{"false" if check.brief.inactive else "true"}"'


def _line(brief: Brief, labels: str) -> Line:
    track = brief.track
    if track is None:
        return Line(labels, False, 0, 0, 0, brief.period)
    failed = track.missed_count + track.error_count + track.timed_out_count
    last = 0 if track.last_success == NEVER else track.last_success
    return Line(labels, is_failing(track), track.ok_count, failed, last, brief.period)


Samples = Callable[[Line], tuple[str, ...]]


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


def _by_status(labels: str, passing: int, failing: int) -> tuple[str, ...]:
    return (
        f'{{{labels},status="passing"}} {passing}',
        f'{{{labels},status="failing"}} {failing}',
        f'{{{labels},status="degraded"}} 0',
    )


def _status(line: Line) -> tuple[str, ...]:
    return _by_status(line.labels, 0, 1) if line.failing else _by_status(line.labels, 1, 0)


def _results(line: Line) -> tuple[str, ...]:
    return _by_status(line.labels, line.passed, line.failed)


def _last_success(line: Line) -> tuple[str, ...]:
    return (f"{{{line.labels}}} {_seconds(line.last_success)}",)


def _interval(line: Line) -> tuple[str, ...]:
    return (f"{{{line.labels}}} {_seconds(line.period)}",)


def _passing(line: Line) -> tuple[str, ...]:
    return (f"{{{line.labels}}} {0 if line.failing else 1}",)


def _never_degraded(line: Line) -> tuple[str, ...]:
    return (f"{{{line.labels}}} 1",)


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
