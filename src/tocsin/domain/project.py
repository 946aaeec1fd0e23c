"""Projects and keys: who owns monitors, and who may do what."""

import enum
import hashlib
import secrets

import msgspec

from tocsin.domain.instant import Instant
from tocsin.domain.project_settings import ProjectSettings


class Scope(enum.Enum):
    """What a key may do; each includes the ones before it, except that `ingest` cannot read."""

    INGEST = "ingest"  # report
    READ = "read"  # read
    ADMIN = "admin"  # report, read, write


class Project(msgspec.Struct, frozen=True):
    number: int  # the decimal project id of DSNs and names
    slug: str
    name: str
    account_id: str  # dashed UUID
    create_time: Instant
    settings: ProjectSettings = ProjectSettings()  # what differs from the server's


class Key(msgspec.Struct, frozen=True):
    number: int
    project: int
    scope: Scope
    digest: bytes  # SHA-256 of the key: the key itself is never stored
    hint: str  # last four characters, so that a person can tell keys apart
    create_time: Instant
    revoke_time: Instant | None = None


def new_key() -> str:
    """32 lower-case hex characters: what every vendor's client accepts."""
    return secrets.token_hex(16)


def digest_of(key: str) -> bytes:
    """Plain SHA-256 is enough: keys are 128 random bits, not passwords."""
    return hashlib.sha256(key.encode()).digest()
