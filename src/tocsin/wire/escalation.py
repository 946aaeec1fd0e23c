"""Escalation ⇄ the escalation of the domain: of a monitor's alert policy, of a group, of a project."""

from tocsin.domain.escalation import MAX_WAIT, check
from tocsin.domain.monitor import Escalation
from tocsin.v1 import monitor_pb2 as pb
from tocsin.wire.time import from_millis, to_millis


def to_escalation(message: pb.Escalation, path: str) -> Escalation:
    """InvalidArgument names the wrong field below `path`."""
    found = Escalation(
        failures=message.failure_threshold or 1,
        delay_ms=to_millis(message.delay, f"{path}.delay", most=MAX_WAIT),
        repeat_interval_ms=to_millis(message.repeat_interval, f"{path}.repeat_interval", most=MAX_WAIT),
        repeat_limit=message.repeat_limit,
    )
    check(found, path)
    return found


def from_escalation(escalation: Escalation | None) -> pb.Escalation | None:
    """None: there is none."""
    if escalation is None:
        return None
    return pb.Escalation(
        failure_threshold=escalation.failures,
        delay=from_millis(escalation.delay_ms),
        repeat_interval=from_millis(escalation.repeat_interval_ms),
        repeat_limit=escalation.repeat_limit,
    )
