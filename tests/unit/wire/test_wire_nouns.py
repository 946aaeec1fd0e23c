"""Small nouns across the border: which fields a request writes, and how a resource is shown."""

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from tocsin.domain.environment import ProjectEnvironment
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.group import Group
from tocsin.domain.instant import NEVER
from tocsin.domain.manual_incident import ManualIncident, Progress, Severity
from tocsin.v1 import group_pb2, group_service_pb2, manual_incident_pb2, project_environment_pb2
from tocsin.wire import group, manual_incident, project_environment

NOW = 1_800_000_000_000
ENVIRONMENT = project_environment_pb2.ProjectEnvironment
INCIDENT = manual_incident_pb2.ManualIncident


@pytest.mark.parametrize(
    ("mask", "values"),
    [
        ([], {"display_name": "x"}),
        (["*"], {"display_name": "x", "with_alerts": True}),
        (["with_alerts"], {"with_alerts": True}),
        (["name"], {}),
        (["name", "display_name"], {"display_name": "x"}),
    ],
)
def test_the_fields_that_are_written(mask: list[str], values: dict[str, object]) -> None:
    assert project_environment.to_values(ENVIRONMENT(display_name="x", number=7), mask) == values


def test_alerts_are_switched_off_by_saying_so() -> None:
    assert project_environment.to_values(ENVIRONMENT(with_alerts=False)) == {"with_alerts": False}


@pytest.mark.parametrize("mask", [["colour"], ["*", "display_name"], ["number"], ["create_time"], ["name.x"]])
def test_a_mask_that_cannot_be_used_is_refused(mask: list[str]) -> None:
    for read, message in (
        (project_environment.to_values, ENVIRONMENT()),
        (group.to_values, group_pb2.Group()),
        (manual_incident.to_values, INCIDENT()),
    ):
        with pytest.raises(InvalidArgument, match="update_mask"):
            read(message, mask)


def test_what_was_never_decided_has_no_times() -> None:
    message = project_environment.from_environment(ProjectEnvironment(0, 7, "a b"), 3)
    assert (message.name, message.with_alerts, message.monitor_count) == ("projects/7/environments/a b", True, 3)
    assert not message.HasField("create_time")
    assert project_environment.from_environment(ProjectEnvironment(1, 7, "production"), 0).default


def test_a_group_is_shown() -> None:
    message = group.from_group(Group(5, 7, "k", "K", create_time=NOW, update_time=NOW + 1), 2)
    assert (message.name, message.display_name, message.number) == ("projects/7/groups/k", "K", 5)
    assert (message.monitor_count, message.update_time.ToMilliseconds()) == (2, NOW + 1)


def test_until_when_a_group_is_muted() -> None:
    mute = group_service_pb2.MuteGroupRequest
    assert group.to_muted_until(mute(), NOW) == NEVER
    assert group.to_muted_until(mute(mute_duration=Duration(seconds=5)), NOW) == NOW + 5000
    assert group.to_muted_until(mute(expire_time=Timestamp(seconds=NOW // 1000 + 1)), NOW) == NOW + 1000
    for wrong in (mute(mute_duration=Duration()), mute(expire_time=Timestamp(seconds=NOW // 1000))):
        with pytest.raises(InvalidArgument):
            group.to_muted_until(wrong, NOW)


def test_an_incident_by_hand_is_written_and_shown() -> None:
    message = INCIDENT(
        display_name="x",
        state=INCIDENT.STATE_IDENTIFIED,
        severity=INCIDENT.SEVERITY_MISSING_DATA,
        monitors=["projects/-/monitors/a"],
        open_time=Timestamp(seconds=5),
    )
    values = manual_incident.to_values(message)
    assert values == {
        "title": "x",
        "state": Progress.IDENTIFIED,
        "severity": Severity.MISSING_DATA,
        "monitors": ("a",),
        "open_time": 5000,
    }
    shown = manual_incident.from_manual_incident(ManualIncident(3, 7, "k", **values))
    assert shown.monitors == ["projects/7/monitors/a"]
    assert (shown.state, shown.severity, shown.number) == (message.state, message.severity, 3)
    assert "open_time" not in manual_incident.to_values(INCIDENT(), ["*"])
    for wrong in (INCIDENT(state=99), INCIDENT(severity=99), INCIDENT(monitors=["a"])):
        with pytest.raises(InvalidArgument):
            manual_incident.to_values(wrong)
