"""Check-ins by when they were recorded: how many of each state between two instants, and pages.

That is when a report came, and for a slot without one the deadline: with a long grace that is long after the slot,
which `Browse.counts` and most lists go by. A check-in's number begins with that instant, so both questions are
stretches of the index over (monitor, number).
"""

import itertools
from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, func, select

from tocsin.domain import ids
from tocsin.domain.check_in import STATE_NUMBERS, STATES_BY_NUMBER, CheckIn, State
from tocsin.domain.instant import Instant
from tocsin.store import weeks
from tocsin.store.browse_port import Passage, Stretch
from tocsin.store.check_ins import from_row, select_check_ins
from tocsin.store.port import chunks
from tocsin.store.schema import environments, tracks
from tocsin.store.weeks import Piece

BLOCK: Final = 20_000  # check-ins of a monitor that are looked through at once
LOOKED: Final = 200_000  # for one page
_MANY: Final = 500  # values in one IN


def tallies(
    connection: Connection, monitors: Sequence[int], environment: str, cuts: Sequence[Instant]
) -> dict[int, list[dict[State, int]]]:
    """See `Browse.tallies`."""
    found: dict[int, list[dict[State, int]]] = {}
    for some in chunks(monitors, _MANY):
        of_track = _tracks(connection, some, environment)
        for place, (since, until) in enumerate(itertools.pairwise(cuts)):
            low, high = ids.first_number_from(since), ids.first_number_from(until)
            if not of_track or low >= high:
                continue
            for piece in weeks.pieces(connection, above=low - 1, below=high):
                for track, state, number in _grouped(connection, piece.check_ins, list(some), low, high):
                    if track not in of_track:
                        continue
                    cells = found.setdefault(of_track[track], [{} for _ in cuts[1:]])
                    name = STATES_BY_NUMBER[state]
                    cells[place][name] = cells[place].get(name, 0) + number
    return found


def page(
    connection: Connection, monitor: int, environment: str, states: Collection[State], stretch: Stretch, limit: int
) -> Passage:
    """See `Browse.recorded`."""
    low = ids.first_number_from(stretch.since)
    high = min(ids.first_number_from(stretch.until), stretch.below)
    found: list[CheckIn] = []
    looked = skipped = 0
    wanted = list(_tracks(connection, [monitor], environment))
    pieces = weeks.pieces(connection, above=low - 1, below=high) if wanted and low < high else []
    for piece in pieces:
        ceiling = min(high, piece.end)
        while ceiling > max(low, piece.start):
            floor, count = _block(connection, piece, monitor, max(low, piece.start), ceiling)
            here = _here(piece.check_ins, monitor, floor, ceiling)
            here += (piece.check_ins.c.track.in_(wanted), piece.check_ins.c.state.in_(_numbers(states)))
            number = piece.check_ins.c.number
            if skipped < stretch.offset:
                passed = select(number).where(*here).limit(stretch.offset - skipped).subquery()
                before = skipped
                skipped += connection.execute(select(func.count()).select_from(passed)).scalar_one()
            else:
                before = skipped
            if skipped == stretch.offset:
                statement = select_check_ins(piece.check_ins).where(*here).order_by(number.desc())
                rows = connection.execute(statement.offset(stretch.offset - before).limit(limit - len(found)))
                found += [from_row(row) for row in rows]
            if len(found) == limit:
                return Passage(found, found[-1].number if found else ceiling)
            looked += count
            ceiling = floor
            if looked >= LOOKED:
                return Passage(found, floor)
    return Passage(found, 0)


def _block(connection: Connection, piece: Piece, monitor: int, low: int, high: int) -> tuple[int, int]:
    """Where the next so many check-ins of a monitor begin, by the index alone, and how many these are at most."""
    number = piece.check_ins.c.number
    last = select(number).where(*_here(piece.check_ins, monitor, low, high)).order_by(number.desc())
    found = connection.execute(last.offset(BLOCK - 1).limit(1)).scalar()
    return (low if found is None else found), BLOCK


def _tracks(connection: Connection, monitors: Sequence[int], environment: str) -> dict[int, int]:
    """The monitors by the number of one track of each: in this environment, else in the first by name."""
    statement = (
        select(tracks.c.number, tracks.c.monitor, environments.c.name)
        .join_from(tracks, environments, tracks.c.environment == environments.c.number)
        .where(tracks.c.monitor.in_(monitors))
    )
    best: dict[int, tuple[bool, str, int]] = {}
    for row in connection.execute(statement):
        here = (row.name != environment, row.name, row.number)
        best[row.monitor] = min(here, best.get(row.monitor, here))
    return {track: monitor for monitor, (_, _, track) in best.items()}


def _grouped(connection: Connection, table: Table, monitors: list[int], low: int, high: int) -> Any:
    here = (table.c.monitor.in_(monitors), table.c.number >= low, table.c.number < high)
    statement = select(table.c.track, table.c.state, func.count()).where(*here)
    return connection.execute(statement.group_by(table.c.track, table.c.state))


def _here(table: Table, monitor: int, low: int, high: int) -> tuple[Any, ...]:
    return table.c.monitor == monitor, table.c.number >= low, table.c.number < high


def _numbers(states: Collection[State]) -> list[int]:
    return sorted(STATE_NUMBERS[state] for state in states)
