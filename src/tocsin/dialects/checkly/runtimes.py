"""Runtimes by name. Nothing runs here: clients want to see the one that their account has."""

from typing import Any, Final

NAMES: Final = ("2022.10", "2023.02", "2023.09", "2024.02", "2024.09", "2025.04", "2026.04")
DEFAULT: Final = NAMES[-2]  # which every client in use knows
LISTED: Final[list[dict[str, Any]]] = [
    {
        "name": name,
        "stage": "STABLE" if name >= DEFAULT else "DEPRECATED",
        "runtimeEndOfLife": None,
        "description": "Heartbeats need no runtime; checks that would need one are not run here.",
        "dependencies": {},
        "multiStepSupport": False,
    }
    for name in NAMES
]
