"""ProjectSettings: there and back, masks, and errors that name the field."""

import pytest
from google.protobuf.duration_pb2 import Duration

from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import MINUTE
from tocsin.domain.project_settings import DEFAULTS, ProjectSettings
from tocsin.v1 import project_settings_pb2 as pb
from tocsin.wire.project_settings import FIELDS, from_settings, to_settings


def test_every_field_of_the_domain_and_of_the_contract_is_mapped() -> None:
    assert {field.name for field in FIELDS.values()} == set(ProjectSettings.__struct_fields__)
    assert set(FIELDS) == {field.name for field in pb.ProjectSettings.DESCRIPTOR.fields} - {"name", "effective"}


def test_there_and_back() -> None:
    message = from_settings(7, DEFAULTS, DEFAULTS)
    assert message.name == "projects/7/settings"
    assert all(message.effective.HasField(name) for name in FIELDS)  # type: ignore[arg-type]
    settings, fields = to_settings(message)
    assert settings == DEFAULTS
    assert set(fields) == set(ProjectSettings.__struct_fields__)


def test_without_a_mask_the_fields_that_are_set() -> None:
    settings, fields = to_settings(pb.ProjectSettings(strict=False, margin=Duration(seconds=300)))
    assert settings == ProjectSettings(margin_ms=5 * MINUTE, strict=False)
    assert set(fields) == {"margin_ms", "strict"}


def test_a_named_field_that_is_not_set_goes_back() -> None:
    settings, fields = to_settings(pb.ProjectSettings(), ["margin", "name"])
    assert (settings, fields) == (ProjectSettings(), ("margin_ms",))
    assert set(to_settings(pb.ProjectSettings(), ["*"])[1]) == set(ProjectSettings.__struct_fields__)


def test_an_empty_list_is_a_decision() -> None:
    settings, fields = to_settings(pb.ProjectSettings(denied_monitors=pb.NamePatterns()))
    assert (settings.denied_monitors, fields) == ((), ("denied_monitors",))


@pytest.mark.parametrize(
    ("message", "mask", "field"),
    [
        (pb.ProjectSettings(margin=Duration(seconds=-1)), [], "project_settings.margin"),
        (pb.ProjectSettings(max_runtime=Duration(seconds=86400 * 400)), [], "project_settings.max_runtime"),
        (pb.ProjectSettings(failure_threshold=0), [], "project_settings.failure_threshold"),
        (pb.ProjectSettings(recovery_threshold=721), [], "project_settings.recovery_threshold"),
        (pb.ProjectSettings(check_ins_per_minute=-1), [], "project_settings.check_ins_per_minute"),
        (pb.ProjectSettings(broken_delay=Duration(seconds=86401)), [], "project_settings.broken_delay"),
        (pb.ProjectSettings(time_zone=""), [], "project_settings.time_zone"),
        (
            pb.ProjectSettings(allowed_monitors=pb.NamePatterns(patterns=["a", ""])),
            [],
            "project_settings.allowed_monitors.patterns[1]",
        ),
        (
            pb.ProjectSettings(denied_environments=pb.NamePatterns(patterns=["a"] * 101)),
            [],
            "project_settings.denied_environments.patterns",
        ),
        (pb.ProjectSettings(), ["effective"], "update_mask"),
        (pb.ProjectSettings(), ["effective.margin"], "update_mask"),
        (pb.ProjectSettings(), ["colour"], "update_mask"),
        (pb.ProjectSettings(), ["*", "margin"], "update_mask"),
    ],
)
def test_the_wrong_field_is_named(message: pb.ProjectSettings, mask: list[str], field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        to_settings(message, mask)
    assert caught.value.violations[0].field == field
