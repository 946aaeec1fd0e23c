# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""Stale handles: in a debug build, keys, deadlines and runs that were given a roster as owner watch its slots.

A slot that is not open cannot be stored, and one that was closed since is not handed out: AssertionError both.
"""

from typing import Final

from typing_extensions import disjoint_base

DEBUG: Final[bool]
"""Whether this is a debug build: TOCSIN_DEBUG=1 or TOCSIN_SANITIZE=1."""

@disjoint_base
class Watch:
    """The slots that one object stores; kernels only."""
