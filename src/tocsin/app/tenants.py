"""Projects and keys made for people: on first start and by the CLI. A key is shown once and stored as a digest."""

import os
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import msgspec

from tocsin.domain.instant import Instant
from tocsin.domain.project import Project, Scope, digest_of, new_key
from tocsin.store.port import Store

PUBLIC_URL: Final = "public_url"  # name of the setting in the store
DEFAULT_URL: Final = "http://127.0.0.1:8000"
CREDENTIALS: Final = "credentials.json"


class Tenant(msgspec.Struct, frozen=True):
    """What a person needs to begin: `tocsin projects create --json` prints this."""

    project_id: int
    name: str
    slug: str
    sentry_dsn: str
    admin_key: str
    ingest_key: str
    account_id: str


def create_tenant(store: Store, name: str, at: Instant) -> Tenant:
    project = store.create_project(name, at)
    admin, ingest = add_key(store, project, Scope.ADMIN, at), add_key(store, project, Scope.INGEST, at)
    return Tenant(
        project_id=project.number,
        name=project.name,
        slug=project.slug,
        sentry_dsn=dsn(store, project.number, ingest),
        admin_key=admin,
        ingest_key=ingest,
        account_id=project.account_id,
    )


def add_key(store: Store, project: Project, scope: Scope, at: Instant) -> str:
    key = new_key()
    store.create_key(project.number, scope, digest_of(key), key[-4:], at)
    return key


def dsn(store: Store, project: int, key: str) -> str:
    """The Sentry DSN of a project, at the public URL that the server recorded last."""
    url = urlsplit(store.get_setting(PUBLIC_URL) or DEFAULT_URL)
    path = f"{url.path.rstrip('/')}/{project}"
    return urlunsplit((url.scheme, f"{key}@{url.netloc}", path, "", ""))


def keep_for_person(data: Path, tenant: Tenant) -> Path:
    """Writes the first keys into a file that only its owner can read, so that they can be found again."""
    path = data / CREDENTIALS
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, 0o600)  # one that was there before keeps its mode otherwise
        file.write(msgspec.json.format(msgspec.json.encode(tenant)) + b"\n")
    return path
