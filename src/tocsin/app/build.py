"""Settings → parts. Every constructor of the server is called here and nowhere else.

Dialect routes meet the HTTP application here.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.requests import Request

from tocsin import __version__
from tocsin.api.check_ins import CheckInHandlers
from tocsin.api.environments import EnvironmentHandlers
from tocsin.api.groups import GroupHandlers
from tocsin.api.heartbeats import HeartbeatHandlers
from tocsin.api.incidents import IncidentHandlers
from tocsin.api.maintenance_windows import MaintenanceWindowHandlers
from tocsin.api.manual_incidents import ManualIncidentHandlers
from tocsin.api.monitors import MonitorHandlers
from tocsin.api.project_settings import ProjectSettingsHandlers
from tocsin.app import checkly, checkly_deploy, checkly_resources, cronitor, dialects, project_settings
from tocsin.app.maintenance import windows_of
from tocsin.app.notifying import Notifying
from tocsin.app.observing import MonitorSeries, register
from tocsin.app.readiness import metrics_are_open, told
from tocsin.app.settings import Settings, SettingsError
from tocsin.app.timezones import TimeZones, TimeZoneWatch
from tocsin.dialects.checkly.resources.bindings import Bindings
from tocsin.dialects.checkly.services import Services as Checkly
from tocsin.dialects.cronitor.resources.services import Services as Resources
from tocsin.dialects.sentry.management.services import Services
from tocsin.domain.errors import InvalidArgument
from tocsin.domain.instant import Clock, Instant
from tocsin.domain.project_settings import ProjectSettings
from tocsin.engine.delta import Delta
from tocsin.engine.engine import EngineSettings
from tocsin.http import documents
from tocsin.http.app import application
from tocsin.http.auth import key_of
from tocsin.http.front import Front
from tocsin.http.ops import Ops
from tocsin.http.pings import Pings
from tocsin.http.transcode import routes as transcoded
from tocsin.journal.local import LocalJournal
from tocsin.node.clock import SystemClock
from tocsin.node.flushing import Flushing
from tocsin.node.janitor import Janitor
from tocsin.node.overlay import Overlay
from tocsin.node.partition import Partition
from tocsin.node.pulse import Pulse
from tocsin.node.reviewer import Reviewer
from tocsin.service.browsing import Browsing
from tocsin.service.call import Call
from tocsin.service.check_ins import CheckIns
from tocsin.service.configuration import Configuration
from tocsin.service.environments import Environments
from tocsin.service.groups import Groups
from tocsin.service.history import History
from tocsin.service.incidents import Incidents
from tocsin.service.maintenance_windows import MaintenanceWindows
from tocsin.service.manual_incidents import ManualIncidents
from tocsin.service.monitors import Monitors
from tocsin.service.notification import Channels
from tocsin.service.principal import Principals
from tocsin.service.project_settings import Settings as Decisions
from tocsin.service.room import Room
from tocsin.service.statistics import Statistics
from tocsin.service.tokens import Tokens
from tocsin.service.watching import Watching
from tocsin.store import SqlStore
from tocsin.store.browse import SqlBrowse
from tocsin.store.deploying import SqlDeployments
from tocsin.store.notification import SqlNotification
from tocsin.store.nouns import SqlNouns
from tocsin.telemetry.metrics import Metrics
from tocsin.telemetry.volume import VolumeWatch

_ANSWERED = {"KEY_MISSING": "auth", "KEY_INVALID": "auth", "KEY_SCOPE": "auth", "QUEUE_FULL": "overload"}
_ANSWERED |= {"STORE_UNAVAILABLE": "overload", "SHUTTING_DOWN": "overload", "BODY_TOO_LARGE": "too_large"}
_ANSWERED |= {"PING_TOKEN_UNKNOWN": "unknown_monitor"}
_BY_REFUSAL = frozenset({"MONITOR_NOT_FOUND", "MONITOR_DISABLED", "CHECK_IN_CLOSED", "CHECK_IN_MISMATCH"})
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What the life of a server is made of."""

    settings: Settings
    clock: Clock
    store: SqlStore
    principals: Principals
    watching: Watching
    partition: Partition
    pulse: Pulse
    janitor: Janitor
    reviewer: Reviewer
    notifying: Notifying
    metrics: Metrics
    services: dict[str, object]
    journal: LocalJournal
    tokens: Tokens
    http: Front
    room: Room
    failed: Callable[[str, str], None]
    readiness: dict[str, Any]
    time_zones: TimeZoneWatch


def build(settings: Settings) -> Parts:
    clock = SystemClock()
    store = SqlStore(
        settings.database_url,
        busy_timeout_ms=settings.store.busy_timeout_ms,
        statement_timeout_ms=settings.store.statement_timeout_ms,
        refusals_kept=settings.store.refusals_kept,
    )
    principals = Principals(store)
    journal = LocalJournal(
        clock,
        limit=settings.engine.queue_limit,
        limit_bytes=settings.engine.queue_bytes,
        answer_within_ms=settings.engine.answer_within_ms,
    )
    room = Room(settings.listen.requests_limit, settings.listen.requests_bytes, journal.overloaded)
    time_zones = TimeZones()
    metrics = Metrics(CollectorRegistry(), principals.slug, store.database.backend)
    watching = Watching(store, principals.require_active)
    notifying = Notifying(settings, store, clock, metrics)

    volume = VolumeWatch(clock.now())
    if settings.telemetry.volume_watch:
        metrics.ingest_anomaly.set_function(lambda: volume.abnormal(clock.now()))

    tokens = Tokens(store, journal.hold, within_ms=settings.engine.answer_within_ms)

    def observe_delta(delta: Delta) -> None:
        tokens.forget(delta)
        metrics.observe(delta)
        if settings.telemetry.volume_watch:
            volume.observe(delta)
        watching.announce()
        notifying.dispatcher.observe(delta)

    def beat() -> None:
        pulse.beat()

    projects = project_settings.to_domain(settings.projects)
    try:
        time_zones.compiler.zones.get(projects.time_zone or "UTC", field="projects.time_zone")
        windows = windows_of(settings.maintenance, time_zones.compiler)
    except InvalidArgument as error:
        raise SettingsError(error.message) from None
    except ValueError as error:
        raise SettingsError(str(error)) from None
    engine_settings = EngineSettings(settings.engine.outage_shown_ms, projects, windows)
    partition = Partition(
        lambda: time_zones.engine(engine_settings),
        journal,
        store,
        clock,
        observe_delta,
        metrics.observe_commit,
        time.monotonic,
        beat,
        Flushing(settings.engine.flush_tracks),
    )
    notifying.ask(partition)
    store.database.overlay = overlay = Overlay(lambda: partition.engine)
    store.database.overlay_briefs = overlay.briefs
    pulse = Pulse(clock, partition.deaf, time.monotonic)
    register(metrics, partition, clock, journal, principals)

    def answered(dialect: str, arrived: Instant) -> None:
        metrics.observe_answer(dialect, max(clock.now() - arrived, 0))

    def failed(dialect: str, reason: str) -> None:
        if reason not in _BY_REFUSAL:  # those are facts, and counted as such
            metrics.reject(dialect, _ANSWERED.get(reason, "invalid"))

    configuration = Configuration(time_zones.compiler.zones, time_zones.version)
    check_ins = CheckIns(journal, store, configuration.check, answered, metrics.reject, metrics.observe_offset)
    monitors = Monitors(journal, store, configuration)

    def settings_of(project: int) -> ProjectSettings:
        return partition.engine.state.settings_of(project)

    browse = SqlBrowse(store.database)
    browsing = Browsing(browse)
    identity = cronitor.Identity(store)
    incidents = Incidents(journal, store)
    windows_in_use = MaintenanceWindows(journal, store, configuration)
    shelves = SqlNotification(store.database)
    nouns = SqlNouns(store.database)
    groups, environments = Groups(journal, nouns, notifying.dispatcher.look_at), Environments(journal, nouns)
    manual_incidents = ManualIncidents(nouns)
    resources = Resources(
        browsing,
        monitors,
        incidents,
        Statistics(browse),
        notifying.lists,
        windows_in_use,
        groups,
        environments,
        manual_incidents,
    )
    checks = Checkly(
        monitors=monitors,
        browsing=browsing,
        check=configuration.check,
        settings_of=settings_of,
        groups=groups,
        channels=Channels(shelves),
        subscriptions=notifying.subscriptions,
        windows=windows_in_use,
        incidents=incidents,
        check_ins=check_ins,
        statistics=Statistics(browse),
        bindings=Bindings(SqlDeployments(store.database)),
        history=History(browse),
    )
    owned = checkly_resources.resources(store.database, checks, configuration, notifying.notices)
    management_services = Services(monitors, check_ins, browsing, configuration.check, settings_of)
    services: dict[str, object] = {
        "tocsin.v1.MonitorService": MonitorHandlers(monitors, watching, clock, groups),
        "tocsin.v1.CheckInService": CheckInHandlers(check_ins, monitors, journal.arrival),
        "tocsin.v1.HeartbeatService": HeartbeatHandlers(check_ins, journal.arrival),
        "tocsin.v1.IncidentService": IncidentHandlers(incidents),
        "tocsin.v1.ProjectSettingsService": ProjectSettingsHandlers(
            Decisions(journal, principals, configuration, projects)
        ),
        "tocsin.v1.MaintenanceWindowService": MaintenanceWindowHandlers(windows_in_use),
        **notifying.services(),
        "tocsin.v1.GroupService": GroupHandlers(groups),
        "tocsin.v1.EnvironmentService": EnvironmentHandlers(environments),
        "tocsin.v1.ManualIncidentService": ManualIncidentHandlers(manual_incidents),
    }
    readiness: dict[str, Any] = {"ready": False, "version": __version__, "tzdata": time_zones.version}
    metrics.show_tzdata(time_zones.version)

    def use(now: TimeZones) -> None:
        configuration.use(now.compiler.zones, now.version)
        readiness["tzdata"] = now.version
        metrics.show_tzdata(now.version)

    async def context(request: Request, _method: object) -> Call:
        principal = principals.resolve(key_of(request))
        return Call(principal, request.state.received, "native", request.headers.get("user-agent", "")[:200])

    ops = Ops(
        metrics.registry,
        principals,
        lambda: told(readiness, partition.engine.clock, store.database.trouble, store.loading),
        MonitorSeries(store, principals, clock, time_zones, settings.telemetry.max_samples),
        open_metrics=metrics_are_open(settings),
    )
    events, events_by_code = cronitor.telemetry(
        settings, identity, principals, check_ins, monitors, browsing, incidents, settings_of
    )
    routes = [
        *ops.routes(),
        *documents.routes(),
        *Pings(check_ins, principals, failed).routes(),
        *dialects.sentry(settings, check_ins, principals, metrics, settings_of),
        *dialects.sentry_management(settings, management_services, principals),
        *checkly.pings(settings, principals, check_ins, tokens, failed),
        *events,
        *cronitor.routes(settings, store, identity, principals, monitors, browsing, groups, configuration, settings_of),
        *cronitor.resource_routes(settings, identity, principals, resources),
        *checkly.routes(settings, principals, checks),
        *checkly_resources.routes(settings, principals, checks, owned),
        *checkly_deploy.routes(settings, principals, store.database, clock, checks, owned),
        *transcoded(services, context),
        *events_by_code,
    ]
    return Parts(
        settings=settings,
        clock=clock,
        store=store,
        principals=principals,
        watching=watching,
        partition=partition,
        pulse=pulse,
        janitor=Janitor(
            store,
            clock,
            check_ins_days=settings.store.check_in_days,
            refusals_days=settings.store.refusal_days,
            trace_errors_days=settings.store.trace_error_days,
            expire_notices=notifying.outbox.expire,
            notices_days=settings.store.notice_days,
        ),
        reviewer=Reviewer(journal, store, clock),
        notifying=notifying,
        metrics=metrics,
        services=services,
        journal=journal,
        tokens=tokens,
        http=application(
            routes,
            journal.arrival,
            room,
            failed,
            prefix=settings.listen.path_prefix,
            worded=dialects.worded(settings),
            busy=dialects.busy(settings),
            endless=dialects.endless(settings),
        ),
        room=room,
        failed=failed,
        readiness=readiness,
        time_zones=TimeZoneWatch(time_zones, partition, use),
    )
