"""Keys that mean nothing where they stand → the place that was meant. Pure.

Sentry passes over them in silence, and a job then runs in the wrong time zone for years.
"""

import difflib
import re
from collections.abc import Iterable
from typing import Final

CONFIG_KEYS: Final = frozenset(
    ("schedule", "checkin_margin", "max_runtime", "timezone", "failure_issue_threshold", "recovery_threshold", "owner")
)
SCHEDULE_KEYS: Final = frozenset(("type", "value", "unit"))
_CHECK_IN_KEYS: Final = frozenset(
    ("check_in_id", "monitor_slug", "status", "duration", "environment", "release", "contexts")
)
_OTHER_WORDS: Final = {
    "tz": "timezone",
    "time_zone": "timezone",
    "zone": "timezone",
    "margin": "checkin_margin",
    "check_in_margin": "checkin_margin",
    "grace": "checkin_margin",
    "grace_period": "checkin_margin",
    "runtime": "max_runtime",
    "max_run_time": "max_runtime",
    "timeout": "max_runtime",
    "failure_threshold": "failure_issue_threshold",
    "failure_tolerance": "failure_issue_threshold",
    "recovery_issue_threshold": "recovery_threshold",
    "schedule_type": "type",
    "kind": "type",
    "crontab": "value",
    "cron": "value",
    "expression": "value",
    "interval": "value",
    "schedule_value": "value",
    "slug": "monitor_slug",
    "id": "check_in_id",
}
_PATHS: Final = (
    {key: f"$.{key}" for key in _CHECK_IN_KEYS}
    | {key: f"$.monitor_config.{key}" for key in CONFIG_KEYS}
    | {key: f"$.monitor_config.schedule.{key}" for key in SCHEDULE_KEYS}
)
_TOLD_MAX: Final = 10
_KEY_MAX: Final = 40
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def ignored(keys: Iterable[str], path: str) -> list[str]:
    """What to say of each of the first few keys that mean nothing in the object at `path`."""
    told = []
    for key in sorted(keys)[:_TOLD_MAX]:
        place = _meant(key[:_KEY_MAX])
        told.append(f"{path}.{key[:_KEY_MAX]}" + (f" (did you mean {place}?)" if place else ""))
    return told


def _meant(key: str) -> str:
    word = _HUMP.sub("_", key).lower().replace("-", "_").strip()
    word = _OTHER_WORDS.get(word, word)
    if word not in _PATHS:
        word = next(iter(difflib.get_close_matches(word, _PATHS, n=1, cutoff=0.8)), "")
    return _PATHS.get(word, "")
