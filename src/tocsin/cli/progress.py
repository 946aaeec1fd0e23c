"""One line that moves while a start loads, for a person who waits at a terminal; nothing for anybody else."""

import asyncio
import sys
from collections.abc import Callable
from typing import Final, TextIO

_PATIENCE_S: Final = 0.5  # a start that takes less is not worth a line
_STEP_S: Final = 0.2


async def show(
    loading: Callable[[], tuple[int, int] | None], out: TextIO | None = None, patience: float = _PATIENCE_S
) -> None:
    """Until it is cancelled. `loading`: how many rows were read, of about how many; None: not known yet."""
    out = out or sys.stdout
    if not out.isatty():
        return
    await asyncio.sleep(patience)
    from rich.console import Console  # noqa: PLC0415 - rich takes a while to load, and most starts need none of it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=out), transient=True) as line:
        task = line.add_task("loading", total=None)
        while True:
            read, known = loading() or (0, 0)
            if known and read >= known:
                line.update(task, description="putting in order", completed=known, total=known)
            else:
                line.update(task, completed=read, total=known or None)
            await asyncio.sleep(_STEP_S)
