"""A Cronitor key → the id of a monitor, by arithmetic alone: nothing is looked up, and two creations cannot race.

A key that is an id already is that id, so that a monitor of any other protocol answers to its id. Any other key becomes
what is legible of it and a digest of the whole; the key itself is kept with the monitor and shown as it was written.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from tocsin.domain import errors

KEY_MAX: Final = 255
_ID: Final = re.compile(r"(?!-$)[a-z0-9_-]{1,128}")  # "-" alone is the wildcard of names
_ILLEGIBLE: Final = re.compile(r"[^a-z0-9_-]+")
_LEGIBLE_MAX: Final = 64
_DIGEST: Final = 16  # hex characters


def monitor_id_of(key: str) -> str:
    """The id that a key stands for. InvalidArgument names `key` when it cannot be one."""
    if _ID.fullmatch(key):
        return key
    check_key(key)
    legible = _ILLEGIBLE.sub("-", key.lower()).strip("-")[:_LEGIBLE_MAX].strip("-")
    digest = hashlib.sha256(key.encode()).hexdigest()[:_DIGEST]
    return f"{legible}-{digest}" if legible else digest


def check_key(key: str) -> str:
    """1 to 255 printable characters, blanks among them, no slash."""
    if not 1 <= len(key) <= KEY_MAX:
        raise errors.invalid("key", f"must have 1 to {KEY_MAX} characters, not {len(key)}")
    wrong = next((character for character in key if not character.isprintable() or character == "/"), None)
    if wrong is not None:
        raise errors.invalid("key", f"must not contain {wrong!r}: printable characters without '/' only")
    return key


def key_in(monitor_id: str, extras: Mapping[str, object]) -> str:
    """The key that a monitor was given, as it was written; without one its id, which is a key as well."""
    said = extras.get("cronitor")
    key = said.get("key") if isinstance(said, dict) else None
    return key if isinstance(key, str) else monitor_id


def schedule_in(extras: Mapping[str, object]) -> str:
    """The schedules as they were written, joined by commas; empty where none was."""
    said = extras.get("cronitor")
    texts = said.get("schedules") if isinstance(said, dict) else None
    return ", ".join(texts) if isinstance(texts, list) else ""
