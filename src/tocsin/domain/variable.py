"""Texts of a project that templates name: variables, some of them secret, and snippets."""

import re
from typing import Final

from tocsin.domain import errors
from tocsin.domain.notification import NAME_MAX, Keyed

VALUE_MAX: Final = 16_384  # characters
SCRIPT_MAX: Final = 262_144
_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,200}")


class Variable(Keyed, frozen=True, omit_defaults=True):
    """Its key is how templates name it. The value of a secret is for them alone: no reader is shown it."""

    value: str = ""
    locked: bool = False  # who shows it to people hides it until they ask
    secret: bool = False


class Snippet(Keyed, frozen=True, omit_defaults=True):
    """A text to be kept. People know it by `display_name`, or by its number; its key may be any."""

    script: str = ""


def check_variable(found: Variable, field: str = "variable") -> None:
    """InvalidArgument names what is wrong below `field`."""
    _check(found, field)
    if len(found.value) > VALUE_MAX:
        raise errors.invalid(f"{field}.value", f"at most {VALUE_MAX} characters, not {len(found.value)}")


def check_snippet(found: Snippet, field: str = "snippet") -> None:
    """InvalidArgument names what is wrong below `field`."""
    _check(found, field)
    if len(found.script) > SCRIPT_MAX:
        raise errors.invalid(f"{field}.script", f"at most {SCRIPT_MAX} characters, not {len(found.script)}")


def _check(found: Keyed, field: str) -> None:
    if not _KEY.fullmatch(found.key):
        raise errors.invalid(f"{field}.key", f"{found.key[:64]!r} must be 1 to 200 letters, digits, '_', '.' and '-'")
    if len(found.display_name) > NAME_MAX:
        raise errors.invalid(f"{field}.display_name", f"at most {NAME_MAX} characters, not {len(found.display_name)}")
