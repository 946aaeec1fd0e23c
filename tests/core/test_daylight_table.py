"""The worked examples of ext/README.md, row by row: the core and the oracle say what the table says."""

import datetime as dt
import re
from pathlib import Path

import pytest

from support.oracle import cron as oracle
from tocsin.domain.schedule import Cron, DaylightPolicy

README = Path(__file__).parents[2] / "ext" / "README.md"
ROW = re.compile(r"\| (\S+/\S+) \| (\S+) (\S+) - (\S+) \| `([^`]+)` \| (.*) \|")
ROWS = [match.groups() for match in map(ROW.fullmatch, README.read_text(encoding="utf-8").splitlines()) if match]


def second(day, time):
    return int(dt.datetime.fromisoformat(f"{day}T{time}+00:00").timestamp())


def test_the_table_is_there():
    assert len(ROWS) > 20
    assert "| `vixie` | `skip` | `both` | `croniter` |" in README.read_text(encoding="utf-8")


@pytest.mark.parametrize(("zone", "day", "begin", "end", "job", "cells"), ROWS)
def test_a_row(compiler, zone, day, begin, end, job, cells):
    low, high = second(day, begin), second(day, end)
    for policy, cell in zip(DaylightPolicy, cells.split(" | "), strict=True):
        expected = [] if cell == "-" else [second(day, time) for time in cell.split(", ")]
        number = compiler.compile((Cron(job, zone, policy),))
        found = compiler.timetables.upcoming(number, low * 1000 - 1, len(expected) + 1)
        assert [at // 1000 for at in found if at < high * 1000] == expected, policy
        assert oracle.fire_times(job, zone, policy.value, low, high) == expected, policy
        backwards, at = [], high * 1000
        while (at := compiler.prev_before(number, at)) >= low * 1000:
            backwards.append(at // 1000)
        assert backwards[::-1] == expected, policy
