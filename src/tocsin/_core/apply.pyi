# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""Plain reports in columns: applied to rosters and deadlines, recorded, all without the GIL."""

from collections.abc import Container, Sequence
from typing import Final, final

from _typeshed import ReadableBuffer

from tocsin._core.batch import Batch
from tocsin._core.deadlines import DeadlineHeap
from tocsin._core.keys import KeyTable
from tocsin._core.plans import Plans
from tocsin._core.recorded import Recorded
from tocsin._core.roster import MonitorRoster, TrackRoster
from tocsin._core.timetable import Timetables

TABLE_SIZE: Final[int]
"""Cells of the table of what is plain: kinds of reports x healths x verdicts x 2."""

@final
class Applier:
    """Everything that plain reports read and write. All parts belong to one thread at a time."""

    def __new__(
        cls,
        monitors: MonitorRoster,
        tracks: TrackRoster,
        monitor_keys: KeyTable,
        track_keys: KeyTable,
        environment_keys: KeyTable,
        plans: Plans,
        deadlines: DeadlineHeap,
        table: bytes,
    ) -> Applier:
        """`table`: see `engine.rules.plain`; `environment_keys`: from the bytes of a name to its number."""

    @property
    def monitors(self) -> MonitorRoster: ...
    @property
    def tracks(self) -> TrackRoster: ...
    @property
    def monitor_keys(self) -> KeyTable: ...
    @property
    def track_keys(self) -> KeyTable: ...
    @property
    def environment_keys(self) -> KeyTable: ...
    @property
    def plans(self) -> Plans: ...
    @property
    def deadlines(self) -> DeadlineHeap: ...
    def step(
        self,
        batch: Batch,
        first: int,
        project: int,
        at: int,
        timetables: Timetables,
        environment: bytes,
        limit: int,
        number: int,
        recorded: Recorded,
        held: Sequence[int] = (),
        times: ReadableBuffer | None = None,
    ) -> tuple[int, int]:
        """Applies rows from `first` on at the instant `at`; the first row that is not plain, and the number given last.

        `environment` is the default one, `limit` what the project allows a minute (0: any number), `number` the
        check-in number given out before; each row adds a check-in to `recorded` and marks its track as moved. `held`
        are numbers of tracks that are not judged. `times`, int64 for each row, stand in place of `at`. The GIL is not
        held; RuntimeError when a part is in use meanwhile.
        """

def spare(recorded: Recorded, rows: Container[int]) -> Recorded:
    """A copy without the check-ins of these rows of the batch."""

def without(recorded: Recorded, monitors: Container[int], tracks: Container[int]) -> Recorded:
    """A copy without the check-ins of these monitors and tracks (numbers)."""
