"""What must be recalled from the store before commands are stepped: rows that rules look at and that are not hot."""

from collections.abc import Iterable

from tocsin.domain.commands import (
    ChangeEnvironment,
    Command,
    DeleteEnvironment,
    DeleteMonitor,
    PutMaintenanceWindow,
    PutMonitor,
    PutMonitors,
    PutProjectSettings,
    ReportBatch,
    ReportCheckIn,
    ResolveIncident,
)
from tocsin.engine import handwork, reports
from tocsin.engine.memory import Needs
from tocsin.engine.state import NOWHERE, State


def of(state: State, commands: Iterable[Command]) -> Needs:
    needs = Needs()
    decided: set[int] = set()  # projects by which configurations may mean something else from there on
    for command in commands:
        match command:
            case ReportCheckIn(report=sent):
                reports.need(state, needs, sent, decided)
            case ReportBatch(rest=rest):
                for sent in rest.values():
                    reports.need(state, needs, sent, decided)
            case PutProjectSettings(project=project):
                decided.add(project)
            case PutMonitor() as put:
                _of_put(state, needs, put)
            case (
                DeleteMonitor(project=project, monitor_id=monitor_id)
                | ChangeEnvironment(project=project, monitor_id=monitor_id)
                | DeleteEnvironment(project=project, monitor_id=monitor_id)
            ):
                _of_monitor(state, needs, project, monitor_id)
            case PutMonitors(puts=several):
                for put in several:
                    _of_put(state, needs, put)
            case ResolveIncident() as resolve:
                handwork.need(state, needs, resolve)
            case PutMaintenanceWindow(project=project, window=window):
                state.windows.add_needs(needs, project, window)
            case _:
                pass
    return needs


def _of_put(state: State, needs: Needs, put: PutMonitor) -> None:
    _of_monitor(state, needs, put.project, put.monitor_id)
    if put.change.ping_token:
        needs.tokens.add(put.change.ping_token)


def _of_monitor(state: State, needs: Needs, project: int, monitor_id: str) -> None:
    if state.find_monitor(project, monitor_id) != NOWHERE:
        needs.monitors.add((project, monitor_id))
