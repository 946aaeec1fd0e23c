"""Maintenance windows: the body of a request, what is kept of it, and the window as Checkly shows it.

Three parts of a window change apart: when it is, whose checks it pauses, whose alerts it silences. A part of which a
request says what is shown already is not written, so windows that another protocol made survive it.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tocsin.dialects.checkly.call import DIALECT
from tocsin.dialects.checkly.resources.fields import Fields
from tocsin.dialects.checkly.resources.recurrence import INTERVAL_MAX, UNITS, Repeat
from tocsin.dialects.checkly.times import iso, iso_or_none
from tocsin.domain.group import TAG_LENGTH_MAX, TAGS_MAX
from tocsin.domain.instant import DAY, MINUTE, Instant
from tocsin.domain.maintenance import LONGEST, NAME_MAX, MaintenanceWindow

DESCRIPTION_MAX: Final = 2_000
VISIBILITY_MAX: Final = 16_384  # bytes of JSON


class Times(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """When it is: once, or again and again."""

    starts_at: Instant
    ends_at: Instant
    repeat_interval: int | None = None
    repeat_unit: str | None = None
    repeat_ends_at: Instant | None = None
    timezone: str | None = None

    @property
    def repeat(self) -> Repeat | None:
        if self.repeat_unit is None:
            return None
        return Repeat(self.repeat_unit, self.repeat_interval or 1, self.repeat_ends_at)


class Said(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """All that Checkly says of a window."""

    name: str
    times: Times
    tags: tuple[str, ...] = ()
    pause_all_checks: bool = False
    silence_all_alerts: bool = False
    silence_alerts_tags: tuple[str, ...] = ()
    description: str | None = None
    status_page_visibility: Any = None

    @property
    def pausing(self) -> tuple[Any, ...]:
        return self.tags, self.pause_all_checks

    @property
    def silencing(self) -> tuple[Any, ...]:
        return self.silence_alerts_tags, self.silence_all_alerts


class Kept(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What the window itself cannot say, beside it."""

    times: Times | None = None
    tags: tuple[str, ...] = ()
    description: str | None = None
    status_page_visibility: Any = None


def kept_of(window: MaintenanceWindow) -> Kept:
    raw = window.extras.get(DIALECT)
    return msgspec.json.decode(raw, type=Kept) if raw else Kept()


def kept_by(said: Said) -> dict[str, msgspec.Raw]:
    kept = Kept(said.times, said.tags, said.description, said.status_page_visibility)
    return {DIALECT: msgspec.Raw(msgspec.json.encode(kept))}


def said_of(window: MaintenanceWindow, times: Times) -> Said:
    """`times`: when it is, as it is shown."""
    kept = kept_of(window)
    everybody = not (window.tags or window.groups or window.monitors)
    tags = kept.tags if everybody else window.tags
    return Said(
        name=window.display_name,
        times=times,
        tags=tags,
        pause_all_checks=window.pause and everybody,
        silence_all_alerts=window.silence_all,
        silence_alerts_tags=window.silence_tags,
        description=kept.description,
        status_page_visibility=kept.status_page_visibility,
    )


def read(payload: Any, known: Said | None = None) -> Said:
    """What a window says after a request; InvalidArgument names the member. What is not said stays."""
    body = Fields(payload)
    times = _times(body, known.times if known else None)
    if known is None or body.says("name"):
        name = body.required("name", NAME_MAX)
    else:
        name = known.name
    base = known or Said(name, times)
    return msgspec.structs.replace(
        base,
        name=name,
        times=times,
        tags=_tags(body, "tags", base.tags),
        pause_all_checks=_flag(body, "pauseAllChecks", base.pause_all_checks),
        silence_all_alerts=_flag(body, "silenceAllAlerts", base.silence_all_alerts),
        silence_alerts_tags=_tags(body, "silenceAlertsTags", base.silence_alerts_tags),
        description=(body.text("description", DESCRIPTION_MAX) or None)
        if body.says("description")
        else base.description,
        status_page_visibility=body.verbatim("statusPageVisibility", VISIBILITY_MAX)
        if body.says("statusPageVisibility")
        else base.status_page_visibility,
    )


def _times(body: Fields, known: Times | None) -> Times:
    starts, ends = body.instant("startsAt"), body.instant("endsAt")
    for name, value in (("startsAt", starts), ("endsAt", ends)):
        if value is None and known is None:
            raise body.wrong(name, "is required: a time such as 2026-01-31T09:30:00.000Z")
    times = Times(
        starts if starts is not None else _known(known).starts_at,
        ends if ends is not None else _known(known).ends_at,
        _said(body, "repeatInterval", body.whole("repeatInterval", 0, INTERVAL_MAX), known and known.repeat_interval),
        _said(body, "repeatUnit", body.choice("repeatUnit", ("", *UNITS)), known and known.repeat_unit),
        _said(body, "repeatEndsAt", _instant(body, "repeatEndsAt"), known and known.repeat_ends_at),
        _said(body, "timezone", body.text("timezone", 64), known and known.timezone),
    )
    if times.ends_at <= times.starts_at:
        raise body.wrong("endsAt", "must be later than startsAt")
    if times.repeat_unit is None and times.repeat_interval is not None:
        raise body.wrong("repeatUnit", f"is required beside repeatInterval: one of {', '.join(UNITS)}")
    if times.repeat_unit is not None:
        _check_repeat(body, times)
        if times.repeat_interval is None:
            times = msgspec.structs.replace(times, repeat_interval=1)
    return times


def _check_repeat(body: Fields, times: Times) -> None:
    if times.repeat_ends_at is not None and times.repeat_ends_at < times.starts_at:
        raise body.wrong("repeatEndsAt", "must not be earlier than startsAt")
    if not MINUTE <= times.ends_at - times.starts_at <= LONGEST:
        raise body.wrong("endsAt", f"a window that repeats lasts 1 minute to {LONGEST // DAY} days")


def show(number: int, said: Said, created: Instant, updated: Instant | None) -> Mapping[str, Any]:
    times = said.times
    return {
        "id": number,
        "name": said.name,
        "tags": said.tags,
        "startsAt": iso(times.starts_at),
        "endsAt": iso(times.ends_at),
        "repeatInterval": times.repeat_interval,
        "repeatUnit": times.repeat_unit,
        "repeatEndsAt": iso_or_none(times.repeat_ends_at),
        "timezone": times.timezone,
        "pauseAllChecks": said.pause_all_checks,
        "silenceAllAlerts": said.silence_all_alerts,
        "silenceAlertsTags": said.silence_alerts_tags,
        "description": said.description,
        "statusPageVisibility": said.status_page_visibility,
        "created_at": iso(created),
        "updated_at": iso_or_none(updated),
    }


def _said(body: Fields, name: str, value: Any, known: Any) -> Any:
    """None clears; so do the empty values that clients send for what is not set."""
    return (value or None) if body.says(name) else known


def _instant(body: Fields, name: str) -> Instant | None:
    return None if body.get(name) == "" else body.instant(name)


def _flag(body: Fields, name: str, known: bool) -> bool:
    found = body.flag(name)
    return known if found is None else found


def _tags(body: Fields, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    if not body.says(name):
        return known
    return body.texts(name, count=TAGS_MAX, most=TAG_LENGTH_MAX) or ()


def _known(times: Times | None) -> Times:
    assert times is not None  # a new window says both
    return times
