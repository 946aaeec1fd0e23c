# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""Policies by number, as kernels read them."""

from typing import final

@final
class Plans:
    def __new__(cls) -> Plans: ...
    def __len__(self) -> int:
        """One more than the highest number put."""

    def put(
        self,
        number: int,
        timetable: int,
        margin: int,
        early: int = -1,
        max_runtime: int = 0,
        limit: int = -1,
        failures: int = 1,
        misses: int = 0,
        recoveries: int = 1,
        grid: bool = False,
        rolling: bool = False,
        start_anchored: bool = False,
        readable: bool = True,
        while_running: bool = True,
    ) -> None:
        """Adds or replaces a policy. Lengths in ms; `early` -1: derived from the slots; `limit` -1: the project's.

        ValueError: a length below 0. RuntimeError: a batch is reading them.
        """
