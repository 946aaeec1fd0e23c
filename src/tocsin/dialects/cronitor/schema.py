"""The attributes of a monitor as clients write them: which there are, of what type, and what each may say. Pure.

A body is a mapping of plain values, out of JSON or YAML. Reading it makes a `Said`: the attributes that are named, in
one spelling, None for those that are reset. Unknown and read-only attributes are passed over, because clients send back
what they were sent. Every bad value is a problem under its name.
"""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from tocsin.dialects.cronitor import names
from tocsin.dialects.cronitor.problems import Problems
from tocsin.domain import notification
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import DAY, HOUR, SECOND, Millis
from tocsin.domain.lengths import parse_length

Said = dict[str, Any]
"""Attributes by name; what is not here was not said, None resets."""

JOB, HEARTBEAT, CHECK = "job", "heartbeat", "check"
TYPES: Final = {
    JOB: JOB,
    HEARTBEAT: HEARTBEAT,
    CHECK: CHECK,
    "event": HEARTBEAT,
    "synthetic": CHECK,
}
NAME_MAX: Final = 255
NOTE_MAX: Final = 10_000
TAG_MAX: Final = 100
TAGS_MAX: Final = 100
ASSERTIONS_MAX: Final = 100
PLATFORM_MAX: Final = 64
METADATA_MAX: Final = 64 * 1024  # bytes
REQUEST_MAX: Final = 512 * 1024  # bytes of JSON in all; the longest body has less
REQUEST_REST_MAX: Final = 64 * 1024  # bytes of JSON beside the fields with bounds of their own
DEPTH_MAX: Final = 28  # levels; in YAML it is four more, and then as many as are read
TOLERANCE_MAX: Final = 719
GRACE_MAX: Final = 366 * DAY // SECOND
HOURS_MAX: Final = 366 * 24
ALERTS_MAX: Final = 1_000_000
LIFECYCLE: Final = ("run", "complete", "fail")
_NULLS: Final[tuple[object, ...]] = (None, "", [], {})


def read(body: Mapping[str, Any], problems: Problems) -> Said:
    """What is said, in the order of the table. `key` and `paused` are read elsewhere."""
    said: Said = {}
    for name, reader in _READERS.items():
        if name in body:
            value = body[name]
            said[name] = None if value in _NULLS else reader(value, name, problems)
    _schedules(said)
    return said


def key_of(body: Mapping[str, Any], problems: Problems, name: str = "key") -> str:
    """Nothing, when it is absent or empty."""
    key = body.get(name)
    if key is None or key == "":
        return ""
    if not isinstance(key, str):
        problems.wrong(name, "must be text")
        return ""
    try:
        return names.check_key(key)
    except InvalidArgument as problem:
        problems.wrong_by(problem, name)
        return ""


def paused_of(body: Mapping[str, Any], problems: Problems) -> bool | None:
    """None: not said."""
    value = body.get("paused")
    if value is None or isinstance(value, bool):
        return value
    problems.wrong("paused", "must be true or false")
    return None


@lru_cache(maxsize=1_024)
def realert_ms(said: str) -> Millis:
    """Of an attribute that was read. Most monitors say the same."""
    return parse_length(said, "realert_interval")


def _schedules(said: Said) -> None:
    """One attribute of the two; `schedules` wins."""
    single = said.pop("schedule", msgspec.UNSET)
    if "schedules" not in said and single is not msgspec.UNSET:
        said["schedules"] = None if single is None else [single]


def _text(most: int) -> Callable[[Any, str, Problems], Any]:
    def read(value: Any, name: str, problems: Problems) -> Any:
        if not isinstance(value, str):
            problems.wrong(name, "must be text")
        elif len(value) > most:
            problems.wrong(name, f"must be at most {most} characters, not {len(value)}")
        else:
            return value
        return None

    return read


def _texts(count: int, most: int) -> Callable[[Any, str, Problems], Any]:
    one = _text(most)

    def read(value: Any, name: str, problems: Problems) -> Any:
        if not isinstance(value, list):
            problems.wrong(name, "must be a list of texts")
            return None
        if len(value) > count:
            problems.wrong(name, f"at most {count}, not {len(value)}")
            return None
        return [one(item, f"{name}[{index}]", problems) or "" for index, item in enumerate(value)]

    return read


def _whole(least: int, most: int) -> Callable[[Any, str, Problems], Any]:
    def read(value: Any, name: str, problems: Problems) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            problems.wrong(name, "must be a whole number")
        elif not least <= value <= most:
            problems.wrong(name, f"must be {least} to {most}, not {str(value)[:24]}")
        else:
            return value
        return None

    return read


def _type(value: Any, name: str, problems: Problems) -> Any:
    if not isinstance(value, str):
        problems.wrong(name, "must be text: job, check or heartbeat")
        return None
    found = TYPES.get(value.strip().lower())
    if found is None:
        problems.wrong(name, f"{value[:40]!r} is none of job, check, heartbeat")
    return found


def _realert(value: Any, name: str, problems: Problems) -> Any:
    """In the words that are read back: "every 8 hours"."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        problems.wrong(name, "must be a number of hours, or text such as '8 hours'")
        return None
    text = " ".join(str(value).split())
    if text.isdecimal() and text.isascii():
        if not 1 <= int(text[:9]) <= HOURS_MAX:
            problems.wrong(name, f"must be 1 to {HOURS_MAX} hours, not {text[:9]}")
            return None
        return "every hour" if int(text) == 1 else f"every {int(text)} hours"
    try:
        length = parse_length(text, name)
    except InvalidArgument as problem:
        problems.wrong_by(problem, name)
        return None
    if not SECOND <= length <= HOURS_MAX * HOUR:
        problems.wrong(name, f"must be 1 second to {HOURS_MAX} hours")
        return None
    return text if text.lower().startswith("every") else f"every {text}"


def _notify(value: Any, name: str, problems: Problems) -> Any:
    """In the form that it was sent in."""
    if isinstance(value, list):
        return _destinations(value, name, problems)
    if not isinstance(value, dict):
        problems.wrong(name, "must be a list of notification lists and destinations, or {alerts, events}")
        return None
    found: dict[str, Any] = {}
    if value.get("alerts") not in _NULLS:
        if isinstance(value["alerts"], list):
            found["alerts"] = _destinations(value["alerts"], f"{name}.alerts", problems)
        else:
            problems.wrong(f"{name}.alerts", "must be a list of notification lists and destinations")
    events = value.get("events")
    if isinstance(events, bool):
        found["events"] = events
    elif isinstance(events, dict):
        if unknown := [event for event in events if event not in LIFECYCLE]:
            problems.wrong(f"{name}.events", f"{unknown[0][:40]!r} is none of {', '.join(LIFECYCLE)}")
        if not all(isinstance(switch, bool) for switch in events.values()):
            problems.wrong(f"{name}.events", "each must be true or false")
        found["events"] = events
    elif events is not None:
        problems.wrong(f"{name}.events", f"must be true, false, or a hash of {', '.join(LIFECYCLE)}")
    return found or None


def _destinations(value: list[Any], name: str, problems: Problems) -> list[str]:
    """As they were written; what is wrong with one is told of its place."""
    before = len(problems.found)
    texts: list[str] = _texts(notification.DESTINATIONS_MAX, notification.DESTINATION_MAX)(value, name, problems) or []
    if len(problems.found) > before:
        return texts
    for index, text in enumerate(texts):
        for piece in notification.split(text):
            if not piece:
                problems.wrong(f"{name}[{index}]", "must not be empty")
                continue
            pair = notification.parts(piece)
            if pair is None or pair[0] not in notification.PREFIXES:
                if pair is not None or ":" in piece:
                    known = ", ".join(sorted(notification.PREFIXES))
                    problems.wrong(f"{name}[{index}]", f"{piece[:40]!r} begins with none of {known}")
            elif pair[0] == notification.WEBHOOK and "://" in pair[1]:
                try:
                    notification.check_url(pair[1], name)
                except InvalidArgument as problem:
                    problems.wrong_by(problem, f"{name}[{index}]")
    return texts


def _metadata(value: Any, name: str, problems: Problems) -> Any:
    """A hash, or one written as JSON in a text; echoed as it is."""
    plain = value
    if isinstance(value, str):
        try:
            plain = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            plain = None
    if not isinstance(plain, dict):
        problems.wrong(name, "must be a hash, or a text that holds one in JSON")
        return None
    if not _is_shallow(plain, name, problems):
        return None
    if len(msgspec.json.encode(value)) > METADATA_MAX:
        problems.wrong(name, f"must be JSON of at most {METADATA_MAX} bytes")
        return None
    return value


def _is_shallow(value: Any, name: str, problems: Problems) -> bool:
    """Level by level, because what is too deep for some writer is too deep for calls too. JSON has finite numbers."""
    level: list[Any] = [value]
    for _ in range(DEPTH_MAX + 1):
        if any(isinstance(one, float) and not math.isfinite(one) for one in level):
            problems.wrong(name, "every number must be finite")
            return False
        within = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [part for parts in within for part in parts]
        if not level:
            return True
    problems.wrong(name, f"must be nested at most {DEPTH_MAX} levels deep")
    return False


def _request(value: Any, name: str, problems: Problems) -> Any:
    """What no field of a request is comes back as it was sent, up to a bound."""
    if not isinstance(value, dict):
        problems.wrong(name, "must be a hash")
    elif _is_shallow(value, name, problems):
        rest = {field: part for field, part in value.items() if field not in _BOUNDED}
        if len(msgspec.json.encode(rest)) > REQUEST_REST_MAX:
            problems.wrong(name, f"at most {REQUEST_REST_MAX} bytes of JSON beside {', '.join(_BOUNDED)}")
        elif len(msgspec.json.encode(value)) > REQUEST_MAX:
            problems.wrong(name, f"must be JSON of at most {REQUEST_MAX} bytes")
        else:  # an empty hash is an array where a client is written in PHP
            return {field: {} if field in _HASHES and part == [] else part for field, part in value.items()}
    return None


_HASHES: Final = ("headers", "cookies")
_BOUNDED: Final = ("body", *_HASHES)


_READERS: Final[dict[str, Callable[[Any, str, Problems], Any]]] = {
    "type": _type,
    "name": _text(NAME_MAX),
    "defaultName": _text(NAME_MAX),
    "note": _text(NOTE_MAX),
    "defaultNote": _text(NOTE_MAX),
    "schedule": _text(1_000),
    "schedules": _texts(20, 1_000),
    "timezone": _text(64),
    "assertions": _texts(ASSERTIONS_MAX, 1_000),
    "grace_seconds": _whole(0, GRACE_MAX),
    "schedule_tolerance": _whole(0, TOLERANCE_MAX),
    "failure_tolerance": _whole(0, TOLERANCE_MAX),
    "realert_interval": _realert,
    "consecutive_alert_threshold": _whole(1, ALERTS_MAX),
    "notify": _notify,
    "group": _text(NAME_MAX),
    "tags": _texts(TAGS_MAX, TAG_MAX),
    "metadata": _metadata,
    "platform": _text(PLATFORM_MAX),
    "environments": _texts(100, 64),
    "request": _request,
    "regions": _texts(20, 40),
}
ATTRIBUTES: Final = tuple(_READERS)
TEXTS: Final = frozenset(
    (
        *("key", "name", "defaultName", "note", "defaultNote", "schedule", "schedules", "timezone", "assertions"),
        *("notify", "group", "tags", "platform", "environments", "regions", "realert_interval"),
    )
)
"""Those that are texts, or lists of them."""
REQUEST_TEXTS: Final = frozenset(_BOUNDED)
"""Those of a request that are texts, or hashes of them."""
