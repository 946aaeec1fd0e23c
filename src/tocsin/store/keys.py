"""Projects, keys and settings: written by the server and, beside it, by the command line."""

import re
import uuid
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, exists, insert, select, update

from tocsin.domain import errors, names
from tocsin.domain.instant import Instant
from tocsin.domain.notification import DEFAULT_LIST
from tocsin.domain.project import Key, Project, Scope
from tocsin.domain.project_settings import ProjectSettings
from tocsin.store.schema import keys, notification_lists, projects, revisions, settings
from tocsin.store.texts import clean
from tocsin.store.upsert import Upsert, cursor_of

SLUG_MAX: Final = 64
_SLUG: Final = re.compile(r"[a-z0-9_-]{1,64}")
_TAKEN_BY_PATHS: Final = ("deploy",)  # /v1/projects/deploy belongs to another API
_CREDENTIALS: Final = "credentials"


def create_project(connection: Connection, name: str, at: Instant, slug: str) -> Project:
    """With the slug asked for, or one made of the name, numbered when it is taken."""
    if slug:
        _check_slug(connection, slug)
    else:
        slug = next(
            candidate for candidate in _candidates(name) if _may_be(candidate) and not _is_taken(connection, candidate)
        )
    row = {"slug": slug, "name": clean(name) or slug, "account_id": str(uuid.uuid4()), "create_time": at}
    project = connection.execute(insert(projects).values(row).returning(*projects.columns)).one()
    everybody = {"key": DEFAULT_LIST, "create_time": at, "update_time": at, "body": "{}"}
    connection.execute(insert(notification_lists).values(project=project.number, **everybody))
    _bump(connection)
    return _project_of(project)


def list_projects(connection: Connection) -> list[Project]:
    return [_project_of(row) for row in connection.execute(select(projects).order_by(projects.c.number))]


def put_project_settings(connection: Connection, project: int, own: ProjectSettings) -> None:
    """What the project decides for itself; whoever keeps projects in memory reads them again."""
    body = msgspec.json.encode(own, order="deterministic").decode()
    connection.execute(update(projects).where(projects.c.number == project).values(settings=body))
    _bump(connection)


def create_key(connection: Connection, project: int, *, scope: Scope, digest: bytes, hint: str, at: Instant) -> Key:
    if not connection.execute(select(exists().where(projects.c.number == project))).scalar():
        raise errors.NotFound(
            f"there is no project {project}", reason="PROJECT_NOT_FOUND", metadata={"project": str(project)}
        )
    if connection.execute(select(exists().where(keys.c.digest == digest))).scalar():
        raise errors.AlreadyExists("this key exists already", reason="KEY_EXISTS")
    row = {"project": project, "scope": scope.value, "digest": digest, "hint": hint, "create_time": at}
    key = connection.execute(insert(keys).values(row).returning(*keys.columns)).one()
    _bump(connection)
    return _key_of(key)


def revoke_key(connection: Connection, number: int, at: Instant) -> bool:
    statement = update(keys).where(keys.c.number == number, keys.c.revoke_time.is_(None)).values(revoke_time=at)
    if connection.execute(statement).rowcount == 0:
        return False
    _bump(connection)
    return True


def list_keys(connection: Connection, project: int | None) -> list[Key]:
    statement = select(keys).order_by(keys.c.number)
    if project is not None:
        statement = statement.where(keys.c.project == project)
    return [_key_of(row) for row in connection.execute(statement)]


def credentials_revision(connection: Connection) -> int:
    return connection.execute(select(revisions.c.value).where(revisions.c.name == _CREDENTIALS)).scalar() or 0


def get_setting(connection: Connection, name: str) -> str | None:
    return connection.execute(select(settings.c.value).where(settings.c.name == name)).scalar()


def put_setting(connection: Connection, name: str, value: str) -> None:
    Upsert(settings, connection.dialect)(cursor_of(connection), [(name, value)])


def _project_of(row: Row[Any]) -> Project:
    return Project(
        number=row.number,
        slug=row.slug,
        name=row.name,
        account_id=row.account_id,
        create_time=row.create_time,
        settings=msgspec.json.decode(row.settings, type=ProjectSettings),
    )


def _key_of(row: Row[Any]) -> Key:
    return Key(
        number=row.number,
        project=row.project,
        scope=Scope(row.scope),
        digest=row.digest,
        hint=row.hint,
        create_time=row.create_time,
        revoke_time=row.revoke_time,
    )


def _candidates(name: str) -> Iterator[str]:
    """The name as a slug, then numbered: night-jobs, night-jobs-2, night-jobs-3 and so on."""
    base = names.slugify(name) or "project"
    base = base if _may_be(base) else f"project-{base}"
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def _check_slug(connection: Connection, slug: str) -> None:
    if not _may_be(slug):
        raise errors.invalid(
            "slug",
            f"{slug[:SLUG_MAX]!r} must be 1 to {SLUG_MAX} of a-z, 0-9, '-' and '_', not only digits, and not 'deploy'",
            reason="PROJECT_SLUG_INVALID",
        )
    if _is_taken(connection, slug):
        raise errors.AlreadyExists(
            f"there is a project {slug!r} already", reason="PROJECT_EXISTS", metadata={"slug": slug}
        )


def _may_be(slug: str) -> bool:
    """Digits alone would read as a project's number."""
    return _SLUG.fullmatch(slug) is not None and not slug.isdigit() and slug not in _TAKEN_BY_PATHS


def _is_taken(connection: Connection, slug: str) -> bool:
    return bool(connection.execute(select(exists().where(projects.c.slug == slug))).scalar())


def _bump(connection: Connection) -> None:
    """Another process polls this."""
    Upsert(revisions, connection.dialect)(cursor_of(connection), [(_CREDENTIALS, credentials_revision(connection) + 1)])
