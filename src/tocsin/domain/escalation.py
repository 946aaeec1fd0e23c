"""Which escalation a monitor has: its group's, its project's, or its own; and what one may be."""

from tocsin.domain import errors
from tocsin.domain.instant import DAY
from tocsin.domain.monitor import MAX_REPEATS, MAX_THRESHOLD, AlertPolicy, Escalation

MAX_WAIT = 366 * DAY


def holding(
    policy: AlertPolicy, project: Escalation | None, group: tuple[Escalation | None, bool | None] = (None, None)
) -> Escalation | None:
    """The one that holds for a monitor of this alert policy; None: none does, its plain fields do.

    `group` is `Group.escalation` and `Group.project_escalation` of the monitor's group. A project that decides nothing
    has the default escalation.
    """
    own, as_project = group
    if as_project:
        return project or Escalation()
    if own is not None and as_project is False:
        return own
    if policy.project_escalation:
        return project or Escalation()
    return policy.escalation


def check(escalation: Escalation, field: str) -> None:
    """InvalidArgument names what is wrong below `field`, by the name of the contract."""
    for name, value, least, most, unit in (
        ("failure_threshold", escalation.failures, 1, MAX_THRESHOLD, ""),
        ("delay", escalation.delay_ms, 0, MAX_WAIT, "ms"),
        ("repeat_interval", escalation.repeat_interval_ms, 0, MAX_WAIT, "ms"),
        ("repeat_limit", escalation.repeat_limit, 0, MAX_REPEATS, ""),
    ):
        if not least <= value <= most:
            raise errors.invalid(
                f"{field}.{name}", f"must be between {least}{unit} and {most}{unit}, not {value}{unit}"
            )
