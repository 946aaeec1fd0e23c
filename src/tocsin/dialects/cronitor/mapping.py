"""What the attributes of a monitor come to in the domain, and the change that brings it there. Pure.

The attributes that were said are kept whole, as they were said, in the monitor's extras; all that the engine judges by
is made of them. So a partial update is: what was said before, with what is said now over it, turned into a meaning
again; and only where the two meanings differ is the monitor changed. What somebody else wrote by another protocol stays
unless it is contradicted.
"""

import re
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import UNSET

from tocsin.dialects.cronitor import checks, phrases
from tocsin.dialects.cronitor.names import monitor_id_of
from tocsin.dialects.cronitor.problems import Problems
from tocsin.dialects.cronitor.schema import CHECK, HEARTBEAT, JOB, LIFECYCLE, Said, realert_ms
from tocsin.domain import assertion, notification
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import NEVER, SECOND, Instant
from tocsin.domain.monitor import AlertPolicy, ExpectFrom, Kind, Monitor, MonitorChange
from tocsin.domain.schedule import Interval, Rolling, Schedule

DIALECT: Final = "cronitor"
GRACE: Final = {JOB: 60, HEARTBEAT: 0, CHECK: 0}  # seconds, where nothing is said
REALERT: Final = "every 8 hours"
ALERTS: Final = 10  # after so many the rest is silence until it recovers
KINDS: Final = {JOB: Kind.JOB, HEARTBEAT: Kind.HEARTBEAT, CHECK: Kind.HEARTBEAT}
_LEGACY: Final = re.compile(r"\s*job\.(?:completes|runs)\s+(?P<every>.*)", re.IGNORECASE | re.DOTALL)


class Meaning(msgspec.Struct, frozen=True):
    display_name: str
    kind: Kind
    schedules: tuple[Schedule, ...]
    assertions: tuple[str, ...]
    margin_ms: int
    alert_delay_ms: int
    miss_threshold: int
    failure_threshold: int
    alert_policy: AlertPolicy
    inactive: bool
    group: str
    tags: tuple[str, ...]


_POLICY: Final = ("kind", "schedules", "assertions")
_TOLERANCE: Final = ("margin_ms", "alert_delay_ms", "miss_threshold", "failure_threshold")
_OWN: Final = ("display_name", "alert_policy", "inactive", "group", "tags")


def merged(before: Said, said: Said) -> Said:
    """What is said now over what was said before; what is reset is gone."""
    after = {name: value for name, value in {**before, **said}.items() if value is not None}
    regions, request = after.pop("regions", None), after.get("request")
    if not isinstance(request, dict):
        return after
    if regions is not None:
        after["request"] = {**request, "regions": regions}
    elif "regions" in said and "request" not in said:
        after["request"] = {name: value for name, value in request.items() if name != "regions"}
    return after


def meaning_of(said: Said, zone: str, problems: Problems, *, anchor: Instant = 0) -> Meaning:
    """Notes all that cannot be used. `zone` holds where none is said, `anchor` is when the monitor was made."""
    kind: str = said.get("type") or JOB
    is_check = kind == CHECK
    if is_check:
        checks.check(said, problems)
    schedules = () if is_check else _schedules(said, kind, said.get("timezone") or zone, problems, anchor)
    assertions = _assertions(said, kind, problems)
    grace = said.get("grace_seconds", GRACE[kind]) * SECOND
    margin = max(grace, SECOND) if any(isinstance(one, Interval | Rolling) for one in schedules) else grace
    key: str = said["key"]
    return Meaning(
        display_name=said.get("name") or said.get("defaultName") or ("" if monitor_id_of(key) == key else key),
        kind=KINDS[kind],
        schedules=schedules,
        assertions=() if is_check else assertions,
        margin_ms=margin,
        alert_delay_ms=grace,
        miss_threshold=said.get("schedule_tolerance", 0) + 1,
        failure_threshold=said.get("failure_tolerance", 0) + 1,
        alert_policy=_alert_policy(said),
        inactive=is_check,
        group=said.get("group") or "",
        tags=tuple(dict.fromkeys(said.get("tags") or ())),
    )


def creation(said: Said, meaning: Meaning) -> MonitorChange:
    """Of a monitor that does not exist, or that nobody has spoken of in Cronitor's words."""
    change = _change(said, {name: getattr(meaning, name) for name in Meaning.__struct_fields__})
    return msgspec.structs.replace(change, policy=CONSTANTS | change.policy, tolerance=LENIENCE | change.tolerance)


def alteration(known: Monitor, before: Meaning, said: Said, after: Meaning) -> MonitorChange:
    """What makes the difference between two meanings of a monitor; the extras go along where they differ."""
    differing = {
        name: value for name in Meaning.__struct_fields__ if (value := getattr(after, name)) != getattr(before, name)
    }
    change = _change(said, differing)
    same = known.extras.get(DIALECT) == extras_of(said)[DIALECT]
    return msgspec.structs.replace(change, extras=UNSET) if same else change


def auto_created(key: str, kind: str) -> MonitorChange:
    """Of a monitor that came to be by an event: job or heartbeat, named by its key, without a schedule."""
    said = {"key": key, "type": kind}
    return msgspec.structs.replace(creation(said, meaning_of(said, "UTC", Problems(key))), by_hand=False)


def paused(change: MonitorChange, pause: bool | None, known: Monitor | None, now: Instant) -> MonitorChange:
    """The change, with a pause that has no end, or the end of one. A pause that runs keeps its end."""
    if pause is None or (pause and known is not None and (known.muted_until or 0) > now):
        return change
    return msgspec.structs.replace(change, muted_until=NEVER if pause else None)


def alerts_of(said: Said) -> list[str]:
    """Keys of notification lists and destinations, each for itself."""
    notify = said.get("notify") or []
    alerts = (notify if isinstance(notify, list) else notify.get("alerts")) or []
    return [piece for text in alerts for piece in notification.split(text)]


def extras_of(said: Said) -> dict[str, msgspec.Raw]:
    return {DIALECT: msgspec.Raw(msgspec.json.encode(said, order="deterministic"))}


CONSTANTS: Final[dict[str, object]] = {
    "expect_from": ExpectFrom.FIRST_CHECK_IN,
    "miss_while_running": True,
    "round_to_minute": False,
    "separate_causes": True,
    "abandon_runs": True,
}
"""What Cronitor's rules say of every monitor."""
LENIENCE: Final[dict[str, object]] = {"max_runtime_ms": 0, "recovery_threshold": 1, "early_ms": None}


def _change(said: Said, fields: dict[str, Any]) -> MonitorChange:
    return MonitorChange(
        policy={name: fields[name] for name in _POLICY if name in fields},
        tolerance={name: fields[name] for name in _TOLERANCE if name in fields},
        extras=extras_of(said),
        origin=DIALECT,
        by_hand=True,
        **{name: fields[name] for name in _OWN if name in fields},
    )


def _schedules(said: Said, kind: str, zone: str, problems: Problems, anchor: Instant) -> tuple[Schedule, ...]:
    """Those of the attribute, and of assertions that older accounts have in its stead."""
    heartbeat = kind == HEARTBEAT
    found: list[Schedule] = []
    try:
        texts = tuple(said.get("schedules") or ())
        found += phrases.parse_all(texts, zone, heartbeat=heartbeat, anchor=anchor)
    except InvalidArgument as problem:
        problems.wrong_by(problem, problem.violations[0].field)
    for index, text in enumerate(said.get("assertions") or ()):
        if kind == JOB and (legacy := _LEGACY.fullmatch(text)):
            try:
                found.append(phrases.interval(legacy["every"], f"assertions[{index}]", heartbeat=False, zone=zone))
            except InvalidArgument as problem:
                problems.wrong_by(problem, f"assertions[{index}]")
    return tuple(dict.fromkeys(found))


def _assertions(said: Said, kind: str, problems: Problems) -> tuple[str, ...]:
    found = []
    for index, text in enumerate(said.get("assertions") or ()):
        if kind == JOB and _LEGACY.fullmatch(text):
            continue
        try:
            _check(text, kind)
            found.append(text)
        except InvalidArgument as problem:
            problems.wrong_by(problem, f"assertions[{index}]")
    return tuple(found)


@lru_cache(maxsize=4_096)
def _check(text: str, kind: str) -> None:
    """Many monitors say the same."""
    assertion.check(text, kind)


def _alert_policy(said: Said) -> AlertPolicy:
    notify = said.get("notify")
    events = notify.get("events") if isinstance(notify, dict) else None
    if isinstance(events, bool):
        events = dict.fromkeys(LIFECYCLE, events)
    return AlertPolicy(
        channels=tuple(dict.fromkeys(alerts_of(said))) or (notification.DEFAULT_LIST,),
        repeat_interval_ms=realert_ms(said.get("realert_interval") or REALERT),
        repeat_limit=said.get("consecutive_alert_threshold", ALERTS),
        events=tuple(event for event in LIFECYCLE if (events or {}).get(event)),
    )
