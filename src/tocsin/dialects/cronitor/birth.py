"""The monitor that telemetry makes when there is none: what the Monitor API makes of a key and a type alone."""

import functools
from typing import Final

import msgspec

from tocsin.dialects.cronitor import mapping
from tocsin.domain.monitor import Kind, MonitorChange

DIALECT: Final = mapping.DIALECT


@functools.cache
def _of_kind(kind: Kind) -> MonitorChange:
    return mapping.auto_created("-", kind.value)


def newborn(key: str, monitor_id: str, kind: Kind) -> MonitorChange:
    """The change that makes the monitor of a key and its id."""
    return msgspec.structs.replace(  # all but the key is the same for every monitor, and made once
        _of_kind(kind),
        display_name="" if monitor_id == key else key,
        extras=mapping.extras_of({"key": key, "type": kind.value}),
    )
