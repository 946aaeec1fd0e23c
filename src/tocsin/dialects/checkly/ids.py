"""Ids of checks, events and tokens: stored as 32 hex characters, shown as dashed UUIDs."""

from tocsin.dialects.checkly.problems import PARAMS, wrong
from tocsin.service.browsing import uid_of


def dashed(uid: str) -> str:
    """Nothing stays nothing."""
    return f"{uid[:8]}-{uid[8:12]}-{uid[12:16]}-{uid[16:20]}-{uid[20:]}" if uid else ""


def uid_in_path(text: str, name: str = "id") -> str:
    """32 hex characters of a UUID in a path; Refused 400 for what is none."""
    uid = uid_of(text)
    if uid is None:
        raise wrong(name, f"{text[:64]!r} must be a UUID", PARAMS)
    return uid


def number_in_path(text: str, name: str = "id") -> int:
    """A positive integer in a path; Refused 400."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 18 and int(text) > 0):
        raise wrong(name, f"{text[:64]!r} must be a positive whole number", PARAMS)
    return int(text)
