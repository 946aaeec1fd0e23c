"""How many monitors and environments there may be, and which of them a report may make.

Names are looked at where a report makes something; people may name what they like. Numbers hold for all.
"""

from tocsin.domain import errors
from tocsin.domain.check_in import Report
from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.domain.project_settings import ProjectSettings
from tocsin.domain.refusals import RefusalReason
from tocsin.engine.filing import Refused
from tocsin.engine.monitor_entry import MonitorEntry
from tocsin.engine.state import State


def check_new_monitor(state: State, project: int, planned: int) -> None:
    """ResourceExhausted: with `planned` others of the same request there would be one too many."""
    quota = state.settings_of(project).max_monitors or 0
    if quota and state.monitor_counts[project] + planned >= quota:
        raise errors.ResourceExhausted(
            _too_many_monitors(quota),
            reason="QUOTA_EXCEEDED",
            metadata={"limit": "max_monitors", "quota": str(quota)},
        )


def admit_monitor(state: State, sent: Report) -> None:
    """Refused: the report may not make its monitor, or not for the environment that it names."""
    settings = state.settings_of(sent.project)
    if not settings.admits_monitor(sent.monitor_id):
        raise Refused(
            RefusalReason.MONITOR_NOT_FOUND,
            f"no monitor {sent.monitor_id!r}; the project's allowed_monitors and denied_monitors let no report make it",
        )
    _admit_name(settings, sent.environment or DEFAULT_ENVIRONMENT)
    quota = settings.max_monitors or 0
    if quota and state.monitor_counts[sent.project] >= quota:
        raise Refused(
            RefusalReason.MONITOR_LIMIT_EXCEEDED,
            _too_many_monitors(quota),
            {"limit": "max_monitors", "quota": str(quota)},
        )


def admit_environment(state: State, sent: Report, monitor: MonitorEntry, environment: str) -> None:
    """Refused: the report may not make this environment."""
    settings = state.settings_of(sent.project)
    _admit_name(settings, environment)
    quota = settings.max_environments or 0
    if quota and len(state.tracks_of(monitor)) >= quota:
        raise Refused(
            RefusalReason.MONITOR_ENVIRONMENT_LIMIT_EXCEEDED,
            f"monitor {sent.monitor_id!r} has {quota} environments, as many as the project's max_environments allows: "
            f"delete some, or raise it",
            {"limit": "max_environments", "quota": str(quota)},
        )


def _admit_name(settings: ProjectSettings, environment: str) -> None:
    if not settings.admits_environment(environment):
        raise Refused(
            RefusalReason.MONITOR_INVALID_ENVIRONMENT,
            f"the project's allowed_environments and denied_environments let no report make {environment!r}",
        )


def _too_many_monitors(quota: int) -> str:
    return f"the project has {quota} monitors, as many as its max_monitors allows: delete some, or raise it"
