"""`SqlDeployments`: programs, their bindings and their deployments, in a database, beside the partition's loop."""

from collections.abc import Collection, Sequence
from typing import Final

from tocsin.domain.deployment import Binding, Deployment, Owner, Program
from tocsin.store import bindings, deployments
from tocsin.store.database import Database
from tocsin.store.turns import turns

_TURN: Final = 500  # bindings of one transaction: a few milliseconds


class SqlDeployments:
    """Each method blocks and may be called by any thread; any may raise `StoreTrouble`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- programs and what they have

    def program(self, project: int, namespace: str) -> Program | None:
        with self._database.read() as connection:
            return bindings.program(connection, project, namespace)

    def programs(self, project: int, *, skip: int, size: int) -> tuple[list[Program], int]:
        """A page of them, oldest first, and how many there are."""
        with self._database.read() as connection:
            return bindings.programs(connection, project, skip=skip, size=size)

    def bindings(self, project: int, namespace: str) -> list[Binding]:
        with self._database.read() as connection:
            return bindings.of_namespace(connection, project, namespace)

    def owners(self, project: int, type: str, resources: Collection[str]) -> dict[str, Owner]:
        """By resource, those of these that a program declares."""
        with self._database.read() as connection:
            return bindings.owners(connection, project, type, resources)

    def elsewhere(self, project: int, namespace: str, type: str, resources: Collection[str]) -> set[str]:
        """Those of these resources that other programs have too."""
        with self._database.read() as connection:
            return bindings.elsewhere(connection, project, namespace, type, resources)

    # --- deployments

    def begin(self, deployment: Deployment) -> str:
        """Keeps a new one, or answers the id of the one that is on its way in its namespace."""
        with self._database.write() as connection:
            return deployments.begin(connection, deployment)

    def intend(self, deployment: Deployment, program: Program, new: Sequence[Binding]) -> None:
        """Before anything is made: what will stand for what. So a repeated deployment finds what this one made.

        Written in turns: should the database fail in the middle, some bindings mean what is never made.
        """
        with self._database.write() as connection:
            deployments.save(connection, deployment)
            bindings.put_program(connection, deployment.project, program)
        self._bind(deployment.project, program.namespace, new)

    def save(self, deployment: Deployment) -> None:
        with self._database.write() as connection:
            deployments.save(connection, deployment)

    def finish(
        self,
        deployment: Deployment,
        bound: Sequence[Binding] = (),
        gone: Sequence[Binding] = (),
        *,
        program_gone: bool = False,
    ) -> None:
        """With the bindings of what it has made and of what it has taken away, or of everything.

        Written in turns, the deployment last: one whose bindings are not all written has not ended.
        """
        for some in turns(gone, _TURN):
            with self._database.write() as connection:
                bindings.unbind(connection, deployment.project, deployment.namespace, some)
        self._bind(deployment.project, deployment.namespace, bound)
        with self._database.write() as connection:
            deployments.save(connection, deployment)
            if program_gone:
                bindings.remove_program(connection, deployment.project, deployment.namespace)

    def deployment(self, project: int, id: str) -> Deployment | None:
        with self._database.read() as connection:
            return deployments.get(connection, project, id)

    def _bind(self, project: int, namespace: str, new: Sequence[Binding]) -> None:
        for some in turns(new, _TURN):
            with self._database.write() as connection:
                bindings.bind(connection, project, namespace, some)
