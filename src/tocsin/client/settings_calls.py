"""Calls of ProjectSettingsService: read and change what the project decides for all of its monitors."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from google.protobuf.field_mask_pb2 import FieldMask

from tocsin.client.calls import Call, Method, unary
from tocsin.client.fields import PROJECT, escalation_message, length
from tocsin.v1 import project_settings_pb2
from tocsin.v1 import project_settings_service_pb2 as pb

ProjectSettings = project_settings_pb2.ProjectSettings
_SERVICE: Final = "ProjectSettingsService"
_GET: Final = Method(_SERVICE, "GetProjectSettings", pb.GetProjectSettingsRequest, ProjectSettings)
_UPDATE: Final = Method(_SERVICE, "UpdateProjectSettings", pb.UpdateProjectSettingsRequest, ProjectSettings)
_NAME: Final = f"{PROJECT}/settings"


def project_settings() -> Call[ProjectSettings]:
    """Reads what the project decides for itself, and in `effective` what holds."""
    return unary(_GET, pb.GetProjectSettingsRequest(name=_NAME))


def put_project_settings(**values: Any) -> Call[ProjectSettings]:
    """Changes settings by name: `put_project_settings(margin=300, allowed_monitors=["nightly-*"], strict=None)`.

    None gives one back to the server. Lengths are seconds or timedeltas; `escalation` is a dict, see
    `EscalationFields`. TypeError: no such setting.
    """
    message = ProjectSettings(name=_NAME)
    for name, value in values.items():
        field = ProjectSettings.DESCRIPTOR.fields_by_name.get(name)
        if field is None or name in ("name", "effective"):
            raise TypeError(f"no such setting: {name}")
        if value is not None:
            kind = field.message_type.name if field.message_type is not None else ""
            message.MergeFrom(ProjectSettings(**_set(name, value, kind)))
    mask = FieldMask(paths=sorted(values))
    return unary(_UPDATE, pb.UpdateProjectSettingsRequest(project_settings=message, update_mask=mask))


def _set(name: str, value: Any, kind: str) -> Mapping[str, Any]:
    if kind == "Duration":
        return {name: length(value)}
    if kind == "NamePatterns":
        patterns: Iterable[str] = value
        return {name: project_settings_pb2.NamePatterns(patterns=patterns)}
    if kind == "Escalation":
        return {name: escalation_message(**value)}
    return {name: value}
