"""Who asks: a key resolves to a project and a scope. The key alone bounds every read and write."""

import threading

import msgspec

from tocsin.domain.errors import PermissionDenied, Unauthenticated
from tocsin.domain.project import Key, Project, Scope, digest_of
from tocsin.store.port import Store

_INCLUDES = {
    Scope.INGEST: frozenset({Scope.INGEST}),
    Scope.READ: frozenset({Scope.READ}),
    Scope.ADMIN: frozenset({Scope.INGEST, Scope.READ, Scope.ADMIN}),
}
_TOO_LONG = 20  # digits that no project number has


class Principal(msgspec.Struct, frozen=True):
    project: Project
    scope: Scope
    key: int = 0  # Key.number

    def may(self, scope: Scope) -> bool:
        return scope in _INCLUDES[self.scope]

    def require(self, scope: Scope) -> None:
        if not self.may(scope):
            raise PermissionDenied(
                f"this key has the scope {self.scope.value!r}; {scope.value!r} is needed: "
                f"tocsin keys create --scope {scope.value}",
                reason="KEY_SCOPE",
                metadata={"scope": self.scope.value, "required_scope": scope.value},
            )

    @property
    def references(self) -> tuple[str, ...]:
        """How requests may write the key's own project: number, slug, or "-"."""
        return (str(self.project.number), self.project.slug, "-")

    def require_project(self, reference: str) -> None:
        """`reference` is the project as requested. Another's is denied."""
        if reference not in self.references:
            raise PermissionDenied(
                f"this key belongs to project {self.project.number} ({self.project.slug}), not to {reference[:64]!r}",
                reason="KEY_SCOPE",
                metadata={"project": reference[:64]},
            )


class Principals:
    """Keys in memory, read again whenever another process has changed them (`refresh`, called every second)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._revision = -1
        self._by_digest: dict[bytes, Principal] = {}
        self._active: frozenset[int] = frozenset()  # Key.number
        self._projects: dict[int, Project] = {}

    def refresh(self) -> bool:
        """Blocking. True when something had changed."""
        with self._lock:  # whoever read earlier must not write later
            return self._refresh()

    def _refresh(self) -> bool:
        revision = self._store.credentials_revision()
        if revision == self._revision:
            return False
        projects = {project.number: project for project in self._store.list_projects()}
        keys: list[Key] = self._store.list_keys()
        found = {
            key.digest: Principal(projects[key.project], key.scope, key.number)
            for key in keys
            if key.revoke_time is None and key.project in projects
        }
        self._by_digest, self._projects, self._revision = found, projects, revision
        self._active = frozenset(principal.key for principal in found.values())
        return True

    def find(self, key: str) -> Principal | None:
        return self._by_digest.get(digest_of(key)) if key.isascii() else None

    def resolve(self, key: str | None) -> Principal:
        """The principal of a key; Unauthenticated when there is none."""
        if not key:
            raise Unauthenticated(
                "no key: send 'Authorization: Bearer KEY' (tocsin keys create makes one)", reason="KEY_MISSING"
            )
        found = self.find(key)
        if found is None:
            raise _unknown()
        return found

    def require_active(self, principal: Principal) -> None:
        """Unauthenticated when its key was revoked since: for calls that last."""
        if principal.key not in self._active:
            raise _unknown()

    def project(self, reference: str | int) -> Project | None:
        """By number or slug."""
        if isinstance(reference, int):
            return self._projects.get(reference)
        if reference.isdecimal():
            return self._projects.get(int(reference)) if len(reference) < _TOO_LONG else None
        return next((project for project in self._projects.values() if project.slug == reference), None)

    def slug(self, number: int) -> str:
        """Empty when there is no such project."""
        project = self.project(number)
        return project.slug if project else ""

    def projects(self) -> list[Project]:
        return list(self._projects.values())


def _unknown() -> Unauthenticated:
    return Unauthenticated("unknown or revoked key", reason="KEY_INVALID")
