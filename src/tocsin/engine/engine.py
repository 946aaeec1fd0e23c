"""The engine: commands and instants in, facts and changed rows out. No I/O, no clock.

    needs(commands) → what must be recalled from the store first
    step(entry)     → Receipt, true once the batch is committed
    make_way(entry) → judges, in slices, what must be before an entry of maintenance windows is stepped
    tick(horizon)   → judges silence up to the horizon, in slices
    take()          → Delta: everything since the last take, to be committed as one transaction

Tracks are independent of each other, so a report first settles its own track up to its own time, and silence is judged
by ticks; a tick's horizon never passes a request that has arrived and is not stepped yet.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tocsin.domain.commands import (
    AcknowledgeIncident,
    ChangeEnvironment,
    Command,
    Deaf,
    DeleteEnvironment,
    DeleteMaintenanceWindow,
    DeleteMonitor,
    DeleteRefusals,
    Entry,
    PutMaintenanceWindow,
    PutMonitor,
    PutMonitors,
    PutProjectSettings,
    RecordRefusals,
    RecordTraceErrors,
    ReportBatch,
    ReportCheckIn,
    ResolveIncident,
    ReviewTracks,
    Tick,
    WindowCommand,
)
from tocsin.domain.instant import SECOND, Instant
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.project_settings import DEFAULTS, ProjectSettings
from tocsin.domain.receipt import Receipt
from tocsin.domain.track import Track
from tocsin.engine import (
    defaults,
    environments,
    handwork,
    maintenance,
    needs,
    outages,
    plain,
    puts,
    reports,
    review,
    rezoning,
    silence,
    singles,
)
from tocsin.engine.bursts import Burst
from tocsin.engine.delta import Delta
from tocsin.engine.loading import load
from tocsin.engine.memory import Needs, Recall, Snapshot
from tocsin.engine.projection import Projection
from tocsin.engine.state import State
from tocsin.schedule import Compiler


@dataclass(frozen=True, slots=True)
class EngineSettings:
    outage_shown_ms: int = 30 * SECOND  # shorter outages are honoured, and not listed
    projects: ProjectSettings = DEFAULTS  # what holds for a project that decides nothing else
    windows: tuple[MaintenanceWindow, ...] = ()  # maintenance windows of every project
    kernels: bool = True  # False: everything goes through the rules, row by row, to the same end


class Unjudgeable(Exception):
    """Judging one track failed half-way: this engine is of no use any more, a new one can go on without the track."""

    def __init__(self, track: int) -> None:
        super().__init__(f"track {track} cannot be judged")
        self.track = track  # Track.number


class Engine:
    def __init__(self, compiler: Compiler, settings: EngineSettings = EngineSettings()) -> None:
        self._state = State(compiler, settings.projects, settings.windows, kernels=settings.kernels)
        self._settings = settings
        self._way_made: Entry | None = None

    @property
    def clock(self) -> Instant:
        """The horizon: everything due before it has been judged."""
        return self._state.clock

    @property
    def state(self) -> State:
        """For tests and for readers of totals; only rules write."""
        return self._state

    def load(self, snapshot: Snapshot) -> dict[str, int]:
        """Takes over what the store holds. The engine must be new.

        Returns the zones that cannot be read, and how many monitors are not judged for want of each.
        """
        load(self._state, snapshot)
        rezoning.realign(self._state)
        return rezoning.realign_unread(self._state)

    def next_deadline(self) -> Instant | None:
        return self._state.deadlines.next()

    def needs(self, commands: Iterable[Command]) -> Needs:
        """The rows that stepping these commands will look at and that are not hot."""
        return needs.of(self._state, commands)

    def recall(self, recall: Recall) -> None:
        """Hands in what `needs` asked for; kept until `take`."""
        self._state.recall = recall

    def step(self, entry: Entry) -> Receipt:
        """Applies one command at its time; a time before the horizon counts as the horizon."""
        at = max(entry.at, self._state.clock)
        match entry.command:
            case ReportCheckIn(report=sent):
                return reports.report(self._state, sent, at)
            case ReportBatch() as command:
                return plain.report_batch(self._state, command, at)
            case PutMonitor() as command:
                return puts.put(self._state, (command,), at)
            case PutMonitors(puts=several):
                return puts.put(self._state, several, at)
            case DeleteMonitor() as command:
                return puts.delete(self._state, command, at)
            case ChangeEnvironment() as command:
                return environments.change(self._state, command, at)
            case DeleteEnvironment() as command:
                return environments.delete(self._state, command)
            case PutProjectSettings() as command:
                return defaults.put(self._state, command)
            case PutMaintenanceWindow() as command:
                for _ in self.make_way(entry):
                    pass
                return maintenance.put(self._state, command, at)
            case DeleteMaintenanceWindow() as command:
                for _ in self.make_way(entry):
                    pass
                return maintenance.delete(self._state, command)
            case RecordRefusals(refusals=refusals):
                self._state.delta.refusals.extend(refusals)
                self._state.delta.facts.extend(refusals)
                return Receipt()
            case DeleteRefusals() as command:
                self._state.delta.forget_refusals(command)
                return Receipt()
            case RecordTraceErrors(errors=found):
                self._state.delta.trace_errors.update({(error.project, error.trace_id): error for error in found})
                return Receipt()
            case AcknowledgeIncident() as command:
                return handwork.acknowledge(self._state, command, at)
            case ResolveIncident() as command:
                return handwork.resolve(self._state, command, at)
            case ReviewTracks(first=first):
                return Receipt(reviewed=review.review(self._state, first, at))
            case Tick():
                while self.tick(at, limit=100_000):
                    pass
                return Receipt()
            case Deaf(since=since, until=until, reason=reason):
                for _ in self.resume(since, until, reason):
                    pass
                return Receipt()

    def step_many(self, entries: Sequence[Entry]) -> list[Receipt]:
        """As `step` for each in turn; reports that came one by one cost much less this way."""
        receipts: list[Receipt] = []
        while len(receipts) < len(entries):
            together = singles.step_many(self._state, entries, len(receipts))
            receipts += together or [self.step(entries[len(receipts)])]
        return receipts

    def make_way(self, entry: Entry, *, slice_size: int = 20_000) -> Iterator[int]:
        """What was due before a maintenance window is made, changed or removed is judged by those that held then.

        Yields after each slice of tracks, when a `take` may be committed; nothing else may be stepped before the entry
        is. `step` does at once what is left of it. Entries of other commands need nothing.
        """
        command = entry.command
        if not isinstance(command, WindowCommand) or entry is self._way_made:
            return
        at = max(entry.at, self._state.clock)
        for count, slots in enumerate(
            maintenance.concerned(self._state, command.project, at, slice_size=slice_size), start=1
        ):
            for slot in slots:
                with self._judging(slot):
                    maintenance.judge_before(self._state, slot, at)
            yield count
        self._way_made = entry

    def tick(self, horizon: Instant, *, limit: int) -> bool:
        """Judges up to `limit` tracks due strictly before `horizon`. True: more are due, and the clock stands still.

        Unjudgeable: one of them broke the engine.
        """
        state = self._state
        due = state.deadlines.due(horizon, limit)
        burst, place = Burst(state, due, horizon), 0
        while (place := burst.judge(place)) < len(due):
            slot, leaf = due[place] >> 1, due[place] & 1
            place += 1
            if silence.left_out(state, slot):
                continue
            with self._judging(slot):
                silence.settle(state, slot, horizon)
                silence.park(state, slot, leaf)
        burst.end()
        if len(due) == limit:
            return True
        state.clock = max(state.clock, horizon)
        return False

    def resume(self, since: Instant, until: Instant, reason: str, *, slice_size: int = 20_000) -> Iterator[int]:
        """Passes over deaf time, track by track; yields after each slice, when a `take` may be committed.

        The clock stands still until the end: a crash in between is simply a longer deaf time.
        """
        state = self._state
        since = max(since, state.clock)
        unknown = 0
        affected = (slot for slot in outages.affected(state, since, until) if not silence.left_out(state, slot))
        for count, slot in enumerate(affected, start=1):
            with self._judging(slot):
                unknown += outages.pass_over(state, slot, since, until)
            if count % slice_size == 0:
                yield count
        if until > since:
            outages.record(state, since, until, reason, unknown, until - since >= self._settings.outage_shown_ms)
        state.clock = max(state.clock, until)

    def leave_out(self, tracks: Collection[int]) -> None:
        """The silence of these (numbers) is not judged: judging it broke an engine before this one.

        Reports of theirs are filed, and all else that is asked of them goes on.
        """
        self._state.left_out = frozenset(tracks)

    @property
    def left_out(self) -> int:
        """How many tracks are not judged."""
        return len(self._state.left_out)

    @contextmanager
    def _judging(self, slot: int) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise Unjudgeable(self._state.tracks.get(slot, "number")) from error

    def plan_rezone(self, rules: rezoning.NewRules) -> rezoning.Plan:
        """What a new time zone database changes as of the clock. On any thread, while nothing else is asked for."""
        return rezoning.plan(self._state, rules)

    def rezone(self, plan: rezoning.Plan, *, slice_size: int) -> Iterator[int]:
        """Puts a plan just made in force. What it returns moves tracks, and yields after each slice of them.

        Between slices reports may be stepped and a `take` be committed; `tick` must wait for the end.
        """
        return rezoning.adopt(self._state, plan, slice_size=slice_size)

    def take(self, flush: int = 0) -> Delta:
        """All that changed since the last take; commit it as one transaction before anybody is answered.

        Tracks that only moved are not in it, but for `flush` of those that were not written since: see `projection`.
        """
        return self._state.take(flush)

    def unsaved_track(self, project: int, monitor_id: str, track: Track) -> Track | None:
        """A track as memory has it, if the store has it older; of any thread. RuntimeError: not now, try again."""
        return self._state.unsaved_track(project, monitor_id, track)

    @property
    def projection(self) -> Projection:
        """How far the tracks in the store are behind; to look at only."""
        return self._state.projection
