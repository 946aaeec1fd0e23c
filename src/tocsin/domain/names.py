"""Resource names: "projects/p/monitors/m/checkIns/c" and back, and what a monitor id may look like."""

import re
import unicodedata
from typing import NamedTuple

from tocsin.domain import errors

MONITOR_ID_MAX = 128
ENVIRONMENT_MAX = 64
DEFAULT_ENVIRONMENT = "production"
_MONITOR_ID = re.compile(r"(?!-$)[a-z0-9_-]{1,128}")  # "-" alone is the wildcard of names
_ENVIRONMENT_FORBIDDEN = re.compile(r"[\0\n\r\f/]")
_PATTERNS = {
    "project": re.compile(r"projects/([^/]+)"),
    "monitor": re.compile(r"projects/([^/]+)/monitors/([^/]+)"),
    "check_in": re.compile(r"projects/([^/]+)/monitors/([^/]+)/checkIns/([^/]+)"),
    "incident": re.compile(r"projects/([^/]+)/incidents/([^/]+)"),
    "outage": re.compile(r"outages/([^/]+)"),
    "settings": re.compile(r"projects/([^/]+)/settings"),
    "maintenance_window": re.compile(r"projects/([^/]+)/maintenanceWindows/([^/]+)"),
    "notification_list": re.compile(r"projects/([^/]+)/notificationLists/([^/]+)"),
    "channel": re.compile(r"projects/([^/]+)/channels/([^/]+)"),
    "notice": re.compile(r"projects/([^/]+)/notices/([^/]+)"),
    "group": re.compile(r"projects/([^/]+)/groups/([^/]+)"),
    "environment": re.compile(r"projects/([^/]+)/environments/([^/]+)"),
}
_SHAPES = {
    "project": "projects/{project}",
    "monitor": "projects/{project}/monitors/{monitor}",
    "check_in": "projects/{project}/monitors/{monitor}/checkIns/{check_in}",
    "incident": "projects/{project}/incidents/{incident}",
    "outage": "outages/{outage}",
    "settings": "projects/{project}/settings",
    "maintenance_window": "projects/{project}/maintenanceWindows/{maintenance_window}",
    "notification_list": "projects/{project}/notificationLists/{notification_list}",
    "channel": "projects/{project}/channels/{channel}",
    "notice": "projects/{project}/notices/{notice}",
    "group": "projects/{project}/groups/{group}",
    "environment": "projects/{project}/environments/{environment}",
}
# with no monitor in their names
_CHILDREN = (
    *("incident", "outage", "maintenance_window", "notification_list", "channel", "notice"),
    *("group", "environment"),
)


class Name(NamedTuple):
    """The parts of a resource name; parts that the kind does not have are empty."""

    project: str = ""
    monitor: str = ""
    child: str = ""  # id of a check-in, incident, outage, maintenance window and the like


def parse(kind: str, name: str, field: str = "name") -> Name:
    """`parse("monitor", "projects/7/monitors/backup")` → Name("7", "backup"). Wrong shape: InvalidArgument."""
    match = _PATTERNS[kind].fullmatch(name)
    if match is None:
        raise errors.invalid(field, f"{name[:200]!r} is not of the form {_SHAPES[kind]}", reason="NAME_INVALID")
    parts = match.groups()
    if kind in _CHILDREN:
        return Name("" if kind == "outage" else parts[0], "", parts[-1])
    return Name(*parts)


def monitor_name(project: str | int, monitor: str) -> str:
    return f"projects/{project}/monitors/{monitor}"


def check_in_name(project: str | int, monitor: str, check_in: str) -> str:
    return f"projects/{project}/monitors/{monitor}/checkIns/{check_in}"


def incident_name(project: str | int, incident: str | int) -> str:
    return f"projects/{project}/incidents/{incident}"


def settings_name(project: str | int) -> str:
    return f"projects/{project}/settings"


def maintenance_window_name(project: str | int, window: str) -> str:
    return f"projects/{project}/maintenanceWindows/{window}"


def notification_list_name(project: str | int, key: str) -> str:
    return f"projects/{project}/notificationLists/{key}"


def channel_name(project: str | int, key: str) -> str:
    return f"projects/{project}/channels/{key}"


def notice_name(project: str | int, notice: str | int) -> str:
    return f"projects/{project}/notices/{notice}"


def group_name(project: str | int, group: str) -> str:
    return f"projects/{project}/groups/{group}"


def environment_name(project: str | int, environment: str) -> str:
    return f"projects/{project}/environments/{environment}"


def slugify(text: str, limit: int = 50) -> str:
    """Makes "my-fancy-job" of "My Fancy Job!", "x" of "--x--", and "" of only non-Latin letters.

    NFKD, ASCII only, lower case; letters, digits, `_` and `-` stay; runs of blanks and `-` become one `-`.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"[^a-z0-9_\s-]", "", plain)
    plain = re.sub(r"[\s-]+", "-", plain)
    return plain.strip("-_")[:limit].strip("-")


def check_monitor_id(text: str, field: str = "monitor_id") -> str:
    """A native monitor id as it stands: 1-128 of [a-z0-9_-]."""
    if not _MONITOR_ID.fullmatch(text):
        suggestion = slugify(text, MONITOR_ID_MAX)
        hint = f"; {suggestion!r} would do" if suggestion else ""
        raise errors.invalid(
            field, f"{text[:64]!r} must be 1 to 128 of a-z, 0-9, '-' and '_'{hint}", reason="MONITOR_ID_INVALID"
        )
    return text


def check_environment(text: str | None, field: str = "environment") -> str:
    """None and "" mean production; at most 64 characters; no line break, form feed, NUL or slash. Case matters."""
    if not text:
        return DEFAULT_ENVIRONMENT
    if len(text) > ENVIRONMENT_MAX or _ENVIRONMENT_FORBIDDEN.search(text):
        raise errors.invalid(
            field,
            f"{text[:80]!r} must be at most 64 characters without line breaks and '/'",
            reason="ENVIRONMENT_INVALID",
        )
    return text
