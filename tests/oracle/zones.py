"""Every zone against zoneinfo: offsets on a grid of half days and beside each change, wall times in every gap and fold."""

import datetime as dt
from typing import NamedTuple

from oracle.judging import Tally, zones
from support.oracle import corpus
from tocsin._core.zone import FOLD, GAP, NORMAL

FIRST_YEAR, END_YEAR = 1850, 2501
GRID_S = 12 * 3600
EPOCH = dt.datetime(1970, 1, 1)


class ZoneDifference(NamedTuple):
    zone: str
    what: str
    argument: int
    expected: object
    got: object

    def __str__(self) -> str:
        return (
            f"{self.what} of {self.zone}: expected {self.expected}, got {self.got}; again:\n"
            f"    PYTHONPATH=src:tests python -m oracle zone {self.zone} {self.argument}"
        )


def meaning(zone, wall_s: int) -> tuple[int, int, int]:
    """What `Zone.utc` should say, by the rules of PEP 495: fold=0 and fold=1 are the two readings of a wall time."""
    wall = EPOCH + dt.timedelta(seconds=wall_s)
    offsets = [wall.replace(tzinfo=zone, fold=fold).utcoffset() // dt.timedelta(seconds=1) for fold in (0, 1)]
    first, second = (wall_s - offset for offset in offsets)
    if first == second:
        return first, second, NORMAL
    return first, second, FOLD if first < second else GAP


def judge(name: str, first_year: int = FIRST_YEAR, end_year: int = END_YEAR) -> Tally:
    tally = Tally()
    known, ours = corpus.load(name), zones().get(name)
    fromtimestamp, offset_at = dt.datetime.fromtimestamp, ours.offset_at
    changed, before = [], None
    for second in range(corpus.second_of(first_year), corpus.second_of(end_year), GRID_S):
        offset = fromtimestamp(second, known).utcoffset()
        if offset.days * 86400 + offset.seconds != offset_at(second):
            tally.differ(ZoneDifference(name, "offset", second, offset, offset_at(second)))
        if before is not None and offset != before:
            changed.append(second)
        before = offset
        tally.questions += 1
    for late in changed:
        low, high = late - GRID_S, late
        after = corpus.offset_at(known, high)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if corpus.offset_at(known, middle) == after else (middle, high)
        beside(tally, name, known, ours, high)
    return tally


def beside(tally: Tally, name: str, known, ours, second: int) -> None:
    """The seconds and the wall times around one change."""
    offsets = sorted(corpus.offset_at(known, second + shift) for shift in (-1, 0))
    tally.windows += 1
    for shift in (-3600, -1, 0, 1, 3600):
        tally.questions += 1
        expected = corpus.offset_at(known, second + shift)
        if ours.offset_at(second + shift) != expected:
            got = ours.offset_at(second + shift)
            tally.differ(ZoneDifference(name, "offset", second + shift, expected, got))
    low, high = (second + offset for offset in offsets)
    for wall in (low - 1800, low - 1, low, low + 1, (low + high) // 2, high - 1, high, high + 1, high + 1800):
        tally.questions += 1
        expected, got = meaning(known, wall), ours.utc(wall)
        if got != expected:
            tally.differ(ZoneDifference(name, "utc", wall, expected, got))
