"""Monitors as YAML: what was set, and nothing else, so that reading it again changes nothing. Pure."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

from tocsin.dialects.cronitor import yaml_text
from tocsin.dialects.cronitor.reading import said_of
from tocsin.dialects.cronitor.schema import CHECK, HEARTBEAT, JOB, Said
from tocsin.domain.instant import Instant
from tocsin.domain.monitor import Monitor

SECTIONS: Final = {JOB: "jobs", CHECK: "checks", HEARTBEAT: "heartbeats"}
_FIRST: Final = ("name", "defaultName", "schedule", "schedules", "timezone")


def yaml_of(monitors: Iterable[Monitor], zone: str, now: Instant) -> str:
    """The three sections, also where they are empty: a client counts what is in each."""
    found: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS.values()}
    for monitor in monitors:
        said, _ = said_of(monitor, zone)
        found[SECTIONS[said["type"]]][said["key"]] = _attributes(said, paused=(monitor.muted_until or 0) > now) or None
    return yaml_text.dump(found)


def _attributes(said: Said, *, paused: bool) -> dict[str, Any]:
    found = {name: value for name, value in said.items() if name not in ("key", "type")}
    schedules = found.pop("schedules", [])
    if len(schedules) == 1:
        found["schedule"] = schedules[0]
    elif schedules:
        found["schedules"] = schedules
    if paused:
        found["paused"] = True
    return {name: found[name] for name in (*_FIRST, *sorted(found.keys() - set(_FIRST))) if name in found}


async def yaml_later(monitors: Sequence[Monitor], zone: str, now: Instant) -> str:
    """The same, beside the event loop."""
    return await asyncio.to_thread(yaml_of, monitors, zone, now)
