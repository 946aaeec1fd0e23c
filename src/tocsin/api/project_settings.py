"""ProjectSettingsService: what a project decides for all of its monitors."""

from tocsin.domain import names
from tocsin.service.call import Call
from tocsin.service.project_settings import Decided, Settings
from tocsin.v1 import project_settings_pb2
from tocsin.v1 import project_settings_service_pb2 as pb
from tocsin.wire.project_settings import from_settings, to_settings


class ProjectSettingsHandlers:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def GetProjectSettings(
        self, request: pb.GetProjectSettingsRequest, call: Call
    ) -> project_settings_pb2.ProjectSettings:
        call.principal.require_project(names.parse("settings", request.name).project)
        return _message(self._settings.get(call.principal), call)

    async def UpdateProjectSettings(
        self, request: pb.UpdateProjectSettingsRequest, call: Call
    ) -> project_settings_pb2.ProjectSettings:
        name = names.parse("settings", request.project_settings.name, "project_settings.name")
        call.principal.require_project(name.project)
        settings, fields = to_settings(request.project_settings, request.update_mask.paths)
        return _message(await self._settings.update(call.principal, settings, fields, call.received), call)


def _message(decided: Decided, call: Call) -> project_settings_pb2.ProjectSettings:
    return from_settings(call.principal.project.number, decided.own, decided.effective)
