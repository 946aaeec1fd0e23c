"""The monitor that telemetry makes when there is none: no schedule, the defaults of Cronitor, told by `default`."""

import functools
from typing import Final

import msgspec

from tocsin.domain.instant import HOUR, SECOND
from tocsin.domain.monitor import AlertPolicy, Kind, MonitorChange

DIALECT: Final = "cronitor"
GRACE_S: Final = {Kind.JOB: 60, Kind.HEARTBEAT: 0}
_ALERTS: Final = AlertPolicy(channels=("default",), repeat_interval_ms=8 * HOUR)


@functools.cache
def _of_kind(kind: Kind) -> MonitorChange:
    grace_ms = GRACE_S[kind] * SECOND
    return MonitorChange(
        origin=DIALECT,
        policy={"kind": kind, "separate_causes": True, "abandon_runs": True},
        tolerance={
            "margin_ms": max(grace_ms, SECOND),
            "alert_delay_ms": grace_ms,
            "max_runtime_ms": 0,
            "failure_threshold": 1,
            "miss_threshold": 1,
            "recovery_threshold": 1,
        },
        alert_policy=_ALERTS,
    )


def newborn(key: str, kind: Kind) -> MonitorChange:
    """The change that makes a monitor of this key; the key is kept as it was written."""
    known = msgspec.Raw(msgspec.json.encode({"key": key}))
    return msgspec.structs.replace(_of_kind(kind), extras={DIALECT: known})
