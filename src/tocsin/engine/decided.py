"""What projects decide, resolved once: asked for with every report."""

from collections.abc import Iterable

from tocsin.domain.project_settings import ProjectSettings


class Decided:
    def __init__(self, server: ProjectSettings) -> None:
        """`server`: what holds for a project that decides nothing; every field is set."""
        self._server = server
        self._own: dict[int, ProjectSettings] = {}  # by project; those that differ from the server's
        self._resolved: dict[int, ProjectSettings] = {}

    def own(self, project: int) -> ProjectSettings:
        """Only what the project decides for itself."""
        return self._own.get(project, ProjectSettings())

    def of(self, project: int) -> ProjectSettings:
        """What holds in a project: every field is set."""
        return self._resolved.get(project, self._server)

    def every(self) -> Iterable[ProjectSettings]:
        """All that hold anywhere, the server's among them."""
        return (self._server, *self._resolved.values())

    def put(self, project: int, own: ProjectSettings) -> None:
        if own == ProjectSettings():
            self._own.pop(project, None)
            self._resolved.pop(project, None)
        else:
            self._own[project], self._resolved[project] = own, own.over(self._server)
