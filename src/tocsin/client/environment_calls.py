"""Calls of EnvironmentService: what the project decides for its environments."""

from typing import Final

from google.protobuf.empty_pb2 import Empty
from google.protobuf.field_mask_pb2 import FieldMask

from tocsin.client.calls import Call, Method, Pages, pages, unary
from tocsin.client.fields import PROJECT
from tocsin.v1 import environment_service_pb2 as pb
from tocsin.v1 import project_environment_pb2

Environment = project_environment_pb2.ProjectEnvironment
_SERVICE: Final = "EnvironmentService"
_GET: Final = Method(_SERVICE, "GetProjectEnvironment", pb.GetProjectEnvironmentRequest, Environment)
_LIST: Final = Method(
    _SERVICE, "ListProjectEnvironments", pb.ListProjectEnvironmentsRequest, pb.ListProjectEnvironmentsResponse
)
_UPDATE: Final = Method(_SERVICE, "UpdateProjectEnvironment", pb.UpdateProjectEnvironmentRequest, Environment)
_DELETE: Final = Method(_SERVICE, "DeleteProjectEnvironment", pb.DeleteProjectEnvironmentRequest, Empty)


def put_project_environment(
    environment: str, *, with_alerts: bool | None = None, display_name: str | None = None
) -> Call[Environment]:
    """Creates an environment, or changes what is given: `put_project_environment("staging", with_alerts=False)`."""
    message = Environment(name=_name(environment), with_alerts=with_alerts, display_name=display_name or "")
    given = {"with_alerts": with_alerts, "display_name": display_name}
    mask = FieldMask(paths=[name for name, value in given.items() if value is not None] or ["name"])
    return unary(
        _UPDATE,
        pb.UpdateProjectEnvironmentRequest(project_environment=message, update_mask=mask, allow_missing=True),
    )


def get_project_environment(environment: str) -> Call[Environment]:
    """Reads an environment. ClientError: PROJECT_ENVIRONMENT_NOT_FOUND."""
    return unary(_GET, pb.GetProjectEnvironmentRequest(name=_name(environment)))


def project_environments(*, page_size: int = 1000) -> Pages[Environment]:
    """Iterates over the project's environments, by name."""
    request = pb.ListProjectEnvironmentsRequest(parent=PROJECT, page_size=page_size)
    return pages(_LIST, request, lambda answer: answer.project_environments)


def delete_project_environment(environment: str, *, allow_missing: bool = False) -> Call[Empty]:
    """Deletes it with its check-ins and incidents, in every monitor. ClientError: ENVIRONMENT_IS_DEFAULT."""
    request = pb.DeleteProjectEnvironmentRequest(name=_name(environment), allow_missing=allow_missing)
    return unary(_DELETE, request, repeatable=allow_missing)


def _name(environment: str) -> str:
    return environment if environment.startswith("projects/") else f"{PROJECT}/environments/{environment}"
