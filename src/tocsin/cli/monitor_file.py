"""A file of monitors, YAML or JSON, → requests of BatchUpdateMonitors.

    monitors:
      - id: nightly-backup
        cron: "30 2 * * *"          # or  every: 5 minutes   or  daily: ["02:30", "14:30"]
        time_zone: Europe/Vienna
        margin: 5m                   # also 300s, 1h, 2d
        max_runtime: 2h
        failure_threshold: 2
        labels: {team: storage}

Whatever else stands in an entry is passed on as a field of the API's Monitor. YAML is read with the 1.2 core schema:
`14:30` and `on` are strings, aliases are refused.
"""

import re
from typing import Any, Final

import yaml

from tocsin.domain.names import check_monitor_id

_LENGTH: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_MILLISECONDS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_EVERY: Final = re.compile(r"(?:(\d+)\s+)?(second|minute|hour|day|week|month|year)s?")
_TOLERANCE_LENGTHS: Final = ("margin", "max_runtime", "alert_delay", "early")
_TOLERANCE_COUNTS: Final = ("failure_threshold", "miss_threshold", "recovery_threshold")


class FileError(Exception):
    """The file cannot be used: which entry, which key, and what would be accepted."""


class _Loader(yaml.SafeLoader):
    """The core schema of YAML 1.2: no `on`, no `14:30` as a number, no timestamps, no aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call] # the library is half typed
            raise FileError(f"line {mark.line + 1}: aliases are not allowed")
        return super().compose_node(parent, index)


def _integer(_loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    """As YAML 1.2 has it: `010` is ten. The library's own reads it as 1.1 does, in base eight."""
    text = str(node.value)
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
):
    _firsts = [*_first.replace("\0", ""), *([""] if "\0" in _first else [])]
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _firsts)


def read(text: str) -> list[dict[str, Any]]:
    """One request for each entry, in order. FileError names the entry and the key."""
    try:
        content = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError) as error:
        raise FileError(str(error)) from None
    entries = content.get("monitors") if isinstance(content, dict) else content
    if not isinstance(entries, list):
        raise FileError("the file must hold a list of monitors, or a mapping with the key `monitors`")
    return [_request(entry, f"monitors[{index}]") for index, entry in enumerate(entries)]


def _request(entry: object, where: str) -> dict[str, Any]:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise FileError(f"{where}: must be a mapping with an `id`")
    fields = dict(entry)
    monitor_id = check_monitor_id(fields.pop("id"), f"{where}.id")
    monitor: dict[str, Any] = {"name": f"projects/-/monitors/{monitor_id}"}
    if schedule := _schedule(fields, where):
        monitor["schedules"] = [schedule]
    tolerance = {name: length(fields.pop(name), f"{where}.{name}") for name in _TOLERANCE_LENGTHS if name in fields}
    tolerance |= {name: fields.pop(name) for name in _TOLERANCE_COUNTS if name in fields}
    if tolerance:
        monitor["tolerance"] = tolerance
    return {"monitor": monitor | fields, "allowMissing": True}


def _schedule(fields: dict[str, Any], where: str) -> dict[str, Any] | None:
    given = [name for name in ("cron", "every", "daily") if name in fields]
    if len(given) > 1:
        raise FileError(f"{where}: has {' and '.join(given)}; one is enough, or list several under `schedules`")
    zone = fields.pop("time_zone", None)
    if not given:
        if zone is not None:
            raise FileError(f"{where}.time_zone: belongs to cron, every or daily, and none is given")
        return None
    value = fields.pop(given[0])
    schedule: dict[str, Any]
    if given[0] == "cron":
        schedule = {"cron": {"expression": value}}
    elif given[0] == "daily":
        schedule = {"daily": {"times_of_day": value if isinstance(value, list) else [value]}}
    else:
        match = _EVERY.fullmatch(str(value).strip())
        if match is None:
            raise FileError(f"{where}.every: {value!r} must be like '5 minutes' or 'hour'")
        schedule = {"interval": {"count": int(match[1] or 1), "unit": f"UNIT_{match[2].upper()}"}}
    return schedule | ({"time_zone": zone} if zone else {})


def length(value: object, where: str) -> str:
    match = _LENGTH.fullmatch(str(value).strip())
    if match is None:
        raise FileError(f"{where}: {value!r} must be like 90s, 5m, 2h or 1d")
    milliseconds = round(float(match[1]) * _MILLISECONDS[match[2]])
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds}.{rest:03d}s" if rest else f"{seconds}s"
