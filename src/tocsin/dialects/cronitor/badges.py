"""Addresses of badges: anybody may look at one, and nobody can guess that of another monitor."""

import hashlib
from typing import Final
from urllib.parse import quote

_DIGEST: Final = 16  # bytes
_PERSON: Final = b"tocsin badge"  # another use of the secret makes other digests


def digest_of(secret: bytes, code: str, environment: str) -> str:
    data = f"{code}/{environment}".encode()
    return hashlib.blake2b(data, key=secret[:64], digest_size=_DIGEST, person=_PERSON).hexdigest()


def path_of(secret: bytes, code: str, environment: str) -> str:
    return f"/badges/{code}/{quote(environment, safe='')}/{digest_of(secret, code, environment)}.svg"
