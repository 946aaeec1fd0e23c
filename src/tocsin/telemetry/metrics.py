"""Counters and histograms of the server and its projects: level 1, never a label per monitor.

`Metrics.observe(delta)` is the only place where counters of facts move. Every metric is built from the registry that is
handed in; series of a project exist, at zero, from the project's registration on.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from tocsin._core import tallies
from tocsin.domain.check_in import CheckIn, ReportKind, State
from tocsin.domain.facts import (
    Abandoned,
    CheckInRecorded,
    CheckInRefused,
    IncidentBroken,
    IncidentResolved,
    Missed,
    OutageRecorded,
    TimedOut,
    Unjudged,
)
from tocsin.domain.instant import Instant
from tocsin.engine.delta import Columns, Delta

DIALECTS: Final = ("sentry", "cronitor", "checkly", "grpc", "native")
STATUSES: Final = ("ok", "error", "in_progress", "note")
_EXEMPLAR_MAX: Final = 120  # the format allows 128 characters for name and value; more is an error there
_ANSWER_BUCKETS: Final = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_RUN_BUCKETS: Final = (0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 4 * 3600.0, 12 * 3600.0, 86400.0)
_RUN_BOUNDS: Final = array("q", [round(bound * 1000) for bound in _RUN_BUCKETS])  # ms
_OFFSET_BUCKETS: Final = (-60.0, -30.0, -10.0, -5.0, -1.0, -0.1, 0.1, 1.0, 5.0, 10.0, 30.0, 60.0)
_DELAY_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_DELAY_BOUNDS: Final = array("q", [round(bound * 1000) for bound in _DELAY_BUCKETS])


Metric = TypeVar("Metric", bound=MetricWrapperBase)


class Children(Generic[Metric]):
    """The series of a metric by their labels, found without the checks of the library: the same few over and over.

    For metrics of which no series is ever removed.
    """

    def __init__(self, family: Metric) -> None:
        self._family = family
        self._found: dict[tuple[str, ...], Metric] = {}

    def __getitem__(self, labels: tuple[str, ...]) -> Metric:
        found = self._found.get(labels)
        if found is None:
            found = self._found[labels] = self._family.labels(*labels)
        return found


def observe_counts(histogram: Histogram, counts: Sequence[int], whole: float) -> None:
    """As `observe` so often: counts by bucket, the last one without a bound, and the sum of what was observed.

    The library has no way to observe several values at once, and a call for each costs more than the check-in did.
    """
    for bucket, count in zip(histogram._buckets, counts, strict=True):  # noqa: SLF001 - see above
        if count:
            bucket.inc(count)
    histogram._sum.inc(whole)  # noqa: SLF001


class Metrics:
    def __init__(
        self, registry: CollectorRegistry, project_slug: Callable[[int], str], backend: str = "sqlite"
    ) -> None:
        """`project_slug(number)` names a project; "" when it is not known. `backend` is the database."""
        self._backend = backend
        self.registry = registry
        self._slug = project_slug

        def counter(name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
            return Counter(name, text, labels, registry=registry)

        self.checkins = counter("tocsin_checkins_total", "Check-ins accepted.", ("project", "dialect", "status"))
        self.rejected = counter("tocsin_checkins_rejected_total", "Check-ins refused.", ("dialect", "reason"))
        self.refusals = counter(
            "tocsin_refusals_total", "Reports recorded but not honoured, by reason.", ("project", "dialect", "reason")
        )
        self.missed = counter("tocsin_missed_total", "Slots missed.", ("project",))
        self.timeouts = counter("tocsin_timeouts_total", "Runs that passed their maximum runtime.", ("project",))
        self.errors = counter("tocsin_errors_total", "Runs that ended badly.", ("project",))
        self.abandoned = counter("tocsin_abandoned_total", "Runs that nobody ended, closed at last.", ("project",))
        self.unknown = counter("tocsin_unknown_total", "Slots and runs not judged: nobody could listen.", ("project",))
        self.recoveries = counter("tocsin_recoveries_total", "Monitors that became healthy again.", ("project",))
        self.broken = counter(
            "tocsin_broken_incidents_total",
            "Incidents that stayed open and failing: nobody seems to care.",
            ("project",),
        )
        self.dark_seconds = counter("tocsin_dark_seconds_total", "Time during which this server could not listen.")
        self.outages = counter("tocsin_outages_total", "Times in which this server could not listen.", ("reason",))
        self.writes = counter("tocsin_store_writes_total", "Batches written to the database.", ("backend",))
        self.write_errors = counter("tocsin_store_write_errors_total", "Batches that failed to write.", ("backend",))
        self.envelope_items = counter(
            "tocsin_sentry_items_total", "Envelope items received, by type.", ("project", "type")
        )
        self.client_lost = counter(
            "tocsin_sentry_client_lost_checkins_total",
            "Check-ins that Sentry clients say they dropped.",
            ("project", "reason"),
        )
        self.notifications = counter("tocsin_notifications_total", "Notices delivered.", ("kind",))
        self.notification_errors = counter(
            "tocsin_notification_errors_total", "Notices that a try to deliver them did not bring through.", ("kind",)
        )
        self.notifications_dead = counter("tocsin_notifications_dead_total", "Notices given up.", ("kind",))
        self.notifications_unsupported = counter(
            "tocsin_notifications_unsupported_total", "Notices that nothing here can deliver.", ("kind",)
        )
        self.notifications_waiting = Gauge(
            "tocsin_notifications_waiting", "Notices that wait for delivery.", registry=registry
        )
        self.answer_seconds = Histogram(
            "tocsin_checkin_duration_seconds",
            "Time from arrival to durable answer.",
            ("dialect",),
            buckets=_ANSWER_BUCKETS,
            registry=registry,
        )
        self.run_seconds = Histogram(
            "tocsin_run_duration_seconds",
            "Durations of finished runs.",
            ("project",),
            buckets=_RUN_BUCKETS,
            registry=registry,
        )
        self.detection_seconds = Histogram(
            "tocsin_detection_delay_seconds",
            "Deadline to verdict.",
            ("kind",),
            buckets=_DELAY_BUCKETS,
            registry=registry,
        )
        self.commit_seconds = Histogram(
            "tocsin_log_fsync_duration_seconds", "Group-commit time.", buckets=_ANSWER_BUCKETS, registry=registry
        )
        self.clock_offset = Histogram(
            "tocsin_clock_offset_seconds",
            "Client-sent time minus server time, of reports that are not old.",
            ("dialect",),
            buckets=_OFFSET_BUCKETS,
            registry=registry,
        )
        self.build_info = Gauge(
            "tocsin_build_info", "Build of this server, always 1.", ("version", "python", "core"), registry=registry
        )
        self.tzdata_info = Gauge(
            "tocsin_tzdata_info", "Time zone database in use, always 1.", ("version",), registry=registry
        )
        self.ingest_anomaly = Gauge(
            "tocsin_ingest_anomaly",
            "1 while far fewer check-ins come than in the same minutes of other days.",
            registry=registry,
        )
        Gauge("tocsin_watchdog", "Always 1; alert when absent.", registry=registry).set(1)
        for family in (self.notifications, self.notification_errors, self.notifications_dead):
            family.labels("webhook")
        self.writes.labels(backend)
        self.write_errors.labels(backend)
        self._checkins, self._runs = Children(self.checkins), Children(self.run_seconds)
        self._answers = Children(self.answer_seconds)
        for dialect in ("sentry", "cronitor", "grpc", "native"):
            self.answer_seconds.labels(dialect)
        for kind in ("missed", "timeout"):
            self.detection_seconds.labels(kind)

    def show_tzdata(self, version: str) -> None:
        """The time zone database in use; the one before is shown no more."""
        self.tzdata_info.clear()
        self.tzdata_info.labels(version).set(1)

    def register_project(self, slug: str) -> None:
        """Counters exist from registration on, or `increase()` loses the first event."""
        for family in (
            self.missed,
            self.timeouts,
            self.errors,
            self.abandoned,
            self.unknown,
            self.recoveries,
            self.broken,
            self.run_seconds,
        ):
            family.labels(slug)
        for dialect in ("sentry", "cronitor", "grpc", "native"):
            for status in ("ok", "error", "in_progress"):
                self.checkins.labels(slug, dialect, status)

    def observe(self, delta: Delta) -> None:
        """Called once for each committed delta."""
        counted: dict[tuple[int, str, ReportKind], int] = {}  # a batch has thousands of facts and few series
        for fact in delta.facts:
            match fact:
                case CheckInRecorded(check_in=run, kind=kind):
                    series = (run.project, run.dialect, kind)
                    counted[series] = counted.get(series, 0) + 1
                    if fact.finished:
                        self._finished(run)
                case CheckInRefused():
                    self._refused(fact)
                case Missed():
                    self.missed.labels(self._slug(fact.check_in.project)).inc()
                    self.detection_seconds.labels("missed").observe((fact.judged_at - fact.deadline) / 1000)
                case TimedOut():
                    self.timeouts.labels(self._slug(fact.check_in.project)).inc(exemplar=_exemplar(fact.check_in))
                    self.detection_seconds.labels("timeout").observe((fact.judged_at - fact.deadline) / 1000)
                case Abandoned():
                    self.abandoned.labels(self._slug(fact.check_in.project)).inc()
                case Unjudged():
                    self.unknown.labels(self._slug(fact.check_in.project)).inc()
                case IncidentResolved():
                    self.recoveries.labels(self._slug(fact.incident.project)).inc()
                case IncidentBroken():
                    self.broken.labels(self._slug(fact.incident.project)).inc()
                case OutageRecorded():
                    self.dark_seconds.inc(fact.length_ms / 1000)
                    self.outages.labels(fact.outage.reason).inc()
                case _:
                    pass
        for columns in delta.columns:
            if columns.judged_at is not None:
                self._missed_many(columns, columns.judged_at)
                continue
            series = (columns.project, columns.dialect, ReportKind.OK)
            counted[series] = counted.get(series, 0) + len(columns.reported)
            self._finished_many(columns)
        for (project, dialect, kind), count in counted.items():
            self._checkins[self._slug(project), dialect, _STATUS_OF[kind]].inc(count)

    def observe_answer(self, dialect: str, milliseconds: int) -> None:
        """From arrival to durable answer."""
        self._answers[(dialect,)].observe(milliseconds / 1000)

    def observe_commit(self, seconds: float, well: bool) -> None:
        if well:
            self.writes.labels(self._backend).inc()
            self.commit_seconds.observe(seconds)
        else:
            self.write_errors.labels(self._backend).inc()

    def reject(self, dialect: str, reason: str) -> None:
        """A request that never became a report: auth, unknown_monitor, invalid, rate_limited, too_large, overload."""
        self.rejected.labels(dialect, reason).inc()

    def _finished(self, run: CheckIn) -> None:
        if run.state is State.ERROR:
            self.errors.labels(self._slug(run.project)).inc(exemplar=_exemplar(run))
        if run.duration_ms is not None:
            self._runs[(self._slug(run.project),)].observe(run.duration_ms / 1000, _exemplar(run))

    def _finished_many(self, columns: Columns) -> None:
        counts, whole_ms = tallies.durations(columns.reported, _RUN_BOUNDS)
        if any(counts):
            observe_counts(self._runs[(self._slug(columns.project),)], counts, whole_ms / 1000)

    def _missed_many(self, columns: Columns, judged_at: Instant) -> None:
        self.missed.labels(self._slug(columns.project)).inc(len(columns.reported))
        counts, whole_ms = tallies.delays(columns.reported, judged_at, _DELAY_BOUNDS)
        observe_counts(self.detection_seconds.labels("missed"), counts, whole_ms / 1000)

    def observe_offset(self, dialect: str, milliseconds: int) -> None:
        """How far a client's clock is from ours."""
        self.clock_offset.labels(dialect).observe(milliseconds / 1000)

    def _refused(self, fact: CheckInRefused) -> None:
        self.refusals.labels(self._slug(fact.project), fact.dialect, fact.reason).inc()
        if fact.dropped:
            self.rejected.labels(fact.dialect, _REJECTIONS.get(fact.reason, "invalid")).inc()


_STATUS_OF: Final = {
    ReportKind.START: "in_progress",
    ReportKind.BEAT: "in_progress",
    ReportKind.OK: "ok",
    ReportKind.ERROR: "error",
    ReportKind.RESET: "ok",
    ReportKind.NOTE: "note",
}
_REJECTIONS: Final = {
    "MONITOR_NOT_FOUND": "unknown_monitor",
    "MONITOR_ENVIRONMENT_RATELIMITED": "rate_limited",
    "INTERNAL": "overload",
}


def _exemplar(run: CheckIn) -> dict[str, str] | None:
    """The trace of a run, where the format is OpenMetrics and the client sent one."""
    return {"trace_id": run.trace_id} if 0 < len(run.trace_id) <= _EXEMPLAR_MAX else None
