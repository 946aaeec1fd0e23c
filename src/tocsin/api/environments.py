"""EnvironmentService: what a project decides for its environments."""

from google.protobuf.empty_pb2 import Empty

from tocsin.api.monitors import page_size
from tocsin.domain import errors, names
from tocsin.service.call import Call
from tocsin.service.environments import Environments
from tocsin.v1 import environment_service_pb2 as pb
from tocsin.v1 import project_environment_pb2
from tocsin.wire.project_environment import from_environment, to_values


class EnvironmentHandlers:
    def __init__(self, environments: Environments) -> None:
        self._environments = environments

    async def CreateProjectEnvironment(
        self, request: pb.CreateProjectEnvironmentRequest, call: Call
    ) -> project_environment_pb2.ProjectEnvironment:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        message = request.project_environment
        key = request.project_environment_id or names.slugify(message.display_name, names.ENVIRONMENT_MAX)
        if not key:
            raise errors.invalid(
                "project_environment_id",
                "name it here, or in project_environment.display_name",
                reason="ENVIRONMENT_INVALID",
            )
        found = await self._environments.put(call.principal, key, to_values(message), call.received, update=False)
        return from_environment(*found)

    async def GetProjectEnvironment(
        self, request: pb.GetProjectEnvironmentRequest, call: Call
    ) -> project_environment_pb2.ProjectEnvironment:
        return from_environment(*await self._environments.get(call.principal, _environment(request.name, call)))

    async def ListProjectEnvironments(
        self, request: pb.ListProjectEnvironmentsRequest, call: Call
    ) -> pb.ListProjectEnvironmentsResponse:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        page = await self._environments.page(
            call.principal, size=page_size(request.page_size), token=request.page_token
        )
        return pb.ListProjectEnvironmentsResponse(
            project_environments=[from_environment(*row) for row in page.rows], next_page_token=page.next_token
        )

    async def UpdateProjectEnvironment(
        self, request: pb.UpdateProjectEnvironmentRequest, call: Call
    ) -> project_environment_pb2.ProjectEnvironment:
        field = "project_environment.name"
        key = _environment(request.project_environment.name, call, field)
        if request.allow_missing:
            names.check_environment(key, field)
        values = to_values(request.project_environment, request.update_mask.paths)
        found = await self._environments.put(call.principal, key, values, call.received, create=request.allow_missing)
        return from_environment(*found)

    async def DeleteProjectEnvironment(self, request: pb.DeleteProjectEnvironmentRequest, call: Call) -> Empty:
        key = _environment(request.name, call)
        await self._environments.delete(call.principal, key, call.received, allow_missing=request.allow_missing)
        return Empty()


def _environment(name: str, call: Call, field: str = "name") -> str:
    parsed = names.parse("environment", name, field)
    call.principal.require_project(parsed.project)
    return parsed.child
