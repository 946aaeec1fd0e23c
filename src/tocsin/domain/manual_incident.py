"""A manual incident: what somebody says is wrong, and no monitor has found out. Nothing is judged by it."""

import re
from typing import Final

from tocsin.domain import errors
from tocsin.domain.instant import Instant
from tocsin.domain.notification import NAME_MAX, Keyed

WORD_MAX: Final = 64
NOTE_MAX: Final = 2_000
_WORD: Final = re.compile(rf"[a-z][a-z_]{{0,{WORD_MAX - 1}}}")


class ManualIncident(Keyed, frozen=True, omit_defaults=True):
    """`state` and `severity` are words of whoever wrote it; that it is over, `resolve_time` says."""

    severity: str = "outage"
    state: str = "unresolved"
    environment: str = ""
    note: str = ""
    assigned_to: str = ""
    open_time: Instant = 0
    resolve_time: Instant | None = None


def check_manual_incident(found: ManualIncident, field: str = "manual_incident") -> None:
    """InvalidArgument names what is wrong below `field`."""
    if not 1 <= len(found.display_name) <= NAME_MAX:
        raise errors.invalid(f"{field}.display_name", f"has 1 to {NAME_MAX} characters")
    for name in ("severity", "state"):
        if not _WORD.fullmatch(getattr(found, name)):
            raise errors.invalid(f"{field}.{name}", f"must be 1 to {WORD_MAX} of a-z and '_'")
    for name, most in (("environment", NAME_MAX), ("assigned_to", NAME_MAX), ("note", NOTE_MAX)):
        if len(getattr(found, name)) > most:
            raise errors.invalid(f"{field}.{name}", f"at most {most} characters")
