"""What monitors are put together by: a group, of which each is in at most one, and tags, of which it has many."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Escalation

KEY_MAX: Final = 128
NAME_MAX: Final = 200
TAGS_MAX: Final = 100
TAG_LENGTH_MAX: Final = 100
_KEY: Final = re.compile(r"(?!-$)[^/\x00-\x1f\x7f\ud800-\udfff]{1,128}")  # "-" alone is the wildcard of names
_TAG: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,100}")


class Group(msgspec.Struct, frozen=True, omit_defaults=True):
    """Its members are the monitors whose `group` is its key."""

    number: int  # identity inside the store; never reused
    project: int
    key: str  # the last part of the resource name; case matters
    display_name: str = ""
    tags: tuple[str, ...] = ()  # its members count as having them, where a window or a reader asks for tags
    muted: bool = False  # nobody is told of its members
    inactive: bool = False  # its members are not judged; what each would be by itself, its dialect keeps
    escalation: Escalation | None = None  # of its members, whatever they say
    project_escalation: bool | None = None  # True: the project's instead; None: each member's own
    extras: dict[str, msgspec.Raw] = {}  # by dialect: what no field here can say, kept verbatim
    create_time: Instant = 0
    update_time: Instant = 0


class Filed(NamedTuple):
    """What a monitor is put together by."""

    group: str = ""
    tags: tuple[str, ...] = ()


def check_group_key(text: str, field: str = "group_id") -> str:
    """1 to 128 characters, no control characters, no slash; not "-" alone."""
    if not _KEY.fullmatch(text):
        raise errors.invalid(
            field,
            f"{text[:64]!r} must be 1 to {KEY_MAX} characters without control characters and '/', and not '-' alone",
            reason="GROUP_KEY_INVALID",
        )
    return text


def check_tags(tags: Iterable[str], field: str) -> tuple[str, ...]:
    """At most 100 of 1 to 100 characters without control characters; InvalidArgument names the wrong one."""
    found = tuple(tags)
    if len(found) > TAGS_MAX:
        raise errors.invalid(field, f"at most {TAGS_MAX} tags, not {len(found)}")
    for index, tag in enumerate(found):
        if not _TAG.fullmatch(tag):
            raise errors.invalid(
                f"{field}[{index}]", f"a tag has 1 to {TAG_LENGTH_MAX} characters and no control characters"
            )
    return found
