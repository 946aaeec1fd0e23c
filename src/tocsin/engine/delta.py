"""What a batch changed: facts for people and metrics, rows for the store. Committed as one transaction."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tocsin._core.apply import unlisted, without
from tocsin._core.opened import Opened
from tocsin._core.recorded import Recorded
from tocsin._core.saved import SavedTracks
from tocsin.domain import ids
from tocsin.domain.check_in import STATES_BY_NUMBER, CheckIn
from tocsin.domain.commands import DeleteRefusals
from tocsin.domain.facts import CheckInRefused, Fact
from tocsin.domain.incident import Incident, Outage
from tocsin.domain.instant import Instant
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.monitor import Monitor, Policy
from tocsin.domain.notice import Notice
from tocsin.domain.project_settings import ProjectSettings
from tocsin.domain.trace_error import TraceError
from tocsin.domain.track import Track


class Columns(NamedTuple):
    """New check-ins of one batch in bulk, rows that are in no other part.

    Lone OKs that changed nothing but their tracks' times; or, where `judged_at` is set, slots that nobody met.
    """

    recorded: Recorded
    project: int
    dialect: str
    client: str
    judged_at: Instant | None = None  # of slots that nobody met: when that was found
    also: Recorded | None = None  # with those of what was deleted in the same batch: reported, and not to be stored

    @property
    def reported(self) -> Recorded:
        """All that a report was honoured for, to be counted."""
        return self.also if self.also is not None else self.recorded

    def check_in(self, index: int, environments: Sequence[str]) -> CheckIn:
        """A row of `reported` as an object; it names no monitor. `environments` by number."""
        number, monitor, track, state, received, updated, end, duration, expected, policy, environment, _, _ = (
            self.reported.row(index)
        )
        return CheckIn(
            number=number,
            id=ids.public_id(number),
            project=self.project,
            monitor=monitor,
            monitor_id="",
            track=track,
            environment=environments[environment],
            state=STATES_BY_NUMBER[state],
            receive_time=received,
            update_time=updated,
            end_time=end,
            duration_ms=duration,
            expected_time=expected,
            policy=policy,
            dialect=self.dialect,
            client=self.client,
        )


@dataclass(slots=True)
class Delta:
    """Rows by number, each in its state at the end of the batch: the last writer wins."""

    clock: Instant = 0  # the engine's horizon: all up to here has been judged; the durable "alive" stamp
    facts: list[Fact] = field(default_factory=list)
    policies: dict[int, Policy] = field(default_factory=dict)  # new ones
    environments: dict[int, str] = field(default_factory=dict)  # new ones: number → name
    monitors: dict[int, tuple[Monitor, int]] = field(default_factory=dict)  # with the policy's number
    released_tokens: set[str] = field(default_factory=set)  # ping tokens that monitors gave up: free before new rows
    deleted_monitors: set[int] = field(default_factory=set)  # with all their tracks, check-ins and incidents
    deleted_tracks: dict[int, int] = field(default_factory=dict)  # to their monitor's number; with check-ins, incidents
    project_settings: dict[int, ProjectSettings] = field(default_factory=dict)  # those that changed, by project
    windows: dict[int, MaintenanceWindow] = field(default_factory=dict)  # new and changed ones
    deleted_windows: set[int] = field(default_factory=set)
    moved: int = 0  # tracks that are not written here and have moved since they were: the roster marks them
    tracks: dict[int, Track] = field(default_factory=dict)  # Track.monitor is the monitor's number here
    saved: SavedTracks | None = None  # more rows of tracks that are in the store already: columns moved them
    applied: int = 0  # the newest check-in contained in all these rows
    watermark: int = 0  # every check-in up to it is contained in its track's row, see `projection`
    check_ins: dict[int, CheckIn] = field(default_factory=dict)
    new_check_ins: set[int] = field(default_factory=set)  # those of `check_ins` that are not in the store yet
    columns: list[Columns] = field(default_factory=list)  # more new check-ins, in bulk
    opened: list[Opened] = field(default_factory=list)  # misses in columns: tracks judged, incidents opened
    judged: SavedTracks | None = None  # the rows of those tracks, of which none is among `tracks`
    renamed_check_ins: set[int] = field(default_factory=set)  # old rows that took over a client's id
    incidents: dict[int, Incident] = field(default_factory=dict)
    outages: list[Outage] = field(default_factory=list)
    refusals: list[CheckInRefused] = field(default_factory=list)
    deleted_refusals: list[DeleteRefusals] = field(default_factory=list)  # of those in the store
    trace_errors: dict[tuple[int, str], TraceError] = field(default_factory=dict)  # by project and trace id
    notices: list[Notice] = field(default_factory=list)  # events to be told; whom is not known yet
    sequences: dict[str, int] = field(default_factory=dict)  # last number given out, by noun; only those that moved

    def __bool__(self) -> bool:
        """Whether anything but the clock moved."""
        return bool(
            self.facts
            or self.policies
            or self.environments
            or self.monitors
            or self.deleted_monitors
            or self.deleted_tracks
            or self.project_settings
            or self.windows
            or self.deleted_windows
            or self.tracks
            or self.saved
            or self.check_ins
            or self.columns
            or self.incidents
            or self.outages
            or self.refusals
            or self.deleted_refusals
            or self.trace_errors
            or self.notices
            or self.sequences
        )

    def forget_refusals(self, command: DeleteRefusals) -> None:
        """Those in the store and those of this batch; what is refused from now on stays."""
        self.deleted_refusals.append(command)
        self.refusals = [made for made in self.refusals if not command.covers(made)]

    def column_row(self, project: int, number: int, environments: Sequence[str]) -> CheckIn | None:
        """The check-in of this number among the columns of this batch; None also when what it belongs to is deleted."""
        for columns in self.columns:
            numbers = columns.recorded.numbers()
            index = bisect_left(numbers, number)
            if columns.project == project and index < len(numbers) and numbers[index] == number:
                row = columns.check_in(index, environments)
                gone = row.monitor in self.deleted_monitors or row.track in self.deleted_tracks
                return None if gone else row
        return None

    def take_over(self, numbers: set[int]) -> None:
        """Of these check-ins in columns, those that a rule has changed since are rows of their own."""
        changed = numbers & self.check_ins.keys()
        if changed:
            self.new_check_ins |= changed
            self.columns = [
                columns._replace(recorded=unlisted(columns.recorded, changed), also=columns.reported)
                for columns in self.columns
            ]

    def prune(self) -> None:
        """Leaves out the rows of monitors and tracks that were deleted after they were written."""
        monitors, tracks = self.deleted_monitors, self.deleted_tracks
        if not monitors and not tracks:
            return
        self.check_ins = {
            number: row
            for number, row in self.check_ins.items()
            if row.monitor not in monitors and row.track not in tracks
        }
        self.columns = [
            columns._replace(recorded=without(columns.recorded, monitors, tracks), also=columns.reported)
            for columns in self.columns
        ]
        self.opened = [opened.spare(monitors, tracks) for opened in self.opened]
        self.new_check_ins &= self.check_ins.keys()
        self.renamed_check_ins &= self.check_ins.keys()
        self.incidents = {
            number: row
            for number, row in self.incidents.items()
            if row.monitor not in monitors and row.track not in tracks
        }
        self.monitors = {number: row for number, row in self.monitors.items() if number not in monitors}
