"""The line that moves while a start loads: for a terminal alone, and gone afterwards."""

import asyncio
import io

from tocsin.cli.progress import show


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_no_terminal_gets_no_line() -> None:
    out = io.StringIO()
    await asyncio.wait_for(show(lambda: (1, 2), out, 0), 10)
    assert out.getvalue() == ""


async def test_a_quick_start_shows_nothing() -> None:
    out = Terminal()
    task = asyncio.create_task(show(lambda: (1, 2), out, 600))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert out.getvalue() == ""


async def test_a_terminal_sees_the_rows_go_by(monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    out, seen = Terminal(), asyncio.Event()
    steps = iter([None, (40, 100), (100, 100)])

    def loading() -> tuple[int, int] | None:
        step = next(steps, (100, 100))
        if step == (100, 100):
            seen.set()
        return step

    task = asyncio.create_task(show(loading, out, 0))
    await asyncio.wait_for(seen.wait(), 30)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "loading" in out.getvalue()
    assert "100/100" in out.getvalue(), "the last state is painted before the line goes"
    assert out.getvalue().endswith(("\x1b[2K", "\x1b[?25h")), "the line is gone"
