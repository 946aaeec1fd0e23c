"""An engine for tests, with a store that is a dictionary of deltas and a clock that is an argument.

`World` plays scenarios in relative time: `world.at("00:05").ok()`. It recalls what it kept, as a node would, and can be
restarted from what it kept, so that replay and restart are plain test steps.
"""

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tocsin.app.tzdata import read_zone, zone_names
from tocsin.domain import ids
from tocsin.domain.check_in import CheckIn, Report, ReportKind, State
from tocsin.domain.commands import (
    ChangeEnvironment,
    Command,
    Deaf,
    DeleteEnvironment,
    DeleteMonitor,
    Entry,
    PutMonitor,
    PutProjectSettings,
    ReportCheckIn,
    ReviewTracks,
)
from tocsin.domain.facts import CheckInRecorded, CheckInRefused, Fact, IncidentOpened, Missed
from tocsin.domain.group import Filed
from tocsin.domain.incident import Incident, Outage
from tocsin.domain.instant import HOUR
from tocsin.domain.maintenance import MaintenanceWindow
from tocsin.domain.monitor import Monitor, MonitorChange, Policy
from tocsin.domain.notice import Notice
from tocsin.domain.project_settings import ProjectSettings
from tocsin.domain.receipt import Receipt, Reviewed
from tocsin.domain.track import Track
from tocsin.engine.delta import Delta
from tocsin.engine.engine import Engine, EngineSettings
from tocsin.engine.memory import Recall, Snapshot
from tocsin.engine.open_incidents import incident_of
from tocsin.engine.windows import asks_for_filing
from tocsin.schedule import Compiler, Zones

T0 = 1_774_000_800_000  # 2026-03-20T10:00:00Z, a Friday


@functools.cache
def compiler() -> Compiler:
    return Compiler(Zones(read_zone, zone_names))


@dataclass
class Kept:
    """What a store would hold."""

    clock: int | None = None
    policies: dict[int, Policy] = field(default_factory=dict)
    environments: dict[int, str] = field(default_factory=dict)
    monitors: dict[int, tuple[Monitor, int]] = field(default_factory=dict)
    tracks: dict[int, Track] = field(default_factory=dict)
    check_ins: dict[int, CheckIn] = field(default_factory=dict)
    incidents: dict[int, Incident] = field(default_factory=dict)
    outages: list[Outage] = field(default_factory=list)
    sequences: dict[str, int] = field(default_factory=dict)
    project_settings: dict[int, ProjectSettings] = field(default_factory=dict)
    windows: dict[int, MaintenanceWindow] = field(default_factory=dict)
    refusals: list[CheckInRefused] = field(default_factory=list)

    def keep(self, delta: Delta) -> None:
        """`settle_columns` and `settle_moved` follow, with what the delta only points to."""
        for number in delta.deleted_monitors:
            self.monitors.pop(number, None)
            self.tracks = {key: row for key, row in self.tracks.items() if row.monitor != number}
            self.check_ins = {key: row for key, row in self.check_ins.items() if row.monitor != number}
            self.incidents = {key: row for key, row in self.incidents.items() if row.monitor != number}
        for number in delta.deleted_tracks:
            self.tracks.pop(number, None)
            self.check_ins = {key: row for key, row in self.check_ins.items() if row.track != number}
            self.incidents = {key: row for key, row in self.incidents.items() if row.track != number}
        for number in delta.new_check_ins:
            assert number not in self.check_ins, "a new check-in has a number that was given out before"
        for name in ("policies", "environments", "monitors", "tracks", "check_ins", "incidents", "sequences"):
            getattr(self, name).update(getattr(delta, name))
        self.project_settings |= delta.project_settings
        self.windows = {key: row for key, row in self.windows.items() if key not in delta.deleted_windows}
        self.windows |= delta.windows
        self.outages += delta.outages
        for command in delta.deleted_refusals:
            self.refusals = [made for made in self.refusals if not command.covers(made)]
        self.refusals += delta.refusals
        assert self.clock is None or delta.clock >= self.clock
        self.clock = delta.clock

    def settle_columns(self, delta: Delta, engine: Engine) -> list[Fact]:
        """Check-ins in columns, with the names of their monitors; as facts."""
        names = {monitor.number: monitor.id for monitor, _ in self.monitors.values()}
        facts: list[Fact] = []
        opened = {
            one.row(index)[3]: incident_of(one, index, engine.state.environments)
            for one in delta.opened
            for index in one.incidents()
        }
        for columns in delta.columns:
            stored = set(columns.recorded.numbers())
            for index in range(len(columns.reported)):
                row = columns.check_in(index, engine.state.environments)
                if columns.judged_at is None:
                    facts.append(CheckInRecorded(row, ReportKind.OK, True))
                else:
                    if row.number in opened:
                        facts.append(IncidentOpened(opened[row.number]))
                    facts.append(Missed(row, row.update_time, columns.judged_at))
                assert row.number not in self.check_ins or row.number in delta.check_ins
                if row.number not in delta.check_ins and row.number in stored:
                    self.check_ins[row.number] = msgspec.structs.replace(row, monitor_id=names[row.monitor])
        tracks = engine.state.tracks
        for incident in opened.values():
            self.incidents.setdefault(incident.number, incident)
        for one in delta.opened:
            for slot in one.slots():
                if tracks.is_open(slot):
                    self._keep_track(engine, slot)
        return facts

    def _keep_track(self, engine: Engine, slot: int) -> None:
        track = Track(*engine.state.tracks.read(slot))
        track.monitor, track.next_track = engine.state.monitors.get(track.monitor, "number"), 0
        self.tracks[track.number] = track

    def settle_moved(self, delta: Delta, engine: Engine) -> None:
        """The tracks that a kernel moved and nobody wrote, as if all had been written with the delta."""
        tracks = engine.state.tracks
        assert tracks.moved_count == delta.moved
        for slot in tracks.take_moved(len(tracks)):
            assert tracks.get(slot, "number") not in delta.tracks
            self._keep_track(engine, slot)

    def filed(self, projects: Iterable[int]) -> dict[int, dict[int, Filed]]:
        """Groups and tags of the monitors that have any."""
        known = [monitor for monitor, _ in self.monitors.values() if monitor.group or monitor.tags]
        return {
            project: {one.number: Filed(one.group, one.tags) for one in known if one.project == project}
            for project in projects
        }

    def snapshot(self) -> Snapshot:
        return Snapshot(
            clock=self.clock,
            policies=list(self.policies.items()),
            environments=list(self.environments.items()),
            monitors=[
                [
                    (m.number, m.project, m.id, policy, m.disabled, m.inactive, m.paused_until, m.muted_until)
                    for m, policy in self.monitors.values()
                ]
            ],
            tracks=[[(*msgspec.structs.astuple(track), 0) for track in self.tracks.values()]],
            open_runs=[[run for _, run in sorted(self.check_ins.items()) if run.state is State.IN_PROGRESS]],
            open_incidents=[[one for one in self.incidents.values() if one.resolve_time is None]],
            after=(),
            recent=[run for _, run in sorted(self.check_ins.items()) if not run.client_chosen],
            sequences=dict(self.sequences),
            outages=[(one.start_time, one.end_time) for one in self.outages if one.end_time - one.start_time >= HOUR],
            windows=list(self.windows.values()),
            filed=self.filed({one.project for one in self.windows.values() if asks_for_filing(one)}),
            project_settings={k: own for k, own in self.project_settings.items() if own != ProjectSettings()},
        )


def instant(text: str | int) -> int:
    """ "5" s, "01:05" m:s, "1:00:00" h:m:s after T0, with fractions; an int stays as it is."""
    if isinstance(text, int):
        return text
    seconds = 0.0
    for part in text.split(":"):
        seconds = seconds * 60 + float(part)
    return T0 + round(seconds * 1000)


class World:
    def __init__(self, settings: EngineSettings | None = None) -> None:
        self.settings = settings or EngineSettings()
        self.engine = Engine(compiler(), self.settings)
        self.kept = Kept()
        self.facts: list[Fact] = []
        self.notices: list[Notice] = []
        self.last: Receipt = Receipt()
        self.delta = Delta()  # taken last

    def step(self, at: str | int, command: Command) -> Receipt:
        """Recall, step, take, keep: what a node does with one entry."""
        return self.together((at, command))[0]

    def together(self, *entries: tuple[str | int, Command]) -> list[Receipt]:
        """Several entries in one batch: recalled once, committed once."""
        needs = self.engine.needs([command for _, command in entries])
        if needs:
            by_id = {(run.project, run.id): run for run in self.kept.check_ins.values()}
            by_name = {(m.project, m.id): m for m, _ in self.kept.monitors.values()}
            self.engine.recall(
                Recall(
                    monitors={key: by_name[key] for key in needs.monitors if key in by_name},
                    check_ins={key: by_id[key] for key in needs.check_ins if key in by_id},
                    named={
                        m.number: (m.project, m.id) for m, _ in self.kept.monitors.values() if m.number in needs.named
                    },
                    filed=self.kept.filed(needs.filed),
                    tokens={
                        m.ping_token: (m.project, m.id)
                        for m, _ in self.kept.monitors.values()
                        if m.ping_token in needs.tokens
                    },
                    monitor_ids={
                        project: {m.number: m.id for m, _ in self.kept.monitors.values() if m.project == project}
                        for project in needs.monitor_ids
                    },
                )
            )
        receipts = self.engine.step_many([Entry(instant(at), command) for at, command in entries])
        self.last = receipts[-1]
        self._take()
        return receipts

    def tick(self, at: str | int) -> list[Fact]:
        """Judges silence up to `at`; the facts of this tick."""
        before = len(self.facts)
        while self.engine.tick(instant(at), limit=7):
            self._take()
        self._take()
        return self.facts[before:]

    def deaf(self, since: str | int, until: str | int, reason: str = "restart") -> None:
        for _ in self.engine.resume(instant(since), instant(until), reason, slice_size=2):
            self._take()
        self._take()

    def restart(self) -> None:
        """A new engine from what was kept: nothing may change by that."""
        self.engine = Engine(compiler(), self.settings)
        self.engine.load(self.kept.snapshot())

    def put(self, at: str | int = 0, monitor_id: str = "job", **fields: Any) -> Monitor:
        tolerance = {name: fields.pop(name) for name in list(fields) if name in _TOLERANCE}
        policy = {name: fields.pop(name) for name in list(fields) if name in _POLICY}
        change = MonitorChange(policy=policy, tolerance=tolerance, **fields)
        receipt = self.step(at or T0, PutMonitor(1, monitor_id, change))
        assert receipt.error is None, receipt.error
        return receipt.monitors[0]

    def decide(self, at: str | int, project: int = 1, **fields: Any) -> Receipt:
        """Project settings by name; None gives one back to the server."""
        return self.step(at, PutProjectSettings(project, ProjectSettings(**fields), tuple(fields)))

    def delete(self, at: str | int, monitor_id: str = "job") -> Receipt:
        return self.step(at, DeleteMonitor(1, monitor_id))

    def delete_environment(self, at: str | int, environment: str, monitor_id: str = "job") -> Receipt:
        return self.step(at, DeleteEnvironment(1, monitor_id, environment))

    def mute_environment(
        self, at: str | int, environment: str, monitor_id: str = "job", *, muted: bool = True
    ) -> Receipt:
        return self.step(at, ChangeEnvironment(1, monitor_id, environment, muted))

    def environments(self, monitor_id: str = "job") -> list[str]:
        """In the order of their making."""
        numbers = {m.id: m.number for m, _ in self.kept.monitors.values()}
        mine = [track for _, track in sorted(self.kept.tracks.items()) if track.monitor == numbers[monitor_id]]
        return [self.kept.environments[track.environment] for track in mine]

    def review(self, at: str | int) -> list[Reviewed]:
        """All slices of a review."""
        found: list[Reviewed] = []
        while not found or found[-1].following:
            receipt = self.step(at, ReviewTracks(found[-1].following if found else 0))
            assert receipt.reviewed is not None
            found.append(receipt.reviewed)
        return found

    def report(self, at: str | int, kind: ReportKind, monitor_id: str = "job", **fields: Any) -> Receipt:
        return self.step(at, self.command(kind, at, monitor_id, **fields))

    def command(self, kind: ReportKind, at: str | int, monitor_id: str = "job", **fields: Any) -> ReportCheckIn:
        return ReportCheckIn(Report(project=1, monitor_id=monitor_id, kind=kind, received=instant(at), **fields))

    def start(self, at: str | int, **fields: Any) -> Receipt:
        return self.report(at, ReportKind.START, **fields)

    def ok(self, at: str | int, **fields: Any) -> Receipt:
        return self.report(at, ReportKind.OK, **fields)

    def error(self, at: str | int, **fields: Any) -> Receipt:
        return self.report(at, ReportKind.ERROR, **fields)

    def track(self, environment: str = "production", monitor_id: str = "job") -> Track:
        numbers = {m.id: m.number for m, _ in self.kept.monitors.values()}
        names = self.kept.environments
        return next(
            t
            for t in self.kept.tracks.values()
            if t.monitor == numbers[monitor_id] and names[t.environment] == environment
        )

    def history(self) -> list[tuple[str, str | None]]:
        """(state, slot as h:mm:ss after T0) of every check-in, in order of recording."""
        return [(run.state.value, relative(run.expected_time)) for _, run in sorted(self.kept.check_ins.items())]

    def incidents(self, *, open_only: bool = False) -> list[Incident]:
        return [one for one in self.kept.incidents.values() if one.resolve_time is None or not open_only]

    def of(self, kind: type) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def _take(self) -> None:
        self.delta = delta = self.engine.take()
        self.facts += delta.facts
        self.notices += delta.notices
        self.kept.keep(delta)
        self.facts += self.kept.settle_columns(delta, self.engine)
        self.kept.settle_moved(delta, self.engine)


def relative(at: int | None) -> str | None:
    """An instant as h:mm:ss after T0."""
    if at is None:
        return None
    seconds, rest = divmod(at - T0, 1000)
    text = f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{rest:03d}" if rest else text


def findable(run: CheckIn) -> bool:
    """Whether the store finds the run by its id: ids that we make hold their number, others have an index."""
    return run.client_chosen or ids.number_of(run.id) == run.number


def states(runs: Iterable[CheckIn]) -> list[str]:
    return [run.state.value for run in runs]


_TOLERANCE = frozenset(
    ("margin_ms", "max_runtime_ms", "failure_threshold", "miss_threshold", "recovery_threshold", "early_ms")
)
_POLICY = frozenset(
    (
        *("schedules", "kind", "expect_from", "miss_while_running", "round_to_minute", "check_ins_per_minute"),
        *("assertions", "separate_causes", "abandon_runs"),
    )
)
__all__ = ["T0", "Deaf", "Kept", "World", "compiler", "findable", "instant", "relative", "states"]
